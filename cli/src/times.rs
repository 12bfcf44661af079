//! Statistics of times.

use std::time::Duration;

/// The nearest rank in sorted times; zero if there is none.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    let time = sorted.get(rank.saturating_sub(1));
    time.copied().unwrap_or_default()
}

/// Milliseconds, in steps of a microsecond: more digits would not be true.
pub(crate) fn millis(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_nearest_rank() {
        let times = |count| (1..=count).map(Duration::from_millis).collect::<Vec<_>>();
        let hundred = times(100);
        for (percent, time) in [(0, 1), (50, 50), (99, 99), (100, 100)] {
            assert_eq!(percentile(&hundred, percent), Duration::from_millis(time));
        }
        assert_eq!(percentile(&times(1), 50), Duration::from_millis(1));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
