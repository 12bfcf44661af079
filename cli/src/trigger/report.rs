//! What came of the deliveries.

use std::time::Duration;

use http::StatusCode;
use serde::Serialize;

use crate::client::{Answer, Exchange};
use crate::error::Error;
use crate::output::Output;
use crate::text::Escaped;

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
            Answer::ConnectionRefused(error) | Answer::Failed(error) => {
                ("failed", None, None, Some(error))
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

    pub(super) fn print(&self, output: Output, count: u32) -> Result<(), Error> {
        if output.json {
            return output.record("delivery", self);
        }
        if self.number == 1 {
            output.line(format_args!(
                "{} to {}",
                Escaped(self.kind),
                Escaped(self.url)
            ))?;
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
            min_ms: self.percentile(0),
            p50_ms: self.percentile(50),
            p99_ms: self.percentile(99),
            max_ms: self.percentile(100),
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

    /// The nearest rank in the sorted times.
    fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.times.len() * percent).div_ceil(100);
        let time = self.times.get(rank.saturating_sub(1));
        millis(time.copied().unwrap_or_default())
    }
}

fn millis(time: Duration) -> f64 {
    // In steps of a microsecond: more digits would not be true.
    time.as_micros() as f64 / 1e3
}

/// The usual cause, where the answer has one.
fn hint(answer: &Answer) -> Option<&'static str> {
    let status = match answer {
        Answer::Status(status, _) => *status,
        Answer::ConnectionRefused(_) => {
            return Some("nothing listens there: is the receiver running, and on this port?");
        }
        Answer::Failed(_) | Answer::TimedOut => return None,
    };
    match status {
        StatusCode::UNAUTHORIZED => Some(
            "the signature was not accepted: usually the receiver has another client secret, or one with white space or quotes, or it checks the signature over a body that was parsed and serialised again; record a delivery there and run `cronofy-webhook verify`",
        ),
        StatusCode::FORBIDDEN => Some(
            "the delivery may be for another URL than the receiver expects: compare its `public_url` with the callback_url, which --set /channel/callback_url=… changes",
        ),
        StatusCode::NOT_FOUND => {
            Some("the path may be wrong: compare the URL with the receiver's route")
        }
        StatusCode::METHOD_NOT_ALLOWED => Some("the path has no route for POST"),
        StatusCode::PAYLOAD_TOO_LARGE => {
            Some("the body is over the limit of the receiver, or of a proxy before it")
        }
        status if status.is_redirection() => {
            Some("only a 2xx counts: register the URL that this redirects to")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_nearest_rank() {
        let summary = |count: u64| Summary {
            delivered: 0,
            times: (1..=count).map(Duration::from_millis).collect(),
        };
        let hundred = summary(100);
        for (percent, time) in [(0, 1.0), (50, 50.0), (99, 99.0), (100, 100.0)] {
            assert_eq!(hundred.percentile(percent), time);
        }
        assert_eq!(summary(1).percentile(50), 1.0);
        assert_eq!(summary(0).percentile(99), 0.0);
    }
}
