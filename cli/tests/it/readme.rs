//! The README tells each field of the JSON output.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Run, command, receiver};

type Fields = BTreeMap<String, BTreeSet<String>>;

/// The rows of the table of fields, by type.
fn documented() -> Fields {
    let readme = include_str!("../../README.md");
    let rows = readme
        .lines()
        .skip_while(|line| !line.starts_with("| `type` | command |"));
    let mut fields = Fields::new();
    let mut current = String::new();
    for row in rows.skip(2).take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row
            .split('|')
            .map(|cell| cell.trim().trim_matches('`'))
            .collect();
        if !cells[1].is_empty() {
            cells[1].clone_into(&mut current);
        }
        fields
            .entry(current.clone())
            .or_default()
            .insert(cells[3].to_owned());
    }
    let all = fields.remove("all").unwrap();
    for fields in fields.values_mut() {
        fields.extend(all.clone());
    }
    fields
}

#[test]
fn the_readme_tells_every_field() {
    let url = receiver();
    let mut printed = Fields::new();
    for arguments in [
        &["samples"][..],
        &["trigger", "change", "--to", &url],
        &["verify", "--body", "Cargo.toml", "--signature", "x"],
    ] {
        for line in Run::of(command(arguments).arg("--json")).stdout.lines() {
            let record: serde_json::Map<_, _> = serde_json::from_str(line).unwrap();
            let fields = printed
                .entry(record["type"].as_str().unwrap().to_owned())
                .or_default();
            fields.extend(record.keys().cloned());
        }
    }
    assert_eq!(printed, documented());
}
