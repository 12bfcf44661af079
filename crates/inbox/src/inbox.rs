use std::sync::Arc;
use std::time::Duration;

use cronofy_webhook::Delivery;
use tokio::time::timeout;
use tower_service::Service;

use crate::entry::Entry;
use crate::error::{PutError, StoreError};
use crate::events;
use crate::inspect::{Parked, Stats};
use crate::job::Job;
use crate::limiter::Limiter;
use crate::store::Store;
use crate::worker::Worker;

/// How long before the deadline of the middleware a put fails, so that the answer is the handler's.
const MARGIN: Duration = Duration::from_millis(100);

/// Where notifications are kept until they are processed. See the [crate docs](crate) for the whole.
///
/// Cloning is cheap: clones share the store. It must be used within the tokio runtime in which it was opened.
#[derive(Clone, Debug)]
pub struct Inbox {
    store: Store,
    failures: Arc<Limiter>,
}

impl Inbox {
    pub(crate) fn new(store: Store) -> Self {
        #[cfg(feature = "metrics")]
        events::describe_metrics();
        Self {
            store,
            failures: Arc::default(),
        }
    }

    /// Stores what was delivered, and returns once it is on the disk: then it can be acknowledged with a 2xx status.
    ///
    /// A `change` is merged into the one that waits for the same account and channel, and then the earlier `changes_since`
    /// is kept. What is being processed is left alone: a `change` that comes in during a run leads to another run. Every
    /// other notification is a job of its own, even if it is equal to another one.
    ///
    /// `account` is yours, from the path of the request, for example. **Cronofy does not sign the URL**: check that the
    /// account exists before, or one recorded delivery becomes as many jobs as somebody makes up accounts.
    ///
    /// ```
    /// use axum::extract::{Path, State};
    /// use axum::http::StatusCode;
    /// use cronofy_webhook::Delivery;
    /// use cronofy_webhook_inbox::{Inbox, PutError};
    ///
    /// async fn receive(
    ///     State(inbox): State<Inbox>,
    ///     Path(account): Path<String>,
    ///     delivery: Delivery,
    /// ) -> Result<StatusCode, PutError> {
    ///     inbox.put(account, &delivery).await?;
    ///     Ok(StatusCode::NO_CONTENT)
    /// }
    /// # use cronofy_webhook_testing::{Payload, Sender};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let inbox = Inbox::in_memory().await?;
    /// # for _ in 0..2 {
    /// #     let delivery = Sender::new("CRN_test").delivery(Payload::sample("change"));
    /// #     assert_eq!(receive(State(inbox.clone()), Path("42".to_owned()), delivery).await?, 204);
    /// # }
    /// # assert_eq!(inbox.stats().await?.waiting, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`PutError`]: answer with 503, and Cronofy retries. It is returned at the latest 100 ms before the time that the
    /// delivery has [`remaining`](Delivery::remaining), if it came through the middleware.
    ///
    /// If the future is dropped before, the notification may be stored all the same.
    pub async fn put(&self, account: impl AsRef<str>, delivery: &Delivery) -> Result<(), PutError> {
        let entry = Entry::new(account.as_ref(), delivery);
        let stored = self.store.put(entry);
        let result = match delivery.remaining() {
            None => stored.await,
            Some(remaining) => match remaining.checked_sub(MARGIN) {
                Some(remaining) => timeout(remaining, stored)
                    .await
                    .unwrap_or(Err(PutError::TimedOut)),
                None => Err(PutError::TimedOut),
            },
        };
        if let Err(error) = &result
            && let Some(suppressed) = self.failures.admit()
        {
            events::put_failed(delivery.notification().kind(), error, suppressed);
        }
        result
    }

    /// A worker that calls `service` with each job. It takes and runs jobs once
    /// [`run_until`](Worker::run_until) or [`run_until_idle`](Worker::run_until_idle) is awaited.
    pub fn worker<S: Service<Job>>(&self, service: S) -> Worker<S> {
        Worker::new(self.store.clone(), service)
    }

    /// How many jobs there are, and how late the oldest one is. PostgreSQL counts the rows: that takes longer the more there are.
    ///
    /// # Errors
    ///
    /// When the store fails, or is closed.
    pub async fn stats(&self) -> Result<Stats, StoreError> {
        self.store.stats().await
    }

    /// Parked jobs, which had [`max_attempts`](Worker::max_attempts): those that were parked first come first. At most `limit`.
    ///
    /// Another `change` of the same account and channel puts such a job back in line, as does [`unpark`](Self::unpark).
    ///
    /// # Errors
    ///
    /// When the store fails, or is closed.
    pub async fn parked(&self, limit: usize) -> Result<Vec<Parked>, StoreError> {
        self.store.parked(limit).await
    }

    /// Makes a parked job due again, and resets its attempts. False if it was no longer parked.
    ///
    /// # Errors
    ///
    /// When the store fails, or is closed.
    pub async fn unpark(&self, parked: &Parked) -> Result<bool, StoreError> {
        self.store.unpark(parked.id.clone()).await
    }

    /// Deletes all jobs of the account, waiting, taken and parked, and returns how many there were. For
    /// [`gdpr_requested`](cronofy_webhook::notification::GdprRequested), and for accounts that are closed.
    ///
    /// A run that is under way is dropped when its lease would be renewed. In a job of the same account, call this last: the job's
    /// own row is deleted too. What SQLite has deleted is overwritten as pages are reused, and leaves its log with the next
    /// checkpoint; in PostgreSQL it is there until the table is vacuumed.
    ///
    /// # Errors
    ///
    /// When the store fails, or is closed.
    pub async fn forget(&self, account: impl AsRef<str>) -> Result<u64, StoreError> {
        self.store.forget(account.as_ref().to_owned()).await
    }

    /// Writes what waits to be written, and closes the file or the connections. Then, all clones fail with [`PutError::Closed`]
    /// or with a [`StoreError`] that [is closed](StoreError::is_closed).
    ///
    /// Close it last: after the server and the worker have ended.
    pub async fn close(&self) {
        self.store.close().await;
    }
}
