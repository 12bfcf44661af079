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
    let files = files_below(&source(""));
    for file in files
        .iter()
        .filter(|file| file.extension() == Some("rs".as_ref()))
    {
        let text = fs::read_to_string(file).unwrap();
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

/// As `CONTRIBUTING.md` asks of a new type.
#[test]
fn every_notification_type_shows_its_json_its_source_and_an_example() {
    const OURS: [&str; 2] = ["Unknown", "UnknownReason"];
    const STRINGS: [&str; 7] = [
        "AuthorizationCode",
        "EventTime",
        "InteractionKind",
        "MeetingAgentState",
        "ReplyStatus",
        "SlotSelection",
        "TransitionKind",
    ];
    let sources: Vec<String> = files_below(&source("notification"))
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let exports = include_str!("../../src/notification/mod.rs")
        .split("pub use self::")
        .skip(1)
        .flat_map(|export| {
            export
                .split(';')
                .next()
                .unwrap()
                .split([':', '{', '}', ','])
        })
        .map(str::trim)
        .filter(|name| name.starts_with(char::is_uppercase));
    for name in exports {
        let docs = sources.iter().find_map(|source| docs_of(name, source));
        let docs = docs.unwrap_or_else(|| panic!("{name} is not found, or has no docs"));
        let fences = docs.iter().filter(|line| line.starts_with("/// ```"));
        let blocks: Vec<_> = fences.step_by(2).collect();
        let json =
            OURS.contains(&name) || STRINGS.contains(&name) || blocks.contains(&&"/// ```json");
        assert!(json, "{name} does not show its JSON");
        let says = |word| docs.iter().any(|line| line.contains(word));
        assert!(
            OURS.contains(&name) || says("Source: "),
            "{name} does not name its source"
        );
        assert!(
            blocks.contains(&&"/// ```") && says("assert"),
            "{name} has no example that asserts"
        );
    }
}

/// The lines of docs of a type that `source` defines, with a keyword or in one of our macros.
fn docs_of<'a>(name: &str, source: &'a str) -> Option<Vec<&'a str>> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let starts = [
        format!("pub struct {name} "),
        format!("pub struct {name}("),
        format!("pub enum {name} "),
        format!("{name} {{"),
        format!("{name}, \""),
    ];
    let place = lines
        .iter()
        .position(|line| starts.iter().any(|start| line.starts_with(start)))?;
    let mut above: Vec<_> = lines[..place]
        .iter()
        .rev()
        .copied()
        .skip_while(|line| line.starts_with("#["))
        .take_while(|line| line.starts_with("///"))
        .collect();
    above.reverse();
    (!above.is_empty()).then_some(above)
}
