//! The tests, in one binary.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod explain;
mod json;
mod log;
mod mistakes;
mod probes;
mod property;
mod replay;
mod support;

#[expect(
    dead_code,
    reason = "shared with the tests of the library, which use all of it"
)]
#[path = "../../../../tests/it/properties/reference.rs"]
mod reference;
