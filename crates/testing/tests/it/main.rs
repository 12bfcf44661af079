//! The tests, in one binary.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cronofy;
mod promises;
mod samples_and_requests;

#[expect(
    dead_code,
    reason = "shared with the tests of the library, which use all of it"
)]
#[path = "../../../../tests/it/support.rs"]
mod support;
