//! The rules that both stores follow, and what PostgreSQL alone needs. Most of it needs a PostgreSQL server: with Debian's
//! package `postgresql`, one is started; with `CRONOFY_TEST_POSTGRES=postgres://…`, that one is used. Without either, those
//! tests are ignored, with the reason, and fail where `CI` is set. So are those that need PgBouncer, Debian's package `pgbouncer`.
//!
//! The statements of a store are private: the modules of the crate that they need are compiled into this test.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../src/clock.rs"]
mod clock;
#[path = "../../src/entry.rs"]
#[expect(dead_code, unused_imports, reason = "not all of it is used here")]
mod entry;
#[path = "../../src/error.rs"]
#[expect(dead_code, unreachable_pub, reason = "not all of it is used here")]
mod error;
#[path = "../../src/events/mod.rs"]
#[expect(dead_code, unused_imports, reason = "not all of it is used here")]
mod events;
#[path = "../../src/gauges.rs"]
mod gauges;
#[path = "../../src/inspect.rs"]
#[expect(dead_code, unreachable_pub, reason = "not all of it is used here")]
mod inspect;
#[path = "../../src/job.rs"]
#[expect(dead_code, unreachable_pub, reason = "not all of it is used here")]
mod job;
#[path = "../../src/limiter.rs"]
mod limiter;
#[path = "../../src/store/mod.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "not all of it is used here"
)]
mod store;

#[cfg(unix)]
mod cluster;
#[path = "../common/mod.rs"]
#[cfg_attr(
    not(unix),
    expect(dead_code, unused_imports, reason = "most tests need a server")
)]
mod common;
mod comparison;
mod database;
#[cfg(unix)]
mod inbox;
#[cfg(unix)]
mod listening;
mod model;
mod operation;
#[cfg(unix)]
mod outages;
#[cfg(unix)]
mod pgbouncer;
#[cfg(unix)]
mod pooler;
#[cfg(unix)]
mod postgres;
#[cfg(unix)]
mod processes;
mod public_api;
#[cfg(unix)]
mod requests;
mod rules;
#[cfg(unix)]
mod server;
mod sqlite;
mod suite;
#[cfg_attr(not(unix), expect(dead_code, reason = "most tests need a server"))]
mod support;
#[cfg(unix)]
mod tls;
#[cfg(unix)]
mod upkeep;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

#[cfg(unix)]
fn main() -> ExitCode {
    if processes::run_as_child() {
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let server = if arguments.list {
        Ok(None)
    } else {
        server::start()
    };
    let without_server = server.as_ref().err().cloned();
    let without_cluster = cluster::programs().err();
    let mut trials = sqlite();
    for (name, test) in suite::shared::<postgres::Postgres>() {
        trials.push(suite::trial("postgres", name, test, &without_server));
    }
    let with_server = suite::public::<server::Database>()
        .into_iter()
        .chain(suite::with_server());
    for (name, test) in with_server {
        trials.push(suite::trial("postgres", name, test, &without_server));
    }
    for (name, test) in suite::with_own_server() {
        trials.push(suite::trial("postgres", name, test, &without_cluster));
    }
    let without_pooler = pgbouncer::program().err();
    let with_pooler = suite::public::<pgbouncer::Pooled>()
        .into_iter()
        .chain(suite::with_pooler());
    for (name, test) in with_pooler {
        let reason = without_server.clone().or(without_pooler.clone());
        trials.push(suite::trial("pooler", name, test, &reason));
    }
    for (name, test) in suite::with_own_server_and_pooler() {
        let reason = without_cluster.clone().or(without_pooler.clone());
        trials.push(suite::trial("pooler", name, test, &reason));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), sqlite()).exit_code()
}

fn sqlite() -> Vec<Trial> {
    let tests = suite::shared::<sqlite::Sqlite>();
    let tests = tests
        .into_iter()
        .chain(suite::public::<public_api::SqliteFile>())
        .chain(suite::sqlite_only());
    tests
        .map(|(name, test)| suite::trial("sqlite", name, test, &None))
        .collect()
}
