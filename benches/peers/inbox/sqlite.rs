//! apalis-sqlite, as its documentation shows it, with durable settings: `push` returns after the commit of a transaction of its own.
//!
//! `SqliteStorage::setup` turns `synchronous` off for one connection of its pool: what such a connection has acknowledged can be
//! lost with the power. Here its migrations run without it, on a pool with `synchronous = FULL`, as that of the inbox.

use std::path::Path;

use apalis::prelude::{WorkerBuilder, WorkerBuilderExt as _};
use apalis_sqlite::{Config, SqliteConnectOptions, SqlitePool, SqliteStorage};

use crate::peer::{self, Job, Waiting};

pub(crate) async fn open(file: &Path) -> SqliteStorage<Job> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .pragma("journal_mode", "WAL")
        .pragma("synchronous", "FULL");
    let pool = SqlitePool::connect_with(options).await.unwrap();
    SqliteStorage::migrations().run(&pool).await.unwrap();
    SqliteStorage::new(&pool).with_config(Config::default().queue("notifications"))
}

/// A worker that runs as many jobs at the same time as that of the inbox by default.
pub(crate) async fn run(storage: SqliteStorage<Job>, waiting: Waiting) {
    let worker = WorkerBuilder::new("worker")
        .backend(storage)
        .concurrency(8)
        .data(waiting)
        .build(peer::run);
    worker.run().await.unwrap();
}
