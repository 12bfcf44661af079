//! apalis-postgres, as its documentation shows it: `push` returns after the commit of a transaction of its own, which
//! PostgreSQL's default settings make durable, as those of the inbox.

use apalis::prelude::{WorkerBuilder, WorkerBuilderExt as _};
use apalis_postgres::{Config, PgPool, PostgresStorage};
use sqlx::postgres::PgPoolOptions;

use crate::database::CONNECTIONS;
use crate::peer::{self, Job, Waiting};

/// With as many connections as the inbox opens by itself.
pub(crate) async fn connect(url: &str) -> PgPool {
    let connections = CONNECTIONS.try_into().unwrap();
    let pool = PgPoolOptions::new().max_connections(connections);
    let pool = pool.connect(url).await.unwrap();
    PostgresStorage::setup(&pool).await.unwrap();
    pool
}

/// Without the jobs of before.
pub(crate) async fn open(pool: &PgPool) -> PostgresStorage<Job> {
    sqlx::query("TRUNCATE apalis.jobs, apalis.workers")
        .execute(pool)
        .await
        .unwrap();
    PostgresStorage::new(pool).with_config(Config::default().queue("notifications"))
}

/// A worker that runs as many jobs at the same time as that of the inbox by default.
pub(crate) async fn run(storage: PostgresStorage<Job>, waiting: Waiting) {
    let worker = WorkerBuilder::new("worker")
        .backend(storage)
        .concurrency(8)
        .data(waiting)
        .build(peer::run);
    worker.run().await.unwrap();
}
