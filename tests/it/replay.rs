//! The properties that the fuzzer checks, over its seeds and over generated input.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::sample::select;

use crate::properties;

/// Checks a property for each file of a folder.
fn replay<T>(property: fn(&[u8]) -> T, folder: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let seeds: Vec<_> = fs::read_dir(&folder).unwrap().collect();
    assert!(seeds.len() >= 25, "{}: {}", folder.display(), seeds.len());
    for seed in seeds {
        property(&fs::read(seed.unwrap().path()).unwrap());
    }
}

#[test]
fn signature_holds_for_the_seeds() {
    replay(properties::signature, "tests/data/seeds/signature");
}

#[test]
fn notification_holds_for_the_seeds() {
    replay(properties::notification, "tests/data/seeds/notification");
    replay(properties::notification, "crates/testing/samples");
}

#[test]
fn delivery_holds_for_the_seeds() {
    replay(properties::delivery, "tests/data/seeds/delivery");
}

#[test]
fn middleware_holds_for_the_seeds() {
    replay(properties::middleware, "tests/data/seeds/middleware");
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
    fn signature_holds_for_generated_secrets_headers_and_bodies(
        secrets in vec(prop_oneof![Just("CRN_é".to_owned()), "\\PC{0,80}"], 1..5),
        header in header(),
        body in body(),
    ) {
        let secrets = secrets.join("\n");
        properties::signature(&[secrets.as_bytes(), &header, &body].join(&0));
    }

    // Whole notifications are generated in `notification::properties`.
    #[test]
    fn notification_holds_for_generated_bytes(body in body()) {
        properties::notification(&body);
    }

    #[test]
    fn delivery_holds_for_generated_headers_and_bodies(header in header(), body in body()) {
        properties::delivery(&[header, body].join(&0));
    }

    #[test]
    fn middleware_holds_for_generated_exchanges(exchange in vec(any::<u8>(), 0..200)) {
        properties::middleware(&exchange);
    }
}
