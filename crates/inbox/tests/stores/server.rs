//! The server that the tests share.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::{Client, NoTls};

use crate::cluster::Cluster;

/// Names a server to use instead of one that is started. Its user can create databases and roles.
const VARIABLE: &str = "CRONOFY_TEST_POSTGRES";

static URL: OnceLock<String> = OnceLock::new();

/// Keeps the server running. An error says why there is none.
pub(crate) fn start() -> Result<Option<Cluster>, String> {
    if let Ok(url) = std::env::var(VARIABLE) {
        URL.get_or_init(|| url);
        return Ok(None);
    }
    let cluster = Cluster::start("")
        .map_err(|reason| format!("{reason}, and {VARIABLE} is not set to the URL of a server"))?;
    URL.get_or_init(|| cluster.url());
    Ok(Some(cluster))
}

pub(crate) fn url() -> &'static str {
    URL.get().expect("`main` has started it")
}

/// A database of its own, dropped with it.
pub(crate) struct Database {
    name: String,
    pub(crate) url: String,
}

impl Database {
    pub(crate) async fn create() -> Self {
        Self::create_as("template1").await
    }

    /// With what this one has, to which nothing is connected.
    pub(crate) async fn copy(&self) -> Self {
        Self::create_as(&self.name).await
    }

    async fn create_as(template: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("inbox_{}_{number}", std::process::id());
        connect(url())
            .await
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}"))
            .await
            .unwrap();
        Self {
            url: with_database(url(), &name),
            name,
        }
    }

    /// The URL of another user.
    pub(crate) fn url_of(&self, user: &str, password: &str) -> String {
        let (_, host) = self.url.split_once('@').unwrap();
        format!("postgres://{user}:{password}@{host}")
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            drop(runtime.block_on(async { connect(url()).await.batch_execute(&sql).await }));
        });
        drop(dropped.join());
    }
}

fn with_database(url: &str, name: &str) -> String {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (host, _) = base.rsplit_once('/').unwrap();
    format!("{host}/{name}?{query}")
}

/// A connection that ends with the client.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The only column of the only row, a number.
pub(crate) async fn number(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}
