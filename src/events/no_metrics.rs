//! What `metrics.rs` has, without the feature `metrics`: nothing is counted, and no clock is read.

use std::time::Instant;

use super::{Outcome, Subject};

pub(crate) fn describe_metrics() {}

pub(super) fn delivery(_: Subject<'_>, _: Outcome) {}

pub(super) fn rejection(_: &'static str) {}

pub(super) fn unknown_signatures(_: usize) {}

pub(super) fn background_finished(_: Outcome) {}

#[derive(Clone, Copy)]
pub(crate) struct HandlerTimer;

impl HandlerTimer {
    pub(crate) fn start(_: fn() -> Instant) -> Self {
        Self
    }

    pub(crate) fn completed(self, _: Subject<'_>, _: fn() -> Instant) {}
}

pub(crate) struct InBackground;

impl InBackground {
    pub(crate) fn start() -> Self {
        Self
    }
}
