//! What is logged, and that it shows neither an account nor a body.

use std::future::{Ready, pending, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use cronofy_webhook_inbox::Job;
use cronofy_webhook_testing::Payload;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tower::{Service, service_fn};

use crate::common::{Jobs, Log, change, delivery, verification};
use crate::support::{block, in_file, inbox};

/// The account, and parts of the bodies.
const PRIVATE: [&str; 4] = ["account-42", "receiver.example", "callback_url", "@"];

/// The only line with this text, after a check that no line shows anything private.
#[track_caller]
fn line(log: &Log, message: &str) -> String {
    let text = log.text();
    for private in PRIVATE {
        assert!(!text.contains(private), "{private} in {text}");
    }
    log.line(message)
}

#[track_caller]
fn contains(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "{part} in {line}");
    }
}

#[tokio::test(start_paused = true)]
async fn failures_and_the_end_of_a_job_are_logged() {
    let log = Log::start();
    let inbox = inbox().await;
    inbox.put("account-42", &change("chn_1", 1)).await.unwrap();
    let service = service_fn(|job: Job| {
        assert!(job.attempt() != 2, "the second attempt panics");
        ready(if job.attempt() == 1 {
            Err("a failure")
        } else {
            Ok(())
        })
    });
    let worker = inbox
        .worker(service)
        .backoff(|_, _| Duration::from_millis(1_500));
    worker
        .run_until(sleep(Duration::from_secs(60)))
        .await
        .unwrap();

    let subject = ["kind=\"change\"", "channel=\"chn_1\"", "merged=1"];
    let failed = line(&log, "job failed");
    contains(&failed, &subject);
    contains(
        &failed,
        &[
            "WARN",
            "attempt=1",
            "error=\"a failure\"",
            "backoff_ms=1500",
        ],
    );
    contains(&line(&log, "job panicked"), &["ERROR", "attempt=2"]);
    contains(
        &line(&log, "job done"),
        &["DEBUG", "attempt=3", "elapsed_ms=0"],
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_parked_is_logged_as_an_error() {
    let log = Log::start();
    let inbox = inbox().await;
    let invite = delivery(Payload::sample("smart_invite:accepted"));
    inbox.put("account-42", &invite).await.unwrap();
    let service = service_fn(|_: Job| ready(Err::<(), _>("a failure")));
    let worker = inbox.worker(service).max_attempts(1);
    worker
        .run_until(sleep(Duration::from_secs(60)))
        .await
        .unwrap();
    contains(
        &line(&log, "out of attempts"),
        &["ERROR", "kind=\"smart_invite\"", "attempt=1"],
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_dropped_is_logged_with_the_reason() {
    let log = Log::start();
    let inbox = inbox().await;
    inbox.put("account-42", &change("chn_1", 1)).await.unwrap();
    let service = || service_fn(|_: Job| pending::<Result<(), String>>());
    let worker = inbox.worker(service()).run_until(async {
        sleep(Duration::from_secs(1)).await;
        inbox.forget("account-42").await.unwrap();
        sleep(Duration::from_secs(60)).await;
    });
    worker.await.unwrap();
    contains(
        &line(&log, "account was forgotten"),
        &["WARN", "channel=\"chn_1\""],
    );

    inbox.put("account-42", &change("chn_1", 1)).await.unwrap();
    let worker = inbox.worker(service()).grace(Duration::from_secs(2));
    worker
        .run_until(sleep(Duration::from_secs(1)))
        .await
        .unwrap();
    contains(
        &line(&log, "grace period"),
        &["WARN", "runs=1", "grace_ms=2000"],
    );

    let worker = inbox.worker(service()).run_until(async {
        sleep(Duration::from_secs(1)).await;
        inbox.close().await;
        pending::<()>().await;
    });
    worker.await.unwrap();
    contains(
        &line(&log, "inbox was closed before the run ended"),
        &["WARN"],
    );
}

/// The answer comes when nobody waits for it any more.
#[tokio::test]
async fn a_job_that_is_parked_during_a_shutdown_is_logged() {
    let log = Log::start();
    let (inbox, directory, _) = in_file().await;
    inbox.put("account-42", &verification()).await.unwrap();
    let has_failed = Semaphore::new(0);
    let failing = service_fn(|_: Job| {
        has_failed.add_permits(1);
        ready(Err::<(), _>("a failure"))
    });
    let worker = inbox.worker(failing).backoff(|_, _| Duration::ZERO);
    let shutdown = async { drop(has_failed.acquire().await) };
    worker.run_until(shutdown).await.unwrap();

    let is_ready = Arc::new(Semaphore::new(0));
    let service = BlocksWhenReady {
        directory: &directory,
        blocked: None,
        is_ready: Arc::clone(&is_ready),
    };
    let worker = inbox.worker(service).max_attempts(1);
    let shutdown = async { drop(is_ready.acquire().await) };
    worker.run_until(shutdown).await.unwrap();
    let logged = async {
        while log.lines("out of attempts").is_empty() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), logged).await.unwrap();
    assert_eq!(inbox.stats().await.unwrap().parked, 1);
}

/// Keeps the inbox from writing from when it is ready until it is dropped.
struct BlocksWhenReady<'a> {
    directory: &'a TempDir,
    blocked: Option<Connection>,
    is_ready: Arc<Semaphore>,
}

impl Service<Job> for BlocksWhenReady<'_> {
    type Response = ();
    type Error = &'static str;
    type Future = Ready<Result<(), &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.blocked = Some(block(self.directory));
        self.is_ready.add_permits(1);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Job) -> Self::Future {
        ready(Err("called"))
    }
}

#[tokio::test]
async fn a_lease_that_is_not_renewed_is_logged() {
    let log = Log::start();
    let (inbox, directory, _) = in_file().await;
    inbox.put("account-42", &change("chn_1", 1)).await.unwrap();
    let dropped = Arc::new(Semaphore::new(0));
    let service = service_fn(|_: Job| {
        // Only now: the job has been taken.
        let blocked = block(&directory);
        let dropped = CloseOnDrop(Arc::clone(&dropped));
        async move {
            let _guards = (blocked, dropped);
            pending::<Result<(), String>>().await
        }
    });
    let worker = inbox.worker(service).lease(Duration::from_millis(300));
    let shutdown = async { drop(dropped.acquire().await) };
    worker.run_until(shutdown).await.unwrap();
    contains(
        &line(&log, "lease was not renewed"),
        &["ERROR", "channel=\"chn_1\""],
    );
}

/// Closes it with the future that holds this.
struct CloseOnDrop(Arc<Semaphore>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[tokio::test]
async fn a_put_that_fails_is_logged_with_its_cause() {
    let log = Log::start();
    let inbox = inbox().await;
    inbox.close().await;
    inbox
        .put("account-42", &change("chn_1", 1))
        .await
        .unwrap_err();
    contains(
        &line(&log, "was not stored"),
        &["WARN", "kind=\"change\"", "the inbox is closed"],
    );
}

/// A store that is away fails each request.
#[tokio::test(start_paused = true)]
async fn puts_that_fail_are_logged_once_in_ten_seconds() {
    let inbox = inbox().await;
    inbox.close().await;
    let put = async || {
        let put = inbox.put("account-42", &change("chn_1", 1)).await;
        put.unwrap_err();
    };
    let log = Log::start();
    for _ in 0..100 {
        put().await;
    }
    contains(&line(&log, "was not stored"), &["suppressed=0"]);
    drop(log);
    let log = Log::start();
    sleep(Duration::from_secs(10)).await;
    put().await;
    contains(&line(&log, "was not stored"), &["suppressed=99"]);
}

#[tokio::test(start_paused = true)]
async fn transactions_that_fail_are_logged_once_in_ten_seconds() {
    let (inbox, directory, _) = in_file().await;
    let rolled_back = "CREATE TRIGGER fails BEFORE INSERT ON cronofy_inbox
                       BEGIN SELECT RAISE(ROLLBACK, 'no room'); END";
    let other = Connection::open(directory.path().join("inbox.db")).unwrap();
    other.execute_batch(rolled_back).unwrap();
    let put = async || {
        let put = inbox.put("account-42", &verification()).await;
        put.unwrap_err();
        // It is logged after the answer.
        sleep(Duration::from_millis(1)).await;
    };
    let log = Log::start();
    for _ in 0..10 {
        put().await;
    }
    let failed = line(&log, "transaction failed");
    contains(&failed, &["ERROR", "no room", "suppressed=0"]);
    drop(log);
    let log = Log::start();
    sleep(Duration::from_secs(10)).await;
    put().await;
    contains(&line(&log, "transaction failed"), &["suppressed=9"]);
}

#[tokio::test]
async fn what_succeeds_is_not_logged_above_debug() {
    let log = Log::start();
    let inbox = inbox().await;
    inbox.put("account-42", &change("chn_1", 1)).await.unwrap();
    inbox
        .worker(Jobs::default().noting())
        .run_until_idle()
        .await
        .unwrap();
    contains(&line(&log, "cronofy_webhook_inbox"), &["DEBUG", "job done"]);
}
