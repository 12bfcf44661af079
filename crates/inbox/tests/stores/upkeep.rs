//! What a worker on PostgreSQL does now and then: it warns of a transaction that keeps dead rows, and makes rows due that a wrong
//! clock made due late.

use std::time::Duration;

use cronofy_webhook_inbox::Inbox;
use tokio_postgres::Client;

use crate::cluster::Cluster;
use crate::common::{Jobs, Log, verification};
use crate::server::{self, Database, connect, number};
use crate::store::postgres::reads::oldest_transaction;
use crate::support::{block_on, block_on_this_thread, eventually, logged};

/// Whether the rows that are deleted now stay in their table.
async fn keeps_dead_rows(client: &Client) -> bool {
    for sql in [
        "CREATE TABLE dead (number int) WITH (autovacuum_enabled = off)",
        "INSERT INTO dead VALUES (1)",
        "DELETE FROM dead",
        "VACUUM dead",
    ] {
        client.batch_execute(sql).await.unwrap();
    }
    let size = number(client, "SELECT pg_relation_size('dead')").await;
    client.batch_execute("DROP TABLE dead").await.unwrap();
    size > 0
}

async fn begin(url: &str, sql: &str) -> Client {
    let client = connect(url).await;
    client.batch_execute(sql).await.unwrap();
    client
}

const READ: &str = "BEGIN; SELECT 1";
const WRITE: &str = "BEGIN; CREATE TABLE written (number int)";
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1";

pub(crate) fn a_transaction_that_keeps_dead_rows_is_seen() {
    block_on(async {
        let database = Database::create().await;
        let observer = connect(&database.url).await;
        let seen = async || oldest_transaction(&observer).await.unwrap().is_some();
        assert!(!seen().await);
        for (url, sql, expected) in [
            (database.url.as_str(), READ, false),
            (database.url.as_str(), WRITE, true),
            (database.url.as_str(), SNAPSHOT, true),
            (server::url(), SNAPSHOT, false),
        ] {
            let client = begin(url, sql).await;
            let is_kept = keeps_dead_rows(&observer).await;
            assert_eq!((seen().await, is_kept), (expected, expected), "{url} {sql}");
            client.batch_execute("ROLLBACK").await.unwrap();
            assert!(!seen().await, "after {url} {sql}");
        }
        // Its own.
        observer.batch_execute(SNAPSHOT).await.unwrap();
        assert!(!seen().await);
    });
}

pub(crate) fn a_vacuum_is_not_seen() {
    block_on(async {
        let database = Database::create().await;
        let observer = connect(&database.url).await;
        // Of many pages, each of which takes a while.
        let table = "CREATE TABLE large (number int) WITH (autovacuum_enabled = off);
                     INSERT INTO large SELECT generate_series(1, 100000); DELETE FROM large";
        observer.batch_execute(table).await.unwrap();
        let slow = "SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1";
        let client = begin(&database.url, slow).await;
        let vacuum = tokio::spawn(async move { client.batch_execute("VACUUM large").await });
        let vacuums =
            "SELECT count(*) FROM pg_stat_progress_vacuum JOIN pg_stat_activity USING (pid)
                       WHERE relid = 'large'::regclass AND backend_xmin IS NOT NULL";
        eventually(async || number(&observer, vacuums).await == 1).await;
        assert_eq!(oldest_transaction(&observer).await.unwrap(), None);
        assert!(!keeps_dead_rows(&observer).await);
        assert_eq!(number(&observer, vacuums).await, 1, "it has ended");
        vacuum.abort();
    });
}

pub(crate) fn a_prepared_transaction_is_seen() {
    let cluster = Cluster::start("max_prepared_transactions = 1").unwrap();
    block_on(async {
        let client = begin(&cluster.url(), WRITE).await;
        let prepare = "PREPARE TRANSACTION 'forgotten'";
        client.batch_execute(prepare).await.unwrap();
        assert!(oldest_transaction(&client).await.unwrap().is_some());
        assert!(keeps_dead_rows(&client).await);
        let rollback = "ROLLBACK PREPARED 'forgotten'";
        client.batch_execute(rollback).await.unwrap();
        assert_eq!(oldest_transaction(&client).await.unwrap(), None);
    });
}

pub(crate) fn the_age_is_that_of_the_oldest_transaction() {
    block_on(async {
        let database = Database::create().await;
        let observer = connect(&database.url).await;
        let oldest = begin(&database.url, SNAPSHOT).await;
        let _newer = begin(&database.url, WRITE).await;
        let sql = "SELECT now(), clock_timestamp()";
        let time = async |client: &Client, column: usize| -> std::time::SystemTime {
            client.query_one(sql, &[]).await.unwrap().get(column)
        };
        let begun = time(&oldest, 0).await;
        let before = time(&observer, 1).await.duration_since(begun).unwrap();
        let age = oldest_transaction(&observer).await.unwrap().unwrap();
        let after = time(&observer, 1).await.duration_since(begun).unwrap();
        // As seconds, it is rounded.
        let slack = Duration::from_micros(1);
        assert!(
            before <= age + slack && age <= after + slack,
            "{before:?} {age:?} {after:?}"
        );
    });
}

/// A database, whose clock is ahead, and a transaction in it.
async fn begin_ahead(ahead: &str) -> (Database, Client) {
    let database = Database::create().await;
    let client = connect(&database.url).await;
    let name = database.name();
    let clock = format!(
        "ALTER DATABASE {name} SET search_path = public, pg_catalog;
         CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
           $$ SELECT pg_catalog.clock_timestamp() + interval '{ahead}' $$"
    );
    client.batch_execute(&clock).await.unwrap();
    client.batch_execute(SNAPSHOT).await.unwrap();
    (database, client)
}

/// Puts a job that is due in two hours, as by a clock that is wrong.
async fn put_late(inbox: &Inbox, database: &Database) {
    inbox.put("42", &verification()).await.unwrap();
    let client = connect(&database.url).await;
    let late = "UPDATE cronofy_inbox SET due = now() + interval '2 hours'";
    client.batch_execute(late).await.unwrap();
}

const LATE: &str = "jobs were due more than an hour ahead";
const OLD: &str = "a long transaction keeps dead rows";

pub(crate) fn a_worker_warns_of_a_transaction_that_is_older_than_5_minutes() {
    block_on_this_thread(async {
        for (ahead, is_old) in [("301 seconds", true), ("240 seconds", false)] {
            let (database, _transaction) = begin_ahead(ahead).await;
            let log = Log::start();
            let inbox = Inbox::open(&database.url).await.unwrap();
            put_late(&inbox, &database).await;
            let jobs = Jobs::default();
            // It has looked before.
            let looked = async { drop(logged(&log, LATE).await) };
            inbox.worker(jobs.noting()).run_until(looked).await.unwrap();
            let lines = log.lines(OLD);
            assert_eq!(lines.len(), usize::from(is_old), "{ahead}: {lines:?}");
            for line in lines {
                assert!(line.contains("WARN cronofy_webhook_inbox:"), "{line}");
                assert!(line.contains("age_s=3"), "{line}");
            }
        }
    });
}

pub(crate) fn a_job_that_a_wrong_clock_made_due_late_runs_at_once() {
    block_on_this_thread(async {
        let database = Database::create().await;
        let log = Log::start();
        let inbox = Inbox::open(&database.url).await.unwrap();
        put_late(&inbox, &database).await;
        let jobs = Jobs::default();
        let ran = eventually(async || jobs.len() == 1);
        inbox.worker(jobs.noting()).run_until(ran).await.unwrap();
        let line = log.line(LATE);
        assert!(line.contains("WARN cronofy_webhook_inbox:"), "{line}");
        assert!(line.contains("rows=1"), "{line}");
    });
}
