use std::sync::Arc;
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// How long a job waits after its attempt failed with the error.
pub(super) type Backoff<E> = Arc<dyn Fn(u32, &E) -> Duration + Send + Sync>;

/// 1 second after the first attempt, then twice as long each time up to 10 minutes; each up to a fifth shorter or longer,
/// so that what failed together does not run again together.
pub(super) fn default_backoff(attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    let backoff = LONGEST.min(FIRST * 2_u32.pow(doublings));
    backoff.mul_f64(0.8 + 0.4 * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_doubles_up_to_ten_minutes() {
        for (attempt, expected) in [
            (1, 1.0),
            (2, 2.0),
            (5, 16.0),
            (11, 600.0),
            (u32::MAX, 600.0),
        ] {
            for _ in 0..100 {
                let backoff = default_backoff(attempt).as_secs_f64();
                let range = expected * 0.8..=expected * 1.2;
                assert!(range.contains(&backoff), "{attempt}: {backoff}");
            }
        }
    }
}
