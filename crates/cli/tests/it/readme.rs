//! The README tells each field of the JSON output.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::listen::support::Listening;
use crate::support::{RECORD, Run, command, nobody, receiver, run};

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
            current = (cells[1].to_owned(), cells[2].replace('`', ""));
        }
        for command in current.1.split(", ") {
            let key = (current.0.clone(), command.to_owned());
            let fields = fields.entry(key).or_default();
            fields.insert(cells[3].to_owned());
        }
    }
    let all = fields.remove(&("all".to_owned(), String::new())).unwrap();
    for fields in fields.values_mut() {
        fields.extend(all.clone());
    }
    fields
}

fn add(fields: &mut Fields, command: &str, line: &Value) {
    let r#type = line["type"].as_str().unwrap().to_owned();
    let fields = fields.entry((r#type, command.to_owned())).or_default();
    fields.extend(line.as_object().unwrap().keys().cloned());
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
        ("replay", &["replay", RECORD, "--to", &url]),
        ("check --dry-run", &["check", &url, "--dry-run"]),
        (
            "verify",
            &["verify", "--body", "Cargo.toml", "--signature", "x"],
        ),
    ] {
        for line in Run::of(command(arguments).arg("--json")).stdout.lines() {
            add(&mut printed, name, &serde_json::from_str(line).unwrap());
        }
    }
    let listening = Listening::start("3000", &[]);
    listening.post("/", "{}");
    for line in [&listening.first, &listening.json()] {
        add(&mut printed, "listen", line);
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

#[test]
fn the_readme_tells_every_field_of_a_record() {
    let readme = include_str!("../../README.md");
    let (_, section) = readme.split_once("\n## The record\n").unwrap();
    let line = std::fs::read_to_string(RECORD).unwrap();
    let line: Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
    let fields = line.as_object().unwrap().keys();
    for field in fields.chain(line["answer"].as_object().unwrap().keys()) {
        assert!(section.contains(&format!("`{field}`")), "{field}");
    }
}

/// As somebody would who copies it into an empty folder.
#[cfg(unix)]
#[test]
fn the_session_of_verify_is_as_printed() {
    use std::path::Path;

    use tempfile::TempDir;

    let readme = include_str!("../../README.md");
    let (_, section) = readme.split_once("\n## Find out why").unwrap();
    let (_, block) = section.split_once("```text\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let (typed, printed): (Vec<_>, Vec<_>) = block.lines().partition(|line| line.starts_with("$ "));
    let typed: Vec<_> = typed.iter().map(|line| &line[2..]).collect();

    let folder = TempDir::new().unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_cronofy-webhook"));
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", binary.parent().unwrap().display());
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &typed.join("\n")]).env("PATH", path);
    let run = Run::of(
        shell
            .current_dir(&folder)
            .env_remove("CRONOFY_CLIENT_SECRET"),
    );
    assert_eq!((run.status, run.stderr.as_str()), (1, ""));
    assert_eq!(run.stdout.lines().collect::<Vec<_>>(), printed);
}
