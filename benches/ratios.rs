//! Rows that take turns: on a machine whose speed changes, only what was measured within the same milliseconds can be compared.

use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 1000;

/// What is measured together.
pub(crate) struct Rounds<'a> {
    batch: usize,
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    name: String,
    batch: Box<dyn FnMut() -> Duration + 'a>,
    /// In nanoseconds, one for each round.
    times: Vec<f64>,
}

impl<'a> Rounds<'a> {
    /// In each round, each row is run `batch` times.
    pub(crate) fn new(batch: usize) -> Self {
        let rows = Vec::new();
        Self { batch, rows }
    }

    /// Adds a row. What `input` makes is not measured.
    pub(crate) fn row<I, O>(
        &mut self,
        name: impl Into<String>,
        mut input: impl FnMut() -> I + 'a,
        mut what: impl FnMut(I) -> O + 'a,
    ) {
        let size = self.batch;
        self.rows.push(Row {
            name: name.into(),
            batch: Box::new(move || {
                let inputs: Vec<I> = (0..size).map(|_| input()).collect();
                let started = Instant::now();
                for input in inputs {
                    black_box(what(input));
                }
                started.elapsed()
            }),
            times: Vec::new(),
        });
    }

    /// Measures. Once through each row where this is no `cargo bench`, but `cargo test --all-targets`.
    pub(crate) fn run(&mut self) {
        let bench = std::env::args().any(|argument| argument == "--bench");
        let count = self.rows.len();
        for round in 0..if bench { ROUNDS } else { 1 } {
            // So that each row comes first as often as any other, and after each of its neighbours.
            for turn in 0..count {
                let turn = if round % 2 == 0 { turn } else { count - turn };
                let row = &mut self.rows[(round + turn) % count];
                let time = (row.batch)();
                row.times.push(time.as_nanos() as f64 / self.batch as f64);
            }
        }
    }

    /// Prints a line: the median over the rounds of the time of `ours`, divided by the sum of those of `over`.
    pub(crate) fn print_ratio(&self, what: &str, ours: &str, over: &[&str]) {
        let ours = self.times(ours);
        let baseline: Vec<&[f64]> = over.iter().map(|name| self.times(name)).collect();
        let baseline: Vec<f64> = (0..ours.len())
            .map(|round| baseline.iter().map(|times| times[round]).sum())
            .collect();
        let ratios = ours.iter().zip(&baseline).map(|(ours, over)| ours / over);
        let [low, ratio, high] = quartiles(ratios.collect());
        let [_, ours, _] = quartiles(ours.to_vec());
        let [_, over, _] = quartiles(baseline);
        println!(
            "{what:<58} {ratio:>6.3}  {low:>6.3} to {high:>6.3}  {ours:>9.0} ns / {over:>9.0} ns"
        );
    }

    fn times(&self, name: &str) -> &[f64] {
        let row = self.rows.iter().find(|row| row.name == name);
        &row.unwrap_or_else(|| panic!("no row {name:?}")).times
    }
}

/// The header of the lines.
pub(crate) fn print_header(title: &str) {
    println!("\n{title:<58} {:>6}  {:>16}  medians", "ratio", "quartiles");
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}
