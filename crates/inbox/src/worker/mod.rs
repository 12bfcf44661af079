mod backoff;
mod lease;
mod run;
mod take;

use std::error::Error;
use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use tower_service::Service;

use self::backoff::{Backoff, default_backoff};
use crate::events;
use crate::job::Job;
use crate::store::{MAX_DELAY, Store};

/// The shortest lease.
const MIN_LEASE: Duration = Duration::from_millis(100);

/// Takes jobs and calls a service with them. From [`Inbox::worker`](crate::Inbox::worker).
///
/// The service is any Tower [`Service`], with any layers around it: a rate limit, a timeout, a concurrency limit. The
/// worker owns it and needs no `Clone`: it waits until a job is due, then until the service is ready, and then calls it.
///
/// - `Ok`: the job is done, and gone. It also means "nobody needs this any more": return `Ok` for an account that was
///   deleted, or its job runs again for ever.
/// - `Err`, or a panic: the job runs again after the [`backoff`](Self::backoff). What comes in meanwhile is merged into it.
/// - The process ends: the job runs again when the inbox is opened, or on PostgreSQL when its lease ends.
///
/// While a job runs its lease is renewed. If that fails, the future of the service is dropped before the lease ends, and the
/// job runs again. A process that was stopped for longer than the lease drops it when it continues, and after a machine was
/// suspended, at the next renewal.
///
/// ```
/// use std::time::Duration;
/// use cronofy_webhook_testing::{Payload, Sender};
/// use cronofy_webhook_inbox::{Inbox, Job};
/// use tower::{ServiceBuilder, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sync = ServiceBuilder::new()
///     .rate_limit(10, Duration::from_secs(1))
///     .service(service_fn(|job: Job| async move {
///         println!("{}: {}", job.account(), job.notification().kind());
///         Ok::<_, std::io::Error>(())
///     }));
///
/// let inbox = Inbox::in_memory().await?;
/// inbox.put("42", &Sender::new("CRN_test").delivery(Payload::verification())).await?;
/// inbox.worker(sync).concurrency(4).run_until_idle().await?;
/// assert_eq!(inbox.stats().await?.waiting, 0);
/// # Ok(())
/// # }
/// ```
#[must_use = "a worker does nothing until it is run"]
pub struct Worker<S: Service<Job>> {
    store: Store,
    service: S,
    settings: Settings,
    backoff: Backoff<S::Error>,
}

#[derive(Clone, Copy, Debug)]
struct Settings {
    concurrency: usize,
    lease: Duration,
    max_attempts: Option<u32>,
    grace: Duration,
}

impl<S: Service<Job>> Worker<S> {
    pub(crate) fn new(store: Store, service: S) -> Self {
        Self {
            store,
            service,
            settings: Settings {
                concurrency: 8,
                lease: Duration::from_secs(30),
                max_attempts: None,
                grace: Duration::from_secs(30),
            },
            backoff: Arc::new(|attempt, _| default_backoff(attempt)),
        }
    }

    /// How many jobs run at the same time. Default: 8.
    ///
    /// # Panics
    ///
    /// When it is 0.
    pub fn concurrency(mut self, jobs: usize) -> Self {
        assert!(jobs > 0, "a concurrency of 0 would run nothing");
        self.settings.concurrency = jobs;
        self
    }

    /// How long a run holds its job before another worker may take it. Renewed after a third of that. Default: 30 seconds. Not
    /// shorter than 100 ms, and not longer than 1 hour. On PostgreSQL, the jobs of a process that died run again after this.
    ///
    /// A run that blocks all threads of the runtime for longer than this may be repeated while it still runs.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease.clamp(MIN_LEASE, MAX_DELAY);
        self
    }

    /// How long a job waits after an attempt failed: a function of the attempt, from 1, and the error. Not longer than
    /// 1 hour. Default: 1 second, doubling to 10 minutes, each up to a fifth shorter or longer.
    ///
    /// A panic has no error, and waits as by default.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cronofy_webhook_inbox::{Inbox, Job};
    /// # use tower::service_fn;
    /// # struct ApiError { retry_after: Option<Duration> }
    /// # async fn example(inbox: Inbox) {
    /// let sync = service_fn(|job: Job| async move { Err::<(), _>(ApiError { retry_after: None }) });
    /// let worker = inbox.worker(sync).backoff(|attempt, error: &ApiError| {
    ///     error.retry_after.unwrap_or(Duration::from_secs(attempt.into()))
    /// });
    /// # drop(worker);
    /// # }
    /// ```
    pub fn backoff(
        mut self,
        backoff: impl Fn(u32, &S::Error) -> Duration + Send + Sync + 'static,
    ) -> Self {
        self.backoff = Arc::new(backoff);
        self
    }

    /// After how many attempts a job is parked instead of run. Default: never.
    ///
    /// An attempt that a crash of the process ended counts, so that a job cannot crash it for ever. What is parked is kept:
    /// see [`Inbox::parked`](crate::Inbox::parked). A `change` that came in after the last attempt, during its backoff, is parked
    /// with it; the next one puts it back in line.
    ///
    /// # Panics
    ///
    /// When it is 0.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        assert!(attempts > 0, "with 0 attempts nothing would run");
        self.settings.max_attempts = Some(attempts);
        self
    }

    /// For how long the jobs that run may go on after a shutdown. Then they are dropped, and run again later. Default: 30
    /// seconds.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.settings.grace = grace;
        self
    }
}

impl<S> Worker<S>
where
    S: Service<Job>,
    S::Response: 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    /// Runs jobs until `shutdown` completes. Then it takes no more, and returns when those that run are done or the
    /// [`grace`](Self::grace) is over. Also returns when the inbox is closed.
    ///
    /// No error of the store ends it: it tries again, with pauses of up to 5 seconds. If this future is dropped, the jobs that
    /// run are dropped, and run again later.
    ///
    /// # Errors
    ///
    /// When the service's `poll_ready` fails, which Tower declares final. The jobs that run have their grace.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> Result<(), S::Error> {
        self.run(shutdown, false).await
    }

    /// Runs jobs until none is due and none runs: for a program that is started now and then, and for tests. A job in a
    /// backoff is not waited for. While the store fails it does not return: put a timeout around it.
    ///
    /// # Errors
    ///
    /// As [`run_until`](Self::run_until).
    pub async fn run_until_idle(self) -> Result<(), S::Error> {
        self.run(pending(), true).await
    }

    async fn run(
        mut self,
        shutdown: impl Future<Output = ()>,
        until_idle: bool,
    ) -> Result<(), S::Error> {
        let mut runs = JoinSet::new();
        let ended = tokio::select! {
            biased;
            () = shutdown => Ok(()),
            // Dropped at any time: what it has taken by then is released.
            ended = self.take_jobs(&mut runs, until_idle) => ended,
        };
        if ended.is_err() {
            events::service_failed();
        }
        let grace = self.settings.grace;
        let all = async { while runs.join_next().await.is_some() {} };
        if timeout(grace, all).await.is_err() {
            events::grace_ended(runs.len(), grace);
            runs.shutdown().await;
            // The drop only began the releases.
            self.store.settled().await;
        }
        ended
    }
}

impl<S: Service<Job>> fmt::Debug for Worker<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("store", &self.store)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
