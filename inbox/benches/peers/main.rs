//! The inbox beside apalis-sqlite, on the same SQLite: `cargo bench --manifest-path inbox/benches/peers/Cargo.toml`.
//!
//! `SqliteStorage::setup` turns `synchronous` off for one connection of its pool: what such a connection has acknowledged can be
//! lost with the power. Here its migrations run without it, on a pool with `synchronous = FULL`, as that of the inbox.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

#[path = "../bench/load.rs"]
mod load;
#[path = "../bench/stores.rs"]
#[expect(dead_code, reason = "the other bench uses the rest")]
mod stores;

use std::path::Path as FilePath;
use std::time::Duration;

use apalis::prelude::TaskSink as _;
use apalis_sqlite::{Config, SqliteConnectOptions, SqlitePool, SqliteStorage};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use cronofy_webhook::{CronofyWebhookLayer, Delivery, Notification};
use tempfile::tempdir;

use crate::load::{SECRET, load};
use crate::stores::{inbox, with_an_inbox};

const TIME: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    println!("| clients | store | notifications/s | p50 | p99 | longest | inbox / peer |");
    println!("|---|---|---|---|---|---|---|");
    for clients in [1, 16, 64, 256] {
        let files = tempdir().unwrap();
        let peer = with_apalis(&files.path().join("apalis.db")).await;
        let peer = load(peer, clients, TIME).await;
        let inbox = inbox(&files.path().join("inbox.db"), 0).await;
        let ours = load(with_an_inbox(inbox), clients, TIME).await;
        for (name, figures) in [("apalis-sqlite", &peer), ("inbox", &ours)] {
            println!(
                "| {clients} | {name} | {:.0} | {:.2?} | {:.2?} | {:.2?} | {:.1} |",
                figures.per_second,
                figures.p50,
                figures.p99,
                figures.max,
                ours.per_second / figures.per_second,
            );
        }
    }
}

/// As its documentation shows it, with durable settings.
async fn with_apalis(file: &FilePath) -> Router {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .pragma("journal_mode", "WAL")
        .pragma("synchronous", "FULL");
    let pool = SqlitePool::connect_with(options).await.unwrap();
    SqliteStorage::migrations().run(&pool).await.unwrap();
    let storage = SqliteStorage::new(&pool).with_config(Config::default().queue("notifications"));
    Router::new()
        .route(
            "/cronofy/{account}",
            post(push).layer(CronofyWebhookLayer::new(SECRET)),
        )
        .with_state(storage)
}

async fn push(
    State(mut storage): State<SqliteStorage<(String, Notification)>>,
    Path(account): Path<String>,
    delivery: Delivery,
) -> StatusCode {
    match storage
        .push((account, delivery.notification().clone()))
        .await
    {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
