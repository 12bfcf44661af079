//! Where jobs are kept, and the rules that every store follows.

#[cfg(inbox_faults)]
mod faults;
mod held;
mod pause;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

use std::time::Duration;

use tokio::sync::watch;

pub(crate) use self::held::Held;
pub(crate) use self::pause::Pause;
#[cfg(feature = "postgres")]
pub use self::postgres::SCHEMA as POSTGRES_SCHEMA;
#[cfg(feature = "sqlite")]
pub use self::sqlite::SCHEMA as SQLITE_SCHEMA;
use crate::entry::Entry;
use crate::error::{PutError, StoreError};
use crate::events::{self, Subject};
use crate::inspect::{Parked, ParkedId, Stats};
use crate::job::Stored;

/// How long a lease or a backoff is at most. A row that is due later than that had its time set by a wrong clock.
pub(crate) const MAX_DELAY: Duration = Duration::from_secs(60 * 60);

/// How many puts wait at most.
pub(crate) const ROOM: usize = 1_024;

/// How a store is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) allow_loss: bool,
    pub(crate) migrate: bool,
    pub(crate) max_rows: Option<u64>,
}

/// Names a run that holds a row. No row ever has the token of another run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Token(pub(crate) i64);

#[cfg(feature = "postgres")]
impl Token {
    /// Not from a sequence: a standby that takes over may not know how far it was.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        getrandom::u64().map(|token| Self(token.cast_signed()))
    }
}

/// The answer to a take.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Take<H> {
    /// With what holds the row.
    Taken(H, Stored),
    /// The row that was due first had its attempts, and is parked.
    Parked(Stored),
    /// No row is due.
    Nothing,
}

impl Take<Token> {
    /// With what holds the row from now on. What was parked is logged.
    fn held(self, store: Store) -> Take<Held> {
        match self {
            Self::Taken(token, job) => Take::Taken(Held::new(store, token), job),
            Self::Parked(job) => {
                events::parked(&Subject::of(&job.clone().into()));
                Take::Parked(job)
            }
            Self::Nothing => Take::Nothing,
        }
    }
}

/// How a run ended. The row is freed accordingly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    Failed {
        backoff: Duration,
    },
    /// The run was stopped by no fault of its own: the attempt does not count.
    Released,
}

#[cfg(feature = "metrics")]
impl End {
    /// As metrics name it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed { .. } => "failed",
            Self::Released => "released",
        }
    }
}

/// One of the engines.
#[derive(Clone, Debug)]
pub(crate) enum Store {
    #[cfg(feature = "postgres")]
    Postgres(postgres::Postgres),
    #[cfg(feature = "sqlite")]
    Sqlite(sqlite::Sqlite),
}

impl Store {
    pub(crate) async fn put(&self, entry: Entry) -> Result<(), PutError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.put(entry).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.put(entry).await,
        }
    }

    /// The time until a row is due, or until it is to be asked again; `None` if there is nothing to wait for.
    pub(crate) async fn due_in(&self) -> Result<Option<Duration>, StoreError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.due_in().await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.due_in().await,
        }
    }

    /// Takes the row that is due first, and holds it for the lease.
    pub(crate) async fn take(
        &self,
        lease: Duration,
        max_attempts: Option<u32>,
    ) -> Result<Take<Held>, StoreError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.take(lease, max_attempts).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.take(lease, max_attempts).await,
        }
    }

    /// Starts the lease anew. Like [`end`](Self::end): whether the token was current.
    pub(crate) async fn renew(&self, token: Token, lease: Duration) -> Result<bool, StoreError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.renew(token, lease).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.renew(token, lease).await,
        }
    }

    pub(crate) async fn end(&self, token: Token, end: End) -> Result<bool, StoreError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.end(token, end).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.end(token, end).await,
        }
    }

    /// Releases the row without waiting for it: for a drop.
    pub(crate) fn release(&self, token: Token) {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.release(token),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.release(token),
        }
    }

    /// Waits for rows that are being released, if they are soon.
    pub(crate) async fn settled(&self) {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.settled().await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.settled().await,
        }
    }

    /// Changes whenever a row may have become due.
    pub(crate) fn wakes(&self) -> watch::Receiver<()> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.wakes(),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.wakes(),
        }
    }

    pub(crate) async fn stats(&self) -> Result<Stats, StoreError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.stats().await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.stats().await,
        }
    }

    pub(crate) async fn parked(&self, limit: usize) -> Result<Vec<Parked>, StoreError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.parked(limit).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.parked(limit).await,
        }
    }

    pub(crate) async fn unpark(&self, id: ParkedId) -> Result<bool, StoreError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.unpark(id).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.unpark(id).await,
        }
    }

    pub(crate) async fn forget(&self, account: String) -> Result<u64, StoreError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.forget(account).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.forget(account).await,
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.close().await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.close().await,
        }
    }
}
