//! The table at the end: medians of this run, each divided by its baseline.

use std::time::SystemTime;

use crate::verify::SIZES;

mod row;

/// Prints the ratios of what was measured since `started`; rows that a filter excluded are left out.
pub(crate) fn print(started: SystemTime) {
    let row = |what: &str, ours: &str, over: &[&str]| row::print(started, what, ours, over);

    println!("\nratio of medians, ours to the baseline");
    row(
        "middleware / from_fn by hand",
        "middleware/ours",
        &["middleware/from_fn by hand"],
    );
    row(
        "middleware, subscriber at warn / from_fn by hand",
        "middleware/ours, subscriber at warn",
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
        "middleware, forged, with a hook / without",
        "middleware/ours with a hook, forged",
        &["middleware/ours, forged"],
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
    for (name, _) in crate::parse::SAMPLES {
        row(
            &format!("parse, {name} / serde_json's Value"),
            &format!("parse/typed/{name}"),
            &[&format!("parse/Value/{name}")],
        );
    }
}
