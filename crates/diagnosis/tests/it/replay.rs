//! The property that the fuzzer checks, over its seeds and over generated input.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::sample::select;

use crate::property::diagnosis;

#[test]
fn diagnosis_holds_for_the_seeds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/seeds");
    let seeds: Vec<_> = fs::read_dir(&folder).unwrap().collect();
    assert!(seeds.len() >= 25, "{}", seeds.len());
    for seed in seeds {
        diagnosis(&fs::read(seed.unwrap().path()).unwrap());
    }
}

fn header() -> impl Strategy<Value = Vec<u8>> {
    let mark = select(b"$&!?%~^*, \t\n=".to_vec());
    let piece = prop_oneof![
        10 => mark.prop_map(|mark| vec![mark]),
        1 => vec(1_u8.., 1..50),
        1 => "[A-Za-z0-9+/_-]{43}=".prop_map(String::into_bytes),
    ];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..300),
        Just(crate::support::CHANGE.to_vec()),
    ]
}

proptest! {
    #[test]
    fn diagnosis_holds_for_generated_headers_and_bodies(header in header(), body in body()) {
        diagnosis(&[header, body].join(&0));
    }
}
