//! What it costs to store before the answer: `cargo bench -p cronofy-webhook-inbox -- [--seconds 3] [--rows 1000000]`.
//!
//! Clients, server and store share the cores of this machine. Compare rows of one run.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

#[path = "../../tests/stores/cluster.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod cluster;
mod comparison;
mod load;
mod postgres;
mod stores;
mod worker;

use std::env;
use std::time::Duration;

use tempfile::tempdir;

use crate::cluster::Cluster;
use crate::comparison::{CLIENTS, Settings, compare, print};
use crate::load::load;
use crate::postgres::Database;
use crate::stores::{inbox, with_a_transaction_for_each, without_a_store};

#[tokio::main]
async fn main() {
    let settings = Settings {
        time: Duration::from_secs(setting("--seconds", 3)),
        rows: setting("--rows", 1_000_000),
    };

    println!("| clients | store | notifications/s | ratio | p50 | p99 | longest |");
    println!("|---|---|---|---|---|---|---|");
    for clients in CLIENTS {
        let figures = load(without_a_store(), clients, settings.time).await;
        print(clients, "none", &figures, None);
    }
    sqlite(settings).await;
    match Cluster::start("") {
        Ok(cluster) => postgres(settings, &cluster.url()).await,
        Err(reason) => println!("\nWithout PostgreSQL: {reason}."),
    }
}

async fn sqlite(settings: Settings) {
    let by_hand = async || {
        let directory = tempdir().unwrap();
        let app = with_a_transaction_for_each(&directory.path().join("each.db"));
        (app, directory)
    };
    let ours = async |rows| {
        let directory = tempdir().unwrap();
        let inbox = inbox(&directory.path().join("inbox.db"), rows).await;
        (inbox, directory)
    };
    compare(settings, "SQLite", by_hand, ours).await;
}

/// Twice: an open transaction keeps dead rows from being removed.
async fn postgres(settings: Settings, url: &str) {
    let database = Database::open(url).await;
    let by_hand = async || (database.with_an_upsert().await, ());
    let ours = async |rows| (database.inbox(rows).await, ());
    compare(settings, "PostgreSQL", by_hand, ours).await;

    let _snapshot = database.snapshot().await;
    let name = "PostgreSQL with an open transaction";
    compare(settings, name, by_hand, ours).await;
}

/// The value of an argument.
fn setting(name: &str, default: u64) -> u64 {
    let mut arguments = env::args().skip_while(|argument| argument != name).skip(1);
    arguments.next().map_or(default, |value| {
        value
            .parse()
            .unwrap_or_else(|error| panic!("{name} {value}: {error}"))
    })
}
