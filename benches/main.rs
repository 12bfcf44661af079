//! What the crate costs, relative to baselines measured in the same run: `cargo bench`. Ends with a table of ratios.

use criterion::Criterion;

mod middleware;
mod parse;
mod ratios;
mod setup;
mod subscriber;
mod verify;

fn main() {
    let started = std::time::SystemTime::now();
    let mut criterion = Criterion::default().configure_from_args();
    verify::bench(&mut criterion);
    parse::bench(&mut criterion);
    middleware::bench(&mut criterion);
    criterion.final_summary();
    ratios::print(started);
}
