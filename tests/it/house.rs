//! The house rules that a compiler does not know.

use std::fs;
use std::path::{Path, PathBuf};

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
        "signature.rs",
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
fn nothing_but_observe_knows_tracing() {
    for file in files_below(&source("")) {
        let text = fs::read_to_string(&file).unwrap();
        let knows = text
            .lines()
            .any(|line| !line.trim_start().starts_with("//") && line.contains("tracing"));
        assert_eq!(knows, file.ends_with("observe.rs"), "{}", file.display());
    }
}
