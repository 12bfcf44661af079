use std::collections::BTreeMap;
use std::fmt;

use cronofy_webhook::Notification;
use cronofy_webhook::notification::{Unknown, UnknownReason};
use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::json;

/// Parsing any bytes terminates, in memory linear in their number; the notification contains nothing that was not sent, and is
/// `Unknown` for a true reason only.
pub(crate) fn notification(body: &[u8]) -> Notification {
    let mut parsed = None;
    let memory = allocation_counter::measure(|| parsed = Some(Notification::from_slice(body)));
    let notification = parsed.expect("parsing never fails");
    // At worst a list of nothing but `{}`, each of them a struct of optional strings, in a vector that doubles; and all of
    // it once for every value that is replaced, of which there is a limit for each field.
    let bound = 4096 + 32 * 128 * body.len() as u64;
    assert!(memory.bytes_total <= bound, "{memory:?}, over {bound}");

    let is_object = body.trim_ascii_start().starts_with(b"{")
        && std::str::from_utf8(body).is_ok()
        && serde_json::from_slice::<IgnoredAny>(body).is_ok();
    if let Notification::Unknown(unknown) = &notification {
        assert_eq!(unknown.body(), body);
        assert_eq!(
            matches!(unknown.reason(), UnknownReason::NotAnObject { .. }),
            !is_object
        );
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
    match notification {
        Notification::Unknown(unknown) => {
            if kind.is_some() {
                assert_eq!(unknown.kind(), kind);
            }
            is_unknown_for_a_reason(unknown, sent);
        }
        known => {
            assert_eq!(Some(known.kind()), kind);
            let mut written = json(known);
            for field in ["changes_since", "triggered_at"] {
                let Some(notification) = written.pointer_mut("/notification") else {
                    continue;
                };
                let notification = notification.as_object_mut().expect("an object");
                if let Some(written) = notification.remove(field) {
                    is_the_same_instant(&written, &sent["notification"][field]);
                }
            }
            assert!(is_part_of(&written, sent), "{written}\nof\n{sent}");
        }
    }
}

fn is_unknown_for_a_reason(unknown: &Unknown, sent: &Value) {
    match unknown.reason() {
        UnknownReason::NotAnObject { .. } => assert!(!sent.is_object()),
        UnknownReason::Untyped => assert_eq!(unknown.kind(), None),
        UnknownReason::UnknownType => assert!(unknown.kind().is_some()),
        UnknownReason::Missing { .. } => assert!(unknown.kind().is_some()),
        UnknownReason::Malformed { field, .. } => {
            let top = field.split(['.', '[']).next().expect("never empty");
            assert!(sent.get(top).is_some(), "{field}");
        }
        other => panic!("{other}"),
    }
}

/// Whether all fields of `written`, at any depth, are in `sent` as well, and lists are as long.
fn is_part_of(written: &Value, sent: &Value) -> bool {
    match (written, sent) {
        // There more than once, or an array of the fields of an optional struct.
        (_, Value::Null) | (Value::Object(_), Value::Array(_)) => true,
        (Value::Object(written), Value::Object(sent)) => written
            .iter()
            .all(|(name, value)| sent.get(name).is_some_and(|sent| is_part_of(value, sent))),
        // A time without a zone.
        (Value::Object(written), Value::String(_)) => {
            written.len() == 1 && written.get("time") == Some(sent)
        }
        (Value::Array(written), Value::Array(sent)) => {
            written.len() == sent.len() && written.iter().zip(sent).all(|(w, s)| is_part_of(w, s))
        }
        _ => written == sent,
    }
}

fn is_the_same_instant(written: &Value, sent: &Value) {
    let instant = |value: &Value| value.as_str().expect("text").parse::<Timestamp>();
    let written = instant(written).expect("an instant");
    // Fails for a fraction of more than nine digits.
    if let Ok(sent) = instant(sent) {
        assert_eq!(written, sent);
    }
}

/// JSON without the fields that are `null`, as these count as absent. Instead `null` is a field that is there
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
