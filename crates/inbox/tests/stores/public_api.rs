//! The inbox through its public API, on both stores.

use std::collections::HashMap;
use std::future::poll_fn;
use std::task::Poll;

use cronofy_webhook::Notification;
use cronofy_webhook_inbox::{Inbox, PutError};
use cronofy_webhook_testing::{Payload, Sender};
use metrics::set_default_local_recorder;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tempfile::TempDir;

use crate::common::{Jobs, SECRET, change, delivery, verification};
use crate::support::{block_on, block_on_this_thread, eventually};

/// An empty place for an inbox, gone when it is dropped.
pub(crate) trait Place {
    async fn create() -> Self;
    fn url(&self) -> String;
}

pub(crate) struct SqliteFile(TempDir);

impl Place for SqliteFile {
    async fn create() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.0.path().join("inbox.db").display())
    }
}

#[cfg(unix)]
impl Place for crate::server::Database {
    async fn create() -> Self {
        Self::create().await
    }

    fn url(&self) -> String {
        self.url.clone()
    }
}

pub(crate) fn what_was_put_outlives_the_process<P: Place>() {
    block_on(async {
        let place = P::create().await;
        let inbox = Inbox::open(place.url()).await.unwrap();
        inbox.put("42", &change("chn_1", 7)).await.unwrap();
        inbox.close().await;
        let inbox = Inbox::open(place.url()).await.unwrap();
        let jobs = Jobs::default();
        inbox.worker(jobs.noting()).run_until_idle().await.unwrap();
        assert_eq!(jobs.all()[0].body(), change("chn_1", 7).body());
    });
}

pub(crate) fn every_sample_comes_out_as_it_was<P: Place>() {
    block_on(async {
        let place = P::create().await;
        let inbox = Inbox::open(place.url()).await.unwrap();
        let samples = Payload::samples().map(|sample| delivery(sample.payload()));
        let odd = [
            delivery(Payload::new("")),
            delivery(Payload::new("not JSON \0")),
            delivery(Payload::new("long".repeat(64 * 1024))),
            delivery(Payload::new(
                r#"{ "notification": { "type": "change", "changes_since": "yesterday" } }"#,
            )),
            Sender::new(SECRET).delivery(b"\xff\x00".as_slice()),
        ];
        let deliveries: Vec<_> = samples.chain(odd).collect();
        for (number, delivery) in deliveries.iter().enumerate() {
            inbox.put(number.to_string(), delivery).await.unwrap();
        }
        let jobs = Jobs::default();
        inbox.worker(jobs.noting()).run_until_idle().await.unwrap();
        let jobs = jobs.all();
        assert_eq!(jobs.len(), deliveries.len());
        for (job, delivery) in jobs.iter().zip(&deliveries) {
            assert_eq!(job.body(), delivery.body());
            assert_eq!(job.notification(), delivery.notification());
        }
    });
}

pub(crate) fn an_account_is_any_text<P: Place>() {
    block_on(async {
        let place = P::create().await;
        let inbox = Inbox::open(place.url()).await.unwrap();
        let long = "é".repeat(100_000);
        let accounts = ["", "a\0b", "a", "ab", "😀", "x' OR 1=1 --", &long];
        for account in accounts {
            inbox.put(account, &change("chn_1", 1)).await.unwrap();
            inbox.put(account, &change("chn_1", 1)).await.unwrap();
        }
        // Concatenated, these are alike.
        inbox.put("a", &change("bchn_1", 1)).await.unwrap();
        let jobs = Jobs::default();
        inbox.worker(jobs.noting()).run_until_idle().await.unwrap();
        let jobs = jobs.all();
        let stored: Vec<_> = jobs
            .iter()
            .map(|job| (job.account(), job.merged()))
            .collect();
        let mut expected: Vec<_> = accounts.map(|account| (account, 2)).to_vec();
        expected.push(("a", 1));
        assert_eq!(stored, expected);

        inbox.put(&long, &change("chn_1", 1)).await.unwrap();
        assert_eq!(inbox.forget(&long).await.unwrap(), 1);
    });
}

pub(crate) fn a_malformed_change_is_not_merged<P: Place>() {
    block_on(async {
        let place = P::create().await;
        let inbox = Inbox::open(place.url()).await.unwrap();
        let malformed =
            delivery(Payload::sample("change").set("/notification/changes_since", "yesterday"));
        assert!(matches!(malformed.notification(), Notification::Unknown(_)));
        for _ in 0..2 {
            inbox.put("42", &malformed).await.unwrap();
        }
        assert_eq!(inbox.stats().await.unwrap().waiting, 2);
    });
}

pub(crate) fn max_rows_is_full_until_a_job_is_done<P: Place>() {
    block_on(async {
        let place = P::create().await;
        let inbox = Inbox::open(place.url()).max_rows(1).await.unwrap();
        inbox.put("42", &change("chn_1", 1)).await.unwrap();
        inbox.put("42", &change("chn_1", 2)).await.unwrap();
        let full = inbox.put("42", &verification()).await;
        assert!(matches!(full, Err(PutError::Full)), "{full:?}");
        let worker = inbox.worker(Jobs::default().noting());
        worker.run_until_idle().await.unwrap();
        inbox.put("42", &verification()).await.unwrap();
    });
}

pub(crate) fn clones_of_a_closed_inbox_are_closed<P: Place>() {
    block_on(async {
        let place = P::create().await;
        let inbox = Inbox::open(place.url()).await.unwrap();
        let clone = inbox.clone();
        inbox.put("42", &verification()).await.unwrap();
        inbox.close().await;
        inbox.close().await;
        let closed = clone.put("42", &verification()).await;
        assert!(matches!(closed, Err(PutError::Closed)), "{closed:?}");
        assert!(clone.stats().await.unwrap_err().is_closed());
        assert!(clone.parked(1).await.unwrap_err().is_closed());
        assert!(clone.forget("42").await.unwrap_err().is_closed());
    });
}

pub(crate) fn close_writes_what_waits<P: Place>() {
    block_on(async {
        let place = P::create().await;
        let inbox = Inbox::open(place.url()).await.unwrap();
        let put = async |number: u32| inbox.put(number.to_string(), &verification()).await;
        let mut puts: Vec<_> = (0..100).map(|number| Box::pin(put(number))).collect();
        for put in &mut puts {
            let polled = poll_fn(|cx| Poll::Ready(put.as_mut().poll(cx)));
            assert!(polled.await.is_pending());
        }
        inbox.close().await;
        for put in puts {
            put.await.unwrap();
        }
        let inbox = Inbox::open(place.url()).await.unwrap();
        assert_eq!(inbox.stats().await.unwrap().waiting, 100);
    });
}

/// No worker runs, and nobody asks for statistics.
pub(crate) fn gauges_are_set_once_the_inbox_is_open<P: Place>() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    // Of this thread, as is the runtime.
    let _guard = set_default_local_recorder(&recorder);
    block_on_this_thread(async {
        let place = P::create().await;
        let inbox = Inbox::open(place.url()).await.unwrap();
        inbox.put("42", &verification()).await.unwrap();
        inbox.put("42", &verification()).await.unwrap();
        inbox.close().await;
        let _inbox = Inbox::open(place.url()).await.unwrap();
        let mut measured = HashMap::new();
        let waiting = eventually(async || {
            measured = gauges(&snapshotter);
            measured.get("waiting") == Some(&2.0)
        });
        waiting.await;
        assert!(measured["oldest_due.age"] > 0.0, "{measured:?}");
        assert_eq!(measured["taken"] + measured["parked"], 0.0);
    });
}

fn gauges(snapshotter: &Snapshotter) -> HashMap<String, f64> {
    let metrics = snapshotter.snapshot().into_vec().into_iter();
    let gauges = metrics.filter_map(|(key, _, _, value)| {
        let name = key.key().name().strip_prefix("cronofy_webhook_inbox.")?;
        match value {
            DebugValue::Gauge(value) => Some((name.to_owned(), value.into_inner())),
            _ => None,
        }
    });
    gauges.collect()
}
