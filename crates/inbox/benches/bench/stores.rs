//! The routes that are compared.

use std::path::Path as FilePath;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use cronofy_webhook::{CronofyWebhookLayer, Delivery, Notification};
use cronofy_webhook_inbox::{Inbox, PutError};
use rusqlite::{Connection, params};

use crate::load::{SECRET, change};

/// The same without a store.
pub(crate) fn without_a_store() -> Router {
    async fn receive(Path(_account): Path<String>, _delivery: Delivery) -> StatusCode {
        StatusCode::NO_CONTENT
    }

    Router::new().route("/cronofy/{account}", post(receive).layer(layer()))
}

pub(crate) fn with_an_inbox(inbox: Inbox) -> Router {
    async fn receive(
        State(inbox): State<Inbox>,
        Path(account): Path<String>,
        delivery: Delivery,
    ) -> Result<StatusCode, PutError> {
        inbox.put(account, &delivery).await?;
        Ok(StatusCode::NO_CONTENT)
    }

    Router::new()
        .route("/cronofy/{account}", post(receive).layer(layer()))
        .with_state(inbox)
}

/// As it is written at first: an upsert, and with it a commit, for each notification. With the same settings of SQLite.
pub(crate) fn with_a_transaction_for_each(file: &FilePath) -> Router {
    let connection = Connection::open(file).unwrap();
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .unwrap();
    connection
        .pragma_update(None, "synchronous", "FULL")
        .unwrap();
    connection
        .execute_batch(
            "CREATE TABLE waiting (
               account TEXT NOT NULL, channel TEXT NOT NULL, since INTEGER NOT NULL, body BLOB NOT NULL,
               PRIMARY KEY (account, channel)
             )",
        )
        .unwrap();
    Router::new()
        .route("/cronofy/{account}", post(upsert).layer(layer()))
        .with_state(Arc::new(Mutex::new(connection)))
}

async fn upsert(
    State(connection): State<Arc<Mutex<Connection>>>,
    Path(account): Path<String>,
    delivery: Delivery,
) -> StatusCode {
    let Notification::Change(change) = delivery.notification().clone() else {
        return StatusCode::NO_CONTENT;
    };
    let stored = tokio::task::spawn_blocking(move || {
        let connection = connection.lock().unwrap();
        let mut statement = connection.prepare_cached(
            "INSERT INTO waiting VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (account, channel) DO UPDATE SET since = min(since, excluded.since)",
        )?;
        let since = change.changes_since.as_microsecond();
        statement.execute(params![
            account,
            change.channel.channel_id,
            since,
            &delivery.body()[..]
        ])
    });
    match stored.await.unwrap() {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn layer() -> CronofyWebhookLayer {
    CronofyWebhookLayer::new(SECRET)
}

/// Opens an inbox in which so many jobs wait, of accounts that no request is for.
pub(crate) async fn inbox(file: &FilePath, rows: u64) -> Inbox {
    let url = format!("sqlite:{}", file.display());
    if rows > 0 {
        Inbox::open(&url).await.unwrap().close().await;
        fill(file, rows);
    }
    Inbox::open(&url).await.unwrap()
}

fn fill(file: &FilePath, rows: u64) {
    let connection = Connection::open(file).unwrap();
    connection
        .execute(
            "WITH RECURSIVE numbers (number) AS (
               SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?1
             )
             INSERT INTO cronofy_inbox
               (id, account, channel, waiting_body, waiting_since, waiting_received, waiting_count, due)
             SELECT randomblob(32), CAST('waiting-' || number AS BLOB), CAST('chn_1' AS BLOB), ?2, 0, 0, 1, number
             FROM numbers",
            params![rows.cast_signed(), &change()[..]],
        )
        .unwrap();
}
