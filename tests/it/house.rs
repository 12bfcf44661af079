//! The house rules that a compiler does not know.

use std::fs;
use std::path::{Path, PathBuf};

use cronofy_webhook::Notification;

#[path = "../../examples/samples/mod.rs"]
mod samples;

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path)
}

fn files_below(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap();
    entries
        .flat_map(|entry| files_below(&entry.unwrap().path()))
        .collect()
}

/// The core is pure and synchronous: it can be used, tested and fuzzed without a runtime.
#[test]
fn the_core_imports_neither_tower_nor_tokio_nor_http_body() {
    let core = [
        "secret.rs",
        "signature",
        "notification",
        "rejection.rs",
        "delivery.rs",
    ];
    let files: Vec<_> = core
        .iter()
        .flat_map(|path| files_below(&source(path)))
        .collect();
    assert!(files.len() >= core.len());
    for file in files {
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            let code = line.trim_start();
            if code.starts_with("//") {
                continue;
            }
            for shell in [
                "tower",
                "tokio",
                "http_body",
                "hyper",
                "axum",
                "crate::middleware",
            ] {
                assert!(
                    !code.contains(&format!("{shell}::")) && !code.contains(&format!("{shell}_")),
                    "{}:{}: {shell} in the core",
                    file.display(),
                    number + 1
                );
            }
        }
    }
}

#[test]
fn nothing_but_events_knows_tracing() {
    for file in files_below(&source("")) {
        let text = fs::read_to_string(&file).unwrap();
        let knows = text
            .lines()
            .any(|line| !line.trim_start().starts_with("//") && line.contains("tracing"));
        assert_eq!(knows, file.ends_with("events.rs"), "{}", file.display());
    }
}

/// `axum` would tie our releases to its own, and the rest is for those who serve with it.
#[test]
fn the_library_depends_on_no_framework() {
    let manifest = include_str!("../../Cargo.toml");
    let from = manifest.find("\n[dependencies]\n").unwrap();
    let to = manifest.find("\n[dev-dependencies]\n").unwrap();
    for line in manifest[from..to].lines() {
        let name = line.split([' ', '=']).next().unwrap();
        assert!(
            !["axum", "tower", "hyper", "hyper-util"].contains(&name),
            "{line}"
        );
    }
}

#[test]
fn there_is_a_sample_of_every_kind_and_each_is_of_the_kind_that_it_says() {
    for (name, body) in samples::SAMPLES {
        let kind = name.split(':').next().unwrap();
        let notification = Notification::from_slice(body.as_bytes());
        assert_eq!(notification.kind(), kind);
        let known = !matches!(notification, Notification::Unknown(_));
        assert_eq!(known, kind != "some_future_type", "{name}");
    }
    for kind in Notification::KINDS {
        assert!(
            samples::SAMPLES.iter().any(|(name, _)| name == kind),
            "{kind}"
        );
    }
}

#[test]
fn the_readme_lists_every_kind_with_how_sure_it_is() {
    let readme = include_str!("../../README.md");
    let section = readme
        .split("\n## ")
        .find(|section| section.starts_with("Kinds\n"))
        .unwrap();
    let rows: Vec<Vec<&str>> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let kinds: Vec<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    assert_eq!(kinds, Notification::KINDS);
    for row in rows {
        let kind = row[0].trim_matches('`');
        let sure = match kind {
            "change"
            | "scheduling_conversation_joined"
            | "scheduling_request_time_chosen"
            | "real_time_scheduling_completed" => "documented",
            "smart_invite" => "documented; with several `recipients` reconstructed",
            "event_subscription" => {
                "`meeting_agent_activated` documented; other interactions type documented; transitions reconstructed"
            }
            "authorization" => "reconstructed",
            _ => "type documented",
        };
        assert_eq!(row[3], sure, "{kind}");
    }
}

/// A block that is marked as Rust, and then as nothing to compile, is wrong some day.
#[test]
fn every_example_in_the_docs_is_compiled() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let mut compiled = 0;
    for file in files_below(&source("")).into_iter().chain([readme]) {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text
            .lines()
            .map(|line| line.trim().trim_start_matches(['/', '!', ' ']));
        let fences = lines.filter_map(|line| line.strip_prefix("```"));
        for block in fences.step_by(2) {
            compiled += usize::from(["", "rust", "rust,no_run"].contains(&block));
            let known = ["", "rust", "rust,no_run", "json", "text", "sh", "toml"];
            assert!(known.contains(&block), "{}: {block}", file.display());
        }
    }
    assert!(compiled > 50, "{compiled}");
}
