use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an event is suppressed for after it was logged.
const INTERVAL: Duration = Duration::from_secs(60);

/// Admits each event that every delivery may repeat, or anybody who knows the URL can cause, once a minute.
#[derive(Debug)]
pub(crate) struct Limiter {
    /// Of tokio, which a test may have paused.
    now: fn() -> Instant,
    /// By message and reason.
    events: Mutex<BTreeMap<(&'static str, &'static str), Repeated>>,
}

#[derive(Debug)]
struct Repeated {
    next: Instant,
    suppressed: u64,
}

impl Limiter {
    pub(crate) fn new(now: fn() -> Instant) -> Self {
        Self {
            now,
            events: Mutex::default(),
        }
    }

    /// How many were suppressed since the last one that was admitted, if this one is.
    pub(super) fn admit(&self, message: &'static str, reason: &'static str) -> Option<u64> {
        let now = (self.now)();
        let next = now + INTERVAL;
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        match events.entry((message, reason)) {
            Entry::Vacant(entry) => {
                let suppressed = 0;
                entry.insert(Repeated { next, suppressed });
                Some(0)
            }
            Entry::Occupied(mut entry) => {
                let repeated = entry.get_mut();
                if now < repeated.next {
                    repeated.suppressed += 1;
                    return None;
                }
                repeated.next = next;
                Some(mem::take(&mut repeated.suppressed))
            }
        }
    }
}
