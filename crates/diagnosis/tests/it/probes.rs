//! `probes`, against receivers that make one mistake each.

use std::collections::BTreeSet;

use cronofy_webhook::{Secret, Verifier};
use cronofy_webhook_diagnosis::{Mistake, Probe, probes};
use cronofy_webhook_testing::Payload;

use crate::json::Json;
use crate::mistakes::{base64, hex, tag};
use crate::support::{CHANGE, OTHER_SECRET, SECRET};

/// What a receiver compares the header with.
type Receiver = fn(&str, &str) -> String;

/// In the order of their frequency.
const RECEIVERS: [(Mistake, Receiver); 12] = [
    (Mistake::BodyReserialised, |secret, body| {
        sign(secret, parse(body).text(0))
    }),
    (Mistake::BodyReserialised, |secret, body| {
        // Spaced, with ASCII alone.
        sign(secret, parse(body).text(7))
    }),
    (Mistake::SignatureHex, |secret, body| {
        hex(&tag(secret.as_bytes(), body.as_bytes()))
    }),
    (Mistake::SignatureHex, |secret, body| {
        base64(hex(&tag(secret.as_bytes(), body.as_bytes())).as_bytes())
    }),
    (Mistake::SecretQuoted, |secret, body| {
        sign(format!("\"{secret}\""), body)
    }),
    (Mistake::SecretWhitespace, |secret, body| {
        sign(format!("{secret}\n"), body)
    }),
    (Mistake::BodyReserialised, |secret, body| {
        // Compact, with ASCII alone and `\/`.
        sign(secret, parse(body).by_php().text(4))
    }),
    (Mistake::BodyEmptied, |secret, _| sign(secret, "")),
    (Mistake::BodyKeysReordered, |secret, body| {
        // Compact, with the escapes of HTML.
        sign(secret, parse(body).sorted().text(1))
    }),
    (Mistake::SecretEmpty, |_, body| sign("", body)),
    (Mistake::SignaturePrefixed, |secret, body| {
        format!("sha256={}", hex(&tag(secret.as_bytes(), body.as_bytes())))
    }),
    (Mistake::SecretDecoded, |secret, body| {
        sign(decoded(secret), body)
    }),
];

fn parse(body: &str) -> Json {
    serde_json::from_str(body).unwrap()
}

fn sign(key: impl AsRef<[u8]>, body: impl AsRef<[u8]>) -> String {
    base64(&tag(key.as_ref(), body.as_ref()))
}

/// As Node decodes Base64.
fn decoded(text: &str) -> Vec<u8> {
    let value = |symbol| match symbol {
        b'A'..=b'Z' => symbol - b'A',
        b'a'..=b'z' => symbol - b'a' + 26,
        b'0'..=b'9' => symbol - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        other => panic!("{other}"),
    };
    let symbols = text.trim_end_matches('=').bytes().map(value);
    let bits: Vec<u8> = symbols
        .flat_map(|value| (0..6).rev().map(move |bit| value >> bit & 1))
        .collect();
    let bytes = bits.chunks_exact(8);
    bytes
        .map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit))
        .collect()
}

fn texts(probes: &[Probe]) -> Vec<&str> {
    probes
        .iter()
        .map(|probe| probe.header.to_str().unwrap())
        .collect()
}

#[test]
fn each_receiver_with_a_mistake_accepts_its_own_probe_alone() {
    for secret in [SECRET, OTHER_SECRET, "pDY0Oi7TJSP2hfNmZNkm5", "a+b/c-d_e=="] {
        for sample in Payload::samples() {
            let (payload, name) = (sample.payload(), sample.name());
            let body = payload.as_str();
            let genuine = sign(secret, body);
            let probes = probes(&Secret::new(secret), body.as_bytes());
            let texts = texts(&probes);
            let mut accepted = BTreeSet::new();
            for (mistake, receiver) in RECEIVERS {
                let expected = receiver(secret, body);
                assert_ne!(expected, genuine, "{name}: {mistake}");
                let is_new = accepted.insert(expected.clone());
                let places: Vec<_> = (0..texts.len()).filter(|i| texts[*i] == expected).collect();
                assert_eq!(places.len(), 1, "{name}: {mistake}");
                if is_new {
                    assert_eq!(places[0], accepted.len() - 1, "{name}: {mistake}");
                    assert_eq!(probes[places[0]].mistake, mistake, "{name}");
                }
            }
            assert_eq!(accepted.len(), probes.len(), "{name}");
        }
    }
}

#[test]
fn no_probe_is_genuine_or_twice_in_the_list() {
    let compact = r#"{"a":1}"#;
    let samples: Vec<_> = Payload::samples().map(|sample| sample.payload()).collect();
    let bodies = samples.iter().map(|payload| payload.as_str());
    for body in bodies.chain(["", "{}", "[]", "no JSON", compact, "{\"a\":\"\u{e9}/\"}"]) {
        let probes = probes(&Secret::new(SECRET), body.as_bytes());
        let genuine = Verifier::new([SECRET]).unwrap().sign(body.as_bytes());
        let distinct: BTreeSet<_> = texts(&probes).into_iter().collect();
        assert_eq!(distinct.len(), probes.len(), "{body}");
        assert!(!distinct.contains(genuine.to_str().unwrap()), "{body}");
    }
    // Nothing of it changes when it is serialised again.
    let probes = probes(&Secret::new(SECRET), compact.as_bytes());
    let made: Vec<_> = probes
        .iter()
        .map(|probe| (probe.mistake, probe.like))
        .collect();
    assert_eq!(
        made[0],
        (Mistake::BodyReserialised, Some("Python's `json.dumps`"))
    );
    assert!(
        !made
            .iter()
            .any(|(mistake, _)| *mistake == Mistake::BodyKeysReordered)
    );
    assert_eq!(made.len(), 9);
}

#[test]
fn a_mistake_that_cannot_be_made_has_no_probe() {
    let probes = probes(&Secret::new("no Base64: €"), b"\xff");
    let made: Vec<_> = probes.iter().map(|probe| probe.mistake).collect();
    let expected = [
        Mistake::SignatureHex,
        Mistake::SignatureHex,
        Mistake::SecretQuoted,
        Mistake::SecretWhitespace,
        Mistake::BodyEmptied,
        Mistake::SecretEmpty,
        Mistake::SignaturePrefixed,
    ];
    assert_eq!(made, expected);
}

#[test]
fn debug_shows_no_signature() {
    let probes = probes(&Secret::new(SECRET), CHANGE);
    let debug = format!("{probes:?}");
    for text in texts(&probes) {
        assert!(!debug.contains(text), "{debug}");
    }
}
