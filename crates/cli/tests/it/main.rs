//! The tests of the command, in one binary.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod check;
mod conventions;
mod generate;
mod listen;
mod readme;
mod repeat;
mod replay;
mod secrets;
mod sessions;
mod simulate;
mod support;
mod trigger;
mod verify;
