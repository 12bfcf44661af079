//! The tests of the command, in one binary.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod check;
mod conventions;
mod generate;
mod readme;
mod repeat;
mod secrets;
mod sessions;
mod simulate;
mod support;
mod trigger;
mod verify;
