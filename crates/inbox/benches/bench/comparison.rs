//! The inbox beside what is written by hand on the same store, and the inbox with many rows beside one with few.

use std::time::Duration;

use axum::Router;
use cronofy_webhook_inbox::Inbox;

use crate::load::{Figures, load};
use crate::stores::with_an_inbox;
use crate::worker::{put, runs};

pub(crate) const CLIENTS: [usize; 4] = [1, 16, 64, 256];

/// How many jobs there are where the table is called empty.
pub(crate) const FEW: u64 = 20_000;

#[derive(Clone, Copy)]
pub(crate) struct Settings {
    /// How long each row is measured.
    pub(crate) time: Duration,
    /// How many jobs wait where there are many.
    pub(crate) rows: u64,
}

/// Prints both. Each closure makes a new store, with what keeps it; that of the inbox with so many jobs in it.
pub(crate) async fn compare<H, K>(
    settings: Settings,
    store: &str,
    by_hand: impl AsyncFn() -> (Router, H),
    open: impl AsyncFn(u64) -> (Inbox, K),
) {
    let Settings { time, rows } = settings;
    let mut empty = Vec::new();
    for clients in CLIENTS {
        let name = format!("{store}, a transaction for each");
        let inbox = format!("inbox, {store}");
        let open = async || open(0).await;
        empty.push(beside(clients, time, (&name, &by_hand), (&inbox, &open)).await);
    }

    let (few, kept) = open(0).await;
    put(&few, FEW).await;
    let few_runs = runs(&few, time).await;
    few.close().await;
    drop(kept);

    let (full, _kept) = open(rows).await;
    for (clients, empty) in CLIENTS.into_iter().zip(&empty) {
        let figures = load(with_an_inbox(full.clone()), clients, time).await;
        let name = format!("inbox, {store}, {rows} waiting");
        print(clients, &name, &figures, Some(empty));
    }
    let full_runs = runs(&full, time).await;
    full.close().await;

    let ratio = full_runs / few_runs;
    println!("| | inbox, {store}, {FEW} waiting | {few_runs:.0} runs/s | | | | |");
    println!("| | inbox, {store}, {rows} waiting | {full_runs:.0} runs/s | {ratio:.2} | | | |");
}

/// Prints the figures of a baseline, and beside them those of the inbox, which it returns.
pub(crate) async fn beside<H, K>(
    clients: usize,
    time: Duration,
    (name, baseline): (&str, &impl AsyncFn() -> (Router, H)),
    (inbox_name, open): (&str, &impl AsyncFn() -> (Inbox, K)),
) -> Figures {
    let (app, _kept) = baseline().await;
    let baseline = load(app, clients, time).await;
    print(clients, name, &baseline, None);

    let (inbox, _kept) = open().await;
    let figures = load(with_an_inbox(inbox.clone()), clients, time).await;
    inbox.close().await;
    print(clients, inbox_name, &figures, Some(&baseline));
    figures
}

/// With the ratio of the throughput to that of a baseline.
pub(crate) fn print(clients: usize, name: &str, figures: &Figures, baseline: Option<&Figures>) {
    let Figures {
        per_second,
        p50,
        p99,
        max,
    } = figures;
    let ratio = baseline.map_or_else(String::new, |baseline| {
        format!("{:.2}", per_second / baseline.per_second)
    });
    println!(
        "| {clients} | {name} | {per_second:.0} | {ratio} | {p50:.2?} | {p99:.2?} | {max:.2?} |"
    );
}
