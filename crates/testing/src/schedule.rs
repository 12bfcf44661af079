use std::time::Duration;

/// When a simulated [`Cronofy`](crate::Cronofy) retries, counted from the start of the attempt that failed.
///
/// Cronofy does not publish its intervals. The default, 1 minute and doubling to 1 hour, is this crate's: do not write tests
/// that depend on the number of attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    first: Duration,
    max: Duration,
}

impl Schedule {
    /// The same interval each time.
    ///
    /// # Panics
    ///
    /// When the interval is zero.
    #[must_use]
    #[track_caller]
    pub fn every(interval: Duration) -> Self {
        Self::doubling(interval, interval)
    }

    /// An interval that doubles with each attempt, up to a longest one.
    ///
    /// # Panics
    ///
    /// When an interval is zero.
    #[must_use]
    #[track_caller]
    pub fn doubling(first: Duration, max: Duration) -> Self {
        assert!(
            !first.is_zero() && !max.is_zero(),
            "an interval between attempts is zero"
        );
        Self { first, max }
    }

    /// The interval after so many attempts, which are at least one.
    pub(super) fn interval(&self, attempts: usize) -> Duration {
        let doubled = u32::try_from(attempts - 1)
            .ok()
            .and_then(|exponent| 2_u32.checked_pow(exponent));
        self.first
            .saturating_mul(doubled.unwrap_or(u32::MAX))
            .min(self.max)
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Self::doubling(Duration::from_secs(60), Duration::from_secs(60 * 60))
    }
}
