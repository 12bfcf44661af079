//! Which jobs run, when, and how often.

use std::convert::Infallible;
use std::future::{Ready, pending, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use cronofy_webhook::Notification;
use cronofy_webhook::notification::ReplyStatus;
use cronofy_webhook_inbox::Job;
use cronofy_webhook_testing::Payload;
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use tokio::time::{Instant, advance, sleep};
use tower::{Service, ServiceBuilder, service_fn};

use crate::common::{Jobs, change, delivery, verification};
use crate::support::{Gate, block, in_file, inbox, since};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_job_has_what_was_put() {
    let inbox = inbox().await;
    let delivery = change("chn_1", 7);
    inbox.put("42", &delivery).await.unwrap();
    let jobs = Jobs::default();
    inbox.worker(jobs.noting()).run_until_idle().await.unwrap();

    let job = jobs.all().remove(0);
    assert_eq!((job.account(), job.attempt(), job.merged()), ("42", 1, 1));
    assert_eq!(job.notification(), delivery.notification());
    assert_eq!(job.body(), delivery.body());
    let expected = Job::from_delivery("42", &delivery);
    assert!(job.received_at() <= expected.received_at());
    assert_eq!(inbox.stats().await.unwrap().waiting, 0);
}

#[tokio::test]
async fn changes_of_a_channel_merge_into_the_earliest() {
    let inbox = inbox().await;
    for (account, channel, since) in [
        ("42", "chn_1", 7),
        ("42", "chn_2", 1),
        ("42", "chn_1", 5),
        ("43", "chn_1", 2),
        ("42", "chn_1", 6),
    ] {
        inbox.put(account, &change(channel, since)).await.unwrap();
    }
    let jobs = Jobs::default();
    inbox.worker(jobs.noting()).run_until_idle().await.unwrap();
    let jobs = jobs.all();
    let summary: Vec<_> = jobs
        .iter()
        .map(|job| (job.account(), since(job), job.merged()))
        .collect();
    assert_eq!(summary, [("42", 5, 3), ("42", 1, 1), ("43", 2, 1)]);
}

#[tokio::test]
async fn accepted_declined_accepted_gives_three_runs() {
    let inbox = inbox().await;
    let answers = [
        ReplyStatus::Accepted,
        ReplyStatus::Declined,
        ReplyStatus::Accepted,
    ];
    for status in answers.clone() {
        let delivery = delivery(Payload::smart_invite(status));
        inbox.put("42", &delivery).await.unwrap();
    }
    let jobs = Jobs::default();
    inbox.worker(jobs.noting()).run_until_idle().await.unwrap();
    let statuses: Vec<_> = jobs
        .all()
        .iter()
        .map(|job| match job.notification() {
            Notification::SmartInvite(invite) => invite.reply.status.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(statuses, answers);
}

#[tokio::test(start_paused = true)]
async fn changes_during_a_run_lead_to_one_more_run_with_the_earliest() {
    let inbox = inbox().await;
    let jobs = Jobs::default();
    let noted = jobs.clone();
    let service = service_fn(move |job: Job| {
        noted.push(job);
        async {
            sleep(Duration::from_millis(700)).await;
            Ok::<_, Infallible>(())
        }
    });
    let worker = inbox.worker(service).run_until(async {
        for number in 0..200 {
            let offset = if number == 100 { -50 } else { number };
            inbox
                .put("42", &change("chn_1", 1_000 + offset))
                .await
                .unwrap();
            sleep(Duration::from_millis(1)).await;
        }
        sleep(5 * SECOND).await;
    });
    worker.await.unwrap();
    let jobs = jobs.all();
    let runs: Vec<_> = jobs.iter().map(|job| (since(job), job.merged())).collect();
    assert_eq!(runs, [(1_000, 1), (950, 199)]);
}

#[tokio::test(start_paused = true)]
async fn runs_of_a_channel_do_not_overlap_and_all_are_limited_by_the_concurrency() {
    #[derive(Default)]
    struct Running {
        all: AtomicUsize,
        most: AtomicUsize,
        hot: AtomicUsize,
    }

    let inbox = inbox().await;
    let running = Arc::new(Running::default());
    let counted = Arc::clone(&running);
    let service = service_fn(move |job: Job| {
        let running = Arc::clone(&counted);
        let is_hot = job.account() == "hot";
        async move {
            let all = running.all.fetch_add(1, Ordering::SeqCst) + 1;
            running.most.fetch_max(all, Ordering::SeqCst);
            if is_hot {
                assert_eq!(running.hot.fetch_add(1, Ordering::SeqCst), 0);
            }
            sleep(SECOND).await;
            if is_hot {
                running.hot.fetch_sub(1, Ordering::SeqCst);
            }
            running.all.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, Infallible>(())
        }
    });
    for _ in 0..9 {
        inbox.put("42", &verification()).await.unwrap();
    }
    let worker = inbox.worker(service).concurrency(3).run_until(async {
        for number in 0..30 {
            inbox.put("hot", &change("chn_1", number)).await.unwrap();
            sleep(SECOND / 3).await;
        }
        sleep(10 * SECOND).await;
    });
    worker.await.unwrap();
    assert_eq!(running.most.load(Ordering::SeqCst), 3);
    let stats = inbox.stats().await.unwrap();
    assert_eq!((stats.waiting, stats.taken), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_failed_job_runs_again_after_its_backoff() {
    let inbox = inbox().await;
    inbox.put("42", &verification()).await.unwrap();
    let started = Instant::now();
    let jobs = Jobs::default();
    let noted = jobs.clone();
    let service = service_fn(move |job: Job| {
        let attempt = job.attempt();
        noted.push(job);
        ready(if attempt < 3 {
            Err(format!("failure {attempt}"))
        } else {
            Ok(())
        })
    });
    let worker = inbox.worker(service).backoff(|attempt, error| {
        assert_eq!(error, &format!("failure {attempt}"));
        attempt * 10 * SECOND
    });
    worker.run_until(sleep(60 * SECOND)).await.unwrap();
    let attempts: Vec<_> = jobs.all().iter().map(Job::attempt).collect();
    assert_eq!(attempts, [1, 2, 3]);
    assert_eq!(started.elapsed(), 60 * SECOND);
    assert_eq!(inbox.stats().await.unwrap().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn a_failed_job_does_not_run_before_its_backoff_ends() {
    let inbox = inbox().await;
    inbox.put("42", &verification()).await.unwrap();
    let jobs = Jobs::default();
    let noted = jobs.clone();
    let service = service_fn(move |job: Job| {
        noted.push(job);
        ready(Err::<(), _>("failure"))
    });
    let worker = inbox.worker(service).backoff(|_, _| 10 * SECOND);
    worker
        .run_until(sleep(Duration::from_millis(9_900)))
        .await
        .unwrap();
    assert_eq!(jobs.len(), 1);
    inbox.put("42", &verification()).await.unwrap();
    inbox.worker(jobs.noting()).run_until_idle().await.unwrap();
    assert_eq!(jobs.len(), 2, "idle, as a backoff is not waited for");
    advance(SECOND).await;
    inbox.worker(jobs.noting()).run_until_idle().await.unwrap();
    assert_eq!(jobs.len(), 3);
}

/// Panics at one of these places, once.
struct Panics {
    at: &'static str,
    jobs: Jobs,
}

impl Panics {
    fn at(&mut self, place: &str) -> bool {
        let is_here = self.at == place;
        if is_here {
            self.at = "";
        }
        is_here
    }
}

impl Service<Job> for Panics {
    type Response = PanicsInDrop;
    type Error = &'static str;
    type Future = PanicsAfter;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        assert!(!self.at("poll_ready"), "poll_ready");
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, job: Job) -> Self::Future {
        self.jobs.push(job);
        assert!(!self.at("call"), "call");
        let panics = self.at("future");
        let fails = self.at("backoff");
        let response = PanicsInDrop(self.at("drop of the response"));
        let future = async move {
            assert!(!panics, "future");
            if fails { Err("failure") } else { Ok(response) }
        };
        PanicsAfter {
            future: Box::pin(future),
            _then: PanicsInDrop(self.at("drop of the future")),
        }
    }
}

struct PanicsInDrop(bool);

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        assert!(!self.0, "drop");
    }
}

struct PanicsAfter {
    future: Pin<Box<dyn Future<Output = Result<PanicsInDrop, &'static str>> + Send>>,
    _then: PanicsInDrop,
}

impl Future for PanicsAfter {
    type Output = Result<PanicsInDrop, &'static str>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.future.as_mut().poll(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_of_its_job() {
    for at in [
        "poll_ready",
        "call",
        "future",
        "backoff",
        "drop of the future",
        "drop of the response",
    ] {
        let inbox = inbox().await;
        inbox.put("42", &verification()).await.unwrap();
        let jobs = Jobs::default();
        let service = Panics {
            at,
            jobs: jobs.clone(),
        };
        let worker = inbox.worker(service).backoff(|_, _| panic!("backoff"));
        worker.run_until(sleep(5 * SECOND)).await.unwrap();
        let last = jobs.all().pop().unwrap();
        assert_eq!(last.attempt(), 2, "{at}");
        assert_eq!(inbox.stats().await.unwrap().waiting, 0, "{at}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_clone_keeps_its_rate() {
    let inbox = inbox().await;
    for _ in 0..10 {
        inbox.put("42", &verification()).await.unwrap();
    }
    let jobs = Jobs::default();
    let service = ServiceBuilder::new()
        .rate_limit(2, SECOND)
        .service(jobs.noting());
    let started = Instant::now();
    inbox.worker(service).run_until_idle().await.unwrap();
    assert_eq!(jobs.len(), 10);
    assert!(
        (4 * SECOND..5 * SECOND).contains(&started.elapsed()),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_put_wakes_an_idle_worker() {
    let inbox = inbox().await;
    let gate = Gate::new();
    let worker = inbox.worker(gate.service()).run_until(async {
        sleep(100 * SECOND).await;
        let put = Instant::now();
        inbox.put("42", &verification()).await.unwrap();
        gate.started().await;
        gate.release(1);
        assert!(put.elapsed() < SECOND, "{:?}", put.elapsed());
    });
    worker.await.unwrap();
}

/// Another user of what the service reserves would wait for as long as nothing comes in.
#[tokio::test(start_paused = true)]
async fn an_idle_worker_does_not_poll_the_service() {
    struct Polls(Arc<AtomicUsize>);

    impl Service<Job> for Polls {
        type Response = ();
        type Error = Infallible;
        type Future = Ready<Result<(), Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Job) -> Self::Future {
            ready(Ok(()))
        }
    }

    let inbox = inbox().await;
    let polls = Arc::new(AtomicUsize::new(0));
    let worker = inbox.worker(Polls(Arc::clone(&polls))).run_until(async {
        sleep(SECOND).await;
        assert_eq!(polls.load(Ordering::SeqCst), 0);
        inbox.put("42", &verification()).await.unwrap();
        sleep(SECOND).await;
        assert_eq!(polls.load(Ordering::SeqCst), 1);
    });
    worker.await.unwrap();
    assert_eq!(inbox.stats().await.unwrap().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_never_ready_takes_no_job() {
    struct NeverReady;

    impl Service<Job> for NeverReady {
        type Response = ();
        type Error = Infallible;
        type Future = Ready<Result<(), Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Pending
        }

        fn call(&mut self, _: Job) -> Self::Future {
            panic!("called before it was ready")
        }
    }

    let inbox = inbox().await;
    inbox.put("42", &verification()).await.unwrap();
    inbox
        .worker(NeverReady)
        .run_until(sleep(60 * SECOND))
        .await
        .unwrap();
    let stats = inbox.stats().await.unwrap();
    assert_eq!((stats.waiting, stats.taken), (1, 0));
    assert!(stats.oldest_due_age.unwrap() >= 60 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_always_fails_is_parked_and_can_be_unparked() {
    let inbox = inbox().await;
    inbox.put("42", &verification()).await.unwrap();
    let failing = || service_fn(|_: Job| ready(Err::<(), _>("failure")));
    let worker = inbox.worker(failing()).max_attempts(3);
    worker.run_until(sleep(60 * SECOND)).await.unwrap();

    let parked = inbox.parked(10).await.unwrap();
    assert_eq!(parked.len(), 1);
    assert_eq!(
        (parked[0].job().account(), parked[0].job().attempt()),
        ("42", 3)
    );
    assert!(parked[0].parked_at() >= parked[0].job().received_at());
    assert_eq!(inbox.stats().await.unwrap().parked, 1);

    assert!(inbox.unpark(&parked[0]).await.unwrap());
    assert!(!inbox.unpark(&parked[0]).await.unwrap());
    let jobs = Jobs::default();
    inbox.worker(jobs.noting()).run_until_idle().await.unwrap();
    assert_eq!(jobs.all()[0].attempt(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_longer_than_its_lease_is_not_repeated() {
    let inbox = inbox().await;
    inbox.put("42", &change("chn_1", 1)).await.unwrap();
    let gate = Gate::new();
    let worker = inbox.worker(gate.service()).lease(SECOND).run_until(async {
        gate.started().await;
        sleep(1_000 * SECOND).await;
        assert!(!gate.has_started());
        assert_eq!(inbox.stats().await.unwrap().taken, 1);
        gate.release(1);
    });
    worker.await.unwrap();
    assert_eq!(gate.jobs.len(), 1);
    assert_eq!(inbox.stats().await.unwrap().taken, 0);
}

/// Dropped with the future of a run.
struct Dropped(Arc<Semaphore>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

/// A service whose runs never end, and what says how many were dropped.
fn endless() -> (
    impl Service<Job, Response = (), Error = Infallible, Future: Send + 'static>,
    Arc<Semaphore>,
) {
    let drops = Arc::new(Semaphore::new(0));
    let dropped = Arc::clone(&drops);
    let service = service_fn(move |_: Job| {
        let dropped = Dropped(Arc::clone(&dropped));
        async move {
            let _dropped = dropped;
            pending::<Result<(), Infallible>>().await
        }
    });
    (service, drops)
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_account_is_forgotten_is_dropped_within_its_lease() {
    let inbox = inbox().await;
    inbox.put("42", &change("chn_1", 1)).await.unwrap();
    let (service, drops) = endless();
    let worker = inbox.worker(service).lease(3 * SECOND).run_until(async {
        sleep(10 * SECOND).await;
        assert_eq!(drops.available_permits(), 0);
        assert_eq!(inbox.forget("42").await.unwrap(), 1);
        sleep(3 * SECOND).await;
        assert_eq!(drops.available_permits(), 1);
    });
    worker.await.unwrap();
    let stats = inbox.stats().await.unwrap();
    assert_eq!((stats.waiting, stats.taken), (0, 0));
}

/// In real time: the database is locked by another process.
#[tokio::test]
async fn a_run_whose_lease_cannot_be_renewed_is_dropped_and_runs_again() {
    let (inbox, directory, _) = in_file().await;
    inbox.put("42", &change("chn_1", 1)).await.unwrap();
    let (service, drops) = endless();
    let worker = inbox
        .worker(service)
        .lease(SECOND / 2)
        .grace(Duration::ZERO);
    let worker = worker.run_until(async {
        let taken = async {
            while inbox.stats().await.unwrap().taken == 0 {
                yield_now().await;
            }
        };
        taken.await;
        let lock = block(&directory);
        drops.acquire().await.unwrap().forget();
        drop(lock);
    });
    worker.await.unwrap();

    let jobs = Jobs::default();
    let rerun = inbox.worker(jobs.noting()).run_until(async {
        while jobs.len() == 0 {
            yield_now().await;
        }
    });
    rerun.await.unwrap();
    assert_eq!(since(&jobs.all()[0]), 1);
}
