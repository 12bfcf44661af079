//! Where the notifications are stored.

use std::error::Error;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use tokio::runtime;
use tokio_postgres::NoTls;

use crate::cluster::Cluster;

/// How long all that is left may take, once nothing is sent, killed or stopped any more.
const DRAIN: Duration = Duration::from_secs(60);

const COUNT: &str = "SELECT count(*) FROM cronofy_inbox";

pub(crate) enum Store {
    Sqlite {
        file: PathBuf,
        _directory: TempDir,
    },
    Postgres {
        url: String,
        /// `None`: somebody else's.
        server: Option<Cluster>,
    },
}

impl Store {
    /// A new one, or what the argument says.
    pub(crate) fn prepare(argument: Option<&str>) -> Result<Self, Box<dyn Error>> {
        match argument.unwrap_or("sqlite") {
            "postgres" => {
                let server = Cluster::start("")?;
                Ok(Self::Postgres {
                    url: server.url(),
                    server: Some(server),
                })
            }
            url if url.starts_with("postgres") => Ok(Self::Postgres {
                url: url.to_owned(),
                server: None,
            }),
            url => {
                let directory = tempfile::tempdir()?;
                let file = match url.strip_prefix("sqlite:") {
                    Some(file) => file.into(),
                    None if url == "sqlite" => directory.path().join("torture.db"),
                    None => return Err(format!("no store {url}").into()),
                };
                Ok(Self::Sqlite {
                    file,
                    _directory: directory,
                })
            }
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite { file, .. } => format!("sqlite:{}", file.display()),
            Self::Postgres { url, .. } => url.clone(),
        }
    }

    /// The server that can be restarted.
    pub(crate) fn server(&self) -> Option<&Cluster> {
        match self {
            Self::Sqlite { .. } => None,
            Self::Postgres { server, .. } => server.as_ref(),
        }
    }

    /// Waits until no row is left; how many are left if that takes too long.
    pub(crate) fn drain(&self) -> Result<u64, Box<dyn Error>> {
        let give_up = Instant::now() + DRAIN;
        loop {
            let rows = self.rows()?;
            if rows == 0 || Instant::now() > give_up {
                return Ok(rows.unsigned_abs());
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn rows(&self) -> Result<i64, Box<dyn Error>> {
        match self {
            Self::Sqlite { file, .. } => {
                let connection =
                    Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
                connection.busy_timeout(Duration::from_secs(5))?;
                Ok(connection.query_row(COUNT, [], |row| row.get(0))?)
            }
            Self::Postgres { url, .. } => {
                let runtime = runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                runtime.block_on(async {
                    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
                    tokio::spawn(connection);
                    Ok(client.query_one(COUNT, &[]).await?.get(0))
                })
            }
        }
    }
}
