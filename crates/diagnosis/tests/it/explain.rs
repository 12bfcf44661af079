//! Every mistake, made on purpose over generated secrets and bodies, is named; nothing else is proven, nothing leaks.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cronofy_webhook::signature::HEADER;
use cronofy_webhook::{Secret, SecretError, Verifier};
use cronofy_webhook_diagnosis::{Certainty, Diagnosis, Finding, Mistake};
use cronofy_webhook_testing::Payload;
use http::HeaderMap;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::json::{Json, STYLES, notification, samples, value};
use crate::mistakes::{CASES, Case, Sent, base64, documented, hex, secret, tag};

fn explain(sent: &Sent) -> Vec<Finding> {
    let diagnosis = Diagnosis::new(sent.held.iter().map(String::as_str)).unwrap();
    diagnosis.explain(&sent.headers, &sent.body)
}

fn signed(secret: &str, body: &[u8]) -> HeaderMap {
    let signature = Verifier::new([secret]).unwrap().sign(body);
    [(HEADER, signature)].into_iter().collect()
}

#[test]
fn each_mistake_of_a_secret_is_named() {
    each_is_named("secret_");
}

#[test]
fn each_mistake_of_a_body_is_named() {
    each_is_named("body_");
}

#[test]
fn each_mistake_of_a_signature_is_named() {
    each_is_named("signature_");
}

#[test]
fn each_mistake_of_scheme_or_sender_is_named() {
    for start in ["key_", "plain_", "other_"] {
        each_is_named(start);
    }
}

#[test]
fn each_mistake_has_a_case() {
    for mistake in Mistake::ALL {
        let is_made = CASES.iter().any(|case| case.mistake == *mistake);
        // Nothing that is received shows it.
        assert_eq!(is_made, *mistake != Mistake::SecretEmpty, "{mistake}");
    }
}

/// Over generated secrets and bodies, and over the samples.
fn each_is_named(start: &str) {
    let is_meant = |case: &&Case| case.mistake.as_str().starts_with(start);
    for case in CASES.iter().filter(is_meant) {
        let mut runner = TestRunner::new(Config {
            cases: 8,
            max_global_rejects: 100_000,
            failure_persistence: None,
            ..Config::default()
        });
        let body = prop_oneof![notification(), value()];
        let input = (secret(), body, any::<u64>());
        let result = runner.run(&input, |(secret, body, seed)| {
            let Some(sent) = (case.make)(&secret, &body, seed) else {
                return Err(TestCaseError::reject("the mistake changes nothing"));
            };
            check(case.mistake, case.certainty, &sent)
        });
        result.unwrap_or_else(|error| panic!("{}: {error}", case.mistake));
        for (seed, (name, body)) in (0..).step_by(37).zip(samples()) {
            let secret = "CRN_v3ry+S3cret/Value_0123456789";
            if let Some(mut sent) = (case.make)(secret, &body, seed) {
                // Its strings are ordinary words, such as "dashboard".
                sent.strings.clear();
                check(case.mistake, case.certainty, &sent)
                    .unwrap_or_else(|error| panic!("{}: {name}: {error}", case.mistake));
            }
        }
    }
}

fn check(mistake: Mistake, certainty: Certainty, sent: &Sent) -> Result<(), TestCaseError> {
    let findings = explain(sent);
    let is_named = |finding: &Finding| finding.mistake == mistake && finding.certainty == certainty;
    prop_assert!(
        findings.iter().any(is_named),
        "{findings:?} for {:?} with {:?} and {:?}",
        String::from_utf8_lossy(&sent.body),
        sent.headers,
        sent.held,
    );
    leaks_nothing(&findings, sent)
}

/// No 8 characters in a row of a secret, a signature or a body.
fn leaks_nothing(findings: &[Finding], sent: &Sent) -> Result<(), TestCaseError> {
    let diagnosis = Diagnosis::new(sent.held.iter().map(String::as_str)).unwrap();
    let mut shown = format!("{diagnosis:?} {findings:?} {:?}", diagnosis.check_secrets());
    for finding in findings.iter().chain(&diagnosis.check_secrets()) {
        write!(shown, " {finding}").unwrap();
    }
    let signatures = sent
        .headers
        .get_all(HEADER)
        .iter()
        .map(|line| line.as_bytes());
    let secrets = sent.held.iter().map(String::as_bytes);
    for hidden in secrets
        .chain(signatures)
        .chain(sent.strings.iter().map(String::as_bytes))
    {
        for run in hidden.windows(8) {
            let is_shown = shown.as_bytes().windows(8).any(|shown| shown == run);
            prop_assert!(!is_shown, "{:?}", String::from_utf8_lossy(run));
        }
    }
    Ok(())
}

fn proven(findings: &[Finding]) -> usize {
    let is_proven = |finding: &&Finding| finding.certainty == Certainty::Proven;
    findings.iter().filter(is_proven).count()
}

proptest! {
    #[test]
    fn a_genuine_delivery_has_nothing_to_explain(
        secrets in prop::collection::vec(secret(), 1..4),
        index: prop::sample::Index,
        body in value(),
    ) {
        let body = body.text(0).into_bytes();
        let headers = signed(index.get(&secrets[..]).as_str(), &body);
        let diagnosis = Diagnosis::new(secrets.iter().map(String::as_str)).unwrap();
        prop_assert_eq!(diagnosis.explain(&headers, &body), []);
        prop_assert_eq!(diagnosis.check_secrets(), []);
    }

    #[test]
    fn nothing_of_a_foreign_delivery_is_proven(
        held in secret(),
        other in secret(),
        signed_body in value(),
        body in prop_oneof![notification(), value()],
        style in 0..40_u64,
    ) {
        prop_assume!(held != other);
        let body = body.text(style).into_bytes();
        let diagnosis = Diagnosis::new([held.as_str()]).unwrap();
        prop_assert_eq!(proven(&diagnosis.explain(&signed(&other, &body), &body)), 0);
        let signed_body = signed_body.text(0).into_bytes();
        if serde_json::from_slice::<serde_json::Value>(&signed_body).unwrap()
            != serde_json::from_slice::<serde_json::Value>(&body).unwrap()
        {
            prop_assert_eq!(proven(&diagnosis.explain(&signed(&held, &signed_body), &body)), 0);
        }
    }
}

#[test]
fn numbers_keep_their_text() {
    let body = br#"{"a":[1.0,1e5,-0,12345678901234567890123],"b":"\ud800","c":{}}"#;
    let spaced = br#"{ "a" : [ 1.0, 1e5, -0, 12345678901234567890123 ], "b":"\ud800", "c" : { } }"#;
    let diagnosis = Diagnosis::new(["CRN_held"]).unwrap();
    let findings = diagnosis.explain(&signed("CRN_held", body), spaced);
    assert_eq!(findings[0].mistake, Mistake::BodyReserialised);
    assert_eq!(findings[0].certainty, Certainty::Proven);
}

#[test]
fn hostile_bodies_end_within_the_bounds() {
    let size = 64 << 10;
    let bodies = [
        "[".repeat(size),
        "[".repeat(size / 2) + &"]".repeat(size / 2),
        format!("[{}1]", "1,".repeat(size / 2)),
        format!("[{}1]", "[1],".repeat(size / 4)),
        format!("[{}1]", "{\"\":0},".repeat(size / 7)),
        format!("{{{}\"a\":1}}", "\"b\":1,".repeat(size / 6)),
        format!("\"{}\"", "<".repeat(size)),
        format!("\"{}\"", "\\\"".repeat(size / 2)),
        "[".repeat(900) + &"1,".repeat(size / 2) + "1" + &"]".repeat(900),
        "[".repeat(15) + &"1,".repeat(size / 2) + "1" + &"]".repeat(15),
        "é".repeat(size / 2),
        "\r\n".repeat(size / 2),
        format!("payload={}", "%".repeat(size)),
    ];
    for body in bodies {
        crate::property::diagnosis(&[b"%\n%", body.as_bytes()].join(&0));
    }
}

#[test]
fn json_is_rewritten_within_the_documented_bounds() {
    let is_explained = |signed_body: &str, body: &str| {
        let diagnosis = Diagnosis::new(["CRN_held"]).unwrap();
        let findings =
            diagnosis.explain(&signed("CRN_held", signed_body.as_bytes()), body.as_bytes());
        proven(&findings) == 1
    };
    let nested = |depth| ["[".repeat(depth), "]".repeat(depth)].concat();
    for (depth, explained) in [(16, true), (17, false)] {
        let body = nested(depth);
        assert_eq!(
            is_explained(&body, &format!(" {body}")),
            explained,
            "{depth}"
        );
    }
    // Indented, a short item of a list takes 2 spaces for each level.
    for (levels, explained) in [(4, true), (14, false)] {
        let indent = "  ".repeat(levels);
        let items = vec!["1"; 1000].join(&format!(",\n{indent}"));
        let opened: String = (1..=levels)
            .map(|level| format!("[\n{}", "  ".repeat(level)))
            .collect();
        let closed: String = (0..levels)
            .rev()
            .map(|level| format!("\n{}]", "  ".repeat(level)))
            .collect();
        let indented = format!("{opened}{items}{closed}");
        let compact = indented.replace(['\n', ' '], "");
        assert_eq!(is_explained(&indented, &compact), explained, "{levels}");
    }
}

#[test]
fn the_forms_of_a_signature_are_named_beside_a_mistake_of_the_secret() {
    let body = br#"{"example":"well-known"}"#;
    let signature = format!("sha256={}", hex(&tag(b"CRN_held", body)));
    let headers = HeaderMap::from_iter([(HEADER, signature.parse().unwrap())]);
    let diagnosis = Diagnosis::new(["\"CRN_held\"\n"]).unwrap();
    let findings = diagnosis.explain(&headers, body);
    let named: Vec<_> = findings.iter().map(|f| (f.mistake, f.certainty)).collect();
    let expected = [
        (Mistake::SecretQuoted, Certainty::Proven),
        (Mistake::SignaturePrefixed, Certainty::Proven),
        (Mistake::SignatureHex, Certainty::Proven),
        (Mistake::SecretWhitespace, Certainty::Likely),
    ];
    assert_eq!(named, expected);
    assert!(findings.iter().all(|finding| finding.secret == Some(0)));
}

#[test]
fn the_first_proof_ends_the_search() {
    let body = br#"{"example":"well-known"}"#;
    let hexadecimal: HeaderMap =
        HeaderMap::from_iter([(HEADER, hex(&tag(b"CRN_held", body)).parse().unwrap())]);
    let only = |secret: &str, headers: &HeaderMap, mistake| {
        let findings = Diagnosis::new([secret]).unwrap().explain(headers, body);
        let proven = findings.iter().filter(|f| f.certainty == Certainty::Proven);
        let proven: Vec<_> = proven.map(|finding| finding.mistake).collect();
        assert_eq!(proven, [mistake], "{secret:?}");
    };
    only("CRN_held", &hexadecimal, Mistake::SignatureHex);
    for secret in ["CRN_held\r", "\u{feff}CRN_held", " CRN_held"] {
        only(secret, &signed("CRN_held", body), Mistake::SecretWhitespace);
    }
}

/// What a receiver may hash instead of the bytes that it got.
#[test]
fn every_sample_in_every_style_is_proven_to_be_serialised_again() {
    let diagnosis = Diagnosis::new(["CRN_held"]).unwrap();
    let mut proven = 0;
    for sample in Payload::samples() {
        let (payload, name) = (sample.payload(), sample.name());
        let sent = payload.as_str();
        let body: Json = serde_json::from_str(sent).unwrap();
        let by_php = Some(body.by_php()).filter(|_| !body.text(0).contains("[]"));
        let styles = |body: &Json| {
            (0..STYLES)
                .map(|style| body.text(style))
                .collect::<Vec<_>>()
        };
        let seen: BTreeSet<_> = [Some(body), by_php]
            .iter()
            .flatten()
            .flat_map(styles)
            .collect();
        for seen in seen.iter().filter(|seen| *seen != sent) {
            let findings = diagnosis.explain(&signed("CRN_held", sent.as_bytes()), seen.as_bytes());
            let mistake = match seen.trim_end() == sent.trim_end() {
                true => Mistake::BodyNewline,
                false => Mistake::BodyReserialised,
            };
            assert_eq!(findings.len(), 1, "{name}: {seen}: {findings:?}");
            assert_eq!(findings[0].mistake, mistake, "{name}: {seen}");
            assert_eq!(findings[0].certainty, Certainty::Proven, "{name}: {seen}");
            proven += 1;
        }
    }
    assert!(proven > 400, "{proven}");
}

#[test]
fn sorted_keys_of_every_sample_are_proven_where_the_order_is_documented() {
    let diagnosis = Diagnosis::new(["CRN_held"]).unwrap();
    for sample in Payload::samples() {
        let (payload, name) = (sample.payload(), sample.name());
        let sent = payload.as_str();
        let body: Json = serde_json::from_str(sent).unwrap();
        if body.sorted() == body {
            continue;
        }
        for style in 0..STYLES {
            let seen = body.sorted().text(style);
            let findings = diagnosis.explain(&signed("CRN_held", sent.as_bytes()), seen.as_bytes());
            assert_eq!(findings.len(), 1, "{name}: {seen}: {findings:?}");
            assert_eq!(findings[0].mistake, Mistake::BodyKeysReordered, "{name}");
            let is_proven = findings[0].certainty == Certainty::Proven;
            assert!(is_proven || !documented(&body), "{name}: {seen}");
        }
    }
}

#[test]
fn an_empty_body_was_likely_read_before() {
    let diagnosis = Diagnosis::new(["CRN_held"]).unwrap();
    let mut headers = signed("CRN_held", b"{}");
    headers.insert("content-length", 2.into());
    let findings = diagnosis.explain(&headers, b"");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].mistake, Mistake::BodyEmptied);
    assert_eq!(findings[0].certainty, Certainty::Likely);

    assert_eq!(diagnosis.explain(&signed("CRN_held", b""), b""), []);
    assert_eq!(diagnosis.explain(&HeaderMap::new(), b""), []);
}

#[test]
fn quotes_alone_are_no_empty_secret() {
    let headers = HeaderMap::from_iter([(HEADER, base64(&tag(b"", b"{}")).parse().unwrap())]);
    for secret in ["\"\"", "'\u{a0}'", "\"\u{feff}\""] {
        let diagnosis = Diagnosis::new([secret]).unwrap();
        assert_eq!(proven(&diagnosis.explain(&headers, b"{}")), 0, "{secret}");
    }
}

#[test]
fn what_looks_wrong_with_a_secret_is_likely() {
    for (secret, mistakes) in [
        ("CRN_held", &[][..]),
        ("pDY0Oi7TJSP2hfNmZNkm5", &[]),
        (
            "'CRN_held'\n",
            &[Mistake::SecretWhitespace, Mistake::SecretQuoted],
        ),
        ("SECRET=CRN_held", &[Mistake::SecretAssignment]),
        ("Change-Me!", &[Mistake::SecretPlaceholder]),
        ("$(cat secret)", &[Mistake::SecretReference]),
        (r#"{"secret":"CRN_held"}"#, &[Mistake::SecretStructure]),
        ("CRN_held%2B", &[Mistake::SecretPercentEncoded]),
        ("100%", &[Mistake::SecretStructure]),
        ("Q1JOX2FuX2V4YW1wbGU=", &[Mistake::SecretBase64]),
        ("43524e5f616e5f6578616d706c65", &[Mistake::SecretHex]),
    ] {
        let findings = Diagnosis::new([secret]).unwrap().check_secrets();
        let named: Vec<_> = findings.iter().map(|finding| finding.mistake).collect();
        assert_eq!(named, mistakes, "{secret}");
        for finding in findings {
            assert_eq!(finding.certainty, Certainty::Likely);
            assert_eq!(finding.secret, Some(0));
        }
    }
}

#[test]
fn secrets_are_required() {
    let no_secrets = Diagnosis::new::<[&str; 0]>([]).unwrap_err();
    assert_eq!(no_secrets, SecretError::NoSecrets);
    let blank = Diagnosis::new(["CRN_a", " "]).unwrap_err();
    assert!(matches!(blank, SecretError::Blank { index: 1, .. }));
}

#[test]
fn debug_shows_labels_alone() {
    let diagnosis = Diagnosis::new([Secret::new("CRN_b").with_label("2026")]).unwrap();
    assert_eq!(
        format!("{diagnosis:?}"),
        r#"Diagnosis { labels: [Some("2026")], .. }"#
    );
}
