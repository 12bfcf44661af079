//! The README's first example is the one on the crate's front page, which also runs as a doctest.

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
