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

impl Open {
    pub(crate) fn url(url: String) -> Self {
        Self::new(Place::Url(url))
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn pool(pool: deadpool_postgres::Pool) -> Self {
        Self::new(Place::Pool(pool))
    }

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
