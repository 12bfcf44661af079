//! The README's first example is the one on the crate's front page, which also runs as a doctest.

use std::path::Path;

/// The lines of the first block of Rust, without those that rustdoc hides.
fn first_example(lines: impl Iterator<Item = &'static str>, fence: &str) -> Vec<&'static str> {
    lines
        .skip_while(|line| *line != fence)
        .skip(1)
        .take_while(|line| *line != "```")
        .filter(|line| !line.starts_with("# "))
        .collect()
}

#[test]
fn the_first_example_is_that_of_the_front_page() {
    let readme = first_example(include_str!("../../README.md").lines(), "```rust");
    let docs = include_str!("../../src/lib.rs").lines();
    let docs = docs.map(|line| line.strip_prefix("//!").unwrap_or(line));
    let docs = docs.map(|line| line.strip_prefix(' ').unwrap_or(line));
    let docs = first_example(
        docs,
        r#"#![cfg_attr(not(feature = "axum"), doc = "```ignore")]"#,
    );
    assert!(readme.len() > 20, "{readme:?}");
    assert_eq!(readme, docs);
}

#[test]
fn the_readme_is_short() {
    let words = include_str!("../../README.md").split_whitespace().count();
    assert!(words < 700, "{words}");
}

// When the repository gets an address, they change in one place.
#[test]
fn links_into_the_repository_are_at_the_end_and_lead_somewhere() {
    let readme = include_str!("../../README.md");
    let (text, links) = readme.split_once("\n<!-- Absolute once").unwrap();
    for target in text.split("](").skip(1) {
        assert!(target.starts_with("https://"), "{target}");
    }
    let links: Vec<_> = links
        .lines()
        .filter_map(|line| line.strip_prefix('['))
        .collect();
    assert!(links.len() > 5, "{links:?}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The package has not all of the repository.
    let is_repository = root.join(".ci").exists();
    for link in links {
        let (label, target) = link.split_once("]: ").unwrap();
        assert!(text.contains(&format!("[{label}]")), "{label}");
        assert!(!is_repository || root.join(target).exists(), "{target}");
    }
}
