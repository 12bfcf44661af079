//! The page "Other frameworks" shows lines of the examples and of these tests, as they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The section of the page for each file.
const SECTIONS: [(&str, &str); 11] = [
    ("axum 0.7", "tests/axum_0_7.rs"),
    ("hyper 1", "hyper/src/main.rs"),
    ("tonic 0.14", "tonic/src/main.rs"),
    ("warp 0.4", "tests/warp.rs"),
    ("poem 3", "tests/poem.rs"),
    ("salvo 1", "tests/salvo.rs"),
    ("AWS Lambda", "lambda/src/main.rs"),
    ("actix-web 4", "actix/src/main.rs"),
    ("rocket 0.5", "tests/rocket.rs"),
    ("ntex 3", "tests/ntex.rs"),
    ("Cloudflare Workers", "worker/src/lib.rs"),
];

/// The lines of code that the page shows, by section.
fn shown() -> BTreeMap<&'static str, Vec<&'static str>> {
    let page = include_str!("../../../src/documentation/other_frameworks.md");
    let mut shown: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let (mut section, mut in_code) = ("", false);
    for line in page.lines().map(str::trim) {
        match line {
            "```ignore" => in_code = true,
            "```" => in_code = false,
            "" => {}
            code if in_code => shown.entry(section).or_default().push(code),
            prose => section = prose.strip_prefix("# ").unwrap_or(section),
        }
    }
    shown
}

#[test]
fn the_guide_shows_the_lines_of_the_code() {
    let mut shown = shown();
    for (section, file) in SECTIONS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let code = fs::read_to_string(path).unwrap();
        let lines = shown.remove(section).unwrap_or_default();
        assert!(!lines.is_empty(), "{section}");
        for line in lines {
            let found = code.lines().any(|in_file| in_file.trim() == line);
            assert!(found, "{line:?} is not in {file}");
        }
    }
    assert!(shown.is_empty(), "{shown:?}");
}
