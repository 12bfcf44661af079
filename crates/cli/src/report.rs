//! What came of the deliveries.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use serde::Serialize;

use crate::client::{Answer, Exchange};
use crate::error::Error;
use crate::hint;
use crate::output::Output;
use crate::text::Escaped;
use crate::times::{millis, percentile};

/// One delivery, and what was answered.
#[derive(Serialize)]
pub(crate) struct Delivery<'a> {
    number: u64,
    kind: &'a str,
    url: &'a str,
    outcome: &'static str,
    status: Option<u16>,
    took_ms: f64,
    limit_ms: f64,
    text: Option<&'a str>,
    error: Option<&'a str>,
    hint: Option<&'static str>,
}

impl<'a> Delivery<'a> {
    pub(crate) fn new(
        kind: &'a str,
        url: &'a str,
        number: u64,
        exchange: &'a Exchange,
        limit: Duration,
    ) -> Self {
        let (outcome, status, text, error) = match &exchange.answer {
            Answer::Status(status, text) if status.is_success() => {
                ("delivered", Some(status), Some(text), None)
            }
            Answer::Status(status, text) => ("refused", Some(status), Some(text), None),
            Answer::TimedOut(status) => ("timed_out", status.as_ref(), None, None),
            Answer::Failed(status, failure) => {
                ("failed", status.as_ref(), None, Some(&failure.text))
            }
        };
        Self {
            number,
            kind,
            url,
            outcome,
            status: status.map(StatusCode::as_u16),
            took_ms: millis(exchange.took),
            limit_ms: millis(limit),
            text: text.map(String::as_str),
            error: error.map(String::as_str),
            hint: hint(&exchange.answer),
        }
    }

    /// Prints it, as text with this in front of it.
    pub(crate) fn print(&self, output: Output, prefix: impl fmt::Display) -> Result<(), Error> {
        if output.json {
            return output.record("delivery", self);
        }
        let what = match (self.status(), self.error, self.text) {
            (Some(status), _, Some(_)) => status.to_string(),
            (Some(status), Some(error), None) => {
                format!("{status}, then failed: {}", Escaped(error))
            }
            (Some(status), None, None) => format!("{status}, but not the whole answer,"),
            (None, Some(error), _) => format!("failed: {}", Escaped(error)),
            (None, None, _) => "no answer".to_owned(),
        };
        let verdict = match self.outcome {
            "delivered" => "delivered",
            _ => "Cronofy would retry",
        };
        output.line(format_args!(
            "{prefix}{what} after {:.1} ms of {} s: {verdict}",
            self.took_ms,
            self.limit_ms / 1e3
        ))?;
        for line in self.text.unwrap_or_default().lines() {
            output.line(format_args!("  {}", Escaped(line)))?;
        }
        match self.hint {
            Some(hint) => output.line(format_args!("hint: {hint}")),
            None => Ok(()),
        }
    }

    fn status(&self) -> Option<StatusCode> {
        StatusCode::from_u16(self.status?).ok()
    }
}

/// All deliveries of a run.
#[derive(Default)]
pub(crate) struct Summary {
    sent: usize,
    delivered: usize,
    timed_out: usize,
    /// Of what was answered in time.
    times: Vec<Duration>,
}

/// The times are null if nothing was answered in time.
#[derive(Serialize)]
struct Record {
    sent: usize,
    delivered: usize,
    timed_out: usize,
    min_ms: Option<f64>,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    max_ms: Option<f64>,
}

impl Summary {
    pub(crate) fn add(&mut self, exchange: &Exchange) {
        self.sent += 1;
        self.delivered += usize::from(exchange.is_delivered());
        self.timed_out += usize::from(matches!(exchange.answer, Answer::TimedOut(_)));
        if matches!(exchange.answer, Answer::Status(..)) {
            self.times.push(exchange.took);
        }
    }

    pub(crate) fn all_delivered(&self) -> bool {
        self.delivered == self.sent
    }

    /// Prints it, as text only if there is more than one delivery.
    pub(crate) fn print(&mut self, output: Output) -> Result<(), Error> {
        self.times.sort_unstable();
        let time = |percent| percentile(&self.times, percent).map(millis);
        let record = Record {
            sent: self.sent,
            delivered: self.delivered,
            timed_out: self.timed_out,
            min_ms: time(0),
            p50_ms: time(50),
            p99_ms: time(99),
            max_ms: time(100),
        };
        if output.json {
            output.record("summary", &record)
        } else if self.sent > 1 {
            output.line(record)
        } else {
            Ok(())
        }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} delivered", self.delivered, self.sent)?;
        if self.timed_out > 0 {
            write!(f, ", {} not answered in time", self.timed_out)?;
        }
        let times = (self.min_ms, self.p50_ms, self.p99_ms, self.max_ms);
        let (Some(min), Some(p50), Some(p99), Some(max)) = times else {
            return f.write_str("; no answers");
        };
        write!(
            f,
            "; answers after {min:.1} ms at least, {p50:.1} ms (median), {p99:.1} ms (p99), {max:.1} ms at most"
        )
    }
}

/// The usual cause, where the answer has one.
fn hint(answer: &Answer) -> Option<&'static str> {
    match answer {
        Answer::Status(status, _) => hint::of_status(*status),
        Answer::Failed(_, failure) if failure.is_refused => {
            Some("nothing listens there: is the receiver running, and on this port?")
        }
        Answer::Failed(..) | Answer::TimedOut(_) => None,
    }
}
