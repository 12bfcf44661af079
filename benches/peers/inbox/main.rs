//! The inbox beside apalis, on the same SQLite and the same PostgreSQL.
//!
//! ```sh
//! cargo bench --manifest-path benches/peers/inbox/Cargo.toml
//! ```

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

#[path = "../../../crates/inbox/tests/stores/cluster.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod cluster;
#[path = "../../../crates/inbox/benches/bench/comparison.rs"]
#[expect(dead_code, reason = "the other bench uses the rest")]
mod comparison;
#[path = "../../../crates/inbox/benches/bench/postgres.rs"]
#[expect(dead_code, reason = "the other bench uses the rest")]
mod database;
#[path = "../../../crates/inbox/benches/bench/load.rs"]
mod load;
mod peer;
mod postgres;
mod sqlite;
#[path = "../../../crates/inbox/benches/bench/stores.rs"]
#[expect(dead_code, reason = "the other bench uses the rest")]
mod stores;
#[path = "../../../crates/inbox/benches/bench/worker.rs"]
mod worker;

use std::time::Duration;

use apalis::prelude::TaskSink;
use cronofy_webhook_inbox::Inbox;
use tempfile::tempdir;

use crate::cluster::Cluster;
use crate::comparison::{CLIENTS, FEW, beside};
use crate::database::Database;
use crate::peer::{Job, Waiting, jobs, route};
use crate::stores::inbox;
use crate::worker::{put, runs};

const TIME: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    println!("| clients | store | notifications/s | inbox / peer | p50 | p99 | longest |");
    println!("|---|---|---|---|---|---|---|");
    let peer = async || {
        let directory = tempdir().unwrap();
        let storage = sqlite::open(&directory.path().join("apalis.db")).await;
        (storage, directory)
    };
    let ours = async || {
        let directory = tempdir().unwrap();
        let inbox = inbox(&directory.path().join("inbox.db"), 0).await;
        (inbox, directory)
    };
    compare("SQLite", "apalis-sqlite", peer, ours, sqlite::run).await;

    match Cluster::start("") {
        Ok(cluster) => {
            let url = cluster.url();
            let (pool, database) = (postgres::connect(&url).await, Database::open(&url).await);
            let peer = async || (postgres::open(&pool).await, ());
            let ours = async || (database.inbox(0).await, ());
            compare("PostgreSQL", "apalis-postgres", peer, ours, postgres::run).await;
        }
        Err(reason) => println!("\nWithout PostgreSQL: {reason}."),
    }
}

/// Each closure makes a new store, with what keeps it.
async fn compare<S, Kind, H, K>(
    store: &str,
    name: &str,
    peer: impl AsyncFn() -> (S, H),
    ours: impl AsyncFn() -> (Inbox, K),
    worker: impl AsyncFn(S, Waiting),
) where
    S: TaskSink<Job, Kind> + Clone + Send + Sync + 'static,
    Kind: 'static,
{
    let inbox_name = format!("inbox, {store}");
    let app = async || {
        let (storage, kept) = peer().await;
        (route(storage), kept)
    };
    for clients in CLIENTS {
        beside(clients, TIME, (name, &app), (&inbox_name, &ours)).await;
    }

    let (mut storage, _kept) = peer().await;
    storage.push_bulk(jobs(FEW)).await.unwrap();
    let baseline = peer::runs(FEW, TIME, async |waiting| worker(storage, waiting).await).await;
    println!("| | {name}, {FEW} waiting | {baseline:.0} runs/s | | | | |");

    let (inbox, _kept) = ours().await;
    put(&inbox, FEW).await;
    let runs = runs(&inbox, TIME).await;
    inbox.close().await;
    let ratio = runs / baseline;
    println!("| | {inbox_name}, {FEW} waiting | {runs:.0} runs/s | {ratio:.2} | | | |");
}
