//! Notifications with a field added, removed or replaced.

use cronofy_webhook::Notification;
use cronofy_webhook::notification::UnknownReason;
use serde_json::{Value, json};

use super::fixtures::{FIXTURES, Fixture};
use super::{fields, holds_data, parse, paths, unknown, with, with_plain_times, without};
use crate::properties;

/// Each field of each fixture.
pub(super) fn every_field() -> impl Iterator<Item = (&'static Fixture, Value, String)> {
    FIXTURES.iter().flat_map(|fixture| {
        let body = fixture.body();
        let paths = paths(&body);
        paths
            .into_iter()
            .map(move |path| (fixture, body.clone(), path))
    })
}

/// Whether a reason names the field at `path`, or the first one below it that is required.
fn names(reason: &UnknownReason, path: &str) -> bool {
    let mut wire = String::new();
    for step in path.split('/').skip(1) {
        match step.parse::<usize>() {
            Ok(index) => wire += &format!("[{index}]"),
            Err(_) if wire.is_empty() => wire += step,
            Err(_) => wire += &format!(".{step}"),
        }
    }
    match reason {
        UnknownReason::Missing { field, .. } | UnknownReason::Malformed { field, .. } => {
            field.starts_with(&wire)
        }
        _ => false,
    }
}

/// The fields that determine the kind.
pub(super) fn tells_the_kind(body: &Value, path: &str) -> bool {
    match path {
        "/notification" | "/notification/type" | "/authorization" => true,
        "/event" => body.get("notification").is_none(),
        _ => false,
    }
}

#[test]
fn unknown_fields_are_ignored() {
    let mut objects = 0;
    for fixture in FIXTURES {
        let body = fixture.body();
        let items = (0..3).flat_map(|n| paths(&body).into_iter().map(move |p| format!("{p}/{n}")));
        let places = [String::new()].into_iter().chain(paths(&body)).chain(items);
        for path in places.filter(|path| !holds_data(path)) {
            if !body.pointer(&path).is_some_and(Value::is_object) {
                continue;
            }
            for odd in [json!({ "a": [1, null, "x"] }), json!(null), json!(1.5)] {
                let extended = with(&body, &path, |object| {
                    fields(object).insert("a_future_field".to_owned(), odd);
                });
                assert_eq!(parse(&extended), parse(&body), "{} {path}", fixture.name);
            }
            objects += 1;
        }
    }
    assert!(objects > 100, "{objects}");
}

#[test]
fn fields_of_other_kinds_are_ignored() {
    for fixture in FIXTURES {
        let body = fixture.body();
        let own: &[&str] = match fixture.kind {
            "event_subscription" => &["notification", "event", "meeting_agent"],
            "smart_invite" => &["notification", "smart_invite"],
            "scheduling_request_time_chosen" => &["notification", "scheduling_request"],
            "real_time_scheduling_completed" => &[
                "notification",
                "authorization",
                "event",
                "participants",
                "user",
            ],
            "authorization" => &["notification", "authorization"],
            _ => &["notification", "channel"],
        };
        let all = [
            "notification",
            "channel",
            "smart_invite",
            "event",
            "meeting_agent",
            "scheduling_request",
            "participants",
            "user",
            "authorization",
        ];
        for field in all.into_iter().filter(|field| !own.contains(field)) {
            for odd in ["7", "\"x\"", "[]", "{}", "[{}]"] {
                let text = body.to_string();
                let text = format!("{{\"{field}\":{odd},{}", &text[1..]);
                let notification = Notification::from_slice(text.as_bytes());
                assert_eq!(notification, parse(&body), "{} {text}", fixture.name);
            }
        }
    }
}

#[test]
fn an_absent_optional_field_changes_no_other() {
    let mut removed = 0;
    for (fixture, body, path) in every_field() {
        if fixture.requires(&path) || tells_the_kind(&body, &path) {
            continue;
        }
        let rest = without(&body, &path);
        let notification = parse(&rest);
        assert!(fixture.is_of_its_variant(&notification), "{path}");
        let needed = [
            "channel_id",
            "callback_url",
            "event_id",
            "sub",
            "start",
            "end",
            "time",
        ];
        if needed
            .iter()
            .any(|name| path.ends_with(&format!("/{name}")))
        {
            continue; // The optional field that needs it is lost as well.
        }
        let parsed = with_plain_times(&properties::json(&notification));
        assert_eq!(parsed, with_plain_times(&rest), "{} {path}", fixture.name);

        let null = with(&body, &path, |field| *field = Value::Null);
        assert_eq!(parse(&null), notification, "{} {path}", fixture.name);
        removed += 1;
    }
    assert!(removed > 100, "{removed}");
}

#[test]
fn a_body_without_a_required_field_is_unknown() {
    for (fixture, body, path) in every_field() {
        let is_list = body.pointer(&path).is_some_and(Value::is_array);
        if !fixture.requires(&path) || tells_the_kind(&body, &path) || is_list {
            continue;
        }
        let null = with(&body, &path, |field| *field = Value::Null);
        for body in [without(&body, &path), null] {
            let notification = parse(&body);
            let (kind, reason) = unknown(&notification);
            assert_eq!(kind, Some(fixture.kind), "{path}");
            assert_eq!(notification.kind(), fixture.kind);
            let without_outcome = fixture.kind == "authorization";
            assert!(without_outcome || names(reason, &path), "{path} {reason:?}");
        }
    }
}

fn odd_values() -> [Value; 11] {
    [
        json!(5),
        json!(30.0),
        json!(2_147_483_648_i64),
        json!(true),
        json!("\u{0}"),
        json!([]),
        json!([null]),
        json!([5, {}]),
        json!({}),
        json!([{}]),
        json!({ "a": [1, null, "x"] }),
    ]
}

#[test]
fn an_invalid_optional_field_never_changes_the_variant() {
    let mut replaced = 0;
    for (fixture, body, path) in every_field() {
        if fixture.requires(&path)
            || fixture.tells_the_outcome(&path)
            || tells_the_kind(&body, &path)
        {
            continue;
        }
        for odd in odd_values() {
            let body = with(&body, &path, |field| *field = odd);
            assert!(fixture.is_of_its_variant(&parse(&body)), "{path} {body}");
            replaced += 1;
        }
    }
    assert!(replaced > 1000, "{replaced}");
}

#[test]
fn an_invalid_required_field_makes_it_unknown() {
    for (fixture, body, path) in every_field() {
        if !fixture.requires(&path)
            || path == "/notification/type"
            || path.contains("/start/")
            || path.contains("/end/")
        {
            continue;
        }
        for odd in odd_values() {
            if odd == json!([]) && body.pointer(&path).unwrap().is_array() {
                continue;
            }
            let is_text = body.pointer(&path).unwrap().is_string();
            if is_text
                && odd.is_string()
                && path != "/notification/changes_since"
                && path != "/notification/triggered_at"
                || odd.is_string() && ["/event/start", "/event/end"].contains(&path.as_str())
            {
                continue;
            }
            let body = with(&body, &path, |field| *field = odd);
            let notification = parse(&body);
            let (kind, reason) = unknown(&notification);
            assert_eq!(kind, Some(fixture.kind), "{body}");
            assert!(names(reason, &path), "{path} {reason:?}");
        }
    }
}

#[test]
fn an_array_is_not_taken_for_a_payload() {
    for fixture in FIXTURES {
        let body = fixture.body();
        unknown(&parse(&json!([body])));
        for name in [
            "notification",
            "channel",
            "smart_invite",
            "scheduling_request",
            "authorization",
        ] {
            let Some(payload) = body.get(name).and_then(Value::as_object) else {
                continue;
            };
            let values: Value = payload.values().cloned().collect();
            let path = format!("/{name}");
            let notification = parse(&with(&body, &path, |field| *field = values));
            if fixture.requires(&path) || tells_the_kind(&body, &path) {
                unknown(&notification);
            } else {
                assert!(fixture.is_of_its_variant(&notification), "{path}");
                assert_eq!(notification.channel(), None);
            }
        }
    }
}

#[test]
fn a_duplicated_required_field_is_malformed() {
    for (body, kind, path) in [
        (
            r#"{"notification":{"type":"verification"},"channel":{"channel_id":"c","callback_url":"u"},"channel":{}}"#,
            "verification",
            "channel",
        ),
        (
            r#"{"notification":{"type":"change","type":"change"}}"#,
            "change",
            "notification.type",
        ),
        (
            r#"{"authorization":{"code":"a"},"authorization":{"code":"b"}}"#,
            "authorization",
            "authorization",
        ),
        (
            r#"{"authorization":{"code":"a","code":"b"}}"#,
            "authorization",
            "authorization.code",
        ),
    ] {
        let notification = Notification::from_slice(body.as_bytes());
        let (told, reason) = unknown(&notification);
        let UnknownReason::Malformed { field, .. } = reason else {
            panic!("{body} {reason:?}");
        };
        assert_eq!((told, field.as_str()), (Some(kind), path), "{body}");
    }
}

#[test]
fn notification_precedes_authorization_precedes_event() {
    let kind = |body: Value| parse(&body).kind().to_owned();
    let (event, authorization) = (json!({ "event_id": "e" }), json!({ "code": "c" }));

    assert_eq!(
        kind(json!({ "event": event })),
        "real_time_scheduling_completed"
    );
    assert_eq!(
        kind(json!({ "event": event, "authorization": null, "notification": null })),
        "real_time_scheduling_completed"
    );
    assert_eq!(
        kind(json!({ "event": event, "authorization": authorization })),
        "authorization"
    );
    assert_eq!(
        kind(
            json!({ "event": event, "authorization": authorization, "notification": { "type": "event_subscription" } })
        ),
        "event_subscription"
    );
    for notification in [json!([]), json!("x"), json!(7), json!({ "type": 7 })] {
        let body =
            json!({ "event": event, "authorization": authorization, "notification": notification });
        let notification = parse(&body);
        let (kind, reason) = unknown(&notification);
        assert_eq!(kind, None);
        assert!(
            matches!(reason, UnknownReason::Malformed { .. }),
            "{reason:?}"
        );
    }
    for notification in [json!({}), json!({ "type": null })] {
        let body = json!({ "event": event, "notification": notification });
        assert_eq!(unknown(&parse(&body)), (None, &UnknownReason::Untyped));
    }
    for body in [
        json!({}),
        json!({ "event": null }),
        json!({ "participants": [], "user": {} }),
    ] {
        assert_eq!(unknown(&parse(&body)), (None, &UnknownReason::Untyped));
    }
}

#[test]
fn our_kind_names_are_not_wire_types() {
    for word in [
        "authorization",
        "real_time_scheduling_completed",
        "unknown",
        "",
    ] {
        let body = json!({
            "notification": { "type": word },
            "authorization": { "code": "c" },
            "event": { "event_id": "e" },
        });
        let notification = parse(&body);
        assert_eq!(
            unknown(&notification),
            (Some(word), &UnknownReason::UnknownType)
        );
    }
}

#[test]
fn an_authorization_with_both_code_and_error_or_neither_is_unknown() {
    for body in [
        json!({ "code": "c", "error": "e" }),
        json!({ "error_key": "k", "error_description": "d" }),
        json!({ "state": "s" }),
        json!({}),
    ] {
        let body = json!({ "authorization": body });
        let notification = parse(&body);
        let (kind, reason) = unknown(&notification);
        assert_eq!(kind, Some("authorization"));
        assert!(names(reason, "/authorization"), "{reason:?}");
    }
    let granted = json!({ "authorization": { "code": "c", "error": null, "error_key": null } });
    assert!(matches!(parse(&granted), Notification::Authorization(_)));
}

#[test]
fn a_code_is_never_printed() {
    for body in [
        r#"{"authorization":{"code":"5ec2e7"}}"#,
        r#"{"authorization":{"code":"5ec2e7","error":"e"}}"#,
        r#"{"authorization":{"code":"5ec2e7","state":5}}"#,
        r#"{"authorization":{"code":"5ec2e7","code":"5ec2e7"}}"#,
        r#"{"authorization":{"code":["5ec2e7"]}}"#,
        r#"{"authorization":"5ec2e7"}"#,
        r#"{"authorization":["5ec2e7"]}"#,
        r#"{"authorization":{"code":"a","state":{"5ec2e7":"5ec2e7"}}}"#,
        r#"{"authorization":{"code":"a","error":{"5ec2e7":"5ec2e7"}}}"#,
    ] {
        let notification = Notification::from_slice(body.as_bytes());
        let mut printed = format!("{notification:?} {notification:#?}");
        if let Notification::Unknown(unknown) = &notification {
            printed += &unknown.reason().to_string();
        }
        assert!(!printed.contains("5ec2e7"), "{printed}");
    }
    let number = Notification::from_slice(br#"{"authorization":{"code":5327}}"#);
    assert!(!format!("{number:?}").contains("5327"));
}

#[test]
fn a_reason_names_the_field_and_does_not_quote_the_body() {
    let reason = |channel: &str| {
        let body = format!(r#"{{"notification":{{"type":"gdpr_requested"}},"channel":{channel}}}"#);
        unknown(&Notification::from_slice(body.as_bytes()))
            .1
            .to_string()
    };
    for (channel, expected) in [
        (
            r#"{"channel_id":"chn_1"}"#,
            "`channel.callback_url` is missing",
        ),
        (
            r#"{"channel_id":"chn_1","channel_id":"chn_2"}"#,
            "`channel.channel_id` is malformed: duplicated at line 1 column 86",
        ),
        (
            r#""a secret""#,
            "`channel` is malformed: expected struct Channel at line 1 column 62",
        ),
    ] {
        assert_eq!(reason(channel), expected);
    }
}

#[test]
fn a_change_with_an_invalid_time_keeps_its_channel() {
    let body = json!({
        "notification": { "type": "change", "changes_since": "2026-04-19T09:24:16" },
        "channel": { "channel_id": "c", "callback_url": "u", "filters": [] },
    });
    let notification = parse(&body);
    assert!(matches!(notification, Notification::Unknown(_)));
    assert_eq!(notification.channel().unwrap().channel_id, "c");
}
