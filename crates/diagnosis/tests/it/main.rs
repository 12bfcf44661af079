//! The tests, in one binary.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod explain;
mod json;
mod log;
mod mistakes;
mod property;
mod replay;

#[expect(
    dead_code,
    reason = "shared with the tests of the library, which use all of it"
)]
#[path = "../../../../tests/it/log.rs"]
mod events;
#[expect(
    dead_code,
    reason = "shared with the tests of the library, which use all of it"
)]
#[path = "../../../../tests/it/properties/reference.rs"]
mod reference;
#[expect(
    dead_code,
    reason = "shared with the tests of the library, which use all of it"
)]
#[path = "../../../../tests/it/support.rs"]
mod support;
