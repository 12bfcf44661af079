//! What the source layout promises, and no compiler checks: a core without a runtime, and imports that go one way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files_below(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap();
    let mut files: Vec<_> = entries
        .flat_map(|entry| files_below(&entry.unwrap().path()))
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    files
}

/// The code of a file, without comments and docs.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// `["middleware", "future"]` for `src/middleware/future.rs`, `["middleware"]` for `src/middleware/mod.rs`.
fn module(file: &Path) -> Vec<String> {
    let path = file.strip_prefix(source()).unwrap().with_extension("");
    let parts = path.iter().map(|part| part.to_str().unwrap().to_owned());
    parts
        .filter(|part| part != "mod" && part != "lib")
        .collect()
}

/// The modules that a file imports or names in full.
fn imports(file: &Path, modules: &BTreeSet<Vec<String>>) -> BTreeSet<Vec<String>> {
    let this = module(file);
    let parent = &this[..this.len().saturating_sub(1)];
    let code = code(file);
    let mut imported = BTreeSet::new();
    for (marker, base) in [
        ("crate::", &[][..]),
        ("super::", parent),
        ("self::", &this[..]),
    ] {
        for (start, _) in code.match_indices(marker) {
            let path = code[start + marker.len()..]
                .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            let mut target = base.to_vec();
            for part in path.into_iter().next().unwrap_or("").split("::") {
                target.push(part.to_owned());
            }
            while !modules.contains(&target) && !target.is_empty() {
                target.pop();
            }
            imported.insert(target);
        }
    }
    imported.remove(&this);
    imported
}

/// A module and its parent may name each other; nothing else may import in a circle.
#[test]
fn no_two_files_import_each_other() {
    let files = files_below(&source());
    let modules: BTreeSet<_> = files.iter().map(|file| module(file)).collect();
    let graph: BTreeMap<_, BTreeSet<_>> = files
        .iter()
        .map(|file| {
            let from = module(file);
            let imported = imports(file, &modules).into_iter().filter(|to| {
                // `super::Type` is a re-export of the parent.
                !(from.starts_with(to) || to.starts_with(&from))
            });
            let imported = imported.collect();
            (from, imported)
        })
        .collect();
    assert!(graph.len() > 20 && graph.values().map(BTreeSet::len).sum::<usize>() > 40);

    for start in graph.keys() {
        let mut reached = BTreeSet::new();
        let mut next: Vec<_> = graph[start].iter().collect();
        while let Some(module) = next.pop() {
            assert_ne!(module, start, "a cycle of imports goes through {start:?}");
            if reached.insert(module) {
                next.extend(&graph[module]);
            }
        }
    }
}

/// The core can be used, tested and fuzzed without a runtime.
#[test]
fn the_core_imports_neither_tower_nor_tokio_nor_http_body() {
    let core = [
        "secret.rs",
        "signature",
        "notification",
        "rejection",
        "delivery.rs",
        "callback_url.rs",
        "diagnosis",
        "events",
    ];
    for path in core {
        for file in files_below(&source().join(path)) {
            let code = code(&file);
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
                    "{}: {shell}",
                    file.display(),
                );
            }
        }
    }
}

#[test]
fn only_events_imports_tracing_and_metrics() {
    let files = files_below(&source());
    let (events, others): (Vec<_>, Vec<_>) = files
        .iter()
        .filter(|file| {
            let code = code(file);
            code.contains("tracing::") || code.contains("metrics::")
        })
        .partition(|file| file.starts_with(source().join("events")));
    assert!(events.len() > 3);
    assert!(others.is_empty(), "{others:?}");
}
