//! The samples, and changes to a body.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cronofy_webhook::Notification;
use cronofy_webhook_testing::{Payload, Provenance};

#[test]
fn every_file_is_a_sample() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let files: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let samples: BTreeSet<String> = Payload::samples()
        .map(|sample| sample.payload().as_str().to_owned())
        .collect();
    assert_eq!(samples, files);
    assert_eq!(samples.len(), Payload::samples().count());
}

#[test]
fn every_kind_has_a_sample() {
    for sample in Payload::samples() {
        let notification = Notification::from_slice(sample.payload().as_str().as_bytes());
        assert_eq!(notification.kind(), sample.kind());
        let unknown = matches!(notification, Notification::Unknown(_));
        assert_eq!(unknown, sample.provenance() == Provenance::Synthetic);
    }
    for kind in Notification::KINDS {
        assert!(
            Payload::samples().any(|sample| sample.name() == *kind),
            "{kind}"
        );
    }
}

#[test]
fn constructors_make_the_kind_they_name() {
    let kind = |payload: Payload| Notification::from_slice(payload.as_str().as_bytes());
    let Notification::Change(change) =
        kind(Payload::change("2026-01-02T03:04:05Z".parse().unwrap()))
    else {
        panic!("not a change");
    };
    assert_eq!(change.changes_since.to_string(), "2026-01-02T03:04:05Z");
    let Notification::SmartInvite(invite) = kind(Payload::smart_invite("declined".into())) else {
        panic!("not a smart invite");
    };
    assert_eq!(invite.reply.status, "declined".into());
    for payload in [
        Payload::transition("event_end".into()),
        Payload::interaction("attachment_approved".into()),
    ] {
        assert!(matches!(kind(payload), Notification::EventSubscription(_)));
    }
    assert_eq!(kind(Payload::unknown("of_tomorrow")).kind(), "of_tomorrow");
    assert!(matches!(
        kind(Payload::verification()),
        Notification::Verification(_)
    ));
    assert!(matches!(
        kind(Payload::profile_disconnected()),
        Notification::ProfileDisconnected(_)
    ));
    let moved = kind(Payload::verification().channel("chn_1", "https://a.example/b"));
    assert_eq!(moved.callback_url(), Some("https://a.example/b"));
    assert_eq!(moved.channel().unwrap().channel_id, "chn_1");
}

#[test]
fn an_edit_keeps_the_text_around_it() {
    let payload = Payload::new("{ \"b\\u0061\" : 1.0,\n \"a/b~\": { }, \"c\": [1, 2 , 3] }");
    assert_eq!(
        payload.clone().set("/ba", 2).as_str(),
        "{ \"b\\u0061\" : 2,\n \"a/b~\": { }, \"c\": [1, 2 , 3] }"
    );
    assert_eq!(
        payload.clone().set("/a~1b~0/x/y", 1).as_str(),
        "{ \"b\\u0061\" : 1.0,\n \"a/b~\": {\"x\":{\"y\":1} }, \"c\": [1, 2 , 3] }"
    );
    assert_eq!(
        payload.clone().remove("/ba").as_str(),
        "{ \"a/b~\": { }, \"c\": [1, 2 , 3] }"
    );
    assert_eq!(
        payload.clone().remove("/c").remove("/ba").as_str(),
        "{ \"a/b~\": { } }"
    );
    assert_eq!(
        payload.clone().remove("/c/2").as_str(),
        "{ \"b\\u0061\" : 1.0,\n \"a/b~\": { }, \"c\": [1, 2] }"
    );
    assert_eq!(payload.set("", "all").as_str(), "\"all\"");
}

#[test]
fn an_edit_that_is_impossible_is_an_error() {
    let error = |text, pointer| {
        let edited = Payload::new(text).try_set(pointer, 1);
        edited.unwrap_err().to_string()
    };
    assert!(error("{", "/a").starts_with("the payload is not JSON: "));
    for (pointer, message) in [
        ("a", "does not start with `/`"),
        ("/a/0/b", "neither an object nor an array"),
        ("/a/1", "not an index of an array of 1"),
    ] {
        let error = error(r#"{"a":[1]}"#, pointer);
        assert!(error.contains(message), "{error}");
    }
}

#[test]
#[should_panic(expected = "it does not start with `/`")]
fn a_malformed_pointer_panics() {
    let _ = Payload::sample("change").set("notification", 1);
}

#[test]
#[should_panic(expected = "there is nothing to remove")]
fn removing_an_absent_field_panics() {
    let _ = Payload::sample("change").remove("/nothing");
}

#[test]
#[should_panic(expected = "neither an object nor an array")]
fn a_pointer_through_a_string_panics() {
    let _ = Payload::sample("change").set("/notification/type/x", 1);
}

#[test]
#[should_panic(expected = "is not an index of an array of 1")]
fn an_index_beyond_the_array_panics() {
    let _ = Payload::sample("event_subscription").set("/notification/transitions/7", 1);
}
