//! Statistics of times.

use std::time::Duration;

/// The nearest rank in sorted times, if there are any.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
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
            let time = Duration::from_millis(time);
            assert_eq!(percentile(&hundred, percent), Some(time));
        }
        assert_eq!(percentile(&times(1), 50), Some(Duration::from_millis(1)));
        assert_eq!(percentile(&[], 99), None);
    }
}
