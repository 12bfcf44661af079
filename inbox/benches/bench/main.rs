//! What it costs to store before the answer: `cargo bench -p cronofy-webhook-inbox -- [--seconds 3] [--rows 1000000]`.
//!
//! Clients, server and store share the cores of this machine. Compare rows of one run.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

mod load;
mod stores;

use std::convert::Infallible;
use std::env;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use cronofy_webhook::testing::Sender;
use cronofy_webhook_inbox::{Inbox, Job};
use tempfile::tempdir;
use tokio::task::JoinSet;
use tower::service_fn;

use crate::load::{Figures, SECRET, change, load};
use crate::stores::{inbox, with_a_transaction_for_each, with_an_inbox, without_a_store};

const CLIENTS: [usize; 4] = [1, 16, 64, 256];

/// How many jobs there are where the table is called empty.
const FEW: u64 = 20_000;

#[tokio::main]
async fn main() {
    let time = Duration::from_secs(setting("--seconds", 3));
    let rows = setting("--rows", 1_000_000);

    println!("| clients | store | notifications/s | p50 | p99 | longest |");
    println!("|---|---|---|---|---|---|");
    for clients in CLIENTS {
        let files = tempdir().unwrap();
        let print = async |name, app| print(clients, name, &load(app, clients, time).await);
        print("none", without_a_store()).await;
        let file = files.path().join("each.db");
        print(
            "SQLite, a transaction for each",
            with_a_transaction_for_each(&file),
        )
        .await;
        let inbox = inbox(&files.path().join("inbox.db"), 0).await;
        print("inbox, SQLite", with_an_inbox(inbox.clone())).await;
        inbox.close().await;
    }

    let files = tempdir().unwrap();
    let full = inbox(&files.path().join("inbox.db"), rows).await;
    for clients in CLIENTS {
        let app: Router = with_an_inbox(full.clone());
        let name = format!("inbox, SQLite, {rows} waiting");
        print(clients, &name, &load(app, clients, time).await);
    }

    println!("\n| store | runs/s |");
    println!("|---|---|");
    let few = inbox(&files.path().join("few.db"), 0).await;
    put(&few, FEW).await;
    println!(
        "| inbox, SQLite, {FEW} waiting | {:.0} |",
        runs(&few, time).await
    );
    println!(
        "| inbox, SQLite, {rows} waiting | {:.0} |",
        runs(&full, time).await
    );
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

fn print(clients: usize, name: &str, figures: &Figures) {
    let Figures {
        per_second,
        p50,
        p99,
        max,
    } = figures;
    println!("| {clients} | {name} | {per_second:.0} | {p50:.2?} | {p99:.2?} | {max:.2?} |");
}

/// Stores jobs of so many accounts.
async fn put(inbox: &Inbox, jobs: u64) {
    let delivery = Sender::new(SECRET).delivery(change());
    let mut putting = JoinSet::new();
    for account in 0..jobs {
        let (inbox, delivery) = (inbox.clone(), delivery.clone());
        putting.spawn(async move { inbox.put(account.to_string(), &delivery).await.unwrap() });
        if putting.len() >= 256 {
            putting.join_next().await.unwrap().unwrap();
        }
    }
    putting.join_all().await;
}

/// How many jobs a worker with its defaults takes and completes in a second, while there are any.
async fn runs(inbox: &Inbox, time: Duration) -> f64 {
    let runs = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&runs);
    let service = service_fn(move |_: Job| {
        counted.fetch_add(1, Ordering::Relaxed);
        ready(Ok::<_, Infallible>(()))
    });
    let started = Instant::now();
    let worker = inbox.worker(service).run_until_idle();
    // What a timeout drops is released.
    let _ = tokio::time::timeout(time, worker).await;
    runs.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
}
