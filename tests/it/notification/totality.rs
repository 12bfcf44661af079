//! Parsing any bytes terminates, without a panic and in bounded memory.

use std::collections::BTreeSet;

use cronofy_webhook::Notification;
use cronofy_webhook::notification::UnknownReason;

use super::fixtures::FIXTURES;
use super::unknown;
use crate::properties;

const MARK: &str = "\"the value to replace\"";

/// Bodies with a mark in place of a value: for each field of each kind one.
fn bodies_with_a_mark() -> Vec<String> {
    let mut fields = BTreeSet::new();
    let mut bodies = Vec::new();
    for fixture in FIXTURES {
        let body = fixture.body();
        for path in super::paths(&body) {
            if fields.insert((fixture.kind, super::pattern(&path))) {
                let mark = serde_json::from_str(MARK).unwrap();
                bodies.push(super::with(&body, &path, |value| *value = mark).to_string());
            }
        }
    }
    bodies
}

/// A test thread has a stack of 2 MiB: 100 bytes of it at each level are too many.
const DEPTH: usize = 20_000;

#[test]
fn deep_nesting_does_not_panic() {
    let nested = |open: &str, close: &str| open.repeat(DEPTH) + "1" + &close.repeat(DEPTH);
    for text in [
        nested("[", "]"),
        nested("{\"a\":", "}"),
        nested("[{\"event\":", "}]"),
        "[".repeat(DEPTH),
        "{\"notification\":".repeat(DEPTH),
    ] {
        properties::notification(text.as_bytes());
        for body in [
            format!(r#"{{"notification":{text}}}"#),
            format!(r#"{{"authorization":{text}}}"#),
            format!(
                r#"{{"notification":{{"type":"event_subscription","x":{text}}},"event":{text}}}"#
            ),
        ] {
            properties::notification(body.as_bytes());
        }
    }
}

#[test]
fn unmodelled_fields_may_be_nested_to_any_depth() {
    let nested = "[".repeat(DEPTH) + &"]".repeat(DEPTH);
    let body = format!(
        r#"{{"notification":{{"type":"event_subscription","x":{nested}}},"event":{{"event_id":"e","x":{nested}}},"x":{nested}}}"#
    );
    assert!(matches!(
        properties::notification(body.as_bytes()),
        Notification::EventSubscription(_)
    ));
}

#[test]
fn odd_numbers_and_text_do_not_panic() {
    let bodies = bodies_with_a_mark();
    for text in [
        "1e999",
        "-1e999",
        "1e-999",
        "123456789012345678901234567890",
        "-0",
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#""\u0000""#,
        r#"{"\ud800":1}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"type":"change","type":"change"}"#,
        r#"{"$serde_json::private::RawValue":"x"}"#,
        r#"{"$serde_json::private::Number":"x"}"#,
        "",
        "nul",
    ] {
        properties::notification(text.as_bytes());
        for body in &bodies {
            properties::notification(body.replace(MARK, text).as_bytes());
        }
    }
}

#[test]
fn a_body_that_is_not_an_object_is_unknown() {
    for body in [
        &b""[..],
        b" ",
        b"null",
        b"true",
        b"0",
        b"\"{}\"",
        b"[]",
        b"[{\"notification\":{\"type\":\"change\"}}]",
        b"{",
        b"{}{}",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\0}\0",
        b"{\"event\":{\"event_id\":\"\xff\"}}",
        b"{\"a_future_member\":\"\xff\",\"event\":{\"event_id\":\"e\"}}",
        b"{\"notification\":{\"type\":\"change\"},}",
        b"\x1f\x8b\x08",
    ] {
        let notification = properties::notification(body);
        let (kind, reason) = unknown(&notification);
        assert_eq!(kind, None);
        assert!(
            matches!(reason, UnknownReason::NotAnObject { .. }),
            "{reason:?}"
        );
    }
}

#[test]
fn a_truncated_fixture_does_not_panic() {
    for fixture in FIXTURES {
        let body = fixture.body().to_string();
        for end in 0..body.len() {
            unknown(&properties::notification(&body.as_bytes()[..end]));
        }
    }
}

/// Bodies of about `n` bytes, each made to be slow to parse.
fn slow_bodies(n: usize) -> Vec<String> {
    let list = |item: &str| vec![item; n / item.len()].join(",");
    let names = |value: &str| {
        let names: Vec<String> = (0..n / 16).map(|i| format!(r#""a{i}":{value}"#)).collect();
        names.join(",")
    };
    let chosen = r#""notification":{"type":"scheduling_request_time_chosen","triggered_at":"2025-01-19T16:14:11Z"}"#;
    vec![
        "[".repeat(n),
        format!("{{{}}}", list(r#""event":{}"#)),
        format!("{{{}}}", list(r#""notification":{"type":"change"}"#)),
        format!("{{{}}}", names("1")),
        format!(
            r#"{{"event":{{"event_id":"{}"}}}}"#,
            "\\u00e9".repeat(n / 6)
        ),
        format!(
            r#"{{"event":{{"event_id":"e","start":"{}"}}}}"#,
            "2".repeat(n)
        ),
        format!(
            r#"{{"event":{{"event_id":"e"}},"participants":[{}]}}"#,
            list(r#"{"sub":"a"}"#)
        ),
        format!(
            r#"{{"event":{{"event_id":"e"}},"participants":[{},5]}}"#,
            list(r#"{"sub":"a"}"#)
        ),
        format!(
            r#"{{{chosen},"scheduling_request":{{"scheduling_request_id":"s","event":{{"metadata":{{"scheduler":{{{}}}}}}}}}}}"#,
            names("\"v\"")
        ),
        format!(
            r#"{{"notification":{{"type":"change","changes_since":"{}"}},"channel":{{}}}}"#,
            "2".repeat(n)
        ),
        format!(r#"{{"notification":{{"type":"{}"}}}}"#, "x".repeat(n)),
        format!("{}{{}}", " ".repeat(n)),
    ]
}

#[test]
fn slow_bodies_need_no_more_memory_than_others() {
    for body in slow_bodies(16 << 10) {
        properties::notification(body.as_bytes());
    }
}
