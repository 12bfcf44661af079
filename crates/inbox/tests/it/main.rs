//! The tests of the public API, in one binary.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod log;
#[cfg(feature = "metrics")]
mod metrics;
mod open;
#[cfg(target_os = "linux")]
mod power_cut;
#[cfg(unix)]
mod process;
mod put;
#[cfg(unix)]
mod receiver;
mod runs;
mod shutdown;
mod support;
#[cfg(unix)]
mod sync;
