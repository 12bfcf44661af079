use std::error::Error;
use std::future::poll_fn;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use tokio::runtime;
use tokio::time::{Instant, timeout};

use super::background::Place;
use super::config::Config;
use super::report::subject;
use super::timer::now;
use super::{Overrun, POLLED_AFTER_COMPLETION};
use crate::delivery::Delivery;
use crate::events::{self, HandlerTimer, InBackground, Limiter, RequestSpan};

/// The future of the inner service. If it is dropped before it is done it keeps running in the background, unless the policy
/// is [`Overrun::Cancel`] or no place is free there.
pub(super) struct Handler<F> {
    // Boxed from the start, as a future that was polled cannot be moved into a task otherwise.
    // `None` once it completed, panicked, or was detached.
    future: Option<Pin<Box<F>>>,
    // Set where its bounds are known, so that `Drop` does not need them.
    spawn: fn(Pin<Box<F>>, BackgroundTask, &SpawnContext),
    // Captured at the first `Pending`: a disconnect can drop this future on any thread.
    context: Option<SpawnContext>,
    delivery: Delivery,
    started: Instant,
    timer: HandlerTimer,
    config: Arc<Config>,
}

/// Where a handler runs, and where it continues in the background.
struct SpawnContext {
    runtime: runtime::Handle,
    span: RequestSpan,
}

impl<F> Handler<F> {
    /// Calls the inner service.
    pub(super) fn start<R, E>(
        call: impl FnOnce() -> F,
        delivery: Delivery,
        started: Instant,
        config: Arc<Config>,
    ) -> Self
    where
        F: Future<Output = Result<Response<R>, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let timer = HandlerTimer::start(now);
        let future = PanicGuard::new(&delivery, started).run(call);
        Self {
            future: Some(Box::pin(future)),
            spawn,
            context: None,
            delivery,
            started,
            timer,
            config,
        }
    }

    pub(super) fn poll<R, E>(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response<R>, E>>
    where
        F: Future<Output = Result<Response<R>, E>>,
    {
        // Taken while it is polled: after a panic it must not be polled again in the background.
        let mut future = self.future.take().expect(POLLED_AFTER_COMPLETION);
        let guard = PanicGuard::new(&self.delivery, self.started);
        let output = guard.run(|| future.as_mut().poll(cx));
        match &output {
            Poll::Ready(output) => self.completed(output.as_ref().ok().map(Response::status)),
            Poll::Pending => {
                self.future = Some(future);
                self.context.get_or_insert_with(|| SpawnContext {
                    runtime: runtime::Handle::current(),
                    span: RequestSpan::current(),
                });
            }
        }
        output
    }

    fn completed(&self, status: Option<StatusCode>) {
        let subject = subject(&self.delivery, self.started);
        self.timer.completed(subject, now);
        let limiter = &self.config.limiter;
        match status {
            Some(status) if status.is_success() && subject.elapsed > self.config.budget => {
                events::responded_late(subject, limiter, status, self.config.budget);
            }
            Some(status) => events::responded(subject, limiter, status, false),
            None => events::failed(subject, None, false),
        }
    }

    /// The response once the deadline has passed. What happens to the handler is up to the policy, and to whether a place is
    /// free in the background.
    pub(super) fn overrun<R: From<Bytes>>(&mut self) -> Response<R> {
        let (policy, place) = self.policy();
        let response = policy.to_response(self.config.budget);
        let subject = subject(&self.delivery, self.started);
        if policy == self.config.overrun {
            let status = response.status();
            let limiter = &self.config.limiter;
            events::late(
                subject,
                limiter,
                policy.as_str(),
                policy.continues(),
                status,
            );
        } else {
            self.log_no_place();
        }
        self.detach(place);
        response
    }

    /// The policy, and the place of a handler that continues. Where none is free it is treated as under `Cancel`.
    fn policy(&self) -> (Overrun, Option<Place>) {
        let policy = self.config.overrun;
        if !policy.continues() {
            return (policy, None);
        }
        match self.config.background.enter() {
            Some(place) => (policy, Some(place)),
            None => (Overrun::Cancel, None),
        }
    }

    fn log_no_place(&self) {
        let subject = subject(&self.delivery, self.started);
        let overrun = self.config.overrun.as_str();
        events::no_place(subject, &self.config.limiter, overrun);
    }

    /// Moves the handler to its place in the background, or drops it.
    fn detach(&mut self, place: Option<Place>) {
        let (Some(future), Some(context)) = (self.future.take(), &self.context) else {
            return;
        };
        let Some(place) = place else {
            // A panic must not cost the client its response.
            if catch_unwind(AssertUnwindSafe(|| drop(future))).is_err() {
                events::panicked_in_drop(subject(&self.delivery, self.started));
            }
            return;
        };
        let task = BackgroundTask {
            delivery: self.delivery.clone(),
            started: self.started,
            timer: self.timer,
            _in_background: InBackground::start(),
            _place: place,
            grace: self.config.grace,
            limiter: Arc::clone(&self.config.limiter),
            is_polling: false,
            is_done: false,
        };
        (self.spawn)(future, task, context);
    }
}

impl<F> Drop for Handler<F> {
    fn drop(&mut self) {
        let (Some(_), Some(context)) = (&self.future, &self.context) else {
            return;
        };
        let (policy, place) = self.policy();
        context.span.in_scope(|| {
            if policy == self.config.overrun {
                let subject = subject(&self.delivery, self.started);
                let limiter = &self.config.limiter;
                events::dropped_while_handling(
                    subject,
                    limiter,
                    policy.as_str(),
                    policy.continues(),
                );
            } else {
                self.log_no_place();
            }
        });
        self.detach(place);
    }
}

/// Logs a panic of the inner service.
pub(super) struct PanicGuard<'a> {
    delivery: &'a Delivery,
    started: Instant,
}

impl<'a> PanicGuard<'a> {
    pub(super) fn new(delivery: &'a Delivery, started: Instant) -> Self {
        Self { delivery, started }
    }

    pub(super) fn run<T>(self, f: impl FnOnce() -> T) -> T {
        let output = f();
        mem::forget(self);
        output
    }
}

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        events::panicked(subject(self.delivery, self.started), false);
    }
}

fn spawn<F, R, E>(future: Pin<Box<F>>, task: BackgroundTask, context: &SpawnContext)
where
    F: Future<Output = Result<Response<R>, E>> + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let (delivery, started) = (task.delivery.clone(), task.started);
    let run = async move {
        // Dropped in reverse order: the place is free once the handler is gone.
        let mut task = task;
        let mut future = future;
        let grace = task.grace;
        let run = poll_fn(|cx| {
            task.is_polling = true;
            let output = future.as_mut().poll(cx);
            task.is_polling = false;
            output
        });
        let output = timeout(grace, run).await;
        task.is_done = true;
        let subject = subject(&task.delivery, task.started);
        if output.is_ok() {
            task.timer.completed(subject, now);
        }
        match output {
            Ok(Ok(response)) => {
                events::responded(subject, &task.limiter, response.status(), true);
            }
            Ok(Err(error)) => events::failed(subject, Some(&*error.into()), true),
            Err(_) => events::grace_ended(subject, grace),
        }
    };
    let run = context.span.detach(subject(&delivery, started), run);
    context.runtime.spawn(run);
}

/// A handler in the background. Logs its outcome if it does not run to its end.
struct BackgroundTask {
    delivery: Delivery,
    started: Instant,
    timer: HandlerTimer,
    _in_background: InBackground,
    _place: Place,
    grace: Duration,
    limiter: Arc<Limiter>,
    // Not `thread::panicking`, which is true as well for a runtime that is dropped while something else panics.
    is_polling: bool,
    is_done: bool,
}

impl Drop for BackgroundTask {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        let subject = subject(&self.delivery, self.started);
        if self.is_polling {
            events::panicked(subject, true);
        } else {
            events::aborted(subject);
        }
    }
}
