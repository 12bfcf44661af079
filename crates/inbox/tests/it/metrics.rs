//! What is counted and measured.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::{pending, ready};
use std::time::Duration;

use cronofy_webhook_inbox::{Inbox, Job};
use metrics::{LocalRecorderGuard, Unit, set_default_local_recorder};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tokio::time::sleep;
use tower::service_fn;

use crate::common::{Jobs, change, verification};
use crate::support::{Gate, in_file, inbox};

const SECOND: Duration = Duration::from_secs(1);

/// A recorder of this thread.
struct Recorder {
    snapshotter: Snapshotter,
    _guard: LocalRecorderGuard<'static>,
}

impl Recorder {
    fn install() -> Self {
        // The guard borrows the recorder: one of a test lives as long as the process.
        let recorder = Box::leak(Box::new(DebuggingRecorder::new()));
        Self {
            snapshotter: recorder.snapshotter(),
            _guard: set_default_local_recorder(recorder),
        }
    }

    /// Counts and gauges since the last call, by `name{label=value}`. What was not set since is 0.
    fn take(&self) -> BTreeMap<String, f64> {
        let metrics = self.snapshotter.snapshot().into_vec().into_iter();
        let metrics = metrics.map(|(key, _, _, value)| {
            let key = key.key();
            let name = key.name().strip_prefix("cronofy_webhook_inbox.").unwrap();
            let labels: Vec<_> = key
                .labels()
                .map(|label| format!("{{{}={}}}", label.key(), label.value()))
                .collect();
            let value = match value {
                DebugValue::Counter(count) => f64::from(u32::try_from(count).unwrap()),
                DebugValue::Gauge(value) => value.into_inner(),
                DebugValue::Histogram(_) => panic!("there is no histogram"),
            };
            (name.to_owned() + &labels.concat(), value)
        });
        metrics.collect()
    }

    #[track_caller]
    fn runs(&self, expected: &[(&str, f64)]) {
        let mut runs = self.take();
        runs.retain(|name, count| name.starts_with("runs") && *count > 0.0);
        let expected = expected
            .iter()
            .map(|&(outcome, count)| (format!("runs{{outcome={outcome}}}"), count));
        assert_eq!(runs, expected.collect());
    }

    /// Waiting, taken, parked, and the age.
    fn gauges(&self) -> [f64; 4] {
        let metrics = self.take();
        ["waiting", "taken", "parked", "oldest_due.age"].map(|name| metrics[name])
    }
}

#[tokio::test(start_paused = true)]
async fn each_run_is_counted_once_by_what_became_of_it() {
    let recorder = Recorder::install();
    let inbox = inbox().await;
    inbox.put("42", &verification()).await.unwrap();
    let service = service_fn(|job: Job| {
        assert!(job.attempt() != 2, "the second attempt panics");
        ready(if job.attempt() == 1 {
            Err("a failure")
        } else {
            Ok(())
        })
    });
    let worker = inbox.worker(service);
    worker.run_until(sleep(60 * SECOND)).await.unwrap();
    recorder.runs(&[("done", 1.0), ("failed", 2.0)]);

    inbox.put("42", &verification()).await.unwrap();
    let failing = service_fn(|_: Job| ready(Err::<(), _>("a failure")));
    let worker = inbox.worker(failing).max_attempts(2);
    worker.run_until(sleep(60 * SECOND)).await.unwrap();
    recorder.runs(&[("failed", 2.0), ("parked", 1.0)]);

    inbox.put("42", &verification()).await.unwrap();
    let service = service_fn(|_: Job| pending::<Result<(), Infallible>>());
    let worker = inbox.worker(service).grace(SECOND);
    worker.run_until(sleep(SECOND)).await.unwrap();
    recorder.runs(&[("released", 1.0)]);
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_account_was_forgotten_is_counted_once() {
    let recorder = Recorder::install();
    let inbox = inbox().await;
    inbox.put("42", &verification()).await.unwrap();
    let forgetting = inbox.clone();
    let service = service_fn(move |_: Job| {
        let inbox = forgetting.clone();
        async move { inbox.forget("42").await }
    });
    inbox.worker(service).run_until_idle().await.unwrap();
    recorder.runs(&[("done", 1.0)]);
}

#[tokio::test(start_paused = true)]
async fn gauges_are_set_every_15_seconds_without_a_worker() {
    let recorder = Recorder::install();
    let inbox = inbox().await;
    sleep(SECOND).await;
    assert_eq!(recorder.gauges(), [0.0, 0.0, 0.0, 0.0], "at once");

    inbox.put("42", &change("chn_1", 1)).await.unwrap();
    inbox.put("42", &verification()).await.unwrap();
    sleep(10 * SECOND).await;
    assert_eq!(recorder.gauges(), [0.0, 0.0, 0.0, 0.0]);
    sleep(15 * SECOND).await;
    let [waiting, taken, parked, age] = recorder.gauges();
    assert_eq!([waiting, taken, parked], [2.0, 0.0, 0.0]);
    assert!((14.0..14.1).contains(&age), "{age}");
}

#[tokio::test(start_paused = true)]
async fn gauges_tell_what_runs_and_what_is_parked() {
    let recorder = Recorder::install();
    let inbox = inbox().await;
    for _ in 0..2 {
        inbox.put("42", &verification()).await.unwrap();
    }
    let failing = service_fn(|_: Job| ready(Err::<(), _>("a failure")));
    let worker = inbox.worker(failing).max_attempts(1);
    worker.run_until(sleep(5 * SECOND)).await.unwrap();

    inbox.put("42", &verification()).await.unwrap();
    let gate = Gate::new();
    let worker = inbox.worker(gate.service()).run_until(async {
        gate.started().await;
        sleep(15 * SECOND).await;
        assert_eq!(recorder.gauges(), [0.0, 1.0, 2.0, 0.0]);
        gate.release(1);
    });
    worker.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_store_is_measured_until_it_is_closed_or_its_last_handle_is_dropped() {
    let recorder = Recorder::install();
    let (inbox, _directory, url) = in_file().await;
    inbox.put("42", &verification()).await.unwrap();
    drop(inbox);
    sleep(SECOND).await;
    recorder.take();
    sleep(60 * SECOND).await;
    assert_eq!(recorder.gauges()[0], 0.0, "not set since");

    let inbox = Inbox::open(&url).await.unwrap();
    sleep(SECOND).await;
    assert_eq!(recorder.gauges()[0], 1.0);
    inbox.close().await;
    sleep(60 * SECOND).await;
    assert_eq!(recorder.gauges()[0], 0.0, "not set since");
}

#[tokio::test(start_paused = true)]
async fn metrics_are_described() {
    let recorder = Recorder::install();
    let inbox = inbox().await;
    inbox.put("42", &verification()).await.unwrap();
    let jobs = Jobs::default();
    let worker = inbox.worker(jobs.noting());
    worker.run_until(sleep(SECOND)).await.unwrap();
    let units: Vec<_> = recorder
        .snapshotter
        .snapshot()
        .into_vec()
        .into_iter()
        .map(|(key, unit, description, _)| {
            assert!(description.is_some(), "{key:?}");
            (key.key().name().to_owned(), unit.unwrap())
        })
        .collect();
    let name = |name: &str| format!("cronofy_webhook_inbox.{name}");
    for (gauge, unit) in [
        ("waiting", Unit::Count),
        ("taken", Unit::Count),
        ("parked", Unit::Count),
        ("oldest_due.age", Unit::Seconds),
        ("runs", Unit::Count),
    ] {
        assert!(units.contains(&(name(gauge), unit)), "{gauge}: {units:?}");
    }
    assert_eq!(units.len(), 5);
}
