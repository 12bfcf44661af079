//! What must be true of what was acknowledged and of the runs.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

/// A notification that was acknowledged. Times are since the start of the program.
pub(crate) struct Acknowledged {
    /// The channel, or what another kind has in its place.
    pub(crate) key: String,
    /// `changes_since`, of a `change`: the time at which it was sent.
    pub(crate) since: Option<Duration>,
    /// Before the request was sent.
    pub(crate) sent: Duration,
}

/// A run, as its process reported it.
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) since: Option<Duration>,
    pub(crate) begun: Duration,
    /// When its process was stopped, or reported that the lease was lost.
    pub(crate) lease_lost: Option<Duration>,
    /// When it ended, or its process did.
    pub(crate) ended: Option<Duration>,
    pub(crate) is_done: bool,
}

impl Run {
    pub(crate) fn process(&self) -> u32 {
        let process = self.id.split('-').next();
        process
            .and_then(|process| process.parse().ok())
            .expect("the id begins with that of the process")
    }
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Acknowledged, and no completed run covers it.
    pub(crate) lost: usize,
    /// Runs of a key that began while another one held its lease.
    pub(crate) overlaps: usize,
    /// Rows that remain when all is done.
    pub(crate) left: u64,
    /// From `changes_since` to the begin of its run, at most.
    pub(crate) lag: Duration,
    /// What `lag` may be.
    pub(crate) max_lag: Duration,
}

impl Findings {
    pub(crate) fn is_good(&self) -> bool {
        self.lost == 0 && self.overlaps == 0 && self.left == 0 && self.lag <= self.max_lag
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "lost {}, overlaps {}, left {}, longest lag {:.1} s of {:.0} s",
            self.lost,
            self.overlaps,
            self.left,
            self.lag.as_secs_f64(),
            self.max_lag.as_secs_f64(),
        )
    }
}

/// How many notifications no run covers: one that was done, began after the notification was sent, and reads from its
/// `changes_since` or earlier. For a `change`, a run without a time covers nothing.
pub(crate) fn lost<'a>(acknowledged: &'a [Acknowledged], runs: &[Run]) -> Vec<&'a Acknowledged> {
    let mut done: HashMap<&str, Vec<&Run>> = HashMap::new();
    for run in runs.iter().filter(|run| run.is_done) {
        done.entry(&run.key).or_default().push(run);
    }
    let covers = |run: &Run, one: &Acknowledged| {
        run.begun >= one.sent
            && match one.since {
                Some(since) => run.since.is_some_and(|run| run <= since),
                None => run.since.is_none(),
            }
    };
    let is_lost = |one: &&Acknowledged| {
        let runs = done.get(one.key.as_str()).map_or(&[][..], Vec::as_slice);
        // In the order in which they began: those before are of no interest.
        let first = runs.partition_point(|run| run.begun < one.sent);
        !runs[first..].iter().any(|run| covers(run, one))
    };
    acknowledged.iter().filter(is_lost).collect()
}

/// The longest time from a `changes_since` to the begin of a run that reads from it.
pub(crate) fn lag(runs: &[Run]) -> Duration {
    let lags = runs
        .iter()
        .filter_map(|run| Some(run.begun.saturating_sub(run.since?)));
    lags.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn sent(millis: u64) -> Acknowledged {
        Acknowledged {
            key: "chn_1".to_owned(),
            since: Some(at(millis)),
            sent: at(millis),
        }
    }

    fn run(key: &str, since: Option<u64>, begun: u64, is_done: bool) -> Run {
        Run {
            id: "1-1".to_owned(),
            key: key.to_owned(),
            since: since.map(at),
            begun: at(begun),
            lease_lost: None,
            ended: None,
            is_done,
        }
    }

    #[test]
    fn a_run_covers_what_was_sent_before_it_began_and_is_not_earlier_than_what_it_reads() {
        for (expected, run) in [
            (0, run("chn_1", Some(5), 11, true)),
            (0, run("chn_1", Some(10), 10, true)),
            (1, run("chn_1", Some(11), 12, true)),
            (1, run("chn_1", Some(5), 9, true)),
            (1, run("chn_1", Some(5), 11, false)),
            (1, run("chn_2", Some(5), 11, true)),
            (1, run("chn_1", None, 11, true)),
        ] {
            assert_eq!(lost(&[sent(10)], &[run]).len(), expected);
        }
    }

    #[test]
    fn another_kind_needs_a_run_of_its_own() {
        let other = Acknowledged {
            since: None,
            ..sent(10)
        };
        assert_eq!(lost(&[other], &[run("chn_1", Some(5), 11, true)]).len(), 1);
    }
}
