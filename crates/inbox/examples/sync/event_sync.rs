//! What a job does: reads events from the API, page by page, into the local copy.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use cronofy_webhook::Notification;
use cronofy_webhook::notification::Change;
use cronofy_webhook_inbox::Job;
use jiff::Timestamp;
use tokio::sync::MutexGuard;
use tracing::{debug, info, warn};

use crate::accounts::{Account, Accounts};
use crate::api::{Api, ApiError};
use crate::copy::LocalCopy;
use crate::query::{self, Window};

/// Keeps the local copy of all accounts equal to what Cronofy has.
#[derive(Clone, Debug)]
pub(crate) struct EventSync {
    pub(crate) api: Api,
    pub(crate) copy: LocalCopy,
    pub(crate) accounts: Accounts,
}

#[derive(Debug)]
pub(crate) enum SyncError {
    Api(ApiError),
    Copy(rusqlite::Error),
}

impl EventSync {
    /// Processes one notification. `Ok` also if nobody needs it any more: the account was deleted, or has to be authorised
    /// again, after which its events are all read anyway.
    pub(crate) async fn handle(&self, job: Job) -> Result<(), SyncError> {
        let Some(account) = self.accounts.get(job.account()) else {
            info!(
                account = job.account(),
                "account was deleted: nothing to do"
            );
            return Ok(());
        };
        match job.notification() {
            Notification::Change(change) => {
                given_up(&account, self.read_changes(&account, change).await)
            }
            Notification::ProfileInitialSyncCompleted(_) => self.read_all(&account).await,
            Notification::GdprRequested(_) => self.forget(&account).await,
            other => {
                info!(account = account.id, kind = other.kind(), "nothing to sync");
                Ok(())
            }
        }
    }

    /// Reads all events of the account, and removes the others. Changes come as notifications, but there is none for an event
    /// that [becomes visible because the window moved](https://docs.cronofy.com/developers/faqs/recommended-sync/).
    pub(crate) async fn read_all(&self, account: &Account) -> Result<(), SyncError> {
        given_up(account, self.read_pages_of_all(account).await)
    }

    async fn read_pages_of_all(&self, account: &Account) -> Result<(), SyncError> {
        let Some(_reading) = self.start(account).await else {
            return Ok(());
        };
        let reading = self.copy.start_reading(&account.id).await?;
        let mut next = Some(query::all(Window::around(Timestamp::now())));
        while let Some(url) = next {
            let page = self.api.page(&account.access_token, &url).await?;
            self.copy.add(&account.id, reading, page.events).await?;
            next = page.next;
        }
        let removed = self.copy.end_reading(&account.id, reading).await?;
        debug!(account = account.id, removed, "read all events");
        Ok(())
    }

    async fn read_changes(&self, account: &Account, change: &Change) -> Result<(), SyncError> {
        let Some(_reading) = self.start(account).await else {
            return Ok(());
        };
        let window = Window::around(Timestamp::now());
        let mut next = Some(query::changes(window, change));
        while let Some(url) = next {
            let page = self.api.page(&account.access_token, &url).await?;
            self.copy.apply(&account.id, window, page.events).await?;
            next = page.next;
        }
        debug!(account = account.id, since = %change.changes_since, "read what has changed");
        Ok(())
    }

    /// Waits for other reads of the account. `None` if it was deleted meanwhile.
    async fn start<'a>(&self, account: &'a Account) -> Option<MutexGuard<'a, ()>> {
        let reading = account.reading.lock().await;
        self.accounts.get(&account.id).map(|_| reading)
    }

    async fn forget(&self, account: &Account) -> Result<(), SyncError> {
        let _reading = account.reading.lock().await;
        let events = self.copy.forget(&account.id).await?;
        self.accounts.remove(&account.id);
        info!(account = account.id, events, "forgot the account");
        Ok(())
    }
}

/// An application would have the account authorised again, or use its refresh token.
fn given_up(account: &Account, result: Result<(), SyncError>) -> Result<(), SyncError> {
    match result {
        Err(SyncError::Api(error)) if error.is_unauthorized() => {
            warn!(account = account.id, %error, "account has to be authorised again: not read");
            Ok(())
        }
        result => result,
    }
}

impl SyncError {
    /// How long to wait before the next attempt.
    pub(crate) fn backoff(&self, attempt: u32) -> Duration {
        match self {
            Self::Api(error) => error.backoff(attempt),
            Self::Copy(_) => Duration::from_secs(10),
        }
    }
}

impl fmt::Display for SyncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(error) => error.fmt(f),
            Self::Copy(_) => f.write_str("the local copy failed"),
        }
    }
}

impl StdError for SyncError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Api(error) => error.source(),
            Self::Copy(error) => Some(error),
        }
    }
}

impl From<ApiError> for SyncError {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<rusqlite::Error> for SyncError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Copy(error)
    }
}
