use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(feature = "sqlite")]
use tokio::time::Instant;

/// The time, in microseconds since 1970. The system's when the store was opened, and monotonic from then on: setting the
/// system's clock makes nothing due.
#[cfg(feature = "sqlite")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    opened: Instant,
    opened_at: i64,
}

#[cfg(feature = "sqlite")]
impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            opened: Instant::now(),
            opened_at: since_1970(SystemTime::now()),
        }
    }

    pub(crate) fn now(&self) -> i64 {
        self.opened_at + micros(self.opened.elapsed())
    }
}

/// In microseconds.
pub(crate) fn since_1970(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => micros(since),
        Err(before) => -micros(before.duration()),
    }
}

/// Saturates after 292,000 years.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
