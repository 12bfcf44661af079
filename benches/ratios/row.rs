//! One row of a table of ratios.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Prints the median of `ours` over the sum of the medians of `over`, if all were measured since `started`.
pub(crate) fn print(started: SystemTime, what: &str, ours: &str, over: &[&str]) {
    let baseline: Option<f64> = over.iter().map(|path| median(path, started)).sum();
    if let (Some(ours), Some(baseline)) = (median(ours, started), baseline) {
        println!(
            "{what:<58} {:>6.2}   {ours:>9.0} ns / {baseline:>9.0} ns",
            ours / baseline
        );
    }
}

fn median(path: &str, started: SystemTime) -> Option<f64> {
    // As criterion names its folders.
    let folder = path
        .split('/')
        .map(|part| part.replace(['?', '"', '*', '<', '>', ':', '|'], "_"));
    let file = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .with_file_name("criterion")
        .join(folder.collect::<PathBuf>())
        .join("new/estimates.json");
    let written = file.metadata().and_then(|file| file.modified()).ok()?;
    if written < started {
        return None;
    }
    let estimates = std::fs::read(file).ok()?;
    let estimates: serde_json::Value = serde_json::from_slice(&estimates).ok()?;
    estimates["median"]["point_estimate"].as_f64()
}
