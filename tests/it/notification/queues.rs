//! Serialised forms: notifications survive a queue.

use cronofy_webhook::Notification;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fixtures::FIXTURES;

#[test]
fn unknown_keeps_its_exact_text_in_a_queue() {
    for body in [
        &br#"{ "notification": { "type": "future_type" } }"#[..],
        b"bonjour",
        b" {}",
        b"[1]",
        b"",
        b"\xff",
        b"{\"a\":1,\"a\":\"\\ud800\"}",
        b"a\0b",
    ] {
        let notification = Notification::from_slice(body);
        let value = serde_json::to_value(&notification).unwrap();
        assert!(!value.to_string().contains("\\u0000"));
        assert_eq!(
            serde_json::from_value::<Notification>(value).unwrap(),
            notification
        );
        let mut cbor = Vec::new();
        ciborium::into_writer(&notification, &mut cbor).unwrap();
        assert_eq!(
            ciborium::from_reader::<Notification, _>(&cbor[..]).unwrap(),
            notification
        );
    }
}

#[test]
fn a_struct_of_a_kind_is_deserialized_from_that_kind_only() {
    use cronofy_webhook::notification::{Change, SmartInvite, Verification};
    for fixture in FIXTURES {
        let text = fixture.body().to_string();
        let change = serde_json::from_str::<Change>(&text);
        assert_eq!(change.is_ok(), fixture.kind == "change");
        let invite = serde_json::from_str::<SmartInvite>(&text);
        assert_eq!(invite.is_ok(), fixture.kind == "smart_invite");
        if let Ok(invite) = invite {
            assert_eq!(serde_json::to_value(&invite).unwrap(), fixture.body());
        }
        if let Err(error) = serde_json::from_str::<Verification>(&text) {
            assert!(error.to_string().contains(fixture.kind), "{error}");
        }
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "tag")]
enum Internal {
    Job(Notification),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "tag", content = "content")]
enum Adjacent {
    Job(Notification),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Job(Notification),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum External {
    Job(Notification),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    id: u32,
    #[serde(flatten)]
    job: Notification,
}

fn comes_back<T>(job: &T)
where
    T: std::fmt::Debug + PartialEq + Serialize + DeserializeOwned,
{
    let text = serde_json::to_string(job).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), job, "{text}");
    // `Value` sorts the keys, as `jsonb` does.
    let value = serde_json::to_value(job).unwrap();
    assert_eq!(&serde_json::from_value::<T>(value).unwrap(), job);
    let named = rmp_serde::to_vec_named(job).unwrap();
    assert_eq!(&rmp_serde::from_slice::<T>(&named).unwrap(), job);
    let mut cbor = Vec::new();
    ciborium::into_writer(job, &mut cbor).unwrap();
    assert_eq!(&ciborium::from_reader::<T, _>(&cbor[..]).unwrap(), job);
}

/// The bodies of all fixtures, and those of some notifications that are `Unknown`.
fn jobs() -> impl Iterator<Item = Notification> {
    let fixtures = FIXTURES
        .iter()
        .map(|fixture| fixture.body().to_string().into_bytes());
    let unknown = [
        &b"bonjour"[..],
        b"",
        b" {}",
        b"\xff",
        b"[1]",
        b"{\"a\":1,\"a\":\"\\ud800\"}",
        b"a\0b",
        br#"{ "notification": { "type": "future_type" } }"#,
    ];
    let bodies = fixtures.chain(unknown.map(<[u8]>::to_vec));
    bodies.map(|body| Notification::from_slice(&body))
}

#[test]
fn every_notification_comes_back_from_every_representation() {
    for job in jobs() {
        comes_back(&job);
        comes_back(&Internal::Job(job.clone()));
        comes_back(&Adjacent::Job(job.clone()));
        comes_back(&Untagged::Job(job.clone()));
        comes_back(&External::Job(job.clone()));
        comes_back(&Flat {
            id: 1,
            job: job.clone(),
        });
    }
}

/// `Adjacent` as another program may have written it.
#[derive(Serialize)]
struct ContentFirst {
    content: Notification,
    tag: &'static str,
}

#[test]
fn the_content_may_come_before_the_tag() {
    for job in jobs() {
        let written = ContentFirst {
            content: job.clone(),
            tag: "Job",
        };
        let expected = Adjacent::Job(job);
        let json = serde_json::to_string(&written).unwrap();
        assert_eq!(serde_json::from_str::<Adjacent>(&json).unwrap(), expected);
        let named = rmp_serde::to_vec_named(&written).unwrap();
        assert_eq!(rmp_serde::from_slice::<Adjacent>(&named).unwrap(), expected);
        let mut cbor = Vec::new();
        ciborium::into_writer(&written, &mut cbor).unwrap();
        let read = ciborium::from_reader::<Adjacent, _>(&cbor[..]).unwrap();
        assert_eq!(read, expected);
    }
}

/// What a column of type `jsonb` returns: keys sorted, and the last of doubled ones. It refuses `\u0000` and lone
/// surrogates.
fn jsonb(text: &str) -> Result<String, String> {
    if text.contains("\\u0000") {
        return Err("unsupported Unicode escape sequence".to_owned());
    }
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(value.to_string())
}

#[test]
fn every_notification_comes_back_from_jsonb() {
    for job in jobs() {
        let text = serde_json::to_string(&job).unwrap();
        let stored = jsonb(&text).unwrap();
        assert_eq!(serde_json::from_str::<Notification>(&stored).unwrap(), job);
    }
    let with_nul = br#"{"notification":{"type":"verification"},"channel":{"channel_id":"\u0000","callback_url":"u"}}"#;
    let job = Notification::from_slice(with_nul);
    assert!(jsonb(&serde_json::to_string(&job).unwrap()).is_err());
}

// The limits that the docs of `Notification` name.
#[test]
fn formats_that_do_not_describe_themselves_hold_it_bare_and_externally_tagged() {
    for job in jobs() {
        let bytes = postcard::to_stdvec(&job).unwrap();
        assert_eq!(postcard::from_bytes::<Notification>(&bytes).unwrap(), job);
        let external = External::Job(job.clone());
        let bytes = postcard::to_stdvec(&external).unwrap();
        assert_eq!(postcard::from_bytes::<External>(&bytes).unwrap(), external);
        let untagged = postcard::to_stdvec(&Untagged::Job(job.clone())).unwrap();
        assert!(postcard::from_bytes::<Untagged>(&untagged).is_err());

        let bytes = rmp_serde::to_vec(&job).unwrap();
        assert_eq!(rmp_serde::from_slice::<Notification>(&bytes).unwrap(), job);
        let is_known = !matches!(job, Notification::Unknown(_));
        let internal = rmp_serde::to_vec(&Internal::Job(job)).unwrap();
        assert_eq!(
            rmp_serde::from_slice::<Internal>(&internal).is_err(),
            is_known
        );
    }
}
