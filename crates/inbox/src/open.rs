use std::fmt;
use std::future::IntoFuture;
#[cfg(feature = "sqlite")]
use std::path::PathBuf;
use std::pin::Pin;

use crate::error::OpenError;
use crate::inbox::Inbox;
#[cfg(feature = "postgres")]
use crate::store::postgres::Postgres;
#[cfg(feature = "sqlite")]
use crate::store::sqlite::Sqlite;
use crate::store::{Options, Store};

/// The stores that are compiled in, each the name of a feature and a scheme.
const COMPILED_IN: &[&str] = &[
    #[cfg(feature = "postgres")]
    "postgres",
    #[cfg(feature = "sqlite")]
    "sqlite",
];

/// How an inbox is opened: await it. From [`Inbox::open`].
#[derive(Clone)]
#[must_use = "an inbox is opened by awaiting this"]
pub struct Open {
    place: Place,
    options: Options,
}

/// What is opened.
#[derive(Clone)]
enum Place {
    Url(String),
    #[cfg(feature = "postgres")]
    Pool(deadpool_postgres::Pool),
}

impl Inbox {
    /// Opens the store with this URL: await the result.
    ///
    /// `sqlite:path/to/file.db` is a SQLite file, created if there is none, for one process at a time. Beside it are
    /// `file.db.lock`, `file.db-wal` and `file.db-shm`. Jobs that ran when the previous process ended run again at once.
    /// `sqlite::memory:` is as [`in_memory`](Self::in_memory).
    ///
    /// With the feature `postgres`, `postgres://user:password@host/database` is a PostgreSQL database, for any number of
    /// processes, each with up to 9 connections. The parameters are libpq's, as far as tokio-postgres has them, and
    /// [`sslmode`](https://www.postgresql.org/docs/current/libpq-ssl.html) with `sslrootcert`: a file, or the system's
    /// authorities if it is absent or `system`. `allow` is as `prefer`. Only a server that takes writes is used. Other schemas
    /// than the default are named with `options=-csearch_path%3Dinbox`.
    ///
    /// ```
    /// use cronofy_webhook_inbox::Inbox;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # std::env::set_current_dir(&directory)?;
    /// let inbox = Inbox::open("sqlite:cronofy-inbox.db").max_rows(1_000_000).await?;
    /// assert_eq!(inbox.stats().await?.waiting, 0);
    ///
    /// let error = Inbox::open("mysql://localhost/inbox").await.unwrap_err();
    /// assert!(error.to_string().starts_with("no store for `mysql:` is compiled in"));
    /// # inbox.close().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Each [`OpenError`](crate::OpenError) says what to do about it. If another process has the file, this waits up to 10
    /// seconds for it to end, as when one release is replaced by the next.
    pub fn open(url: impl Into<String>) -> Open {
        Open::new(Place::Url(url.into()))
    }

    /// Opens the store in a PostgreSQL database with a pool of the application's: await the result.
    ///
    /// The pool is left open by [`close`](Self::close). Two connections of it suffice, but each job that ends or renews its
    /// lease takes one for a moment. A worker has none to listen with: what another process stores, it finds within 1.2
    /// seconds. Set `target_session_attrs` to `read-write` and a `connect_timeout`, keepalives and a `tcp_user_timeout`, as
    /// [`open`](Self::open) does.
    ///
    /// ```no_run
    /// use cronofy_webhook_inbox::Inbox;
    /// use deadpool_postgres::{Manager, Pool};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let config = "postgres://receiver@localhost/receiver".parse()?;
    /// let manager = Manager::new(config, deadpool_postgres::tokio_postgres::NoTls);
    /// let pool = Pool::builder(manager).max_size(16).build()?;
    /// let inbox = Inbox::from_pool(pool).max_rows(1_000_000).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    #[cfg(feature = "postgres")]
    pub fn from_pool(pool: deadpool_postgres::Pool) -> Open {
        Open::new(Place::Pool(pool))
    }

    /// An inbox in memory, for tests: what it holds is gone with its last clone.
    ///
    /// It also works while tokio's clock is paused.
    ///
    /// # Errors
    ///
    /// When SQLite cannot be initialised.
    #[cfg(feature = "sqlite")]
    pub async fn in_memory() -> Result<Self, OpenError> {
        Self::open("sqlite::memory:").await
    }
}

impl Open {
    fn new(place: Place) -> Self {
        Self {
            place,
            options: Options {
                allow_loss: false,
                migrate: true,
                max_rows: None,
            },
        }
    }

    /// Opens a store that loses the notifications of the last moments before a power failure, or a crash of the operating
    /// system, although they were acknowledged. A crash of the process loses nothing.
    ///
    /// SQLite then flushes less often, and is faster. PostgreSQL is left as it is configured, with `fsync` or
    /// `synchronous_commit` off.
    pub fn allow_loss(mut self) -> Self {
        self.options.allow_loss = true;
        self
    }

    /// Whether to create the schema where there is none. Default: true.
    ///
    /// With `false`, apply it yourself:
    #[cfg_attr(feature = "sqlite", doc = "[`SQLITE_SCHEMA`](crate::SQLITE_SCHEMA)")]
    #[cfg_attr(all(feature = "sqlite", feature = "postgres"), doc = "or")]
    #[cfg_attr(
        feature = "postgres",
        doc = "[`POSTGRES_SCHEMA`](crate::POSTGRES_SCHEMA)."
    )]
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.options.migrate = migrate;
        self
    }

    /// How many jobs the inbox holds at most, waiting, taken and parked; for one more,
    /// [`put`](Inbox::put) fails with [`PutError::Full`](crate::PutError::Full). A `change` that merges adds none.
    /// Default: no limit.
    ///
    /// On PostgreSQL each process counts the jobs once a second, and whenever the limit is near: several that receive can
    /// exceed it by what they store within a second.
    pub fn max_rows(mut self, rows: u64) -> Self {
        self.options.max_rows = Some(rows);
        self
    }

    async fn open(self) -> Result<Inbox, OpenError> {
        let store = match self.place {
            Place::Url(url) => open(&url, self.options).await?,
            #[cfg(feature = "postgres")]
            Place::Pool(pool) => Store::Postgres(Postgres::from_pool(pool, self.options).await?),
        };
        Ok(Inbox::new(store))
    }
}

impl IntoFuture for Open {
    type Output = Result<Inbox, OpenError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

// Without the URL, which may hold a password.
impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

async fn open(url: &str, options: Options) -> Result<Store, OpenError> {
    let Some((scheme, _)) = url.split_once(':') else {
        return Err(OpenError::Url(
            "it has no scheme, such as `sqlite:`".to_owned(),
        ));
    };
    match scheme {
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => Ok(Store::Postgres(Postgres::open(url, options).await?)),
        #[cfg(feature = "sqlite")]
        "sqlite" => {
            let path = sqlite_path(&url[scheme.len() + 1..])?;
            Ok(Store::Sqlite(Sqlite::open(path.as_deref(), options).await?))
        }
        _ => Err(OpenError::NotCompiledIn {
            scheme: scheme.to_owned(),
            compiled_in: COMPILED_IN,
        }),
    }
}

/// The path after `sqlite:`, or `None` for a database in memory.
#[cfg(feature = "sqlite")]
fn sqlite_path(rest: &str) -> Result<Option<PathBuf>, OpenError> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    match path {
        "" => Err(OpenError::Url("it has no path".to_owned())),
        ":memory:" => Ok(None),
        // Other programs take parameters here: a file of that name is not what was meant.
        _ if path.contains('?') => Err(OpenError::Url(
            "it has parameters, of which there are none".to_owned(),
        )),
        _ => Ok(Some(path.into())),
    }
}
