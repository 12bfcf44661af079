use std::collections::BTreeMap;
use std::fmt;

use cronofy_webhook::Notification;
use cronofy_webhook::notification::{Unknown, UnknownReason};
use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reading any bytes ends, in memory that grows with their number, and what was read is what they say: it comes back
/// the same from a queue, holds nothing that was not sent, and is `Unknown` for a reason that is true.
pub(crate) fn notification(body: &[u8]) -> Notification {
    let mut read = None;
    let memory = allocation_counter::measure(|| read = Some(Notification::from_slice(body)));
    let notification = read.expect("reading never fails");
    // At worst a list of nothing but `{}`, each of them a struct of optional strings, in a vector that doubles; and all of
    // it twice, as a body with something amiss is read again with care.
    let bound = 1024 + 2 * 128 * body.len() as u64;
    assert!(memory.bytes_total <= bound, "{memory:?}, over {bound}");

    let queued = serde_json::to_string(&notification).expect("serialises");
    let back: Notification = serde_json::from_str(&queued).expect("reads what it wrote");
    assert_eq!(back, notification);

    let is_object = std::str::from_utf8(body).is_ok()
        && serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(body).is_ok();
    if let Notification::Unknown(unknown) = &notification {
        assert_eq!(unknown.body(), body);
        assert_eq!(unknown.reason() == &UnknownReason::NotAnObject, !is_object);
    } else {
        assert!(is_object);
    }
    if let Ok(Plain(sent)) = serde_json::from_slice(body) {
        is_of_its_kind(&notification, &sent);
    }
    notification
}

fn is_of_its_kind(notification: &Notification, sent: &Value) {
    let kind = match &sent["notification"]["type"] {
        Value::String(kind) => Some(kind.as_str()),
        _ if sent.get("notification").is_some() => None,
        _ if sent.get("authorization").is_some() => Some("authorization"),
        _ if sent.get("event").is_some() => Some("real_time_scheduling_completed"),
        _ => None,
    };
    assert_eq!(notification.kind(), kind.unwrap_or("unknown"));
    match notification {
        Notification::Unknown(unknown) => {
            assert_eq!(unknown.kind(), kind);
            is_unknown_for_a_reason(unknown, sent);
        }
        known => {
            let written = serde_json::to_value(known).expect("serialises");
            assert!(is_part_of(&written, sent), "{written}\nof\n{sent}");
        }
    }
}

fn is_unknown_for_a_reason(unknown: &Unknown, sent: &Value) {
    let is_modelled = unknown.kind().is_some_and(|kind| {
        let without_type = ["authorization", "real_time_scheduling_completed"].contains(&kind);
        Notification::KINDS.contains(&kind) && (!without_type || sent.get("notification").is_none())
    });
    match unknown.reason() {
        UnknownReason::NotAnObject => assert!(!sent.is_object()),
        UnknownReason::Untyped => assert_eq!(unknown.kind(), None),
        UnknownReason::UnknownType => assert!(unknown.kind().is_some() && !is_modelled),
        UnknownReason::Missing { field, .. } => {
            assert!(is_modelled && sent.get(field).is_none());
        }
        UnknownReason::Malformed { field, .. } => {
            assert!(is_modelled && sent.get(field).is_some());
        }
        other => panic!("{other}"),
    }
}

/// Whether all fields of `written`, at any depth, are in `sent` as well, and lists are as long.
fn is_part_of(written: &Value, sent: &Value) -> bool {
    match (written, sent) {
        (Value::Object(written), Value::Object(sent)) => written.iter().all(|(name, value)| {
            sent.get(name).is_some_and(|sent| match name.as_str() {
                "changes_since" | "triggered_at" => instant(value) == instant(sent),
                _ => is_part_of(value, sent),
            })
        }),
        (Value::Array(written), Value::Array(sent)) => {
            written.len() == sent.len() && written.iter().zip(sent).all(|(w, s)| is_part_of(w, s))
        }
        _ => written == sent,
    }
}

fn instant(value: &Value) -> Timestamp {
    let text = value.as_str().expect("a time is text");
    text.parse().expect("an instant")
}

/// JSON without the fields that are `null`, as these count as absent. In their stead `null` is a field that is there
/// more than once, which no notification has.
struct Plain(Value);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor).map(Self)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Plain(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut all = BTreeMap::<String, Vec<Value>>::new();
        while let Some((name, Plain(value))) = fields.next_entry()? {
            all.entry(name).or_default().push(value);
        }
        let mut object = Map::new();
        for (name, mut values) in all {
            match values.len() {
                1 if values[0].is_null() => {}
                1 => drop(object.insert(name, values.remove(0))),
                _ if values.contains(&Value::Null) => {
                    return Err(A::Error::custom(
                        "a value and `null`: nobody knows which counts",
                    ));
                }
                _ => drop(object.insert(name, Value::Null)),
            }
        }
        Ok(object.into())
    }
}
