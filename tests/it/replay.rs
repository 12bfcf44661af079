//! The properties that the fuzzer drives, over its seeds and over generated input.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy as _, any, prop_oneof, proptest};

use crate::properties;

/// The inputs that the fuzzer starts from.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    if !Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").exists() {
        // The published package goes without.
        return Vec::new();
    }
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect()
}

#[test]
fn delivery_holds_for_the_seeds_of_the_fuzzer() {
    let seeds = seeds("delivery");
    assert!(seeds.len() > 50 || !Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").exists());
    seeds.iter().for_each(|seed| properties::delivery(seed));
}

proptest! {
    #[test]
    fn delivery_holds_for_generated_headers_and_bodies(
        header in vec(
            prop_oneof![
                Just(b"$".to_vec()),
                Just(b"&".to_vec()),
                Just(b"%".to_vec()),
                Just(b",".to_vec()),
                Just(b" ".to_vec()),
                Just(b"\t".to_vec()),
                Just(b"\n".to_vec()),
                Just(b"=".to_vec()),
                vec(1_u8.., 1..50),
                "[A-Za-z0-9+/]{42}[A-Za-z0-9+/]=".prop_map(String::into_bytes),
            ],
            0..8,
        ),
        body in prop_oneof![
            vec(any::<u8>(), 0..300),
            Just(include_bytes!("../data/fixtures/push-change.json").to_vec()),
        ],
    ) {
        properties::delivery(&[&header.concat()[..], b"\0", &body].concat());
    }
}
