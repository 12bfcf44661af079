//! What the crate costs, relative to baselines measured in the same run: `cargo bench --bench bench`, or
//! `cargo bench --bench bench -- middleware` for one of the tables.

mod middleware;
mod parse;
mod ratios;
mod setup;
mod verify;

fn main() {
    let filter = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    for (name, bench) in [
        ("middleware", middleware::bench as fn()),
        ("verify", verify::bench),
        ("parse", parse::bench),
    ] {
        if filter
            .as_ref()
            .is_none_or(|filter| name.contains(&**filter))
        {
            bench();
        }
    }
}
