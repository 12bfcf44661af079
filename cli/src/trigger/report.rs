//! What came of the deliveries.

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
pub(super) struct Delivery<'a> {
    number: u32,
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
    pub(super) fn new(
        kind: &'a str,
        url: &'a str,
        number: u32,
        exchange: &'a Exchange,
        limit: Duration,
    ) -> Self {
        let (outcome, status, text, error) = match &exchange.answer {
            Answer::Status(status, text) if status.is_success() => {
                ("delivered", Some(status), Some(text), None)
            }
            Answer::Status(status, text) => ("refused", Some(status), Some(text), None),
            Answer::TimedOut => ("timed_out", None, None, None),
            Answer::Failed(failure) => ("failed", None, None, Some(&failure.text)),
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

    pub(super) fn print(&self, output: Output, count: u32) -> Result<(), Error> {
        if output.json {
            return output.record("delivery", self);
        }
        let number = if count > 1 {
            format!("{}: ", self.number)
        } else {
            String::new()
        };
        let what = match (self.status(), self.error) {
            (Some(status), _) => status.to_string(),
            (None, Some(error)) => format!("failed: {}", Escaped(error)),
            (None, None) => "no answer".to_owned(),
        };
        let verdict = match self.outcome {
            "delivered" => "delivered",
            _ => "Cronofy would retry",
        };
        output.line(format_args!(
            "{number}{what} after {:.1} ms of {} s: {verdict}",
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
pub(super) struct Summary {
    delivered: usize,
    times: Vec<Duration>,
}

#[derive(Serialize)]
struct Record {
    sent: usize,
    delivered: usize,
    min_ms: f64,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

impl Summary {
    pub(super) fn add(&mut self, exchange: &Exchange) {
        self.delivered += usize::from(exchange.is_delivered());
        self.times.push(exchange.took);
    }

    pub(super) fn all_delivered(&self) -> bool {
        self.delivered == self.times.len()
    }

    /// Prints it, as text only if there is more than one delivery.
    pub(super) fn print(&mut self, output: Output) -> Result<(), Error> {
        self.times.sort_unstable();
        let sent = self.times.len();
        let record = Record {
            sent,
            delivered: self.delivered,
            min_ms: millis(percentile(&self.times, 0)),
            p50_ms: millis(percentile(&self.times, 50)),
            p99_ms: millis(percentile(&self.times, 99)),
            max_ms: millis(percentile(&self.times, 100)),
        };
        if output.json {
            output.record("summary", &record)
        } else if sent > 1 {
            output.line(format_args!(
                "{} of {sent} delivered; answers after {:.1} ms at least, {:.1} ms (median), {:.1} ms (p99), {:.1} ms at most",
                record.delivered, record.min_ms, record.p50_ms, record.p99_ms, record.max_ms
            ))
        } else {
            Ok(())
        }
    }
}

/// The usual cause, where the answer has one.
fn hint(answer: &Answer) -> Option<&'static str> {
    match answer {
        Answer::Status(status, _) => hint::of_status(*status),
        Answer::Failed(failure) if failure.is_refused => {
            Some("nothing listens there: is the receiver running, and on this port?")
        }
        Answer::Failed(_) | Answer::TimedOut => None,
    }
}
