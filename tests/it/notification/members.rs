//! What becomes of a notification when a member is added, taken away, or not what it should be.

use cronofy_webhook::Notification;
use cronofy_webhook::notification::UnknownReason;
use serde_json::{Value, json};

use super::fixtures::{FIXTURES, Fixture};
use super::{holds_data, members, paths, read, unknown, with, without};

/// Each member of each fixture.
fn every_member() -> impl Iterator<Item = (&'static Fixture, Value, String)> {
    FIXTURES.iter().flat_map(|fixture| {
        let body = fixture.body();
        let paths = paths(&body);
        paths
            .into_iter()
            .map(move |path| (fixture, body.clone(), path))
    })
}

/// What a body without the member at `path` is, or with something odd there: its reason to be unknown, in short.
fn expected_reason(fixture: &Fixture, path: &str, reason: &UnknownReason) -> bool {
    let top = path.split('/').nth(1).unwrap();
    match reason {
        UnknownReason::Missing { member, .. } => {
            path == format!("/{top}") && *member == top && fixture.promises(path)
        }
        UnknownReason::Malformed { member, detail, .. } => *member == top && !detail.is_empty(),
        _ => false,
    }
}

/// The members that tell the kind: without them it is another one, or none.
fn tells_the_kind(body: &Value, path: &str) -> bool {
    match path {
        "/notification" | "/notification/type" | "/authorization" => true,
        "/event" => body.get("notification").is_none(),
        _ => false,
    }
}

#[test]
fn a_member_that_is_not_known_changes_nothing() {
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
                    members(object).insert("a_future_member".to_owned(), odd);
                });
                assert_eq!(read(&extended), read(&body), "{} {path}", fixture.file);
            }
            objects += 1;
        }
    }
    assert!(objects > 100, "{objects}");
}

#[test]
fn a_member_of_another_kind_changes_nothing_whatever_it_holds() {
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
        for member in all.into_iter().filter(|member| !own.contains(member)) {
            for odd in ["7", "\"x\"", "[]", "{}", "[{}]", "7,\"MEMBER\":8"] {
                let text = body.to_string();
                let odd = odd.replace("MEMBER", member);
                let text = format!("{{\"{member}\":{odd},{}", &text[1..]);
                let notification = Notification::from_slice(text.as_bytes());
                assert_eq!(notification, read(&body), "{} {text}", fixture.file);
            }
        }
    }
}

#[test]
fn without_a_member_that_is_not_promised_all_else_is_the_same() {
    let mut removed = 0;
    for (fixture, body, path) in every_member() {
        if fixture.promises(&path) || tells_the_kind(&body, &path) {
            continue;
        }
        let rest = without(&body, &path);
        let notification = read(&rest);
        assert_eq!(notification.kind(), fixture.kind);
        let written = serde_json::to_value(&notification).unwrap();
        assert_eq!(written, rest, "{} {path}", fixture.file);

        let null = with(&body, &path, |member| *member = Value::Null);
        assert_eq!(read(&null), notification, "{} {path}", fixture.file);
        removed += 1;
    }
    assert!(removed > 100, "{removed}");
}

#[test]
fn without_a_member_that_is_promised_it_is_unknown() {
    for (fixture, body, path) in every_member() {
        if !fixture.promises(&path) || tells_the_kind(&body, &path) {
            continue;
        }
        let null = with(&body, &path, |member| *member = Value::Null);
        for body in [without(&body, &path), null] {
            let notification = read(&body);
            let (kind, reason) = unknown(&notification);
            assert_eq!(kind, Some(fixture.kind), "{path}");
            assert_eq!(notification.kind(), fixture.kind);
            assert!(expected_reason(fixture, &path, reason), "{path} {reason:?}");
        }
    }
}

#[test]
fn with_a_member_that_is_not_what_it_should_be_it_is_unknown() {
    for (fixture, body, path) in every_member() {
        if path == "/notification" || path == "/notification/type" {
            continue;
        }
        let odd = match body.pointer(&path).unwrap() {
            Value::Number(_) => vec![json!("30"), json!(30.5), json!(2_147_483_648_i64)],
            Value::Bool(_) => vec![json!("true"), json!(1)],
            Value::String(_) => vec![json!(5), json!(["x"]), json!(true)],
            // Text is a form of it.
            Value::Object(object) if object.contains_key("time") => vec![json!(5), json!([])],
            Value::Object(_) => vec![json!(5), json!("x"), json!([])],
            _ => vec![json!(5), json!("x"), json!({}), json!([null]), json!([5])],
        };
        for odd in odd {
            let body = with(&body, &path, |member| *member = odd);
            let notification = read(&body);
            let (kind, reason) = unknown(&notification);
            assert_eq!(kind, Some(fixture.kind), "{body}");
            let malformed = matches!(reason, UnknownReason::Malformed { .. });
            assert!(
                malformed && expected_reason(fixture, &path, reason),
                "{body} {reason:?}"
            );
        }
    }
}

#[test]
fn a_list_is_never_read_as_an_object() {
    for fixture in FIXTURES {
        let body = fixture.body();
        let items = (0..3).flat_map(|n| paths(&body).into_iter().map(move |p| format!("{p}/{n}")));
        for path in [String::new()].into_iter().chain(paths(&body)).chain(items) {
            let Some(Value::Object(object)) = body.pointer(&path) else {
                continue;
            };
            let values: Value = object.values().cloned().collect();
            // As many members as any of the structs has, too.
            for list in [
                values,
                json!(vec![Value::Null; 12]),
                json!(["a", "b", "c", "d"]),
            ] {
                let body = with(&body, &path, |object| *object = list);
                unknown(&read(&body));
            }
        }
    }
}

#[test]
fn a_member_that_is_there_twice_is_malformed() {
    for (body, expected) in [
        (
            r#"{"notification":{"type":"verification"},"channel":{},"channel":{}}"#,
            (Some("verification"), "channel"),
        ),
        (
            r#"{"authorization":{"code":"a"},"authorization":{"code":"b"}}"#,
            (Some("authorization"), "authorization"),
        ),
        (
            r#"{"authorization":{"code":"a","code":"b"}}"#,
            (Some("authorization"), "authorization"),
        ),
        (
            r#"{"notification":{"type":"event_subscription"},"event":{"event_id":"a","event_id":"b"}}"#,
            (Some("event_subscription"), "event"),
        ),
        (
            r#"{"notification":{"type":"scheduling_request_time_chosen","triggered_at":"2025-01-19T16:14:11Z"},"scheduling_request":{"scheduling_request_id":"s","event":{"metadata":{"scheduler":{"a":"1","a":"2"}}}}}"#,
            (Some("scheduling_request_time_chosen"), "scheduling_request"),
        ),
    ] {
        let notification = Notification::from_slice(body.as_bytes());
        let (kind, reason) = unknown(&notification);
        let UnknownReason::Malformed { member, .. } = reason else {
            panic!("{body} {reason:?}");
        };
        assert_eq!((kind, *member), expected, "{body}");
    }
}

#[test]
fn the_kind_is_told_by_the_notification_then_by_the_authorization_then_by_the_event() {
    let kind = |body: Value| read(&body).kind().to_owned();
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
    for notification in [
        json!({}),
        json!([]),
        json!("x"),
        json!(7),
        json!({ "type": null }),
        json!({ "type": 7 }),
    ] {
        let body =
            json!({ "event": event, "authorization": authorization, "notification": notification });
        assert_eq!(unknown(&read(&body)), (None, &UnknownReason::Untyped));
    }
    for body in [
        json!({}),
        json!({ "event": null }),
        json!({ "participants": [], "user": {} }),
    ] {
        assert_eq!(unknown(&read(&body)), (None, &UnknownReason::Untyped));
    }
}

#[test]
fn a_word_of_ours_is_no_type_of_theirs() {
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
        let notification = read(&body);
        assert_eq!(
            unknown(&notification),
            (Some(word), &UnknownReason::UnknownType)
        );
    }
}

#[test]
fn an_authorization_is_not_both_granted_and_refused_nor_neither() {
    for body in [
        json!({ "code": "c", "error": "e" }),
        json!({ "code": "c", "error_key": "e" }),
        json!({ "code": "c", "error_description": "e" }),
        json!({ "error_key": "k", "error_description": "d" }),
        json!({ "state": "s" }),
        json!({}),
    ] {
        let body = json!({ "authorization": body });
        let notification = read(&body);
        let (kind, reason) = unknown(&notification);
        assert_eq!(kind, Some("authorization"));
        assert!(matches!(
            reason,
            UnknownReason::Malformed {
                member: "authorization",
                ..
            }
        ));
    }
    let granted = json!({ "authorization": { "code": "c", "error": null, "error_key": null } });
    assert!(matches!(read(&granted), Notification::Authorization(_)));
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
fn what_is_malformed_is_named_if_the_name_is_ours_and_told_by_its_place_if_it_is_theirs() {
    let detail = |channel: &str| {
        let body = format!(r#"{{"notification":{{"type":"gdpr_requested"}},"channel":{channel}}}"#);
        match unknown(&Notification::from_slice(body.as_bytes())).1 {
            UnknownReason::Malformed { detail, .. } => detail.clone(),
            other => panic!("{other:?}"),
        }
    };
    let missing = detail(r#"{"channel_id":"chn_1"}"#);
    assert!(
        missing.starts_with("missing field `callback_url`"),
        "{missing}"
    );
    let twice = detail(r#"{"channel_id":"chn_1","channel_id":"chn_2"}"#);
    assert!(twice.starts_with("duplicate field `channel_id`"), "{twice}");
    assert_eq!(
        detail(r#""a secret""#),
        "not as expected at line 1 column 10"
    );
}

#[test]
fn what_is_not_understood_crosses_a_queue_as_it_is_if_it_is_an_object_and_as_text_if_not() {
    for (body, job) in [
        (r#"{ "notification": { "type": "of_tomorrow" } }"#, None),
        ("bonjour", Some(r#""bonjour""#)),
        (" {}", Some(r#"" {}""#)),
        ("[1]", Some(r#""[1]""#)),
    ] {
        let notification = Notification::from_slice(body.as_bytes());
        let queued = serde_json::to_string(&notification).unwrap();
        assert_eq!(queued, job.unwrap_or(body));
        assert_eq!(
            serde_json::from_str::<Notification>(&queued).unwrap(),
            notification
        );
    }
}
