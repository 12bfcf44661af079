//! The tests, in one binary.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cronofy;
mod day;
mod payload;
mod sender;
mod support;
