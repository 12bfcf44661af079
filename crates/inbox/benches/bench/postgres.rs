//! The routes that store in PostgreSQL, through one pool.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use cronofy_webhook::{CronofyWebhookLayer, Delivery, Notification};
use cronofy_webhook_inbox::Inbox;
use deadpool_postgres::{Manager, ManagerConfig, Pool, PoolError, RecyclingMethod};
use tokio_postgres::{Client, Config, NoTls};

use crate::load::{SECRET, change};

/// As many connections as the inbox opens by itself.
pub(crate) const CONNECTIONS: usize = 8;

pub(crate) struct Database {
    config: Config,
    pool: Pool,
}

impl Database {
    pub(crate) async fn open(url: &str) -> Self {
        let config: Config = url.parse().unwrap();
        let recycling_method = RecyclingMethod::Fast;
        let manager =
            Manager::from_config(config.clone(), NoTls, ManagerConfig { recycling_method });
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .build()
            .unwrap();
        let database = Self { config, pool };
        database
            .execute(
                "CREATE TABLE waiting (
                   account text NOT NULL, channel text NOT NULL, since bigint NOT NULL, body bytea NOT NULL,
                   PRIMARY KEY (account, channel)
                 )",
            )
            .await;
        Inbox::from_pool(database.pool.clone()).await.unwrap();
        database
    }

    /// As it is written at first: an upsert, and with it a commit, for each notification.
    pub(crate) async fn with_an_upsert(&self) -> Router {
        self.execute("TRUNCATE waiting").await;
        Router::new()
            .route(
                "/cronofy/{account}",
                post(receive).layer(CronofyWebhookLayer::new(SECRET)),
            )
            .with_state(self.pool.clone())
    }

    /// An inbox in which so many jobs wait, of accounts that no request is for.
    pub(crate) async fn inbox(&self, rows: u64) -> Inbox {
        self.execute("TRUNCATE cronofy_inbox").await;
        let client = self.pool.get().await.unwrap();
        client
            .execute(
                "INSERT INTO cronofy_inbox
                   (id, account, channel, waiting_body, waiting_since, waiting_received, waiting_count, due)
                 SELECT sha256(account), account, 'chn_1'::bytea, $2::bytea, 0, now(), 1, now() - interval '1 hour'
                 FROM (SELECT convert_to('waiting-' || number, 'UTF8') FROM generate_series(1, $1::bigint) AS number) AS rows (account)",
                &[&rows.cast_signed(), &&change()[..]],
            )
            .await
            .unwrap();
        self.execute("ANALYZE cronofy_inbox; CHECKPOINT").await;
        Inbox::from_pool(self.pool.clone()).await.unwrap()
    }

    /// Keeps every row that is replaced or deleted, until it is dropped.
    pub(crate) async fn snapshot(&self) -> Client {
        let (client, connection) = self.config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client
            .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id()")
            .await
            .unwrap();
        client
    }

    async fn execute(&self, sql: &str) {
        let client = self.pool.get().await.unwrap();
        // Each statement on its own: `CHECKPOINT` cannot run in a transaction.
        for statement in sql.split("; ") {
            client.batch_execute(statement).await.unwrap();
        }
    }
}

async fn receive(
    State(pool): State<Pool>,
    Path(account): Path<String>,
    delivery: Delivery,
) -> StatusCode {
    match upsert(&pool, &account, &delivery).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn upsert(pool: &Pool, account: &str, delivery: &Delivery) -> Result<(), PoolError> {
    let Notification::Change(change) = delivery.notification() else {
        return Ok(());
    };
    let client = pool.get().await?;
    let statement = client
        .prepare_cached(
            "INSERT INTO waiting VALUES ($1, $2, $3, $4)
             ON CONFLICT (account, channel) DO UPDATE SET since = least(waiting.since, excluded.since)",
        )
        .await?;
    let channel = change.channel.channel_id.as_str();
    let since = change.changes_since.as_microsecond();
    let body = &delivery.body()[..];
    client
        .execute(&statement, &[&account, &channel, &since, &body])
        .await?;
    Ok(())
}
