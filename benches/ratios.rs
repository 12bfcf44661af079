//! The table at the end: medians of this run, each over its yardstick.

use std::path::PathBuf;
use std::time::SystemTime;

use crate::verify::SIZES;

/// Prints what was measured since `started`. Of what a filter left out, nothing.
pub(crate) fn print(started: SystemTime) {
    let median = |path: &str| median(path, started);
    let row = |what: &str, ours: &str, over: &[&str]| {
        let yardstick: Option<f64> = over.iter().map(|path| median(path)).sum();
        if let (Some(ours), Some(yardstick)) = (median(ours), yardstick) {
            println!(
                "{what:<58} {:>6.2}   {ours:>9.0} ns / {yardstick:>9.0} ns",
                ours / yardstick
            );
        }
    };

    println!("\nratio of medians, ours over the yardstick");
    row(
        "middleware / from_fn by hand",
        "middleware/ours",
        &["middleware/from_fn by hand"],
    );
    row(
        "middleware / handler by hand",
        "middleware/ours",
        &["middleware/handler by hand"],
    );
    row(
        "middleware / (identity layer + floor)",
        "middleware/ours",
        &["middleware/identity layer", "middleware/floor"],
    );
    row(
        "middleware, forged / genuine",
        "middleware/ours, forged",
        &["middleware/ours"],
    );
    row(
        "middleware, unsigned / bare route",
        "middleware/ours, unsigned",
        &["middleware/bare route"],
    );
    for (size, _) in SIZES {
        let path = |what: &str| format!("verify/{what}/{size}");
        let bare = path("bare HMAC");
        row(
            &format!("verify, one secret, {size} / bare HMAC"),
            &path("one secret"),
            &[&bare],
        );
        row(
            &format!("verify, two secrets, {size} / 2 × bare HMAC"),
            &path("two secrets"),
            &[&bare, &bare],
        );
        row(
            &format!("verify, forged, {size} / genuine"),
            &path("forged"),
            &[&path("one secret")],
        );
    }
    for (name, _) in crate::parse::BODIES {
        row(
            &format!("parse, {name} / serde_json's Value"),
            &format!("parse/typed/{name}"),
            &[&format!("parse/Value/{name}")],
        );
    }
}

fn median(path: &str, started: SystemTime) -> Option<f64> {
    // As criterion names the folders of what it measured.
    let folder = path
        .split('/')
        .map(|part| part.replace(['?', '"', '*', '<', '>', ':', '|'], "_"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    let file = target
        .join("criterion")
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
