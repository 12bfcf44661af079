//! How a body differs from others, by JSON pointer.

use std::collections::BTreeSet;
use std::sync::Arc;

use cronofy_webhook_testing::Payload;
use serde::Serialize;
use serde_json::Value;

use crate::listen::log::Log;
use crate::listen::store::Stored;

/// Larger bodies are not compared, and more changes not shown.
const COMPARED: usize = 1024 * 1024;
const SHOWN: usize = 500;

#[derive(Serialize)]
pub(super) struct Differences {
    /// To what was edited.
    original: Option<Difference>,
    /// To the one before of the same kind.
    previous: Option<Difference>,
    /// To the sample that is most like it.
    sample: Option<Difference>,
}

#[derive(Serialize)]
struct Difference {
    name: String,
    /// Of the other delivery.
    key: Option<u64>,
    is_identical: bool,
    /// Nothing if one of them is not JSON, or too large.
    changes: Option<Vec<Change>>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Change {
    pointer: String,
    before: Option<String>,
    after: Option<String>,
}

impl Differences {
    pub(super) fn new(log: &Log, stored: &Stored) -> Self {
        let all = log.state().store.all();
        let entry = &stored.entry;
        let original = entry.replay_of;
        let original = original.and_then(|id| all.iter().find(|other| other.id() == Some(id)));
        let previous = all.iter().rev().find(|other| {
            other.is_delivery() && other.key < stored.key && other.entry.kind == entry.kind
        });
        let body = &entry.body;
        let samples = Payload::samples().filter(|sample| sample.kind() == entry.kind);
        let samples = samples.map(|sample| {
            let payload = sample.payload();
            let name = format!("the sample {}", sample.name());
            Difference::new(name, None, payload.as_str().as_bytes(), body)
        });
        Self {
            original: original.map(|other| Difference::to(other, body)),
            previous: previous.map(|other| Difference::to(other, body)),
            sample: samples
                .min_by_key(|sample| sample.changes.as_ref().map_or(usize::MAX, Vec::len)),
        }
    }
}

impl Difference {
    fn to(other: &Arc<Stored>, body: &[u8]) -> Self {
        let name = format!("delivery {}", other.entry.id);
        Self::new(name, Some(other.key), &other.entry.body, body)
    }

    fn new(name: String, key: Option<u64>, before: &[u8], after: &[u8]) -> Self {
        Self {
            name,
            key,
            is_identical: before == after,
            changes: changes(before, after),
        }
    }
}

fn changes(before: &[u8], after: &[u8]) -> Option<Vec<Change>> {
    if before.len().max(after.len()) > COMPARED {
        return None;
    }
    let before: Value = serde_json::from_slice(before).ok()?;
    let after: Value = serde_json::from_slice(after).ok()?;
    let mut changes = Vec::new();
    compare(String::new(), Some(&before), Some(&after), &mut changes);
    changes.truncate(SHOWN);
    Some(changes)
}

fn compare(
    pointer: String,
    before: Option<&Value>,
    after: Option<&Value>,
    changes: &mut Vec<Change>,
) {
    match (before, after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
            for key in keys {
                let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                compare(pointer, before.get(key), after.get(key), changes);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            for index in 0..before.len().max(after.len()) {
                let pointer = format!("{pointer}/{index}");
                compare(pointer, before.get(index), after.get(index), changes);
            }
        }
        (before, after) if before == after => {}
        (before, after) => changes.push(Change {
            pointer,
            before: before.map(Value::to_string),
            after: after.map(Value::to_string),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(before: &str, after: &str) -> Vec<(String, Option<String>, Option<String>)> {
        let changes = changes(before.as_bytes(), after.as_bytes()).unwrap();
        changes
            .into_iter()
            .map(|change| (change.pointer, change.before, change.after))
            .collect()
    }

    #[test]
    fn it_names_what_was_changed_added_and_removed() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            of(
                r#"{"a":{"b":1,"c":[1,2]},"d/e~f":null,"g":{}}"#,
                r#"{"g":{}, "a":{"b":"1","c":[1]},"d/e~f":null,"h":{"i":true}}"#
            ),
            [
                ("/a/b".to_owned(), text("1"), text("\"1\"")),
                ("/a/c/1".to_owned(), text("2"), None),
                ("/h".to_owned(), None, text(r#"{"i":true}"#)),
            ]
        );
        assert_eq!(
            of(r#"{"d/e~f":1}"#, r#"{"d/e~f":2}"#)[0].0,
            "/d~1e~0f".to_owned()
        );
        assert_eq!(of("1", "[1]")[0].0, "");
        assert_eq!(of(r#"{"a":1,"b":2}"#, r#"{"b":2, "a":1}"#), []);
    }

    #[test]
    fn what_is_not_json_or_too_large_is_not_compared() {
        assert_eq!(changes(b"{", b"{}"), None);
        let large = format!("\"{}\"", "x".repeat(COMPARED));
        assert_eq!(changes(b"1", large.as_bytes()), None);
    }
}
