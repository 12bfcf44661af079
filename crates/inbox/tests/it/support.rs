//! What the tests share: inboxes, and services.

use std::convert::Infallible;
use std::sync::Arc;

use cronofy_webhook_inbox::{Inbox, Job};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tower::{Service, service_fn};

use crate::common::Jobs;

pub(crate) async fn inbox() -> Inbox {
    Inbox::in_memory().await.unwrap()
}

/// An inbox in a file, and its URL.
pub(crate) async fn in_file() -> (Inbox, TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("inbox.db").display());
    let inbox = Inbox::open(&url).await.unwrap();
    (inbox, directory, url)
}

/// Keeps the inbox from writing until it is dropped.
pub(crate) fn block(directory: &TempDir) -> Connection {
    let connection = Connection::open(directory.path().join("inbox.db")).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

/// `changes_since` of a `change`, in seconds.
pub(crate) fn since(job: &Job) -> i64 {
    match job.notification() {
        cronofy_webhook::Notification::Change(change) => change.changes_since.as_second(),
        other => panic!("{other:?}"),
    }
}

/// A service that reports each start, and ends a job for each permit of `release`.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) jobs: Jobs,
    started: Arc<Semaphore>,
    release: Arc<Semaphore>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            jobs: Jobs::default(),
            started: Arc::new(Semaphore::new(0)),
            release: Arc::new(Semaphore::new(0)),
        }
    }

    pub(crate) fn service(
        &self,
    ) -> impl Service<Job, Response = (), Error = Infallible, Future: Send + 'static> + Send + use<>
    {
        let gate = self.clone();
        service_fn(move |job| {
            gate.jobs.push(job);
            let gate = gate.clone();
            async move {
                gate.started.add_permits(1);
                gate.release.acquire().await.unwrap().forget();
                Ok(())
            }
        })
    }

    /// Waits until one more job has started.
    pub(crate) async fn started(&self) {
        self.started.acquire().await.unwrap().forget();
    }

    pub(crate) fn has_started(&self) -> bool {
        self.started.available_permits() > 0
    }

    pub(crate) fn release(&self, jobs: usize) {
        self.release.add_permits(jobs);
    }
}
