use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_service::Service;

use super::config::Config;
use super::overrun::Handler;
use super::read::ReadBody;
use super::timer::Timer;
use crate::delivery::{Deadline, Delivery};
use crate::events;
use crate::rejection::Rejection;

pin_project! {
    /// Response future of [`CronofyWebhook`](super::CronofyWebhook).
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B, S::Future>,
        timer: Timer,
        config: Arc<Config>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, B, F> {
        Refused {
            rejection: Rejection,
        },
        Read {
            #[pin]
            body: ReadBody<B>,
            // Taken when the body is complete.
            call: Option<(Parts, S)>,
        },
        Call {
            handler: Handler<F>,
        },
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    pub(super) fn refused(rejection: Rejection, config: Arc<Config>) -> Self {
        Self::new(State::Refused { rejection }, config)
    }

    pub(super) fn read(request: Request<B>, inner: S, config: Arc<Config>) -> Self {
        let (head, body) = request.into_parts();
        let state = State::Read {
            body: ReadBody::new(body, config.body_limit),
            call: Some((head, inner)),
        };
        Self::new(state, config)
    }

    fn new(state: State<S, B, S::Future>, config: Arc<Config>) -> Self {
        Self {
            state,
            timer: Timer::start(),
            config,
        }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Future: Send + 'static,
    B: Body + From<Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    R: From<Bytes>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // In each state the work goes before the clock: what is ready at the deadline is in time.
        loop {
            let next = match this.state.as_mut().project() {
                StateProj::Refused { rejection } => {
                    events::refused(rejection);
                    return Poll::Ready(Ok(rejection.to_response()));
                }
                StateProj::Read { body, call } => match body.poll(cx) {
                    Poll::Ready(Ok(body)) => {
                        let (head, inner) = call.take().expect("a body is complete once");
                        start(head, body, inner, this.timer.started(), this.config)
                    }
                    Poll::Ready(Err(rejection)) => State::Refused { rejection },
                    Poll::Pending => {
                        ready!(this.timer.poll(this.config.budget, cx));
                        State::Refused {
                            rejection: Rejection::body_timeout(this.config.budget),
                        }
                    }
                },
                StateProj::Call { handler } => {
                    if let Poll::Ready(answer) = handler.poll(cx) {
                        return Poll::Ready(answer);
                    }
                    ready!(this.timer.poll(this.config.budget, cx));
                    return Poll::Ready(Ok(handler.overrun()));
                }
            };
            this.state.set(next);
        }
    }
}

/// Calls the inner service, if the body is authentic.
fn start<S, B, R>(
    head: Parts,
    body: Bytes,
    mut inner: S,
    started: Instant,
    config: &Arc<Config>,
) -> State<S, B, S::Future>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Future: Send + 'static,
    B: From<Bytes>,
{
    // A budget beyond what the clock can express is none.
    let deadline = started.checked_add(config.budget).map(|at| Deadline {
        at: at.into_std(),
        now: || Instant::now().into_std(),
    });
    let verified = Delivery::verify_before(deadline, &config.verifier, &head.headers, body.clone());
    let delivery = match verified {
        Ok(delivery) => delivery,
        Err(rejection) => return State::Refused { rejection },
    };

    let mut request = Request::from_parts(head, B::from(body));
    request.extensions_mut().insert(delivery.clone());
    State::Call {
        handler: Handler::new(inner.call(request), delivery, started, Arc::clone(config)),
    }
}

impl<S, B> fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Refused { .. } => "Refused",
            State::Read { .. } => "Read",
            State::Call { .. } => "Call",
        };
        f.debug_struct("ResponseFuture")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
