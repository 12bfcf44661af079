use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long a repeated event is suppressed for after it was logged.
const INTERVAL: Duration = Duration::from_secs(10);

/// Admits one event in each interval, and counts the others: a store that is away is not logged once for each request.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    admitted: Option<Instant>,
    suppressed: u64,
}

impl Limiter {
    /// How many events were not admitted since the last one that was, if this one is.
    pub(crate) fn admit(&self) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.admitted.is_some_and(|at| at.elapsed() < INTERVAL) {
            state.suppressed += 1;
            return None;
        }
        state.admitted = Some(Instant::now());
        Some(std::mem::take(&mut state.suppressed))
    }
}
