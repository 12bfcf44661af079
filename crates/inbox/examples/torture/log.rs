//! Reads what the runs of a process report.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use crate::check::Run;

/// How late the report of a lost lease can be read. A lease is lost a tenth of it before the next run can begin; a run whose row
/// was freed by another one learns it later, and must not be excused.
const REPORT_DELAY: Duration = Duration::from_millis(20);

/// How much later a line of one process can be read, and its run be dropped, than what another process printed after it: on a busy
/// machine, either may not run for a while.
const LINE_DELAY: Duration = Duration::from_millis(250);

/// The runs of all processes, in the order in which they began.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) runs: Vec<Run>,
    /// Indices of two runs of a key, of which the second began before the first had ended.
    overlaps: Vec<(usize, usize)>,
    /// Indices of the runs that have not ended, by key.
    open: HashMap<String, Vec<usize>>,
    /// Indices by id.
    ids: HashMap<String, usize>,
}

impl Log {
    /// A line of a run; `at` is when it was read.
    pub(crate) fn line(&mut self, line: &str, started: Timestamp, at: Duration) {
        let Some((kind, fields)) = line.split_once(' ') else {
            panic!("not a line of a run: {line:?}");
        };
        let field = |name: &str| {
            let mut fields = fields.split(' ').filter_map(|field| field.split_once('='));
            fields.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let id = field("run").unwrap_or_else(|| panic!("no run in {line:?}"));
        match kind {
            "begin" => {
                let key = field("key").expect("a begin line has a key");
                let key = percent_decode_str(key).decode_utf8_lossy().into_owned();
                let since = field("since").and_then(|since| since.parse::<Timestamp>().ok());
                let since = since.map(|since| {
                    let elapsed = since.duration_since(started);
                    Duration::try_from(elapsed).expect("sent after the start")
                });
                self.begin(id.to_owned(), key, since, at);
            }
            "done" | "failed" => self.end(id, kind == "done", at),
            _ => panic!("not a line of a run: {line:?}"),
        }
    }

    fn begin(&mut self, id: String, key: String, since: Option<Duration>, begun: Duration) {
        let index = self.runs.len();
        let open = self.open.entry(key.clone()).or_default();
        self.overlaps
            .extend(open.iter().map(|other| (*other, index)));
        open.push(index);
        self.ids.insert(id.clone(), index);
        self.runs.push(Run {
            id,
            key,
            since,
            begun,
            lease_lost: None,
            ended: None,
            is_done: false,
        });
    }

    fn end(&mut self, id: &str, is_done: bool, at: Duration) {
        let index = self.ids[id];
        let run = &mut self.runs[index];
        run.is_done = is_done;
        run.ended = Some(at);
        if let Some(open) = self.open.get_mut(&run.key) {
            open.retain(|open| *open != index);
        }
    }

    /// The process was stopped for longer than a lease, or said that the lease of a run with this key was lost.
    pub(crate) fn lease_lost(&mut self, process: u32, key: Option<&str>, at: Duration) {
        for (open_key, open) in &self.open {
            if key.is_none_or(|key| key == open_key) {
                for index in open {
                    let run = &mut self.runs[*index];
                    if run.process() == process {
                        run.lease_lost.get_or_insert(at);
                    }
                }
            }
        }
    }

    /// Runs of a key that began while another one held its lease.
    pub(crate) fn overlaps(&self) -> Vec<String> {
        // The report of a lost lease comes on another way than the begin of the next run.
        let held = |one: &Run, other: &Run| {
            if one.process() == other.process() {
                return one
                    .lease_lost
                    .is_none_or(|lost| lost > other.begun + REPORT_DELAY);
            }
            let ended = one.lease_lost.into_iter().chain(one.ended).min();
            ended.is_none_or(|ended| ended > other.begun + LINE_DELAY)
        };
        self.overlaps
            .iter()
            .map(|(one, other)| (&self.runs[*one], &self.runs[*other]))
            .filter(|(one, other)| held(one, other))
            .map(|(one, other)| {
                let end = one.lease_lost.into_iter().chain(one.ended).min();
                let overlap = end.map(|end| end.saturating_sub(other.begun));
                format!("{}: {} and {}, for {overlap:?}", one.key, one.id, other.id)
            })
            .collect()
    }

    /// The process ended, and its runs with it.
    pub(crate) fn process_ended(&mut self, process: u32, at: Duration) {
        for open in self.open.values_mut() {
            open.retain(|index| {
                let run = &mut self.runs[*index];
                if run.process() != process {
                    return true;
                }
                run.ended = Some(at);
                false
            });
        }
    }
}
