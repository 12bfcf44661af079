use std::error::Error;
use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tower_service::Service;

use super::lease::{Lease, usable};
use super::run::{Panicked, Run, caught};
use super::{Settings, Worker};
use crate::events::{self, Subject};
use crate::job::Job;
use crate::store::{Held, Pause, Store, Take};

/// How long to wait for a row that is due and was passed.
const PASSED_PAUSE: Duration = Duration::from_millis(20);

impl<S> Worker<S>
where
    S: Service<Job>,
    S::Response: 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    /// Takes jobs, and spawns a run for each. Returns when the inbox is closed, or idle; can be dropped at any time.
    pub(super) async fn take_jobs(
        &mut self,
        runs: &mut JoinSet<()>,
        until_idle: bool,
    ) -> Result<(), S::Error> {
        let mut wakes = self.store.wakes();
        let mut pause = Pause::default();
        loop {
            while runs.len() >= self.settings.concurrency {
                runs.join_next().await;
            }
            // Before the service is ready: what it reserves for a call is not kept while there is nothing to do.
            if !due(&self.store, &mut wakes, runs, until_idle).await {
                return Ok(());
            }
            let ready = ready(&mut self.service).await?;
            let asked = Instant::now();
            let Settings {
                lease,
                max_attempts,
                ..
            } = self.settings;
            match self.store.take(lease, max_attempts).await {
                // The answer came late: by the time the job begins, another worker may have its row.
                Ok(Take::Taken(held, _)) if asked.elapsed() >= usable(lease) => drop(held),
                Ok(Take::Taken(held, job)) => self.start(runs, held, job.into(), asked, ready),
                Ok(Take::Parked(_)) => {}
                // Another worker was quicker, or the row is just being put to.
                Ok(Take::Nothing) => sleep(PASSED_PAUSE).await,
                Err(error) if error.is_closed() => return Ok(()),
                Err(error) => {
                    events::store_failed("take", &error);
                    pause.wait().await;
                    continue;
                }
            }
            pause = Pause::default();
        }
    }

    fn start(
        &mut self,
        runs: &mut JoinSet<()>,
        held: Held,
        job: Job,
        asked: Instant,
        ready: Result<(), Panicked>,
    ) {
        let subject = Subject::of(&job);
        let lease = Lease {
            store: self.store.clone(),
            token: held.token(),
            duration: self.settings.lease,
            asked,
        };
        let (lease_sender, ended) = oneshot::channel();
        let run = Run {
            future: ready.and_then(|()| caught(|| self.service.call(job))).ok(),
            lease: lease_sender,
            held,
            subject: subject.clone(),
            backoff: Arc::clone(&self.backoff),
        };
        let run = runs.spawn(run.run());
        tokio::spawn(lease.keep(run, ended, subject));
    }
}

/// Waits until a row is due. False: there is nothing to wait for.
async fn due(
    store: &Store,
    wakes: &mut watch::Receiver<()>,
    runs: &mut JoinSet<()>,
    until_idle: bool,
) -> bool {
    let mut pause = Pause::default();
    loop {
        while runs.try_join_next().is_some() {}
        wakes.mark_unchanged();
        let due_in = match store.due_in().await {
            Ok(due_in) => due_in,
            Err(error) if error.is_closed() => return false,
            Err(error) => {
                events::store_failed("take", &error);
                pause.wait().await;
                continue;
            }
        };
        pause = Pause::default();
        let wait = async {
            match due_in {
                Some(due_in) => sleep(due_in).await,
                None => pending().await,
            }
        };
        if due_in.is_some_and(|due_in| due_in.is_zero()) {
            return true;
        }
        if until_idle && runs.is_empty() {
            return false;
        }
        tokio::select! {
            Ok(()) = wakes.changed() => {}
            () = wait => {}
            Some(_) = runs.join_next() => {}
        }
    }
}

/// Waits until the service is ready, or has panicked.
async fn ready<S: Service<Job>>(service: &mut S) -> Result<Result<(), Panicked>, S::Error> {
    poll_fn(|cx| match caught(|| service.poll_ready(cx)) {
        Ok(poll) => poll.map_ok(Ok),
        Err(panicked) => Poll::Ready(Ok(Err(panicked))),
    })
    .await
}
