use std::time::Duration;

use cronofy_webhook::{Overrun, RejectionKind};

use super::HELD;
use super::exchange::{Chunk, Exchange, HandlerEnd};
use crate::properties::reference::{self, Verdict};

/// The outcome of an exchange. Times are counted from its start.
#[derive(Debug, PartialEq)]
pub(super) struct Course {
    /// What the client gets, and when; or that it has disconnected.
    pub(super) answer: (Answer, Duration),
    /// When the handler is called, how it ends, and when; unless it is not called.
    pub(super) handler: Option<(Duration, End, Duration)>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Handler { status: u16 },
    HandlerError,
    HandlerPanic,
    Rejected { status: u16, kind: RejectionKind },
    Late { status: u16, overrun: Overrun },
    Disconnected,
}

#[derive(Debug, PartialEq)]
pub(super) enum End {
    Finished,
    Dropped,
}

/// Later than any time.
const NEVER: Duration = Duration::MAX;

/// The outcome that the docs promise.
pub(super) fn expected(exchange: &Exchange) -> Course {
    let disconnect = exchange.disconnect.unwrap_or(NEVER);
    let (rejection, read) = read(exchange);
    let Some((status, kind)) = rejection else {
        return handle(exchange, read, disconnect);
    };
    let answer = if read <= disconnect {
        (Answer::Rejected { status, kind }, read)
    } else {
        (Answer::Disconnected, disconnect)
    };
    Course {
        answer,
        handler: None,
    }
}

/// Why the request is rejected, if it is, and when that is known.
fn read(exchange: &Exchange) -> (Option<(u16, RejectionKind)>, Duration) {
    const TOO_LARGE: Option<(u16, RejectionKind)> = Some((413, RejectionKind::BodyTooLarge));

    let verdict = reference::verdict(&HELD, &exchange.headers(), &exchange.data());
    if verdict == Verdict::Missing {
        return (Some((401, RejectionKind::SignatureMissing)), Duration::ZERO);
    }
    if exchange.declared().any(|length| length > exchange.limit()) {
        return (TOO_LARGE, Duration::ZERO);
    }

    let mut rejection = match verdict {
        Verdict::Accepted { .. } => None,
        Verdict::Missing => Some((401, RejectionKind::SignatureMissing)),
        Verdict::Malformed { .. } => Some((401, RejectionKind::SignatureMalformed)),
        Verdict::Mismatch { .. } => Some((401, RejectionKind::SignatureMismatch)),
    };
    let (mut at, mut size) = (Duration::ZERO, 0);
    for chunk in &exchange.body {
        size += chunk.data().len();
        if size > exchange.limit() {
            rejection = TOO_LARGE;
            break;
        }
        match chunk {
            Chunk::Data(_) | Chunk::Change | Chunk::Trailers => {}
            Chunk::Pause(time) => at = at.saturating_add(*time),
            Chunk::Hang => at = NEVER,
            Chunk::Fail => {
                rejection = Some((400, RejectionKind::BodyIncomplete));
                break;
            }
        }
    }
    if at > exchange.budget {
        return (Some((408, RejectionKind::BodyTimeout)), exchange.budget);
    }
    (rejection, at)
}

/// The outcome of an authentic request whose body is complete at `called`.
fn handle(exchange: &Exchange, called: Duration, disconnect: Duration) -> Course {
    if called > disconnect {
        return Course {
            answer: (Answer::Disconnected, disconnect),
            handler: None,
        };
    }
    let done = match exchange.handler.end {
        HandlerEnd::Hang => NEVER,
        _ => called + exchange.handler.takes,
    };
    let detached = exchange.budget.min(disconnect);
    let answer = if done <= detached {
        let answer = match exchange.handler.end {
            HandlerEnd::Answer(status) => Answer::Handler { status },
            HandlerEnd::Fail => Answer::HandlerError,
            HandlerEnd::Panic => Answer::HandlerPanic,
            HandlerEnd::Hang => unreachable!("it is never done"),
        };
        (answer, done)
    } else if exchange.budget <= disconnect {
        let overrun = exchange.overrun;
        let status = if overrun == Overrun::Accept { 202 } else { 503 };
        (Answer::Late { status, overrun }, exchange.budget)
    } else {
        (Answer::Disconnected, disconnect)
    };
    let dropped = match exchange.overrun {
        Overrun::Cancel => detached,
        _ => detached + exchange.grace,
    };
    let (end, ended) = if done <= dropped {
        (End::Finished, done)
    } else {
        (End::Dropped, dropped)
    };
    Course {
        answer,
        handler: Some((called, end, ended)),
    }
}
