//! The service that the simulated Cronofy calls: it posts, with faults.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::Notification;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::time::{Instant, sleep};
use tower_service::Service;

use crate::client::Client;
use crate::fault::{Effect, Faults};
use crate::output::note;

#[derive(Clone)]
pub(super) struct Post {
    client: Client,
    faults: Arc<Faults>,
    seen: Arc<Mutex<Seen>>,
    /// Said when the first attempt times out.
    warning: Option<Arc<str>>,
}

/// What was seen of the receiver, without the time of faults.
#[derive(Default)]
pub(super) struct Seen {
    /// How long each answer took.
    pub(super) times: Vec<Duration>,
    /// What was posted, and not answered in time.
    pub(super) unanswered: usize,
    timed_out: usize,
}

impl Post {
    pub(super) fn new(client: Client, faults: Faults, warning: Option<String>) -> Self {
        Self {
            client,
            faults: Arc::new(faults),
            seen: Arc::default(),
            warning: warning.map(Arc::from),
        }
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn post(self, request: Request<Full<Bytes>>) -> Result<Response<()>, String> {
        let mut attempt = UnderWay {
            post: &self,
            posted: None,
            is_over: false,
        };
        let answer = attempt.post(request).await;
        attempt.is_over = true;
        answer
    }
}

/// An attempt, which is dropped at the time limit.
struct UnderWay<'a> {
    post: &'a Post,
    posted: Option<Instant>,
    is_over: bool,
}

impl UnderWay<'_> {
    async fn post(&mut self, request: Request<Full<Bytes>>) -> Result<Response<()>, String> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await;
        let body = body.to_bytes();
        let mut status = None;
        for effect in self.effects(&body) {
            match effect {
                Effect::Delay(time) => sleep(time).await,
                Effect::Status(other) => status = Some(other),
                Effect::Drop => return Err("dropped by --fault".to_owned()),
            }
        }
        let request = Request::from_parts(head, Full::new(body).boxed_unsync());
        let posted = Instant::now();
        self.posted = Some(posted);
        let exchange = self.post.client.exchange(request, &mut None).await;
        let (answered, _) = exchange.map_err(|failure| failure.text)?;
        self.post.seen().times.push(posted.elapsed());
        let mut response = Response::new(());
        *response.status_mut() = status.unwrap_or(answered);
        Ok(response)
    }

    /// A verification is never retried: that one fails by a fault would say nothing of the receiver.
    fn effects(&self, body: &[u8]) -> Vec<Effect> {
        match Notification::from_slice(body).kind() {
            "verification" => Vec::new(),
            _ => self.post.faults.draw(),
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut seen = self.post.seen();
        seen.timed_out += 1;
        seen.unanswered += usize::from(self.posted.is_some());
        if let Some(warning) = &self.post.warning
            && seen.timed_out == 1
        {
            note(format_args!("warning: {warning}"));
        }
    }
}

impl Service<Request<Full<Bytes>>> for Post {
    type Response = Response<()>;
    type Error = String;
    type Future = Pin<Box<dyn Future<Output = Result<Response<()>, String>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        Box::pin(self.clone().post(request))
    }
}
