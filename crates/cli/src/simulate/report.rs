//! What came of a simulation.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use cronofy_webhook_testing::{Attempt, AttemptResult, Outcome};
use jiff::SignedDuration;
use serde::Serialize;

use super::post::Seen;
use crate::error::Error;
use crate::output::Output;
use crate::text::Escaped;
use crate::times::{millis, percentile};

/// How long Cronofy waits for an answer to a change.
const LIMIT: Duration = Duration::from_secs(5);

/// The upper bounds of the bars, in milliseconds. Longer answers are not waited for.
const BOUNDS_MS: [u32; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/// How many kinds of failures are told.
const FAILURES: usize = 5;

/// How long the longest bar is.
const WIDTH: usize = 40;

/// What became of the changes.
#[derive(Default)]
pub(super) struct Tally {
    at_first: usize,
    after_retries: usize,
    lost: usize,
}

/// What was simulated.
pub(super) struct Plan {
    pub(super) url: String,
    pub(super) time: Duration,
    pub(super) speed: u32,
    pub(super) rate: u32,
    pub(super) seed: u64,
}

impl Plan {
    /// What is to be said as soon as an attempt times out.
    pub(super) fn warning_of_timeouts(&self) -> Option<String> {
        let timeout = LIMIT.saturating_mul(self.speed);
        (timeout > Duration::from_secs(60 * 60)).then(|| {
            format!(
                "an attempt that times out takes {} of simulated time: there are fewer retries than Cronofy would make; use --speed 720 or less",
                Time(timeout)
            )
        })
    }
}

#[derive(Serialize)]
struct Record<'a> {
    url: &'a str,
    for_s: f64,
    speed: u32,
    rate: u32,
    seed: u64,
    schedule: &'static str,
    channels: usize,
    channels_closed: usize,
    verifications_failed: usize,
    sent: usize,
    delivered_at_first: usize,
    delivered_after_retries: usize,
    lost: usize,
    attempts: usize,
    timed_out: usize,
    failed: usize,
    failures: Vec<Failure>,
    limit_ms: f64,
    unanswered: usize,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    max_ms: Option<f64>,
    histogram: Vec<Bar>,
    warning: Option<String>,
}

/// Why attempts did not succeed.
#[derive(Serialize)]
struct Failure {
    text: String,
    count: usize,
}

/// How many answers took less than this, and not less than the bar before.
#[derive(Serialize)]
struct Bar {
    below_ms: u32,
    count: usize,
}

impl Tally {
    pub(super) fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Delivered { attempts: 1, .. } => self.at_first += 1,
            Outcome::Delivered { .. } => self.after_retries += 1,
            _ => self.lost += 1,
        }
    }

    fn sent(&self) -> usize {
        self.at_first + self.after_retries + self.lost
    }

    pub(super) fn progress(&self, simulated: Duration) -> String {
        let delivered = self.at_first + self.after_retries;
        format!(
            "{} simulated: {delivered} delivered, {} lost",
            Time(simulated),
            self.lost
        )
    }

    /// Prints the report. Whether everything was delivered.
    pub(super) fn finish(
        &self,
        plan: &Plan,
        channels: &[(bool, Vec<Attempt>)],
        seen: &mut Seen,
        output: Output,
    ) -> Result<bool, Error> {
        seen.times.sort_unstable();
        let record = self.record(plan, channels, seen);
        if output.json {
            output.record("report", &record)?;
        } else {
            record.print(output)?;
        }
        let problems = record.lost + record.channels_closed + record.verifications_failed;
        Ok(record.sent > 0 && problems == 0)
    }

    fn record<'a>(
        &self,
        plan: &'a Plan,
        channels: &[(bool, Vec<Attempt>)],
        seen: &Seen,
    ) -> Record<'a> {
        let attempts = || channels.iter().flat_map(|(_, attempts)| attempts);
        let count = |is: fn(&Attempt) -> bool| attempts().filter(|attempt| is(attempt)).count();
        let timed_out = count(|attempt| attempt.result == AttemptResult::TimedOut);
        let time = |percent| percentile(&seen.times, percent).map(millis);
        Record {
            url: &plan.url,
            for_s: plan.time.as_secs_f64(),
            speed: plan.speed,
            rate: plan.rate,
            seed: plan.seed,
            schedule: "after 1 min, doubling to 1 h",
            channels: channels.len(),
            channels_closed: channels.iter().filter(|(is_open, _)| !is_open).count(),
            verifications_failed: count(|attempt| {
                attempt.kind == "verification" && !is_success(attempt)
            }),
            sent: self.sent(),
            delivered_at_first: self.at_first,
            delivered_after_retries: self.after_retries,
            lost: self.lost,
            attempts: attempts().count(),
            timed_out,
            failed: count(|attempt| matches!(attempt.result, AttemptResult::Failed(_))),
            failures: failures(attempts()),
            limit_ms: millis(LIMIT),
            unanswered: seen.unanswered,
            p50_ms: time(50),
            p99_ms: time(99),
            max_ms: time(100),
            histogram: histogram(&seen.times),
            warning: plan.warning_of_timeouts().filter(|_| timed_out > 0),
        }
    }
}

impl Record<'_> {
    fn print(&self, output: Output) -> Result<(), Error> {
        let time = Time(Duration::from_secs_f64(self.for_s));
        output.line(format_args!(
            "{time} of Cronofy at {}, seed {}",
            Escaped(self.url),
            self.seed
        ))?;
        for (what, count) in [
            ("changes sent", self.sent),
            ("delivered at the first attempt", self.delivered_at_first),
            ("delivered after retries", self.delivered_after_retries),
            ("lost", self.lost),
            ("channels", self.channels),
            ("channels closed", self.channels_closed),
            ("verifications failed", self.verifications_failed),
            ("attempts", self.attempts),
            ("attempts that timed out", self.timed_out),
            ("attempts without an answer", self.failed),
        ] {
            output.line(format_args!("{what:<31}{count:>8}"))?;
        }
        for Failure { text, count } in &self.failures {
            output.line(format_args!("  {}: {count}", Escaped(text)))?;
        }
        self.print_times(output)?;
        output.line(format_args!(
            "simulated, {} times as fast: {time} of changes, retries {} (assumed, as Cronofy does not publish it) for 24 h",
            self.speed, self.schedule
        ))?;
        output.line(format_args!(
            "real: {} changes in a second, {} s until Cronofy disconnects, delays of --fault",
            self.rate,
            LIMIT.as_secs()
        ))?;
        match &self.warning {
            Some(warning) => output.line(format_args!("warning: {warning}")),
            None => Ok(()),
        }
    }

    /// The times of the receiver, from the post.
    fn print_times(&self, output: Output) -> Result<(), Error> {
        let (Some(p50), Some(p99), Some(max)) = (self.p50_ms, self.p99_ms, self.max_ms) else {
            return output.line("no answers");
        };
        output.line(format_args!(
            "answers after {p50:.1} ms (median), {p99:.1} ms (p99), {max:.1} ms at most, of {} s",
            LIMIT.as_secs()
        ))?;
        let bars = self
            .histogram
            .iter()
            .map(|Bar { below_ms, count }| (format!("below {below_ms:>4} ms"), *count));
        let late = (self.unanswered > 0).then(|| ("not in time".to_owned(), self.unanswered));
        let bars: Vec<_> = bars.chain(late).collect();
        let longest = bars.iter().map(|(_, count)| *count).max().unwrap_or(1);
        for (name, count) in bars {
            let bar = "#".repeat((count * WIDTH).div_ceil(longest));
            output.line(format_args!("  {name:<13} {count:>8} {bar}"))?;
        }
        Ok(())
    }
}

/// The most frequent ones, the most frequent first.
fn failures<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> Vec<Failure> {
    let mut counts = BTreeMap::<_, usize>::new();
    for attempt in attempts.filter(|attempt| !is_success(attempt)) {
        let text = match &attempt.result {
            AttemptResult::Status(status) => status.to_string(),
            AttemptResult::Failed(text) => text.clone(),
            _ => format!("no answer within {} s", LIMIT.as_secs()),
        };
        *counts.entry(text).or_default() += 1;
    }
    let failures = counts.into_iter();
    let mut failures: Vec<_> = failures
        .map(|(text, count)| Failure { text, count })
        .collect();
    failures.sort_by_key(|failure| Reverse(failure.count));
    failures.truncate(FAILURES);
    failures
}

fn is_success(attempt: &Attempt) -> bool {
    matches!(attempt.result, AttemptResult::Status(status) if status.is_success())
}

/// The bars up to the last that is not empty.
fn histogram(sorted: &[Duration]) -> Vec<Bar> {
    let mut before = 0;
    let mut bars: Vec<_> = BOUNDS_MS
        .iter()
        .map(|below_ms| {
            let bound = Duration::from_millis(u64::from(*below_ms));
            let until = sorted.partition_point(|time| *time < bound);
            let count = until - before;
            before = until;
            Bar {
                below_ms: *below_ms,
                count,
            }
        })
        .collect();
    while bars.last().is_some_and(|bar| bar.count == 0) {
        bars.pop();
    }
    bars
}

/// A time, to the second: `3h 20m`.
struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0.as_secs()).unwrap_or(i64::MAX);
        write!(f, "{:#}", SignedDuration::from_secs(seconds))
    }
}
