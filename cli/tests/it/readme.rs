//! The README tells each field of the JSON output.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Run, command, nobody, receiver, run};

/// The fields of each type of each command.
type Fields = BTreeMap<(String, String), BTreeSet<String>>;

/// The rows of the table of fields.
fn documented() -> Fields {
    let readme = include_str!("../../README.md");
    let rows = readme
        .lines()
        .skip_while(|line| !line.starts_with("| `type` | command |"));
    let mut fields = Fields::new();
    let mut current = (String::new(), String::new());
    for row in rows.skip(2).take_while(|line| line.starts_with('|')) {
        let cells = row.split('|').map(|cell| cell.trim().trim_matches('`'));
        let cells: Vec<&str> = cells.collect();
        if !cells[1].is_empty() {
            current = (cells[1].to_owned(), cells[2].to_owned());
        }
        fields
            .entry(current.clone())
            .or_default()
            .insert(cells[3].to_owned());
    }
    let all = fields.remove(&("all".to_owned(), String::new())).unwrap();
    for fields in fields.values_mut() {
        fields.extend(all.clone());
    }
    fields
}

#[test]
fn the_readme_tells_every_field() {
    let url = receiver();
    let mut printed = Fields::new();
    for (name, arguments) in [
        ("samples", &["samples"][..]),
        ("trigger", &["trigger", "change", "--to", &url]),
        ("check", &["check", &nobody()]),
        (
            "simulate",
            &["simulate", "--to", &url, "--for", "1h", "--speed", "86400"],
        ),
        ("check --dry-run", &["check", &url, "--dry-run"]),
        (
            "verify",
            &["verify", "--body", "Cargo.toml", "--signature", "x"],
        ),
    ] {
        for line in Run::of(command(arguments).arg("--json")).stdout.lines() {
            let record: serde_json::Map<_, _> = serde_json::from_str(line).unwrap();
            let r#type = record["type"].as_str().unwrap().to_owned();
            let fields = printed.entry((r#type, name.to_owned())).or_default();
            fields.extend(record.keys().cloned());
        }
    }
    assert_eq!(printed, documented());
}

#[test]
fn the_readme_tells_every_line_of_a_check() {
    let url = nobody().replace("http:", "https:");
    let readme = include_str!("../../README.md");
    for line in run(&["check", &url, "--json"]).records("check") {
        let id = line["id"].as_str().unwrap();
        let (group, rest) = id.split_once('.').unwrap_or((id, ""));
        let is_told = readme.contains(&format!("`{id}`"))
            || (readme.contains(&format!("| `{group}.")) && readme.contains(&format!("`.{rest}`")));
        assert!(is_told, "{id}");
    }
}
