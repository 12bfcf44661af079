use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

use crate::rejection::RejectionKind;

/// How long a repeated event is suppressed for after it was logged, in milliseconds.
const INTERVAL: u64 = 60_000;

/// An event that anybody who knows the URL can cause, or that each delivery repeats.
#[derive(Clone, Copy, Debug)]
pub(super) enum Repeated {
    Rejected(RejectionKind),
    DroppedWhileReading,
    UnknownSecret,
}

impl Repeated {
    const COUNT: usize = RejectionKind::COUNT + 2;

    fn index(self) -> usize {
        match self {
            Self::Rejected(kind) => kind as usize,
            Self::DroppedWhileReading => RejectionKind::COUNT,
            Self::UnknownSecret => RejectionKind::COUNT + 1,
        }
    }
}

/// Lets each repeated event be logged at warn level once a minute, and counts the others.
#[derive(Debug)]
pub(super) struct Limiter {
    started: Instant,
    slots: [Slot; Repeated::COUNT],
}

#[derive(Debug, Default)]
struct Slot {
    /// From when on the next one may be logged, in milliseconds since `started`.
    next: AtomicU64,
    suppressed: AtomicU64,
}

impl Limiter {
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            slots: Default::default(),
        }
    }

    /// How many were suppressed since the last one that was logged, if this one is to be logged.
    pub(super) fn admit(&self, event: Repeated) -> Option<u64> {
        let slot = &self.slots[event.index()];
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let next = slot.next.load(Ordering::Relaxed);
        let admitted = now >= next
            && slot
                .next
                .compare_exchange(
                    next,
                    now.saturating_add(INTERVAL),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                )
                .is_ok();
        if admitted {
            Some(slot.suppressed.swap(0, Ordering::Relaxed))
        } else {
            slot.suppressed.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}
