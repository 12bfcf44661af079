//! The tests of the command, in one binary.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conventions;
mod readme;
mod secrets;
mod sessions;
mod support;
mod trigger;
mod verify;
