//! Kills, stops and restarts receivers and workers at random while notifications are sent, and then checks that they have kept
//! their promises: that each notification that was acknowledged was processed, that runs of a channel did not overlap, that no
//! channel fell behind, and that nothing is left.
//!
//! ```sh
//! cargo run --release -p cronofy-webhook-inbox --example torture -- --seconds 60
//! RUSTFLAGS="--cfg inbox_faults" cargo run --release -p cronofy-webhook-inbox --example torture --target-dir target/faults -- \
//!   --fault no-fencing
//! ```
//!
//! | argument | |
//! |---|---|
//! | `--store <URL>` | a store that is empty; `sqlite`, which is the default, for a new file in the temporary folder; `postgres` for a server of its own, which is restarted every fifth time as after a crash |
//! | `--seconds <n>` | for how long; 40 if absent |
//! | `--fault <name>` | a bug that must be found: `ack-before-commit`, `stores-nothing`, and with `--cfg inbox_faults` also `not-merged-back`, `no-fencing`, `token-per-row` |
//!
//! On SQLite one process receives and works, on PostgreSQL two receive and two work.
//!
//! Exits with 0 if all was as promised, and with a fault if it was found.

#![cfg_attr(not(unix), expect(dead_code, unused, reason = "there are no signals"))]

#[cfg(unix)]
mod check;
#[cfg(unix)]
mod child;
#[cfg(unix)]
#[path = "../../tests/stores/cluster.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod cluster;
#[cfg(unix)]
mod log;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod sender;
#[cfg(unix)]
#[path = "../receiver/service.rs"]
mod service;
#[cfg(unix)]
mod store;
#[cfg(unix)]
mod torture;
#[cfg(unix)]
mod tortures;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

const SECRET: &str = "CRN_torture";
const LEASE: Duration = Duration::from_millis(400);

#[cfg(unix)]
fn main() -> Result<ExitCode, Box<dyn Error>> {
    if std::env::var_os(child::LISTEN).is_some() {
        child::run()?;
        return Ok(ExitCode::SUCCESS);
    }
    torture::run()
}

#[cfg(not(unix))]
fn main() -> Result<ExitCode, Box<dyn Error>> {
    Err("needs the signals of Unix".into())
}
