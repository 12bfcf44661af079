//! Invalid optional fields are dropped; required ones make the notification an `Unknown`.

use std::sync::LazyLock;

use bytes::Bytes;
use cronofy_webhook::{Delivery, Notification};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::fields::{every_field, tells_the_kind};
use super::fixtures::Fixture;
use super::{fields, parse, unknown, with};
use crate::properties::json as as_json;
use crate::support::verifier;

type Field = (&'static Fixture, Value, String);

fn is_required((fixture, body, path): &Field) -> bool {
    fixture.requires(path) || fixture.tells_the_outcome(path) || tells_the_kind(body, path)
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(Value::from),
    ];
    let key = prop_oneof![
        any::<String>(),
        proptest::sample::select(vec!["type", "start", "email", "minutes", "time"])
            .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key.clone(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

/// Whether two notifications differ at most in an optional field on the way to `path`.
fn differ_at_most_at(a: &Value, b: &Value, field: &Field) -> bool {
    let (fixture, body, path) = field;
    let ends = path.match_indices('/').map(|(end, _)| end).skip(1);
    let prefixes = ends.chain([path.len()]).map(|end| &path[..end]);
    let without = |value: &Value, path: &str| {
        let mut value = value.clone();
        let (object, name) = path.rsplit_once('/').unwrap();
        if let Some(Value::Object(fields)) = value.pointer_mut(object) {
            fields.remove(name);
        }
        value
    };
    prefixes
        .filter(|prefix| !is_required(&(*fixture, body.clone(), (*prefix).to_owned())))
        .any(|prefix| without(a, prefix) == without(b, prefix))
}

fn check(field: &Field, text: &str) -> Result<(), TestCaseError> {
    let (fixture, body, path) = field;
    let notification = Notification::from_slice(text.as_bytes());
    prop_assert!(
        fixture.is_of_its_variant(&notification),
        "{path}: {notification:?} of {text}"
    );
    let (before, after) = (as_json(&parse(body)), as_json(&notification));
    prop_assert!(
        differ_at_most_at(&before, &after, field),
        "{path} of {text}: {before} and {after}"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn an_invalid_optional_field_loses_only_that_field(index: Index, odd in any_json()) {
        static OPTIONAL: LazyLock<Vec<Field>> =
            LazyLock::new(|| every_field().filter(|field| !is_required(field)).collect());
        let field = index.get(&OPTIONAL);
        let text = with(&field.1, &field.2, |value| *value = odd).to_string();
        check(field, &text)?;
    }

    #[test]
    fn a_duplicated_field_in_an_optional_value_loses_only_that_value(index: Index, odd in any_json()) {
        const SECOND: &str = "the second of two";
        static IN_OPTIONAL: LazyLock<Vec<Field>> = LazyLock::new(|| every_field()
            .filter(|(fixture, body, path)| {
                let steps = path.match_indices('/').map(|(end, _)| end).skip(1);
                steps.map(|end| &path[..end]).any(|parent| {
                    let is_item = parent.ends_with(|c: char| c.is_ascii_digit());
                    !is_item && !is_required(&(*fixture, body.clone(), parent.to_owned()))
                })
            })
            .collect());
        let field = index.get(&IN_OPTIONAL);
        let (object, name) = field.2.rsplit_once('/').unwrap();
        let doubled = with(&field.1, object, |object| {
            fields(object).insert(SECOND.to_owned(), odd);
        });
        let text = doubled
            .to_string()
            .replace(&format!("\"{SECOND}\":"), &format!("\"{name}\":"));
        check(field, &text)?;
    }

    #[test]
    fn an_invalid_required_field_is_never_dropped_silently(index: Index, odd in any_json()) {
        static REQUIRED: LazyLock<Vec<Field>> = LazyLock::new(|| {
            let fields = every_field();
            fields.filter(|(fixture, _, path)| fixture.requires(path)).collect()
        });
        let (fixture, body, path) = index.get(&REQUIRED);
        // One of its two lists may be absent, and `null` is.
        prop_assume!(fixture.kind != "event_subscription" || !odd.is_null());
        let text = with(body, path, |value| *value = odd.clone()).to_string();
        let notification = Notification::from_slice(text.as_bytes());
        if !matches!(notification, Notification::Unknown(_)) {
            let parsed = as_json(&notification);
            let present = parsed.pointer(path);
            prop_assert!(present.is_some_and(|value| !value.is_null()), "{path} of {text}");
        }
    }
}

/// The paths that a delivery of this body reports, after a check that the kind is as expected.
fn invalid_fields(body: &str, kind: &str) -> Vec<String> {
    let verifier = verifier();
    let signature = verifier.sign(body.as_bytes());
    let headers = [(cronofy_webhook::signature::HEADER, signature)];
    let body = Bytes::copy_from_slice(body.as_bytes());
    let delivery = Delivery::verify(&verifier, &headers.into_iter().collect(), body).unwrap();
    let notification = delivery.notification();
    assert!(
        !matches!(notification, Notification::Unknown(_)),
        "{notification:?}"
    );
    assert_eq!(notification.kind(), kind);
    delivery.invalid_fields().to_vec()
}

#[test]
fn invalid_fields_are_listed_and_the_rest_is_kept() {
    for (field, lost) in [
        (r#""filters":{}"#, &[][..]),
        (r#""filters":null"#, &[]),
        (r#""filters":[]"#, &["channel.filters"]),
        (
            r#""filters":{"only_managed":"true"}"#,
            &["channel.filters.only_managed"],
        ),
        (
            r#""filters":{"only_managed":true,"only_managed":true}"#,
            &["channel.filters"],
        ),
        (
            r#""filters":{"calendar_ids":["a",7]}"#,
            &["channel.filters.calendar_ids"],
        ),
        (r#""filters":"\ud800""#, &["channel.filters"]),
        (
            r#""scheduling_conversations":true"#,
            &["channel.scheduling_conversations"],
        ),
        (
            r#""scheduling_conversations":true,"filters":7"#,
            &["channel.filters", "channel.scheduling_conversations"],
        ),
    ] {
        let body = format!(
            r#"{{"notification":{{"type":"change","changes_since":"2026-04-19T09:24:16Z"}},"channel":{{"channel_id":"c","callback_url":"u",{field}}},"event":7}}"#
        );
        assert_eq!(invalid_fields(&body, "change"), lost, "{field}");
    }
    for (fields, lost) in [
        (
            r#""reply":{"email":"e","status":"accepted","comment":"\ud800"}"#,
            "smart_invite.reply.comment",
        ),
        (
            r#""reply":{"email":"e","status":"accepted","proposal":{"start":5}}"#,
            "smart_invite.reply.proposal",
        ),
        (
            r#""recipients":[{},7],"reply":{"email":"e","status":"accepted"}"#,
            "smart_invite.recipients",
        ),
    ] {
        let body = format!(
            r#"{{"notification":{{"type":"smart_invite"}},"smart_invite":{{"smart_invite_id":"s","callback_url":"u",{fields}}}}}"#
        );
        assert_eq!(invalid_fields(&body, "smart_invite"), [lost], "{fields}");
    }
    for (fields, lost) in [
        (
            r#""duration":{"minutes":30.0}"#,
            "scheduling_request.duration.minutes",
        ),
        (
            r#""event":{"metadata":{"scheduler":{"a secret":5}}}"#,
            "scheduling_request.event.metadata.scheduler",
        ),
    ] {
        let body = format!(
            r#"{{"notification":{{"type":"scheduling_request_time_chosen","triggered_at":"2025-01-19T16:14:11Z"}},"scheduling_request":{{"scheduling_request_id":"s",{fields}}}}}"#
        );
        let lost_fields = invalid_fields(&body, "scheduling_request_time_chosen");
        assert_eq!(lost_fields, [lost], "{fields}");
    }
}

#[test]
fn the_reason_for_a_body_that_is_not_an_object_names_what_it_is() {
    for (body, detail) in [
        (&b""[..], "it is empty"),
        (b" \n", "it is empty"),
        (
            b"\xef\xbb\xbf{}",
            "it begins with the byte-order mark of UTF-8",
        ),
        (
            b"\xff\xfe{\0}\0",
            "it begins with the byte-order mark of UTF-16",
        ),
        (
            b"\x1f\x8b\x08\0",
            "it begins as gzip does, and was not decompressed",
        ),
        (b"{\"a\":\"\xff\"}", "it is not UTF-8 at byte 6"),
        (b"[]", "it is an array"),
        (b"\"text\"", "it is a string"),
        (b"null", "it is `null`"),
        (b"true", "it is a boolean"),
        (b"-1", "it is a number"),
        (b"\n{\n  \"a\": x}", "expected value at line 3 column 8"),
        (b"{} {}", "trailing characters at line 1 column 4"),
        (
            b"{\"a\":1",
            "EOF while parsing an object at line 1 column 6",
        ),
    ] {
        let notification = Notification::from_slice(body);
        let (kind, reason) = unknown(&notification);
        assert_eq!(kind, None);
        let expected = format!("the body is not a JSON object: {detail}");
        assert_eq!(reason.to_string(), expected, "{body:?}");
    }
}

#[test]
fn many_invalid_values_are_replaced_in_a_few_passes() {
    let recipients = vec![r#"{"email":5,"slot_selector":"true"}"#; 2000].join(",");
    let body = format!(
        r#"{{"notification":{{"type":"scheduling_request_time_chosen","triggered_at":"2025-01-19T16:14:11Z"}},"scheduling_request":{{"scheduling_request_id":"s","recipients":[{recipients}],"summary":"s"}}}}"#
    );
    let mut notification = None;
    let memory = allocation_counter::measure(|| {
        notification = Some(Notification::from_slice(body.as_bytes()));
    });
    let Some(Notification::SchedulingRequestTimeChosen(chosen)) = notification else {
        panic!("unknown");
    };
    assert_eq!(chosen.scheduling_request.recipients, None);
    assert_eq!(chosen.scheduling_request.summary.as_deref(), Some("s"));
    // One pass for each of 2,000 values would copy 2,000 bodies.
    assert!(memory.bytes_total < 100 * body.len() as u64, "{memory:?}");
}

fn change_since(text: &str) -> Notification {
    parse(&json!({
        "notification": { "type": "change", "changes_since": text },
        "channel": { "channel_id": "c", "callback_url": "u" },
    }))
}

#[test]
fn changes_since_is_accepted_in_the_forms_of_rfc_3339_and_iso_8601() {
    for (text, instant) in [
        ("2026-04-19T09:24:16Z", "2026-04-19T09:24:16Z"),
        ("2026-04-19T09:24:16+02:00", "2026-04-19T07:24:16Z"),
        ("2026-04-19T09:24:16+0000", "2026-04-19T09:24:16Z"),
        ("2026-04-19T09:24:16-00:00", "2026-04-19T09:24:16Z"),
        ("2026-04-19 09:24:16Z", "2026-04-19T09:24:16Z"),
        ("2026-04-19t09:24:16z", "2026-04-19T09:24:16Z"),
        ("2026-04-19T09:24Z", "2026-04-19T09:24:00Z"),
        (
            "2026-04-19T09:24:16.9999999999Z",
            "2026-04-19T09:24:16.999999999Z",
        ),
        (
            "1969-04-19T09:24:16,12345678909+00:00",
            "1969-04-19T09:24:16.123456789Z",
        ),
    ] {
        let Notification::Change(change) = change_since(text) else {
            panic!("{text}");
        };
        assert_eq!(change.changes_since, instant.parse().unwrap(), "{text}");
    }
}

#[test]
fn a_change_with_an_invalid_time_is_unknown() {
    for text in [
        "",
        "yesterday",
        "2026-04-19",
        "2026-04-19T09:24:16",
        "2026-04-19T09:24:16+25:61",
        "2026-13-19T09:24:16Z",
        "1776590656",
        "2026-04-19T09:24:16Z trailing",
    ] {
        let notification = change_since(text);
        assert_eq!(unknown(&notification).0, Some("change"), "{text}");
        assert_eq!(notification.channel().unwrap().channel_id, "c", "{text}");
    }
}

#[test]
fn the_reason_for_a_malformed_time_says_what_is_expected() {
    for (value, position) in [
        (r#""2016-04-15 13:44:10 UTC""#, "at line 1 column 74"),
        (r#""2016-04-15 13:44:10 +0000""#, "at line 1 column 76"),
        ("1460727850", "at line 1 column 59"),
    ] {
        let body = format!(
            r#"{{"notification":{{"type":"change","changes_since":{value}}},"channel":{{"channel_id":"c","callback_url":"u"}}}}"#
        );
        let notification = Notification::from_slice(body.as_bytes());
        assert_eq!(
            unknown(&notification).1.to_string(),
            format!(
                "`notification.changes_since` is malformed: expected an RFC 3339 or ISO 8601 time \
                 such as 2026-04-19T09:24:16Z {position}"
            ),
        );
    }
}

#[test]
fn a_field_name_that_is_not_unicode_text_loses_neither_kind_nor_channel() {
    let change = r#""type":"change","changes_since":"2026-04-19T09:24:16Z""#;
    let channel = r#""channel":{"channel_id":"c","callback_url":"u"}"#;
    for (body, field) in [
        (
            format!(r#"{{"\ud800":1,"notification":{{{change}}},{channel}}}"#),
            "?",
        ),
        (
            format!(r#"{{"notification":{{{change}}},{channel},"\udc00":{{}}}}"#),
            "?",
        ),
        (
            format!(r#"{{"notification":{{{change},"\ud800":1}},{channel}}}"#),
            "notification.?",
        ),
    ] {
        let notification = Notification::from_slice(body.as_bytes());
        let (kind, reason) = unknown(&notification);
        assert_eq!(kind, Some("change"), "{body}");
        assert_eq!(notification.channel().unwrap().channel_id, "c", "{body}");
        let reason = reason.to_string();
        let expected = format!("`{field}` is malformed: ");
        assert!(reason.starts_with(&expected), "{body}: {reason}");
        assert!(reason.contains("hex escape"), "{body}: {reason}");
    }
}
