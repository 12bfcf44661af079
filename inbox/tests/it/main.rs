//! The tests of the public API, in one binary.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod open;
mod put;
mod runs;
mod shutdown;
mod support;
