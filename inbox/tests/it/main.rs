//! The tests of the public API, in one binary.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod log;
mod open;
#[cfg(unix)]
mod process;
mod put;
#[cfg(unix)]
mod receiver;
mod runs;
mod shutdown;
mod support;
