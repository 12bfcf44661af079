//! The tests, one binary. Each module is about one promise or one room of the crate.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod allocations;
mod answers;
mod body;
mod budget;
mod events;
#[cfg(feature = "axum")]
mod extract;
mod house;
#[cfg(feature = "axum")]
mod load;
mod log;
mod notification;
mod overrun;
mod properties;
mod readiness;
mod replay;
#[cfg(feature = "axum")]
mod server;
mod signature;
mod support;
mod testing;
#[cfg(feature = "axum")]
mod wire;
