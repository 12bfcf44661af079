use std::array;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::events::millis;
use crate::rejection::RejectionKind;

/// How long a repeated event is suppressed for after it was logged.
const INTERVAL: Duration = Duration::from_secs(60);

/// An event that anybody who knows the URL can cause, or that each delivery repeats.
#[derive(Clone, Copy, Debug)]
pub(super) enum Repeated {
    Rejected(RejectionKind),
    DroppedWhileReading,
    UnknownSecret,
    NoPlace,
}

impl Repeated {
    const COUNT: usize = RejectionKind::COUNT + 3;

    fn index(self) -> usize {
        match self {
            Self::Rejected(kind) => kind as usize,
            Self::DroppedWhileReading => RejectionKind::COUNT,
            Self::UnknownSecret => RejectionKind::COUNT + 1,
            Self::NoPlace => RejectionKind::COUNT + 2,
        }
    }
}

/// Lets each repeated event be logged at warn level once a minute, and counts the others.
#[derive(Debug)]
pub(super) struct Limiter([Slot; Repeated::COUNT]);

impl Limiter {
    pub(super) fn new() -> Self {
        Self(array::from_fn(|_| Slot::new(INTERVAL)))
    }

    /// How many were suppressed since the last one that was logged, if this one is to be logged.
    pub(super) fn admit(&self, event: Repeated) -> Option<u64> {
        self.0[event.index()].admit()
    }
}

/// Admits one call in each interval.
#[derive(Debug)]
pub(super) struct Slot {
    started: Instant,
    interval: u64,
    /// From when on the next call is admitted, in milliseconds since `started`.
    next: AtomicU64,
    suppressed: AtomicU64,
}

impl Slot {
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            started: Instant::now(),
            interval: millis(interval),
            next: AtomicU64::new(0),
            suppressed: AtomicU64::new(0),
        }
    }

    /// How many calls were not admitted since the last one that was, if this one is.
    pub(super) fn admit(&self) -> Option<u64> {
        let now = millis(self.started.elapsed());
        let next = self.next.load(Ordering::Relaxed);
        let then = now.saturating_add(self.interval);
        let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
        if now >= next
            && self
                .next
                .compare_exchange(next, then, success, failure)
                .is_ok()
        {
            Some(self.suppressed.swap(0, Ordering::Relaxed))
        } else {
            self.suppress(1);
            None
        }
    }

    /// Counts calls that were not admitted.
    pub(super) fn suppress(&self, calls: u64) {
        self.suppressed.fetch_add(calls, Ordering::Relaxed);
    }
}
