//! The tests, in one binary: a module for each guarantee, and for each module of the crate.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod allocations;
mod background;
mod body;
mod budget;
mod callback_url;
mod events;
#[cfg(feature = "axum")]
mod example;
#[cfg(feature = "axum")]
mod extract;
mod log;
mod maybe_buffered;
#[cfg(feature = "metrics")]
mod metrics;
mod mismatch;
mod notification;
#[cfg(feature = "axum")]
mod overload;
mod overrun;
#[cfg(feature = "axum")]
mod placements;
mod properties;
mod readiness;
mod replay;
mod responses;
mod secret;
#[cfg(feature = "axum")]
#[expect(dead_code, reason = "shared with the load tests, which use all of it")]
mod server;
mod signature;
mod support;
#[cfg(feature = "axum")]
mod wire;
