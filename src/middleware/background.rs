use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

/// How many handlers may run in the background, unless [`Background::max`] says otherwise.
const PLACES: usize = 1024;

/// The background: where handlers that are late, or whose client disconnected, keep running.
///
/// It has a number of places, 1,024 by default. A handler takes one when the deadline passes or the client disconnects, and
/// leaves it when it is done or [`grace`](super::CronofyWebhookLayer::grace) ends. Where no place is free the handler is dropped as
/// under [`Overrun::Cancel`](super::Overrun::Cancel): the response is 503, and Cronofy retries.
///
/// Clones share the places, and so do all layers that they are given to with
/// [`background`](super::CronofyWebhookLayer::background). A layer that is given none has one of its own.
///
/// At shutdown, [`wait`](Self::wait) for the handlers that are still running, once the server has stopped:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::time::Duration;
///
/// use cronofy_webhook::{Background, CronofyWebhookLayer};
///
/// let background = Background::new();
/// let layer = CronofyWebhookLayer::new("CRN_an_example").background(background.clone());
///
/// // Serve until the server has stopped, then:
/// let waited = tokio::time::timeout(Duration::from_secs(30), background.wait()).await;
/// assert!(waited.is_ok(), "{} handlers are dropped", background.len());
/// # let _ = layer;
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Background {
    max: usize,
    running: Arc<watch::Sender<usize>>,
}

impl Background {
    /// A background with 1,024 places.
    pub fn new() -> Self {
        Self::max(PLACES)
    }

    /// A background with `places` places.
    ///
    /// # Panics
    ///
    /// If `places` is zero: for a background without places, set [`Overrun::Cancel`](super::Overrun::Cancel).
    #[track_caller]
    pub fn max(places: usize) -> Self {
        assert!(
            places > 0,
            "the background has no places, so that every late handler would be dropped: set a number of places, or Overrun::Cancel",
        );
        Self {
            max: places,
            running: Arc::new(watch::Sender::new(0)),
        }
    }

    /// How many handlers are running in the background.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "a number to log, not a collection"
    )]
    pub fn len(&self) -> usize {
        *self.running.borrow()
    }

    /// Waits until no handler is running in the background.
    ///
    /// Call it once the server has stopped: handlers that move to the background meanwhile are waited for too. Put a timeout around it:
    /// a handler runs for up to [`grace`](super::CronofyWebhookLayer::grace).
    pub async fn wait(&self) {
        let mut running = self.running.subscribe();
        // Fails only if the sender is gone, which `self` has.
        let _ = running.wait_for(|running| *running == 0).await;
    }

    /// Takes a place, if one is free.
    pub(super) fn enter(&self) -> Option<Place> {
        let entered = self.running.send_if_modified(|running| {
            let is_free = *running < self.max;
            *running += usize::from(is_free);
            is_free
        });
        entered.then(|| Place(self.clone()))
    }
}

impl Default for Background {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background")
            .field("max", &self.max)
            .field("len", &self.len())
            .finish()
    }
}

/// A place in the background, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place(Background);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.running.send_modify(|running| *running -= 1);
    }
}
