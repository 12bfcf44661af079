//! Every mistake, made on purpose over generated secrets and bodies, is named; nothing else is proven, nothing leaks.

use std::fmt::Write as _;

use cronofy_webhook::signature::HEADER;
use cronofy_webhook::{Secret, SecretError, Verifier};
use cronofy_webhook_diagnosis::{Certainty, Diagnosis, Finding, Mistake};
use http::HeaderMap;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::json::{notification, samples, value};
use crate::mistakes::{CASES, Sent, secret};

fn explain(sent: &Sent) -> Vec<Finding> {
    let diagnosis = Diagnosis::new(sent.held.iter().map(String::as_str)).unwrap();
    diagnosis.explain(&sent.headers, &sent.body)
}

fn signed(secret: &str, body: &[u8]) -> HeaderMap {
    let signature = Verifier::new([secret]).unwrap().sign(body);
    [(HEADER, signature)].into_iter().collect()
}

/// Run with `cargo test --test it diagnosis::table -- --nocapture` for the table.
#[test]
fn table() {
    let mut table = String::from("mistake | certainty | generated cases | fixtures\n");
    let mut tested = Vec::new();
    for case in CASES {
        let generated = std::cell::Cell::new(0_u32);
        let mut runner = TestRunner::new(Config {
            cases: 32,
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
            check(case.mistake, case.certainty, &sent)?;
            generated.set(generated.get() + 1);
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{}: {error}", case.mistake));
        let mut replayed = 0;
        for (name, body) in samples() {
            for seed in (0..225).step_by(37) {
                if let Some(mut sent) = (case.make)("CRN_v3ry+S3cret/Value_0123456789", &body, seed)
                {
                    // Its strings are ordinary words, such as "dashboard".
                    sent.strings.clear();
                    check(case.mistake, case.certainty, &sent)
                        .unwrap_or_else(|error| panic!("{}: {name}: {error}", case.mistake));
                    replayed += 1;
                }
            }
        }
        let (mistake, certainty) = (case.mistake, case.certainty);
        writeln!(
            table,
            "{mistake} | {certainty} | {} | {replayed}",
            generated.get()
        )
        .unwrap();
        tested.push(mistake);
    }
    println!("{table}");
    for mistake in Mistake::ALL {
        assert!(tested.contains(&mistake), "{mistake} is not tested");
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
    let mut shown = format!("{diagnosis:?} {findings:?} {:?}", diagnosis.of_secrets());
    for finding in findings.iter().chain(&diagnosis.of_secrets()) {
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
        prop_assert_eq!(diagnosis.of_secrets(), []);
    }

    #[test]
    fn nothing_of_a_foreign_delivery_is_proven(
        held in secret(),
        other in secret(),
        signed_body in value(),
        body in prop_oneof![notification(), value()],
        style in 0..15_u64,
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
    let size = 256 << 10;
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
fn several_mistakes_at_once_are_all_named() {
    let body = br#"{"example":"well-known"}"#;
    let hex = b"sha256=" as &[u8];
    let tag = crate::mistakes::tag(b"CRN_held", body);
    let headers = [(
        HEADER,
        [hex, crate::mistakes::hex(&tag).as_bytes()]
            .concat()
            .try_into()
            .unwrap(),
    )];
    let diagnosis = Diagnosis::new(["\"CRN_held\"\n"]).unwrap();
    let findings = diagnosis.explain(&headers.into_iter().collect(), body);
    let names: Vec<_> = findings
        .iter()
        .map(|finding| finding.mistake.as_str())
        .collect();
    for name in ["secret_quoted", "signature_prefixed", "signature_hex"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(findings.iter().all(|finding| finding.secret == Some(0)));
}

#[test]
fn quotes_alone_are_no_empty_secret() {
    let headers: HeaderMap = [(
        HEADER,
        crate::mistakes::base64(&crate::mistakes::tag(b"", b"{}"))
            .parse()
            .unwrap(),
    )]
    .into_iter()
    .collect();
    for secret in ["\"\"", "'\u{a0}'", "\"\u{feff}\""] {
        let diagnosis = Diagnosis::new([secret]).unwrap();
        assert_eq!(proven(&diagnosis.explain(&headers, b"{}")), 0, "{secret}");
    }
}

#[test]
fn a_secret_of_symbols_is_no_placeholder() {
    let diagnosis =
        Diagnosis::new(["€$€$€$€$", "opposable thumbs", "pDY0Oi7TJSP2hfNmZNkm5"]).unwrap();
    assert_eq!(diagnosis.of_secrets(), []);
    let diagnosis = Diagnosis::new(["xxxxxxxx", "Change-Me!", "$(cat secret)"]).unwrap();
    assert!(
        diagnosis
            .of_secrets()
            .iter()
            .all(|f| f.mistake == Mistake::SecretPlaceholder)
    );
    assert_eq!(diagnosis.of_secrets().len(), 3);
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
