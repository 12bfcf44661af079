use std::time::Duration;

use cronofy_webhook::{Overrun, RejectionKind};

use super::HELD;
use super::exchange::{Chunk, Exchange, HandlerEnd};
use crate::properties::reference::{self, Verdict};

/// What becomes of an exchange. Times are counted from its start.
#[derive(Debug, PartialEq)]
pub(super) struct Course {
    /// What the sender gets, and when; or that it has hung up.
    pub(super) answer: (Answer, Duration),
    /// When the handler is called, how it ends, and when; unless it is not called.
    pub(super) handler: Option<(Duration, End, Duration)>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Handler { status: u16 },
    HandlerError,
    HandlerPanic,
    Refusal { status: u16, kind: RejectionKind },
    Late { status: u16, overrun: Overrun },
    HungUp,
}

#[derive(Debug, PartialEq)]
pub(super) enum End {
    Finished,
    Dropped,
}

/// Later than anything.
const NEVER: Duration = Duration::MAX;

/// What has to become of it, by what the README says.
pub(super) fn expected(exchange: &Exchange) -> Course {
    let hang_up = exchange.hang_up.unwrap_or(NEVER);
    let (refusal, read) = read(exchange);
    let Some((status, kind)) = refusal else {
        return handle(exchange, read, hang_up);
    };
    let answer = if read <= hang_up {
        (Answer::Refusal { status, kind }, read)
    } else {
        (Answer::HungUp, hang_up)
    };
    Course {
        answer,
        handler: None,
    }
}

/// Why the request is refused, if it is, and when that is known.
fn read(exchange: &Exchange) -> (Option<(u16, RejectionKind)>, Duration) {
    const TOO_LARGE: Option<(u16, RejectionKind)> = Some((413, RejectionKind::BodyTooLarge));

    let verdict = reference::verdict(&HELD, &exchange.headers(), &exchange.data());
    if verdict == Verdict::Missing {
        return (Some((401, RejectionKind::SignatureMissing)), Duration::ZERO);
    }
    if exchange.declared().any(|length| length > exchange.limit()) {
        return (TOO_LARGE, Duration::ZERO);
    }

    let mut refusal = match verdict {
        Verdict::Accepted { .. } => None,
        Verdict::Missing => Some((401, RejectionKind::SignatureMissing)),
        Verdict::Malformed { .. } => Some((401, RejectionKind::SignatureMalformed)),
        Verdict::Mismatch { .. } => Some((401, RejectionKind::SignatureMismatch)),
    };
    let (mut at, mut size) = (Duration::ZERO, 0);
    for chunk in &exchange.body {
        size += chunk.data().len();
        if size > exchange.limit() {
            refusal = TOO_LARGE;
            break;
        }
        match chunk {
            Chunk::Data(_) | Chunk::Change | Chunk::Trailers => {}
            Chunk::Pause(time) => at = at.saturating_add(*time),
            Chunk::Hang => at = NEVER,
            Chunk::Fail => {
                refusal = Some((400, RejectionKind::BodyIncomplete));
                break;
            }
        }
    }
    if at > exchange.budget {
        return (Some((408, RejectionKind::BodyTimeout)), exchange.budget);
    }
    (refusal, at)
}

/// What becomes of an authentic request whose body is complete at `called`.
fn handle(exchange: &Exchange, called: Duration, hang_up: Duration) -> Course {
    if called > hang_up {
        return Course {
            answer: (Answer::HungUp, hang_up),
            handler: None,
        };
    }
    let done = match exchange.handler.end {
        HandlerEnd::Hang => NEVER,
        _ => called + exchange.handler.takes,
    };
    let let_go = exchange.budget.min(hang_up);
    let answer = if done <= let_go {
        let answer = match exchange.handler.end {
            HandlerEnd::Answer(status) => Answer::Handler { status },
            HandlerEnd::Fail => Answer::HandlerError,
            HandlerEnd::Panic => Answer::HandlerPanic,
            HandlerEnd::Hang => unreachable!("it is never done"),
        };
        (answer, done)
    } else if exchange.budget <= hang_up {
        let overrun = exchange.overrun;
        let status = if overrun == Overrun::Accept { 202 } else { 503 };
        (Answer::Late { status, overrun }, exchange.budget)
    } else {
        (Answer::HungUp, hang_up)
    };
    let dropped = match exchange.overrun {
        Overrun::Cancel => let_go,
        _ => let_go + exchange.grace,
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
