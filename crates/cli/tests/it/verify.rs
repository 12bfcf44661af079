use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use cronofy_webhook::Verifier;
use cronofy_webhook_diagnosis::Mistake;

use crate::support::{OTHER_SECRET, Run, SECRET, command, file, run};

/// As Cronofy sends it: keys in the documented order, and text that is not ASCII.
const BODY: &str = r#"{"notification":{"type":"change","changes_since":"2026-04-19T09:24:16Z"},"channel":{"channel_id":"chn_1","callback_url":"https://receiver.example/é?a=1&b=2"}}"#;

/// A delivery as somebody else has received it.
struct Case {
    mistake: Mistake,
    certainty: &'static str,
    secret: String,
    body: Vec<u8>,
    headers: Vec<String>,
}

fn sign(secret: &str, body: impl AsRef<[u8]>) -> String {
    let verifier = Verifier::new([secret]).unwrap();
    verifier.sign(body.as_ref()).to_str().unwrap().to_owned()
}

fn mac(body: &str) -> Vec<u8> {
    STANDARD.decode(sign(SECRET, body)).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn case(
    mistake: Mistake,
    certainty: &'static str,
    secret: &str,
    body: impl AsRef<[u8]>,
    signature: &str,
) -> Case {
    Case {
        mistake,
        certainty,
        secret: secret.to_owned(),
        body: body.as_ref().to_vec(),
        headers: vec![format!("Cronofy-HMAC-SHA256: {signature}")],
    }
}

/// Received with another secret than it was signed with.
fn held(mistake: Mistake, signed: &str, held: &str) -> Case {
    case(mistake, "proven", held, BODY, &sign(signed, BODY))
}

/// Received with what cannot be a secret.
fn suspicious(mistake: Mistake, held: &str) -> Case {
    case(mistake, "likely", held, BODY, &sign(SECRET, BODY))
}

/// Received with other bytes than were signed.
fn rewritten(mistake: Mistake, body: impl AsRef<[u8]>) -> Case {
    case(mistake, "proven", SECRET, body, &sign(SECRET, BODY))
}

/// Received with a signature in another form.
fn written(mistake: Mistake, signature: &str) -> Case {
    case(mistake, "proven", SECRET, BODY, signature)
}

/// Signed by somebody else.
fn foreign(mistake: Mistake, body: impl AsRef<[u8]>, header: &str) -> Case {
    let mut case = case(mistake, "likely", SECRET, &body, &sign(OTHER_SECRET, &body));
    case.headers
        .extend((!header.is_empty()).then(|| header.to_owned()));
    case
}

fn secret_cases() -> Vec<Case> {
    vec![
        held(Mistake::SecretWhitespace, SECRET, &format!("{SECRET}\t")),
        held(Mistake::SecretQuoted, SECRET, &format!("'{SECRET}'")),
        held(Mistake::SecretBase64, SECRET, &STANDARD.encode(SECRET)),
        held(Mistake::SecretHex, SECRET, &hex(SECRET.as_bytes())),
        held(Mistake::SecretDecoded, &STANDARD.encode(SECRET), SECRET),
        held(
            Mistake::SecretWithoutPrefix,
            SECRET,
            SECRET.strip_prefix("CRN_").unwrap(),
        ),
        held(Mistake::SecretPercentEncoded, SECRET, &percent(SECRET)),
        suspicious(Mistake::SecretPlaceholder, "changeme"),
        suspicious(Mistake::SecretAssignment, &format!("KEY={SECRET}")),
        suspicious(Mistake::SecretReference, "${CRONOFY_CLIENT_SECRET}"),
        suspicious(Mistake::SecretStructure, &format!("[\"{SECRET}\"]")),
    ]
}

fn body_cases() -> Vec<Case> {
    let value: serde_json::Value = serde_json::from_str(BODY).unwrap();
    let latin1: String = BODY.bytes().map(char::from).collect();
    vec![
        rewritten(
            Mistake::BodyReserialised,
            BODY.replace(':', ": ")
                .replace("https: ", "https:")
                .replace(",\"", ", \"")
                .replace("09: 24: 16", "09:24:16"),
        ),
        rewritten(Mistake::BodyKeysReordered, value.to_string()),
        rewritten(Mistake::BodyNewline, format!("{BODY}\n")),
        rewritten(Mistake::BodyByteOrderMark, format!("\u{feff}{BODY}")),
        rewritten(Mistake::BodyLatin1, latin1),
        rewritten(Mistake::BodyBase64, STANDARD.encode(BODY)),
        rewritten(
            Mistake::BodyFormEncoded,
            format!("payload={}", percent(BODY)),
        ),
        rewritten(
            Mistake::BodyJsonString,
            serde_json::to_string(BODY).unwrap(),
        ),
        case(
            Mistake::BodyEmptied,
            "likely",
            SECRET,
            "",
            &sign(SECRET, BODY),
        ),
        foreign(Mistake::BodyLength, BODY, "Content-Length: 7"),
        foreign(Mistake::BodyCompressed, b"\x1f\x8b\x08\x00", ""),
        foreign(
            Mistake::BodyReplacementCharacter,
            "{\"a\":\"\u{fffd}\"}",
            "",
        ),
        foreign(Mistake::OtherProvider, BODY, "Stripe-Signature: t=1"),
    ]
}

fn signature_cases() -> Vec<Case> {
    let genuine = sign(SECRET, BODY);
    // Both need a signature in which the alphabets differ.
    let body = (0..)
        .map(|n| format!("{BODY}{}", " ".repeat(n)))
        .find(|body| sign(SECRET, body).contains(['+', '/']))
        .unwrap();
    let sha256 = "SBGMsAuonSvj62PblVw+g/k2hXLgM/TrIZ0OfTD12+c=";
    vec![
        written(Mistake::SignatureHex, &hex(&mac(BODY))),
        written(Mistake::SignaturePrefixed, &format!("sha256={genuine}")),
        case(
            Mistake::SignatureUrlSafe,
            "proven",
            SECRET,
            &body,
            &URL_SAFE.encode(mac(&body)),
        ),
        written(Mistake::SignatureUnpadded, genuine.trim_end_matches('=')),
        written(Mistake::SignatureQuoted, &format!("\"{genuine}\"")),
        written(
            Mistake::SignatureSeparator,
            &format!("{};{genuine}", sign(OTHER_SECRET, BODY)),
        ),
        case(
            Mistake::SignatureOtherHash,
            "likely",
            SECRET,
            BODY,
            &STANDARD.encode([7; 20]),
        ),
        written(Mistake::KeyAndMessageSwapped, &sign(BODY, SECRET)),
        written(Mistake::PlainSha256, sha256),
        case(
            Mistake::OtherApplication,
            "possible",
            SECRET,
            BODY,
            &format!("{},{}", sign(OTHER_SECRET, BODY), sign("CRN_third", BODY)),
        ),
    ]
}

fn verify(case: &Case, json: bool) -> Run {
    let (_body, body) = file(&case.body);
    let (_secret, secret) = file(&case.secret);
    let mut command = command(&["verify", "--body", &body, "--secret-file", &secret]);
    for header in &case.headers {
        command.args(["--header", header]);
    }
    Run::of(command.args(json.then_some("--json")))
}

#[test]
fn every_mistake_of_the_diagnosis_is_named() {
    let cases: Vec<Case> = [secret_cases(), body_cases(), signature_cases()]
        .into_iter()
        .flatten()
        .collect();
    let named: BTreeSet<_> = cases.iter().map(|case| case.mistake.as_str()).collect();
    // Nothing that is received shows an empty secret.
    let received = Mistake::ALL
        .iter()
        .filter(|mistake| **mistake != Mistake::SecretEmpty);
    let all: BTreeSet<_> = received.map(|mistake| mistake.as_str()).collect();
    assert_eq!(named, all);
    for case in cases {
        let json = verify(&case, true);
        assert_eq!(json.status, 1, "{}", case.mistake);
        let report = &json.records("report")[0];
        let finding = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|finding| finding["mistake"] == case.mistake.as_str());
        let finding = finding.unwrap_or_else(|| panic!("{}: {report}", case.mistake));
        assert_eq!(finding["certainty"], case.certainty, "{}", case.mistake);

        let text = verify(&case, false);
        let line = format!("\n{}: {}", case.certainty, case.mistake.sentence());
        assert!(
            text.stdout.starts_with("not authentic: ") && text.stdout.contains(&line),
            "{}",
            text.stdout
        );
        for secret in [SECRET, case.secret.as_str()] {
            assert!(!text.stdout.contains(secret) && !json.stdout.contains(secret));
        }
    }
}

#[test]
fn an_authentic_delivery_is_told_with_its_secret() {
    let (_folder, path) = file(BODY);
    let both = [OTHER_SECRET, SECRET]
        .map(|secret| sign(secret, BODY))
        .join(",");
    let authentic = |secrets: &str, signature: &str| {
        let mut command = command(&["verify", "--body", &path, "--signature", signature]);
        let run = Run::of(command.env("CRONOFY_CLIENT_SECRET", secrets));
        assert_eq!(run.status, 0, "{}", run.stdout);
        run.stdout
    };
    let one = authentic(SECRET, &sign(SECRET, BODY));
    assert_eq!(one, "authentic: change, signed with client secret 1 of 1\n");
    let unknown = authentic(SECRET, &both);
    assert!(unknown.contains("\nrotation: 1 of the signatures is of a secret that was not given"));
    let unused = authentic(&format!("{OTHER_SECRET},{SECRET}"), &sign(SECRET, BODY));
    assert!(unused.starts_with(
        "authentic: change, signed with client secret 2 of 2\nrotation: client secret 1 made none"
    ));
}

#[test]
fn nothing_that_explains_a_mismatch_is_told_as_that() {
    let run = verify(&foreign(Mistake::BodyLength, BODY, ""), false);
    assert_eq!(run.status, 1);
    assert!(
        run.stdout
            .lines()
            .nth(1)
            .unwrap()
            .starts_with("nothing explains it: "),
        "{}",
        run.stdout
    );
}

#[test]
fn an_absent_and_a_malformed_signature_have_causes_of_their_own() {
    let (_folder, path) = file(BODY);
    for (header, error, cause) in [
        (
            "Host: a.example",
            "absent or empty",
            "a proxy has removed the header",
        ),
        (
            "Cronofy-HMAC-SHA256: abc",
            "none of the values",
            "cut off on the way",
        ),
    ] {
        let run = run(&["verify", "--body", &path, "--header", header]);
        assert_eq!(run.status, 1);
        let lines: Vec<_> = run.stdout.lines().collect();
        assert_eq!(lines.len(), 2, "{}", run.stdout);
        assert!(lines[0].contains(error), "{}", run.stdout);
        assert!(lines[1].contains(cause), "{}", run.stdout);
    }
}

#[test]
fn a_body_is_read_from_standard_input() {
    let mut command = command(&["verify", "--body", "-", "--signature", &sign(SECRET, BODY)]);
    assert_eq!(Run::with_input(&mut command, BODY.as_bytes()).status, 0);
}

#[test]
fn a_malformed_header_is_a_mistake_in_usage() {
    for arguments in [
        &["verify", "--body", "Cargo.toml"][..],
        &["verify", "--body", "Cargo.toml", "--header", "no colon"],
        &["verify", "--body", "Cargo.toml", "--header", "a b: c"],
        &["verify", "--body", "Cargo.toml", "--header", "a: b\r\nc: d"],
        &["verify", "--body", "nowhere", "--signature", "x"],
    ] {
        let run = run(arguments);
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{arguments:?}");
    }
}
