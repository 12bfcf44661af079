//! What came of a simulation.

use std::fmt;
use std::time::Duration;

use cronofy_webhook::testing::{Answer, Attempt, Outcome};
use jiff::SignedDuration;
use serde::Serialize;

use crate::error::Error;
use crate::output::{Output, note};
use crate::text::Escaped;
use crate::times::{millis, percentile};

/// How long Cronofy waits for an answer to a change.
const LIMIT: Duration = Duration::from_secs(5);

/// The upper bounds of the bars, in milliseconds. Longer answers are not waited for.
const BOUNDS_MS: [u32; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

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
    limit_ms: f64,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    max_ms: Option<f64>,
    histogram: Vec<Bar>,
}

/// How many answers took less than this, and not less than the bar before.
#[derive(Serialize)]
struct Bar {
    below_ms: u32,
    count: usize,
}

impl Tally {
    pub(super) fn add(&mut self, outcome: Outcome) {
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

    /// Prints the report. Whether nothing was lost and no channel closed.
    pub(super) fn finish(
        &self,
        plan: &Plan,
        channels: &[(bool, Vec<Attempt>)],
        output: Output,
    ) -> Result<bool, Error> {
        let record = self.record(plan, channels);
        let timeout = LIMIT.saturating_mul(plan.speed);
        if record.timed_out > 0 && timeout > Duration::from_secs(60 * 60) {
            note(format_args!(
                "warning: {} attempts timed out, each of which took {} of simulated time: there were fewer retries than Cronofy would make; use --speed 720 or less",
                record.timed_out,
                Time(timeout)
            ));
        }
        if output.json {
            output.record("report", &record)?;
        } else {
            record.print(output)?;
        }
        Ok(record.lost == 0 && record.channels_closed == 0)
    }

    fn record<'a>(&self, plan: &'a Plan, channels: &[(bool, Vec<Attempt>)]) -> Record<'a> {
        let attempts = || channels.iter().flat_map(|(_, attempts)| attempts);
        let count = |is: fn(&Attempt) -> bool| attempts().filter(|attempt| is(attempt)).count();
        let answered = attempts().filter(|attempt| matches!(attempt.answer, Answer::Status(_)));
        let mut times: Vec<Duration> = answered.map(|attempt| attempt.took).collect();
        times.sort_unstable();
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
            timed_out: count(|attempt| attempt.answer == Answer::TimedOut),
            failed: count(|attempt| matches!(attempt.answer, Answer::Failed(_))),
            limit_ms: millis(LIMIT),
            p50_ms: percentile(&times, 50).map(millis),
            p99_ms: percentile(&times, 99).map(millis),
            max_ms: percentile(&times, 100).map(millis),
            histogram: histogram(&times),
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
        self.print_times(output)?;
        output.line(format_args!(
            "simulated, {} times as fast: {time} of changes, retries {} (assumed, as Cronofy does not publish it) for 24 h",
            self.speed, self.schedule
        ))?;
        output.line(format_args!(
            "real: {} changes in a second, {} s until Cronofy disconnects, delays of --fault",
            self.rate,
            LIMIT.as_secs()
        ))
    }

    fn print_times(&self, output: Output) -> Result<(), Error> {
        let longest = self.histogram.iter().map(|bar| bar.count).max();
        let Some(longest) = longest else {
            return output.line("no answers");
        };
        output.line(format_args!(
            "answers after {:.1} ms (median), {:.1} ms (p99), {:.1} ms at most, of {} s",
            self.p50_ms.unwrap_or_default(),
            self.p99_ms.unwrap_or_default(),
            self.max_ms.unwrap_or_default(),
            LIMIT.as_secs()
        ))?;
        for Bar { below_ms, count } in &self.histogram {
            let bar = "#".repeat((count * WIDTH).div_ceil(longest));
            output.line(format_args!("  below {below_ms:>4} ms {count:>8} {bar}"))?;
        }
        Ok(())
    }
}

fn is_success(attempt: &Attempt) -> bool {
    matches!(attempt.answer, Answer::Status(status) if status.is_success())
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
