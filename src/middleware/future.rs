use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, Uri};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_service::Service;

use super::FromBytes;
use super::POLLED_AFTER_COMPLETION;
use super::body::ReadBody;
use super::config::Config;
use super::handler::{Handler, PanicGuard};
use super::report::{self, subject};
use super::timer::{Timer, now};
use crate::delivery::{Deadline, Delivery};
use crate::events::{self, RequestBody, RequestSpan};
use crate::rejection::Rejection;
use crate::signature::HEADER;

pin_project! {
    /// Response future of [`CronofyWebhook`](super::CronofyWebhook).
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B, S::Future>,
        timer: Timer,
        // Set while something is waited for before the handler runs: a disconnect can drop this future on any thread.
        waiting: Option<RequestSpan>,
        config: Arc<Config>,
    }

    impl<S, B> PinnedDrop for ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            let Some(span) = this.waiting else {
                return;
            };
            let started = this.timer.started();
            match this.state.project() {
                StateProj::Read { body, call: Some((head, _)) } => span.in_scope(|| {
                    let body = RequestBody { headers: &head.headers, read: body.length() };
                    events::dropped_while_reading(&this.config.limiter, body, started.elapsed());
                }),
                StateProj::WaitReady { call: Some((_, delivery)), .. } => {
                    let limiter = &this.config.limiter;
                    let subject = subject(delivery, started);
                    span.in_scope(|| events::dropped_while_waiting(subject, limiter));
                }
                _ => {}
            }
        }
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, B, F> {
        Rejected {
            rejection: Rejection,
        },
        Read {
            #[pin]
            body: ReadBody<B>,
            // Taken when the body is complete.
            call: Option<(Parts, S)>,
        },
        WaitReady {
            inner: S,
            // Taken when the inner service is ready.
            call: Option<(Request<B>, Delivery)>,
        },
        Call {
            handler: Handler<F>,
        },
        Done,
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    pub(super) fn rejected(rejection: Rejection, config: Arc<Config>) -> Self {
        Self::new(State::Rejected { rejection }, config)
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
            timer: Timer::start(config.budget),
            waiting: None,
            config,
        }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Future: Send + 'static,
    B: Body + FromBytes,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    R: FromBytes,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // Taken, so that a panic of what is polled is not reported as a disconnect.
        let waiting = this.waiting.take();
        let output = loop {
            let next = match this.state.as_mut().project() {
                StateProj::Rejected { rejection } => break Ok(rejection.to_response()),
                StateProj::Read { body, call } => {
                    poll_read(body, call, this.timer, this.config, cx).map(Ok)
                }
                StateProj::WaitReady { inner, call } => {
                    poll_start(inner, call, this.timer, this.config, cx)
                }
                StateProj::Call { handler } => {
                    if let Poll::Ready(output) = handler.poll(cx) {
                        break output;
                    }
                    ready!(this.timer.poll(cx));
                    break Ok(handler.overrun());
                }
                StateProj::Done => panic!("{POLLED_AFTER_COMPLETION}"),
            };
            match next {
                Poll::Ready(Ok(next)) => this.state.set(next),
                Poll::Ready(Err(error)) => break Err(error),
                Poll::Pending => {
                    *this.waiting = Some(waiting.unwrap_or_else(RequestSpan::current));
                    return Poll::Pending;
                }
            }
        };
        this.state.set(State::Done);
        Poll::Ready(output)
    }
}

type Next<S, B> = State<S, B, <S as Service<Request<B>>>::Future>;

/// Reads the body, within the deadline.
fn poll_read<S, B, F>(
    mut body: Pin<&mut ReadBody<B>>,
    call: &mut Option<(Parts, S)>,
    timer: &mut Timer,
    config: &Config,
    cx: &mut Context<'_>,
) -> Poll<State<S, B, F>>
where
    B: Body + FromBytes,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    // The work before the clock: what is ready at the deadline is in time.
    let read = match body.as_mut().poll(cx) {
        Poll::Ready(read) => read,
        Poll::Pending => {
            ready!(timer.poll(cx));
            Err(Rejection::body_timeout(config.budget))
        }
    };
    let (head, inner) = call.take().expect(POLLED_AFTER_COMPLETION);
    Poll::Ready(verify(read, body.length(), head, inner, timer, config))
}

/// The state after `length` bytes of the body were read.
fn verify<S, B, F>(
    read: Result<Bytes, Rejection>,
    length: usize,
    head: Parts,
    inner: S,
    timer: &Timer,
    config: &Config,
) -> State<S, B, F>
where
    B: FromBytes,
{
    let verified = read.and_then(|body| {
        let deadline = timer.deadline().map(|at| Deadline {
            at: at.into_std(),
            now,
        });
        let signatures = head.headers.get_all(HEADER);
        let delivery =
            Delivery::verify_with_deadline(&config.verifier, signatures, body.clone(), deadline);
        if let (Err(rejection), Some(hook)) = (&delivery, &config.on_mismatch) {
            let (uri, headers) = (&head.uri, &head.headers);
            hook.call(
                uri,
                headers,
                &body,
                rejection,
                &config.verifier,
                &config.limiter,
            );
        }
        Ok((delivery?, body))
    });
    match verified {
        Ok((delivery, body)) => {
            report::verified(&delivery, timer.started(), &config.limiter);
            if let Err(rejection) = check_url(&head.uri, &delivery, config) {
                let subject = subject(&delivery, timer.started());
                let (reason, status) = (rejection.kind().as_str(), rejection.status());
                events::callback_url_mismatch(subject, &config.limiter, reason, status, &rejection);
                return State::Rejected { rejection };
            }
            report::parsed(&delivery, timer.started(), &config.limiter);
            let mut request = Request::from_parts(head, B::from(body));
            request.extensions_mut().insert(delivery.clone());
            State::WaitReady {
                inner,
                call: Some((request, delivery)),
            }
        }
        Err(rejection) => {
            report::rejected(&rejection, &head.headers, length, &config.limiter);
            State::Rejected { rejection }
        }
    }
}

fn check_url(request: &Uri, delivery: &Delivery, config: &Config) -> Result<(), Rejection> {
    let Some(public_url) = &config.public_url else {
        return Ok(());
    };
    match delivery.notification().callback_url() {
        Some(callback_url) => public_url
            .check(request, callback_url)
            .map_err(Rejection::callback_url),
        None => Ok(()),
    }
}

/// Calls the inner service once it is ready, within the deadline.
fn poll_start<S, B, R>(
    inner: &mut S,
    call: &mut Option<(Request<B>, Delivery)>,
    timer: &mut Timer,
    config: &Arc<Config>,
    cx: &mut Context<'_>,
) -> Poll<Result<Next<S, B>, S::Error>>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Future: Send + 'static,
{
    let started = timer.started();
    let (_, delivery) = call.as_ref().expect(POLLED_AFTER_COMPLETION);
    let is_ready = match PanicGuard::new(delivery, started).run(|| inner.poll_ready(cx)) {
        Poll::Ready(Ok(())) => true,
        Poll::Ready(Err(error)) => {
            events::readiness_failed(subject(delivery, started), &config.limiter);
            return Poll::Ready(Err(error));
        }
        Poll::Pending => {
            ready!(timer.poll(cx));
            false
        }
    };
    let (request, delivery) = call.take().expect(POLLED_AFTER_COMPLETION);
    // The clock before the call: past the deadline nothing is started.
    Poll::Ready(Ok(if is_ready && !timer.has_passed() {
        let call = || inner.call(request);
        let handler = Handler::start(call, delivery, started, Arc::clone(config));
        State::Call { handler }
    } else {
        not_ready(&delivery, started, config)
    }))
}

fn not_ready<S, B, F>(delivery: &Delivery, started: Instant, config: &Config) -> State<S, B, F> {
    let rejection = Rejection::not_ready(config.budget);
    let reason = rejection.kind().as_str();
    let subject = subject(delivery, started);
    events::not_started(subject, &config.limiter, reason, rejection.status());
    State::Rejected { rejection }
}

impl<S, B> fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Rejected { .. } => "Rejected",
            State::Read { .. } => "Read",
            State::WaitReady { .. } => "WaitReady",
            State::Call { .. } => "Call",
            State::Done => "Done",
        };
        f.debug_struct("ResponseFuture")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
