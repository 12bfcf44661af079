use std::fmt;
use std::future::IntoFuture;
use std::path::PathBuf;
use std::pin::Pin;

use crate::error::OpenError;
use crate::inbox::Inbox;
use crate::store::Store;
#[cfg(feature = "sqlite")]
use crate::store::sqlite::{Options, Sqlite};

/// The stores that are compiled in, each the name of a feature and a scheme.
const COMPILED_IN: &[&str] = &[
    #[cfg(feature = "sqlite")]
    "sqlite",
];

/// How an inbox is opened: await it. From [`Inbox::open`].
#[derive(Clone)]
#[must_use = "an inbox is opened by awaiting this"]
pub struct Open {
    url: String,
    options: Options,
}

impl Open {
    pub(crate) fn new(url: String) -> Self {
        Self {
            url,
            options: Options {
                allow_loss: false,
                migrate: true,
                max_rows: None,
            },
        }
    }

    /// Does not flush each commit to the disk. Faster, but the notifications of the last moments before a power failure,
    /// or a crash of the operating system, are lost although they were acknowledged. A crash of the process loses nothing.
    pub fn allow_loss(mut self) -> Self {
        self.options.allow_loss = true;
        self
    }

    /// Whether to create the schema where there is none. Default: true.
    ///
    /// With `false`, apply [`SQLITE_SCHEMA`](crate::SQLITE_SCHEMA) yourself.
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.options.migrate = migrate;
        self
    }

    /// How many jobs the inbox holds at most, those that wait and those that a run holds; for one more,
    /// [`put`](Inbox::put) fails with [`PutError::Full`](crate::PutError::Full). A `change` that merges adds none.
    /// Default: no limit.
    pub fn max_rows(mut self, rows: u64) -> Self {
        self.options.max_rows = Some(rows);
        self
    }

    async fn open(self) -> Result<Inbox, OpenError> {
        let Some((scheme, rest)) = self.url.split_once(':') else {
            return Err(OpenError::Url("it has no scheme, such as `sqlite:`"));
        };
        match scheme {
            #[cfg(feature = "sqlite")]
            "sqlite" => {
                let path = sqlite_path(rest)?;
                let store = Sqlite::open(path.as_deref(), self.options).await?;
                Ok(Inbox::new(Store::Sqlite(store)))
            }
            _ => Err(OpenError::NotCompiledIn {
                scheme: scheme.to_owned(),
                compiled_in: COMPILED_IN,
            }),
        }
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

/// The path after `sqlite:`, or `None` for a database in memory.
fn sqlite_path(rest: &str) -> Result<Option<PathBuf>, OpenError> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    match path {
        "" => Err(OpenError::Url("it has no path")),
        ":memory:" => Ok(None),
        // Other programs take parameters here: a file of that name is not what was meant.
        _ if path.contains('?') => {
            Err(OpenError::Url("it has parameters, of which there are none"))
        }
        _ => Ok(Some(path.into())),
    }
}
