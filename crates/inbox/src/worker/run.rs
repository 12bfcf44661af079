use std::error::Error;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::backoff::{Backoff, default_backoff};
use crate::events::{self, Subject};
use crate::store::{End, Held};

/// A job that runs. Dropped, it stops: the future first, then the lease, and then the row is released.
pub(super) struct Run<F, E> {
    /// `None`: the service panicked before there was one.
    pub(super) future: Option<F>,
    /// Closed when the lease is no longer needed.
    pub(super) lease: oneshot::Sender<()>,
    pub(super) held: Held,
    pub(super) subject: Subject,
    pub(super) backoff: Backoff<E>,
}

/// What a service did instead of returning.
#[derive(Debug)]
pub(super) struct Panicked;

impl<F, E> Run<F, E> {
    pub(super) async fn run<R>(self)
    where
        F: Future<Output = Result<R, E>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let held = self.held;
        let lease = self.lease;
        let started = Instant::now();
        let end = match self.future {
            Some(future) => judge(completed(future).await, &self.backoff, &self.subject),
            None => judge(Err(Panicked), &self.backoff, &self.subject),
        };
        // Before the row is freed: a renewal after that would fail.
        drop(lease);
        match held.end(end).await {
            Ok(true) if end == End::Done => events::done(&self.subject, started.elapsed()),
            // Logged by `judge`.
            Ok(true) => {}
            Ok(false) => events::ended_late(&self.subject),
            Err(_closed) => events::closed_before(&self.subject),
        }
    }
}

/// Returns instead of panicking.
pub(super) fn caught<T>(f: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|_| Panicked)
}

/// To drop the future and the response may panic as well.
async fn completed<F, R, E>(future: F) -> Result<Result<(), E>, Panicked>
where
    F: Future<Output = Result<R, E>>,
{
    let mut place = pin!(Some(future));
    let output = poll_fn(|cx| match place.as_mut().as_pin_mut() {
        Some(future) => match caught(|| future.poll(cx)) {
            Ok(poll) => poll.map(Ok),
            Err(panicked) => Poll::Ready(Err(panicked)),
        },
        None => Poll::Ready(Err(Panicked)),
    });
    let output = output.await;
    caught(|| place.set(None))?;
    match output? {
        Ok(response) => caught(|| drop(response)).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

/// How the run ended. `backoff` is the user's, and may panic as well.
fn judge<E: Into<Box<dyn Error + Send + Sync>>>(
    output: Result<Result<(), E>, Panicked>,
    backoff: &Backoff<E>,
    subject: &Subject,
) -> End {
    let failed = |error: E| {
        let backoff = backoff(subject.attempt, &error);
        events::failed(subject, &*error.into(), backoff);
        backoff
    };
    let failed: Result<Duration, Panicked> = match output {
        Ok(Ok(())) => return End::Done,
        Ok(Err(error)) => caught(|| failed(error)),
        Err(panicked) => Err(panicked),
    };
    let backoff = failed.unwrap_or_else(|Panicked| {
        let backoff = default_backoff(subject.attempt);
        events::panicked(subject, backoff);
        backoff
    });
    End::Failed { backoff }
}
