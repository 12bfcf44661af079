use std::error::Error;
use std::fmt;
use std::future::{pending, poll_fn};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::{Instant, sleep_until, timeout};
use tower_service::Service;

use crate::{Attempt, AttemptResult, Outcome, Payload, Schedule, Sender};
use cronofy_webhook::Notification;

/// A simulated Cronofy, which delivers to a service.
///
/// | | value | source |
/// |---|---|---|
/// | time limit of an attempt | 5 s | [Push Notifications](https://docs.cronofy.com/developers/push-notifications/) |
/// | of an `event_subscription` with `transitions` | 7 s | [Event Triggers](https://docs.cronofy.com/developers/api/event-triggers/) |
/// | success | any 2xx | both |
/// | retries | for 24 hours, then the channel is closed if nothing succeeded | Push Notifications |
/// | interval of the retries | 1 min, doubling to 1 h | not published: [`Schedule`] is this crate's |
/// | a `verification` that fails | not retried, the channel stays open | not published: this crate's |
///
/// At the time limit the request's future is dropped, as HTTP servers do when the client disconnects. An error of the
/// service is a failed attempt, as a connection that breaks is. A panic is not caught: it fails the test.
///
/// Time is tokio's: on a paused clock 24 hours pass in milliseconds. Pause it only for services that wait on tokio's clock,
/// tasks and `spawn_blocking`. Sockets and threads do not hold a paused clock back.
///
/// Each attempt calls a clone of the service. The type of the body is often not known from the service; an axum router
/// takes any: `Cronofy::<_, Body>::new(sender, router)`.
pub struct Cronofy<S, B> {
    sender: Sender,
    service: S,
    schedule: Schedule,
    timeout: Option<Duration>,
    give_up_after: Duration,
    body: PhantomData<fn() -> B>,
}

impl<S, B> Cronofy<S, B> {
    /// Delivers to `service` what `sender` signs. Requests go to the URL of the channel; that of [`Sender::to`] is not used.
    #[must_use]
    pub fn new(sender: Sender, service: S) -> Self {
        Self {
            sender,
            service,
            schedule: Schedule::default(),
            timeout: None,
            give_up_after: Duration::from_secs(24 * 60 * 60),
            body: PhantomData,
        }
    }

    /// When a failed attempt is retried. Default: after 1 minute, doubling to 1 hour.
    #[must_use]
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// The time limit of an attempt, of every kind. Default: 5 seconds, and 7 for an `event_subscription` with
    /// `transitions`.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How long a notification is retried, from its first attempt. Default: 24 hours.
    #[must_use]
    pub fn give_up_after(mut self, time: Duration) -> Self {
        self.give_up_after = time;
        self
    }
}

impl<S, B, R> Cronofy<S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: From<Bytes>,
{
    /// Opens a channel with this callback URL, and makes one attempt to deliver its `verification`.
    ///
    /// The identifier of the channel is derived from the URL.
    ///
    /// # Panics
    ///
    /// When `callback_url` is not a URL.
    pub async fn open_channel(&self, callback_url: &str) -> OpenChannel<S, B> {
        let mut hasher = DefaultHasher::new();
        callback_url.hash(&mut hasher);
        let id = format!("chn_{:024x}", hasher.finish());
        self.open_channel_with_id(&id, callback_url).await
    }

    /// As [`open_channel`](Self::open_channel), with an identifier of your own: several accounts may have the same URL.
    ///
    /// # Panics
    ///
    /// When `callback_url` is not a URL.
    pub async fn open_channel_with_id(&self, id: &str, callback_url: &str) -> OpenChannel<S, B> {
        let mut cronofy = self.clone();
        cronofy.sender = cronofy.sender.to(callback_url);
        let channel = OpenChannel {
            cronofy,
            id: id.into(),
            callback_url: callback_url.into(),
            opened: Instant::now(),
            state: Arc::default(),
        };
        let body = Payload::verification()
            .channel(channel.id(), callback_url)
            .into();
        channel.attempt(&body).await;
        channel
    }

    async fn send(&self, body: &Bytes) -> AttemptResult {
        let request = self.sender.request(body.clone());
        let mut service = self.service.clone();
        let response = async {
            poll_fn(|cx| service.poll_ready(cx)).await?;
            service.call(request).await
        };
        let limit = self.timeout.unwrap_or_else(|| time_limit(body));
        match timeout(limit, response).await {
            Ok(Ok(response)) => AttemptResult::Status(response.status()),
            Ok(Err(error)) => AttemptResult::Failed(error.into().to_string()),
            Err(_) => AttemptResult::TimedOut,
        }
    }
}

/// A channel of a simulated [`Cronofy`], opened by [`Cronofy::open_channel`]. Clones are the same channel.
pub struct OpenChannel<S, B> {
    cronofy: Cronofy<S, B>,
    id: Arc<str>,
    callback_url: Arc<str>,
    opened: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    closed: bool,
    successes: usize,
    attempts: Vec<Attempt>,
}

impl<S, B, R> OpenChannel<S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: From<Bytes>,
{
    /// Delivers a notification, byte for byte as it is, and retries it until an attempt succeeds or its time is over.
    ///
    /// If the time is over and no notification of the channel succeeded in it, the channel is closed. Nothing is sent
    /// through a closed channel. Several notifications may be under way at once.
    pub async fn notify(&self, payload: impl Into<Bytes>) -> Outcome {
        let body = payload.into();
        let end = Instant::now().checked_add(self.cronofy.give_up_after);
        // Counted, as times do not tell what happened first on a paused clock.
        let successes = self.state().successes;
        let mut attempts = 0;
        while self.is_open() {
            let started = Instant::now();
            attempts += 1;
            if self.attempt(&body).await {
                return Outcome::Delivered { attempts };
            }
            let retry = started.checked_add(self.cronofy.schedule.interval(attempts));
            let is_last =
                |end: &Instant| retry.is_none_or(|retry| *end <= retry.max(Instant::now()));
            match (end.filter(is_last), retry) {
                (None, Some(retry)) => sleep_until(retry).await,
                // Without an end and without a retry, both are later than the clock can express.
                (None, None) => pending().await,
                (Some(end), _) => {
                    sleep_until(end).await;
                    if self.keeps_open(successes) {
                        return Outcome::GivenUp { attempts };
                    }
                }
            }
        }
        Outcome::ChannelClosed { attempts }
    }

    async fn attempt(&self, body: &Bytes) -> bool {
        let started = Instant::now();
        let result = self.cronofy.send(body).await;
        let success = matches!(result, AttemptResult::Status(status) if status.is_success());
        let now = Instant::now();
        let mut state = self.state();
        state.successes += usize::from(success);
        state.attempts.push(Attempt {
            kind: Notification::from_slice(body).kind().to_owned(),
            at: started - self.opened,
            took: now - started,
            result,
        });
        success
    }

    /// Whether the channel is still open now that the time of a notification is over; closes it if nothing succeeded.
    fn keeps_open(&self, successes_before: usize) -> bool {
        let mut state = self.state();
        state.closed |= state.successes == successes_before;
        !state.closed
    }
}

impl<S, B> OpenChannel<S, B> {
    /// The identifier of the channel.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The URL that the channel was opened with.
    #[must_use]
    pub fn callback_url(&self) -> &str {
        &self.callback_url
    }

    /// Whether the channel has not been closed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.state().closed
    }

    /// The attempts made so far, that of the `verification` included, in the order in which they ended.
    #[must_use]
    pub fn attempts(&self) -> Vec<Attempt> {
        self.state().attempts.clone()
    }

    // Never held over a call of the service, which may panic.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long Cronofy waits for a response to a body: [5 seconds](https://docs.cronofy.com/developers/push-notifications/),
/// and [7](https://docs.cronofy.com/developers/api/event-triggers/) for an `event_subscription` with `transitions`.
///
/// ```
/// use cronofy_webhook_testing::{Payload, time_limit};
///
/// assert_eq!(time_limit(Payload::sample("change").as_str().as_bytes()).as_secs(), 5);
/// assert_eq!(time_limit(Payload::sample("event_subscription").as_str().as_bytes()).as_secs(), 7);
/// ```
#[must_use]
pub fn time_limit(body: &[u8]) -> Duration {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let notification = &body["notification"];
    let trigger =
        notification["type"] == "event_subscription" && !notification["transitions"].is_null();
    Duration::from_secs(if trigger { 7 } else { 5 })
}

impl<S: Clone, B> Clone for Cronofy<S, B> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            service: self.service.clone(),
            schedule: self.schedule.clone(),
            ..*self
        }
    }
}

impl<S: Clone, B> Clone for OpenChannel<S, B> {
    fn clone(&self) -> Self {
        Self {
            cronofy: self.cronofy.clone(),
            id: Arc::clone(&self.id),
            callback_url: Arc::clone(&self.callback_url),
            opened: self.opened,
            state: Arc::clone(&self.state),
        }
    }
}

impl<S, B> fmt::Debug for Cronofy<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cronofy")
            .field("schedule", &self.schedule)
            .finish_non_exhaustive()
    }
}

impl<S, B> fmt::Debug for OpenChannel<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenChannel")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
