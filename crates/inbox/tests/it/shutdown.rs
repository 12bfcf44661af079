//! How a worker ends.

use std::convert::Infallible;
use std::future::{Ready, pending, ready};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use std::time::Duration;

use cronofy_webhook_inbox::{Inbox, Job};
use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep, timeout};
use tower::{Service, service_fn};

use crate::common::{Jobs, change, verification};
use crate::support::{Gate, in_file, inbox};

const SECOND: Duration = Duration::from_secs(1);

async fn waiting_and_taken(inbox: &Inbox) -> (u64, u64) {
    let stats = inbox.stats().await.unwrap();
    (stats.waiting, stats.taken)
}

#[tokio::test(start_paused = true)]
async fn at_shutdown_jobs_that_run_are_done_within_the_grace() {
    let inbox = inbox().await;
    for number in 0..2 {
        inbox.put("42", &change("chn_1", number)).await.unwrap();
    }
    let jobs = Jobs::default();
    let noted = jobs.clone();
    let service = service_fn(move |job| {
        noted.push(job);
        async {
            sleep(10 * SECOND).await;
            Ok::<_, Infallible>(())
        }
    });
    let started = Instant::now();
    let shutdown = async {
        sleep(SECOND).await;
        inbox.put("42", &verification()).await.unwrap();
        sleep(SECOND).await;
        inbox.put("42", &verification()).await.unwrap();
    };
    inbox
        .worker(service)
        .concurrency(2)
        .run_until(shutdown)
        .await
        .unwrap();
    assert_eq!(started.elapsed(), 11 * SECOND);
    assert_eq!(jobs.len(), 2, "and no more are taken");
    assert_eq!(waiting_and_taken(&inbox).await, (1, 0));
}

#[tokio::test(start_paused = true)]
async fn after_the_grace_jobs_are_dropped_and_the_attempt_does_not_count() {
    let inbox = inbox().await;
    inbox.put("42", &verification()).await.unwrap();
    let service = service_fn(|_: Job| pending::<Result<(), Infallible>>());
    let started = Instant::now();
    let worker = inbox.worker(service).grace(5 * SECOND);
    worker.run_until(sleep(SECOND)).await.unwrap();
    assert_eq!(started.elapsed(), 6 * SECOND);
    assert_eq!(waiting_and_taken(&inbox).await, (1, 0));

    let jobs = Jobs::default();
    inbox.worker(jobs.noting()).run_until_idle().await.unwrap();
    assert_eq!(jobs.all()[0].attempt(), 1);
}

/// Says, when it is dropped, whether its row is still held, and stays so for a while.
struct DropsSlowly {
    connection: Connection,
    was_held: mpsc::Sender<bool>,
}

impl Drop for DropsSlowly {
    fn drop(&mut self) {
        let held = "SELECT count(*) FROM cronofy_inbox WHERE token IS NOT NULL";
        let rows = || -> i64 {
            self.connection
                .query_row(held, [], |row| row.get(0))
                .unwrap()
        };
        let until = std::time::Instant::now() + Duration::from_millis(200);
        // What this thread has woken runs meanwhile.
        let was_held = block_in_place(|| {
            while std::time::Instant::now() < until {
                if rows() != 1 {
                    return false;
                }
            }
            true
        });
        self.was_held.send(was_held).unwrap();
    }
}

/// Otherwise, the next run could begin before this one has ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_dropped_before_its_row_is_released() {
    let (inbox, directory, _) = in_file().await;
    inbox.put("42", &change("chn_1", 1)).await.unwrap();
    let (sender, was_held) = mpsc::channel();
    let path = directory.path().join("inbox.db");
    let started = Arc::new(Semaphore::new(0));
    let starts = Arc::clone(&started);
    let service = service_fn(move |_: Job| {
        let slow = DropsSlowly {
            connection: Connection::open(&path).unwrap(),
            was_held: sender.clone(),
        };
        let starts = Arc::clone(&starts);
        async move {
            let _slow = slow;
            starts.add_permits(1);
            pending::<Result<(), Infallible>>().await
        }
    });
    let worker = inbox.worker(service).grace(Duration::ZERO);
    worker
        .run_until(async { started.acquire().await.unwrap().forget() })
        .await
        .unwrap();
    assert!(was_held.recv().unwrap());
    assert_eq!(waiting_and_taken(&inbox).await, (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_dropped_releases_what_it_had_taken() {
    let inbox = inbox().await;
    inbox.put("42", &change("chn_1", 1)).await.unwrap();
    let gate = Gate::new();
    let worker = inbox.worker(gate.service()).run_until(pending());
    assert!(timeout(SECOND, worker).await.is_err());
    assert_eq!(gate.jobs.len(), 1);

    let jobs = Jobs::default();
    inbox
        .worker(jobs.noting())
        .run_until(sleep(SECOND))
        .await
        .unwrap();
    assert_eq!(jobs.all()[0].attempt(), 1);
}

/// The answer to a take that nobody waits for any more.
#[tokio::test(start_paused = true)]
async fn a_worker_that_is_dropped_at_any_time_holds_nothing() {
    for polls in 0..20 {
        let inbox = inbox().await;
        inbox.put("42", &change("chn_1", 1)).await.unwrap();
        let jobs = Jobs::default();
        let mut worker = Box::pin(inbox.worker(jobs.noting()).run_until(pending()));
        for _ in 0..polls {
            let poll = std::future::poll_fn(|cx| Poll::Ready(worker.as_mut().poll(cx)));
            assert!(poll.await.is_pending());
            tokio::task::yield_now().await;
        }
        drop(worker);
        inbox
            .worker(jobs.noting())
            .run_until(sleep(SECOND))
            .await
            .unwrap();
        assert!(jobs.len() >= 1);
        assert_eq!(
            waiting_and_taken(&inbox).await,
            (0, 0),
            "after {polls} polls"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_of_poll_ready_is_returned_once_the_jobs_that_run_are_done() {
    struct ReadyOnce(bool);

    impl Service<Job> for ReadyOnce {
        type Response = ();
        type Error = &'static str;
        type Future = std::pin::Pin<Box<dyn Future<Output = Result<(), &'static str>> + Send>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
            Poll::Ready(if std::mem::take(&mut self.0) {
                Ok(())
            } else {
                Err("broken")
            })
        }

        fn call(&mut self, _: Job) -> Self::Future {
            Box::pin(async {
                sleep(5 * SECOND).await;
                Ok(())
            })
        }
    }

    let inbox = inbox().await;
    for _ in 0..2 {
        inbox.put("42", &verification()).await.unwrap();
    }
    let started = Instant::now();
    let ended = inbox.worker(ReadyOnce(true)).run_until(pending()).await;
    assert_eq!(ended, Err("broken"));
    assert_eq!(started.elapsed(), 5 * SECOND);
    assert_eq!(waiting_and_taken(&inbox).await, (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_worker_ends_when_the_inbox_is_closed() {
    let inbox = inbox().await;
    let other = inbox.clone();
    let jobs = Jobs::default();
    let worker = inbox.worker(jobs.noting()).run_until(pending());
    let (ended, ()) = tokio::join!(worker, async {
        sleep(SECOND).await;
        other.close().await;
    });
    ended.unwrap();
}

#[tokio::test(start_paused = true)]
async fn run_until_idle_ends_on_an_empty_inbox_without_a_call() {
    let inbox = inbox().await;
    let service =
        service_fn(|_: Job| -> Ready<Result<(), Infallible>> { unreachable!("nothing is due") });
    inbox.worker(service).run_until_idle().await.unwrap();
}

#[tokio::test]
#[should_panic(expected = "a concurrency of 0")]
async fn a_concurrency_of_0_is_refused() {
    let service = service_fn(|_: Job| ready(Ok::<_, Infallible>(())));
    drop(inbox().await.worker(service).concurrency(0));
}
