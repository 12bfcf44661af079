use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::TaskTracker;
use tower_layer::Layer;

use super::config::Config;
use super::{CronofyWebhook, Overrun};
use crate::secret::Secret;
use crate::signature::Verifier;

/// [`Layer`] that lets only what Cronofy has signed reach the service, and answers in time.
///
/// See the [module docs](super) for what it does to a request, and an example.
///
/// | setting | default | |
/// |---|---|---|
/// | [`budget`](Self::budget) | 4 s | how long after the request's head the answer leaves at the latest |
/// | [`body_limit`](Self::body_limit) | 256 KiB | how large a body may be |
/// | [`overrun`](Self::overrun) | [`Overrun::Finish`] | what happens to a handler that is not done then |
/// | [`grace`](Self::grace) | 30 s | how long it may go on in the background |
/// | [`task_tracker`](Self::task_tracker) | one of its own | who counts what goes on there |
#[derive(Clone, Debug)]
pub struct CronofyWebhookLayer {
    config: Arc<Config>,
}

impl CronofyWebhookLayer {
    /// A layer that accepts what was signed with this client secret.
    ///
    /// For several secrets, for one whose absence must not end the process, or to replace secrets while serving, see
    /// [`with_verifier`](Self::with_verifier).
    ///
    /// # Panics
    ///
    /// When the secret is empty or blank: anybody could sign with it.
    #[must_use]
    pub fn new(secret: impl Into<Secret>) -> Self {
        match Verifier::new([secret.into()]) {
            Ok(verifier) => Self::with_verifier(verifier),
            Err(error) => panic!("{error}"),
        }
    }

    /// A layer that accepts what the verifier accepts.
    ///
    /// ```
    /// use cronofy_webhook::{CronofyWebhookLayer, Secret, Verifier};
    ///
    /// let verifier = Verifier::new([
    ///     Secret::new("CRN_old").with_label("2024"),
    ///     Secret::new("CRN_new").with_label("2026"),
    /// ])?;
    /// let layer = CronofyWebhookLayer::with_verifier(verifier.clone());
    ///
    /// // Later, while the layer is in use:
    /// verifier.replace([Secret::new("CRN_new").with_label("2026")])?;
    /// # let _ = layer;
    /// # Ok::<_, cronofy_webhook::SecretError>(())
    /// ```
    #[must_use]
    pub fn with_verifier(verifier: Verifier) -> Self {
        Self {
            config: Arc::new(Config::new(verifier)),
        }
    }

    /// How long reading the body, checking it and handling it may take together, from the moment that the service is
    /// called. Default: 4 seconds, of the 5 that Cronofy waits for the answer to a push notification.
    ///
    /// An event at warn level points out a budget of 5 seconds or more.
    ///
    /// # Panics
    ///
    /// When the budget is zero.
    #[must_use]
    pub fn budget(mut self, budget: Duration) -> Self {
        self.config().set_budget(budget);
        self
    }

    /// How many bytes a body may have. Default: 262,144 (256 KiB); notifications have a few hundred.
    ///
    /// A limit that the framework sets, such as axum's `DefaultBodyLimit`, does not apply here: it binds extractors, and
    /// the body is read before any of them.
    ///
    /// # Panics
    ///
    /// When the limit is zero.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.config().set_body_limit(bytes);
        self
    }

    /// What happens to a handler that is not done when the budget is spent, or when the sender hangs up.
    /// Default: [`Overrun::Finish`].
    #[must_use]
    pub fn overrun(mut self, overrun: Overrun) -> Self {
        self.config().overrun = overrun;
        self
    }

    /// How long a handler may go on in the background before it is dropped. Default: 30 seconds.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.config().grace = grace;
        self
    }

    /// Counts what goes on in the background, so that a shutdown can wait for it.
    ///
    /// Once the server has stopped, close the tracker and wait for it:
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use cronofy_webhook::CronofyWebhookLayer;
    /// use tokio_util::task::TaskTracker;
    ///
    /// let background = TaskTracker::new();
    /// let layer = CronofyWebhookLayer::new("CRN_an_example").task_tracker(background.clone());
    ///
    /// // … serve until the server is told to stop, then:
    /// background.close();
    /// background.wait().await;
    /// # let _ = layer;
    /// # }
    /// ```
    #[must_use]
    pub fn task_tracker(mut self, tracker: TaskTracker) -> Self {
        self.config().task_tracker = tracker;
        self
    }

    /// The settings, apart from those of a clone and of the services that were made before.
    fn config(&mut self) -> &mut Config {
        Arc::make_mut(&mut self.config)
    }
}

impl<S> Layer<S> for CronofyWebhookLayer {
    type Service = CronofyWebhook<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CronofyWebhook::new(inner, Arc::clone(&self.config))
    }
}
