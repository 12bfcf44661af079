use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use tokio::runtime;
use tokio::time::{Instant, timeout};

use super::config::Config;
use crate::delivery::Delivery;
use crate::events::{self, Outcome, RequestSpan};
use crate::rejection::{self, Rejection};

/// What happens to a handler that is not done when the budget is spent.
///
/// The same holds when the sender hangs up first, except that nobody is there to be answered: servers drop the handler
/// of a connection that is gone, and without this layer it ends wherever it has got to.
///
/// An answer that was given in a handler's stead has the policy in the extensions of the response, for a layer outside
/// that counts them.
///
/// What goes on in the background does so for at most [`grace`](super::CronofyWebhookLayer::grace), as a task of
/// [`task_tracker`](super::CronofyWebhookLayer::task_tracker). Its answer goes nowhere; an event says what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overrun {
    /// Answer 503, so that Cronofy delivers the notification again, and let the handler finish in the background.
    ///
    /// For handlers that can meet the same notification twice, as all should: Cronofy may deliver one twice anyway.
    #[default]
    Finish,

    /// Answer 202, so that Cronofy takes the notification for delivered, and let the handler finish in the background.
    ///
    /// For handlers whose work may be lost: if it fails after the answer, or the process ends, nothing brings the
    /// notification back.
    Accept,

    /// Answer 503 and drop the handler, wherever it has got to.
    ///
    /// For platforms that stop the process after the answer, and handlers that are made to be dropped.
    Cancel,
}

impl Overrun {
    fn as_str(self) -> &'static str {
        match self {
            Self::Finish => "finish",
            Self::Accept => "accept",
            Self::Cancel => "cancel",
        }
    }

    fn lets_finish(self) -> bool {
        match self {
            Self::Finish | Self::Accept => true,
            Self::Cancel => false,
        }
    }

    fn answer<R: From<Bytes>>(self, budget: Duration) -> Response<R> {
        let mut answer = match self {
            Self::Finish | Self::Cancel => Rejection::handler_timeout(budget).to_response(),
            Self::Accept => rejection::text(
                StatusCode::ACCEPTED,
                "The notification is accepted, and still being handled.",
            ),
        };
        answer.extensions_mut().insert(self);
        answer
    }
}

/// The inner service at work on an authentic delivery. Not abandoned when it is dropped, unless [`Overrun::Cancel`]
/// says so.
pub(super) struct Handler<F> {
    // In a box from the start, as a future that was polled cannot be moved into a task otherwise.
    // Absent once there is nothing left to finish: it answered, panicked, or was let go.
    future: Option<Pin<Box<F>>>,
    // Set where the bounds that it needs are known, so that `Drop` can do without them.
    spawn: fn(Pin<Box<F>>, Background, &Surroundings),
    // Taken when the handler is first waited for, as a hang-up may drop us anywhere.
    surroundings: Option<Surroundings>,
    delivery: Delivery,
    started: Instant,
    config: Arc<Config>,
}

/// Where a handler is polled, and where it goes on in the background.
struct Surroundings {
    runtime: runtime::Handle,
    span: RequestSpan,
}

impl<F> Handler<F> {
    pub(super) fn new<R, E>(
        future: F,
        delivery: Delivery,
        started: Instant,
        config: Arc<Config>,
    ) -> Self
    where
        F: Future<Output = Result<Response<R>, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Self {
            future: Some(Box::pin(future)),
            spawn,
            surroundings: None,
            delivery,
            started,
            config,
        }
    }

    pub(super) fn poll<R, E>(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response<R>, E>>
    where
        F: Future<Output = Result<Response<R>, E>>,
    {
        // Out of our hands while it runs: if it panics, it must not be polled again in the background.
        let mut future = self.future.take().expect("polled after it was done");
        let answer = future.as_mut().poll(cx);
        match &answer {
            Poll::Ready(answer) => {
                let status = answer.as_ref().ok().map(Response::status);
                events::answered(&self.delivery, self.started, status);
            }
            Poll::Pending => {
                self.future = Some(future);
                self.surroundings.get_or_insert_with(|| Surroundings {
                    runtime: runtime::Handle::current(),
                    span: RequestSpan::current(),
                });
            }
        }
        answer
    }

    /// Answers in place of a handler that is late, and treats it as the policy says.
    pub(super) fn overrun<R: From<Bytes>>(&mut self) -> Response<R> {
        let overrun = self.config.overrun;
        let answer = overrun.answer(self.config.budget);
        events::late(
            &self.delivery,
            self.started,
            overrun.as_str(),
            overrun.lets_finish(),
            answer.status(),
        );
        self.let_go();
        answer
    }

    fn let_go(&mut self) {
        let (Some(future), Some(surroundings)) = (self.future.take(), &self.surroundings) else {
            return;
        };
        if self.config.overrun.lets_finish() {
            let background = Background {
                delivery: self.delivery.clone(),
                started: self.started,
                config: Arc::clone(&self.config),
                outcome: None,
            };
            (self.spawn)(future, background, surroundings);
        }
    }
}

impl<F> Drop for Handler<F> {
    fn drop(&mut self) {
        let (Some(_), Some(surroundings)) = (&self.future, &self.surroundings) else {
            return;
        };
        let overrun = self.config.overrun;
        surroundings.span.in_scope(|| {
            events::dropped(
                &self.delivery,
                self.started,
                overrun.as_str(),
                overrun.lets_finish(),
            );
        });
        self.let_go();
    }
}

fn spawn<F, R, E>(future: Pin<Box<F>>, background: Background, surroundings: &Surroundings)
where
    F: Future<Output = Result<Response<R>, E>> + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let task_tracker = background.config.task_tracker.clone();
    let task = async move {
        let grace = background.config.grace;
        background.ended(match timeout(grace, future).await {
            Ok(Ok(response)) => Outcome::Finished(response.status()),
            Ok(Err(error)) => Outcome::Failed(error.into()),
            Err(_) => Outcome::GraceEnded(grace),
        });
    };
    task_tracker.spawn_on(surroundings.span.instrument(task), &surroundings.runtime);
}

/// Tells what became of a handler in the background, however it ended.
struct Background {
    delivery: Delivery,
    started: Instant,
    config: Arc<Config>,
    outcome: Option<Outcome>,
}

impl Background {
    fn ended(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(|| {
            if thread::panicking() {
                Outcome::Panicked
            } else {
                Outcome::Aborted
            }
        });
        events::ended_in_background(&self.delivery, self.started, &outcome);
    }
}
