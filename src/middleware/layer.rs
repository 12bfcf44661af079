use std::sync::Arc;
use std::time::Duration;

use tower_layer::Layer;

use super::config::Config;
use super::mismatch::OnMismatch;
use super::timer::now;
use super::{Background, CronofyWebhook, Mismatch, Overrun};
use crate::callback_url::PublicUrl;
use crate::events::{self, Limiter};
use crate::secret::Secret;
use crate::signature::Verifier;

/// How long Cronofy waits for the response to a push notification:
/// <https://docs.cronofy.com/developers/push-notifications/>.
const CRONOFY_WAITS: Duration = Duration::from_secs(5);

/// Layer that applies [`CronofyWebhook`], which passes only authentic deliveries to the inner service and responds within
/// the deadline.
///
/// See the [module docs](super) for what it does to a request, and an example. The bodies on both sides must be
/// [`FromBytes`](super::FromBytes); [`MaybeBuffered`](super::MaybeBuffered) wraps those that are not.
///
/// | setting | default | |
/// |---|---|---|
/// | [`budget`](Self::budget) | 4 s | time until the response, counted from `call` |
/// | [`body_limit`](Self::body_limit) | 256 KiB | maximum body size |
/// | [`overrun`](Self::overrun) | [`Overrun::Finish`] | what happens to a handler that is late |
/// | [`grace`](Self::grace) | 30 s | how long a late handler may run in the background |
/// | [`background`](Self::background) | 1,024 places of its own | where late handlers keep running |
/// | [`public_url`](Self::public_url) | off | rejects deliveries that were made for another URL |
/// | [`on_mismatch`](Self::on_mismatch) | none | called with each request whose signature does not match |
#[derive(Clone, Debug)]
#[must_use]
pub struct CronofyWebhookLayer {
    config: Arc<Config>,
}

impl CronofyWebhookLayer {
    /// A layer that accepts deliveries signed with this client secret.
    ///
    /// For several secrets, for an error instead of a panic, or to replace secrets while serving, use
    /// [`from_verifier`](Self::from_verifier).
    ///
    /// # Panics
    ///
    /// If the secret is blank: anybody could sign with it.
    #[track_caller]
    pub fn new(secret: impl Into<Secret>) -> Self {
        match Verifier::new([secret.into()]) {
            Ok(verifier) => Self::from_verifier(verifier),
            Err(error) => panic!("{error}"),
        }
    }

    /// A layer that accepts the deliveries that the verifier accepts.
    ///
    /// ```
    /// use cronofy_webhook::{CronofyWebhookLayer, Secret, Verifier};
    ///
    /// let verifier = Verifier::new([
    ///     Secret::new("CRN_old").with_label("2024"),
    ///     Secret::new("CRN_new").with_label("2026"),
    /// ])?;
    /// let layer = CronofyWebhookLayer::from_verifier(verifier.clone());
    ///
    /// // Later, while the layer is in use:
    /// verifier.replace([Secret::new("CRN_new").with_label("2026")])?;
    /// # let _ = layer;
    /// # Ok::<_, cronofy_webhook::SecretError>(())
    /// ```
    pub fn from_verifier(verifier: Verifier) -> Self {
        events::describe_metrics();
        Self {
            config: Arc::new(Config::new(verifier)),
        }
    }

    /// Sets how long reading the body, verifying it, waiting for the inner service to be ready and handling the notification
    /// may take together, counted from `call`. Default: 4 seconds, of the
    /// [5 that Cronofy waits](https://docs.cronofy.com/developers/push-notifications/).
    ///
    /// A budget of 5 seconds or more is logged at info level.
    ///
    /// # Panics
    ///
    /// If the budget is zero.
    #[track_caller]
    pub fn budget(mut self, budget: Duration) -> Self {
        assert!(
            !budget.is_zero(),
            "the budget is zero, so that every delivery would time out: set a duration below the 5 s that Cronofy waits",
        );
        if budget >= CRONOFY_WAITS {
            events::budget_is_long(budget);
        }
        self.config_mut().budget = budget;
        self
    }

    /// Sets the maximum body size in bytes. Default: 262,144 (256 KiB); notifications have a few hundred.
    ///
    /// The limit of the framework, such as axum's `DefaultBodyLimit`, does not apply: it limits extractors, and the body is
    /// read before them.
    ///
    /// # Panics
    ///
    /// If the limit is zero.
    #[track_caller]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        assert!(
            bytes > 0,
            "the body limit is zero, so that every notification would be rejected: set a number of bytes",
        );
        self.config_mut().body_limit = bytes;
        self
    }

    /// Sets what happens to a handler that is not done when the deadline passes or the client disconnects.
    /// Default: [`Overrun::Finish`].
    pub fn overrun(mut self, overrun: Overrun) -> Self {
        self.config_mut().overrun = overrun;
        self
    }

    /// Sets how long a handler may run in the background before it is dropped. Default: 30 seconds.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.config_mut().grace = grace;
        self
    }

    /// Sets where handlers run that are late, or whose client disconnected: to bound them, to share the bound between layers, and
    /// to wait for them at a shutdown. Default: a [`Background`] of its own, with 1,024 places.
    pub fn background(mut self, background: Background) -> Self {
        self.config_mut().background = background;
        self
    }

    /// Rejects a delivery with 403 if it was made for another URL: if its `callback_url` is not `url` joined with the path and
    /// the query of the request. Off by default.
    ///
    /// **With a wrong URL here every notification of every channel is rejected, and Cronofy closes the channels after 24 hours.**
    /// See [Callback URL](crate::_documentation::callback_url) for when to use it, and when not.
    ///
    /// `url` is what the callback URLs have before the path that this layer sees: scheme and host, without the path of the route.
    /// Include a path prefix only if a router or proxy strips it. A later call replaces it.
    ///
    /// Scheme and host are compared case-insensitively, and the port defaults to that of the scheme; path and query are compared
    /// percent-encoded. Notifications without a `callback_url` pass.
    ///
    /// ```
    /// use cronofy_webhook::CronofyWebhookLayer;
    ///
    /// let layer = CronofyWebhookLayer::new("CRN_an_example").public_url("https://receiver.example".parse()?);
    /// # let _ = layer;
    /// # Ok::<_, cronofy_webhook::PublicUrlError>(())
    /// ```
    pub fn public_url(mut self, url: PublicUrl) -> Self {
        self.config_mut().public_url = Some(url);
        self
    }

    /// Sets a function that is called with each request whose signature does not match or is malformed, before it is
    /// rejected: to log, to record, or to diagnose it. None by default.
    ///
    /// [`Mismatch`] has what was received. **Nobody has authenticated it**: anyone who knows the URL can send it. Requests
    /// without a signature are not among them, as their body is not read.
    ///
    /// The function is called for *each* such request, so limit what it logs, and before the response, whose time it adds to:
    /// hand longer work to a task, with copies of what that needs (the body is a slice of the server's buffer). A panic in it is
    /// caught and logged, and the response is the same with and without it. A later call replaces it.
    ///
    /// ```
    /// use cronofy_webhook::CronofyWebhookLayer;
    ///
    /// let layer = CronofyWebhookLayer::new("CRN_an_example").on_mismatch(|mismatch| {
    ///     eprintln!("{} with a body of {} bytes", mismatch.rejection(), mismatch.body().len());
    /// });
    /// # let _ = layer;
    /// ```
    pub fn on_mismatch(mut self, hook: impl Fn(&Mismatch<'_>) + Send + Sync + 'static) -> Self {
        self.config_mut().on_mismatch = Some(OnMismatch::new(hook));
        self
    }

    /// The settings of this layer alone: clones, and services that were made before, keep theirs.
    fn config_mut(&mut self) -> &mut Config {
        let config = Arc::make_mut(&mut self.config);
        // Not shared with the layer that this is a clone of: its first warning must not suppress one here.
        config.limiter = Arc::new(Limiter::new(now));
        config
    }
}

impl<S> Layer<S> for CronofyWebhookLayer {
    type Service = CronofyWebhook<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CronofyWebhook::with_config(inner, Arc::clone(&self.config))
    }
}
