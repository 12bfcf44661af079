use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The time, in microseconds since 1970. The system's when the store was opened, and monotonic from then on: setting the
/// system's clock makes nothing due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    opened: Instant,
    opened_at: i64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let opened_at = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => micros(since),
            Err(before) => -micros(before.duration()),
        };
        Self {
            opened: Instant::now(),
            opened_at,
        }
    }

    pub(crate) fn now(&self) -> i64 {
        self.opened_at + micros(self.opened.elapsed())
    }
}

/// Saturates after 292,000 years.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
