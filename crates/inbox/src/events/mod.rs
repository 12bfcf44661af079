//! Every event and every metric that this crate emits, and the only module that uses `tracing` and `metrics`. No event shows
//! a body or an account.

#[cfg(feature = "metrics")]
mod metrics;

use std::error::Error;
use std::time::Duration;

use tracing::{debug, error, warn};

use crate::job::Job;

#[cfg(feature = "metrics")]
pub(crate) use self::metrics::{describe_metrics, measured, run_ended};

/// What a filter names. Part of the API: the module of an event is not.
const TARGET: &str = "cronofy_webhook_inbox";

/// The job that an event is about.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) kind: String,
    pub(crate) channel: Option<String>,
    pub(crate) attempt: u32,
    pub(crate) merged: u64,
}

impl Subject {
    pub(crate) fn of(job: &Job) -> Self {
        let notification = job.notification();
        let channel = notification.channel();
        Self {
            kind: notification.kind().to_owned(),
            channel: channel.map(|channel| channel.channel_id.clone()),
            attempt: job.attempt(),
            merged: job.merged(),
        }
    }
}

/// An event about a job.
macro_rules! about {
    ($level:ident, $subject:ident, $($fields_and_message:tt)+) => {
        $level!(
            target: TARGET,
            kind = $subject.kind,
            channel = $subject.channel,
            attempt = $subject.attempt,
            merged = $subject.merged,
            $($fields_and_message)+
        )
    };
}

/// `suppressed`: how many such events were not logged since the last one.
pub(crate) fn put_failed(kind: &str, error: &(dyn Error + 'static), suppressed: u64) {
    warn!(target: TARGET, kind, error = chain(error), suppressed, "notification was not stored: Cronofy retries");
}

#[cfg(feature = "sqlite")]
pub(crate) fn batch_failed(commands: usize, error: &(dyn Error + 'static), suppressed: u64) {
    error!(target: TARGET, commands, error = chain(error), suppressed, "transaction failed");
}

/// A bug of this crate.
#[cfg(feature = "sqlite")]
pub(crate) fn writer_panicked() {
    error!(target: TARGET, "writer panicked: the inbox is closed");
}

pub(crate) fn store_failed(operation: &str, error: &(dyn Error + 'static)) {
    warn!(target: TARGET, operation, error = chain(error), "store failed: the worker tries again");
}

/// A worker hears later of what other processes store.
#[cfg(feature = "postgres")]
pub(crate) fn not_listening(error: &(dyn Error + 'static)) {
    debug!(target: TARGET, error = chain(error), "not listening: the worker looks once a second");
}

#[cfg(feature = "postgres")]
pub(crate) fn pulled_back(rows: u64) {
    warn!(target: TARGET, rows, "jobs were due more than an hour ahead, as a clock was wrong: they are due now");
}

#[cfg(feature = "postgres")]
pub(crate) fn transaction_is_old(age: Duration) {
    warn!(
        target: TARGET,
        age_s = age.as_secs(),
        "a long transaction keeps dead rows from being removed, and slows each job down"
    );
}

/// The gauges stay as they are.
#[cfg(feature = "metrics")]
pub(crate) fn not_measured(error: &(dyn Error + 'static)) {
    debug!(target: TARGET, error = chain(error), "the jobs could not be counted");
}

pub(crate) fn done(subject: &Subject, elapsed: Duration) {
    about!(debug, subject, elapsed_ms = millis(elapsed), "job done");
}

pub(crate) fn failed(subject: &Subject, error: &(dyn Error + 'static), backoff: Duration) {
    about!(
        warn,
        subject,
        error = chain(error),
        backoff_ms = millis(backoff),
        "job failed, and runs again after the backoff"
    );
}

pub(crate) fn panicked(subject: &Subject, backoff: Duration) {
    about!(
        error,
        subject,
        backoff_ms = millis(backoff),
        "job panicked, and runs again after the backoff"
    );
}

pub(crate) fn parked(subject: &Subject) {
    #[cfg(feature = "metrics")]
    run_ended("parked");
    about!(
        error,
        subject,
        "job is out of attempts, and parked: see `Inbox::unpark`"
    );
}

pub(crate) fn lease_lost(subject: &Subject) {
    about!(
        error,
        subject,
        "lease was not renewed: the run is dropped, and the job runs again"
    );
}

/// Found when its lease was to be renewed.
pub(crate) fn no_longer_held(subject: &Subject) {
    about!(
        warn,
        subject,
        "account was forgotten, or the lease has ended: the run is dropped"
    );
}

pub(crate) fn closed_before(subject: &Subject) {
    about!(
        warn,
        subject,
        "inbox was closed before the run ended: the job runs again"
    );
}

pub(crate) fn ended_late(subject: &Subject) {
    about!(
        warn,
        subject,
        "run ended after its lease, or after the account was forgotten: the job may run again"
    );
}

pub(crate) fn grace_ended(runs: usize, grace: Duration) {
    warn!(
        target: TARGET,
        runs,
        grace_ms = millis(grace),
        "runs were not done within the grace period: they are dropped, and their jobs run again"
    );
}

/// The error is returned to the caller.
pub(crate) fn service_failed() {
    error!(target: TARGET, "`poll_ready` of the service failed: the worker ends");
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// An error and its causes on one line. Many errors print their cause themselves: it is not repeated.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}
