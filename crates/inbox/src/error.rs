use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Why [`Inbox::open`](crate::Inbox::open) failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL is not one of a store: the reason.
    Url(String),
    /// The URL is of a store that this program was compiled without.
    NotCompiledIn {
        /// The scheme of the URL.
        scheme: String,
        /// The features that were compiled in, each a scheme as well.
        compiled_in: &'static [&'static str],
    },
    /// Another process, or another [`Inbox`](crate::Inbox) of this one, has the file open, and did not close it within 10
    /// seconds. A SQLite file is for one process.
    InUse(PathBuf),
    /// The file cannot be written to: check its owner and mode, and those of its directory.
    ReadOnly(PathBuf),
    /// The directory of the file does not exist: create it.
    DirectoryNotFound(PathBuf),
    /// The path exists, but is not a SQLite database.
    NotADatabase(PathBuf),
    /// The schema is from a later release of this crate, which this one cannot use.
    NewerVersion {
        /// The version of the schema.
        version: i64,
    },
    /// The store would lose what it acknowledged, in a power failure: the reason. [`allow_loss`](crate::Open::allow_loss)
    /// opens it all the same.
    NotDurable(&'static str),
    /// No PostgreSQL server that takes writes could be reached: check host and port of the URL, and whether the server runs, and
    /// whether it is a standby.
    Unreachable(StoreError),
    /// The PostgreSQL server refused the user: check user and password of the URL, and the server's `pg_hba.conf`.
    AccessDenied(StoreError),
    /// The PostgreSQL server has no connection left: raise its `max_connections`, or put a pooler in between. A process opens
    /// up to 9.
    TooManyConnections(StoreError),
    /// The user may not do what it has to. If that is to create tables, apply
    #[cfg_attr(
        feature = "postgres",
        doc = "[`POSTGRES_SCHEMA`](crate::POSTGRES_SCHEMA)"
    )]
    #[cfg_attr(not(feature = "postgres"), doc = "the schema")]
    /// as another user, with the rights to read and write both tables, and set
    /// [`migrate(false)`](crate::Open::migrate).
    NotPermitted(StoreError),
    /// The PostgreSQL server has no such database: create it, or correct the URL.
    DatabaseNotFound(StoreError),
    /// Concurrent puts to one row would fail at the level that `default_transaction_isolation` names: set it to `read committed`
    /// for the user or the database.
    UnsupportedIsolation {
        /// The level that is set.
        level: String,
    },
    /// There is no schema, and [`migrate(false)`](crate::Open::migrate) was set.
    NotMigrated,
    /// Anything else that the file system or the database reported.
    Store(StoreError),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(reason) => write!(f, "invalid URL of an inbox: {reason}"),
            Self::NotCompiledIn {
                scheme,
                compiled_in,
            } => write!(
                f,
                "no store for `{scheme}:` is compiled in, only for: {}",
                compiled_in.join(", ")
            ),
            Self::InUse(path) => write!(
                f,
                "{} is in use by another process, and a SQLite file is for one",
                path.display()
            ),
            Self::ReadOnly(path) => write!(
                f,
                "{} cannot be written to: check owner and mode of the file and of its directory",
                path.display()
            ),
            Self::DirectoryNotFound(path) => write!(
                f,
                "{} cannot be created: its directory does not exist",
                path.display()
            ),
            Self::NotADatabase(path) => {
                write!(f, "{} is not a SQLite database", path.display())
            }
            Self::NewerVersion { version } => write!(
                f,
                "the schema has version {version}, from a later release of cronofy-webhook-inbox"
            ),
            Self::NotDurable(reason) => write!(
                f,
                "what is stored could be lost in a power failure: {reason}; `allow_loss` permits that"
            ),
            Self::NotMigrated => {
                f.write_str("the database has no schema, and `migrate(false)` is set")
            }
            Self::Unreachable(_) => f.write_str(
                "no PostgreSQL server that takes writes could be reached: check host and port of the URL, and whether the server is a standby",
            ),
            Self::AccessDenied(_) => f.write_str(
                "the PostgreSQL server refused the user: check user and password of the URL",
            ),
            Self::TooManyConnections(_) => f.write_str(
                "the PostgreSQL server has no connection left: raise `max_connections`, or put a pooler in between",
            ),
            Self::NotPermitted(_) => f.write_str(
                "the PostgreSQL user lacks a right: grant it, or apply the schema as another user and set `migrate(false)`",
            ),
            Self::DatabaseNotFound(_) => f.write_str(
                "the PostgreSQL server has no such database: create it, or correct the URL",
            ),
            Self::UnsupportedIsolation { level } => write!(
                f,
                "concurrent puts to one row would fail, as `default_transaction_isolation` is `{level}`: set it to `read committed` for the user or the database"
            ),
            Self::Store(_) => f.write_str("the inbox could not be opened"),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreachable(error)
            | Self::AccessDenied(error)
            | Self::TooManyConnections(error)
            | Self::NotPermitted(error)
            | Self::DatabaseNotFound(error)
            | Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

/// Why [`Inbox::put`](crate::Inbox::put) failed. Let Cronofy retry: answer with 503.
///
/// It does not mean that nothing was stored: a commit can succeed after its answer was given up. Cronofy retries, and then
/// a `change` merges and another kind runs twice.
///
/// With the feature `axum` it is a response: 503 with `Retry-After`. The cause is not in it, but in the log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PutError {
    /// 1,024 notifications are waiting to be written, or the inbox has [`max_rows`](crate::Open::max_rows).
    Full,
    /// The inbox was closed.
    Closed,
    /// Not known to be stored 100 ms before the deadline of the middleware.
    TimedOut,
    /// The store failed.
    Store(StoreError),
}

impl fmt::Display for PutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => {
                "the inbox is full: 1,024 notifications wait for the store, or it has `max_rows` jobs"
            }
            Self::Closed => "the inbox is closed",
            Self::TimedOut => "the notification was not stored within the deadline",
            Self::Store(_) => "the notification was not stored",
        })
    }
}

impl Error for PutError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<StoreError> for PutError {
    fn from(error: StoreError) -> Self {
        if error.is_closed() {
            Self::Closed
        } else {
            Self::Store(error)
        }
    }
}

/// What a store reports: the [`source`](Error::source) is the error of the database or the file system.
#[derive(Clone, Debug)]
pub struct StoreError {
    // `None`: the inbox was closed.
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl StoreError {
    pub(crate) fn closed() -> Self {
        Self { cause: None }
    }

    pub(crate) fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            cause: Some(Arc::from(cause.into())),
        }
    }

    /// Whether the inbox was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.cause.is_none()
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.cause {
            None => "the inbox is closed",
            Some(_) => "the store failed",
        })
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause
            .as_ref()
            .map(|cause| &**cause as &(dyn Error + 'static))
    }
}
