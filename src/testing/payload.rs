use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use jiff::Timestamp;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::Sample;
use super::sample::SAMPLES;
use crate::notification::{InteractionKind, ReplyStatus, TransitionKind};

/// The JSON body of a notification, and changes to it.
///
/// [`set`](Self::set) and [`remove`](Self::remove) replace only the text that they are about: the order of the keys and
/// all other bytes stay as they were. Fields that Cronofy does not send and values of the wrong type are fine.
///
/// ```
/// use cronofy_webhook::testing::Payload;
///
/// let payload = Payload::new(r#"{ "b": 1, "a": [true] }"#);
/// let payload = payload.set("/b", "x").set("/a/-", 2).set("/c/d", ());
/// assert_eq!(payload.as_str(), r#"{ "b": "x", "a": [true,2],"c":{"d":null} }"#);
/// assert_eq!(payload.remove("/b").remove("/a/0").as_str(), r#"{ "a": [2],"c":{"d":null} }"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Payload {
    text: String,
}

impl Payload {
    /// A body of your own, such as one that was recorded. The text is not checked.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    /// The samples of the kit: at least one of each kind in [`Notification::KINDS`](crate::Notification::KINDS), and one
    /// of a type that this crate does not know.
    pub fn samples() -> impl Iterator<Item = Sample> {
        SAMPLES.iter().copied()
    }

    /// The sample with this [name](Sample::name).
    ///
    /// # Panics
    ///
    /// When there is none. The message lists the names.
    #[must_use]
    #[track_caller]
    pub fn sample(name: &str) -> Self {
        let Some(sample) = Self::samples().find(|sample| sample.name() == name) else {
            let names: Vec<_> = Self::samples().map(|sample| sample.name()).collect();
            panic!("no sample {name:?}; there are: {}", names.join(", "));
        };
        sample.payload()
    }

    /// A `verification`.
    #[must_use]
    pub fn verification() -> Self {
        Self::sample("verification")
    }

    /// A `change` since this time.
    #[must_use]
    pub fn change(since: Timestamp) -> Self {
        Self::sample("change").set("/notification/changes_since", since)
    }

    /// A `profile_disconnected`.
    #[must_use]
    pub fn profile_disconnected() -> Self {
        Self::sample("profile_disconnected")
    }

    /// A `smart_invite` with this answer, which is also the recipient's state.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "as in the other constructors"
    )]
    pub fn smart_invite(status: ReplyStatus) -> Self {
        Self::sample("smart_invite:accepted")
            .set("/smart_invite/recipient/status", &status)
            .set("/smart_invite/reply/status", &status)
    }

    /// An `event_subscription` with one transition (Event Triggers).
    #[must_use]
    pub fn transition(kind: TransitionKind) -> Self {
        Self::sample("event_subscription").set("/notification/transitions/0/type", kind)
    }

    /// An `event_subscription` with one interaction (Conferencing, Meeting Agents, Attachments).
    ///
    /// The other fields are those of a `meeting_agent_activated`; for a sample of another kind see
    /// [`samples`](Self::samples).
    #[must_use]
    pub fn interaction(kind: InteractionKind) -> Self {
        Self::sample("event_subscription:meeting_agent_activated")
            .set("/notification/interactions/0/type", kind)
    }

    /// A notification of a type that Cronofy may add.
    #[must_use]
    pub fn unknown(kind: &str) -> Self {
        Self::sample("some_future_type").set("/notification/type", kind)
    }

    /// Sets `channel.channel_id` and `channel.callback_url`.
    ///
    /// # Panics
    ///
    /// When the text is not a JSON object.
    #[must_use]
    #[track_caller]
    pub fn channel(self, id: &str, callback_url: &str) -> Self {
        self.set("/channel/channel_id", id)
            .set("/channel/callback_url", callback_url)
    }

    /// Sets the value at a JSON pointer ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)).
    ///
    /// A field that is not there is added at the end of its object, with the objects that lead to it. `-` as an index adds
    /// an element at the end of an array. Of a doubled key the first is meant.
    ///
    /// # Panics
    ///
    /// When the text is not JSON, when the pointer is malformed or leads through something that is neither an object nor
    /// an array, when an index is not in the array, and when the value cannot be serialised to JSON.
    #[must_use]
    #[track_caller]
    pub fn set(mut self, pointer: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_string(&value)
            .unwrap_or_else(|error| panic!("the value for {pointer:?} is not JSON: {error}"));
        match self.find(pointer) {
            Found::At { value: range, .. } => self.text.replace_range(range, &value),
            Found::Add {
                at,
                first,
                key,
                rest,
            } => {
                let mut added = if first { String::new() } else { ",".to_owned() };
                if let Some(key) = key {
                    added += &format!("{}:", quoted(&key));
                }
                for key in &rest {
                    added += &format!("{{{}:", quoted(key));
                }
                added += &value;
                added.extend(rest.iter().map(|_| '}'));
                self.text.insert_str(at, &added);
            }
        }
        self
    }

    /// Removes the field or the element at a JSON pointer ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)).
    ///
    /// # Panics
    ///
    /// When there is none, when the pointer is malformed or empty, and when the text is not JSON.
    #[must_use]
    #[track_caller]
    pub fn remove(mut self, pointer: &str) -> Self {
        match self.find(pointer) {
            Found::At {
                entry: Some(entry), ..
            } => self.text.replace_range(entry, ""),
            _ => panic!("there is nothing to remove at {pointer:?}"),
        }
        self
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    #[track_caller]
    fn find(&self, pointer: &str) -> Found {
        let mut value = parse::<&RawValue>(&self.text, "the payload").get();
        let mut entry = None;
        let mut tokens = tokens(pointer).into_iter();
        while let Some(token) = tokens.next() {
            let entries = entries(value, pointer);
            let index = entries.find(&token, pointer);
            let Some(index) = index else {
                let last = entries.list.last().map(|(_, value)| value.get());
                let at = last.map_or_else(
                    || offset(&self.text, value) + 1,
                    |last| end(&self.text, last),
                );
                return Found::Add {
                    at,
                    first: last.is_none(),
                    key: entries.object.then_some(token),
                    rest: tokens.collect(),
                };
            };
            entry = Some(entries.range(index, value, &self.text));
            value = entries.list[index].1.get();
        }
        Found::At {
            value: offset(&self.text, value)..end(&self.text, value),
            entry,
        }
    }
}

impl From<Payload> for Bytes {
    fn from(payload: Payload) -> Self {
        payload.text.into()
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Where a pointer leads: to a value and the text to remove with it, or to where it would be added.
enum Found {
    At {
        value: Range<usize>,
        entry: Option<Range<usize>>,
    },
    Add {
        at: usize,
        first: bool,
        key: Option<String>,
        rest: Vec<String>,
    },
}

/// The fields of an object or the elements of an array, as slices of the text. Elements have no key.
struct Entries<'a> {
    object: bool,
    list: Vec<(Option<&'a RawValue>, &'a RawValue)>,
}

impl Entries<'_> {
    #[track_caller]
    fn find(&self, token: &str, pointer: &str) -> Option<usize> {
        if self.object {
            let is_key = |key: &RawValue| {
                serde_json::from_str::<String>(key.get()).is_ok_and(|key| key == token)
            };
            return self
                .list
                .iter()
                .position(|(key, _)| key.is_some_and(is_key));
        }
        if token == "-" {
            return None;
        }
        let index = token.parse().ok().filter(|index| *index < self.list.len());
        Some(index.unwrap_or_else(|| {
            panic!(
                "{pointer:?}: {token:?} is not an index of an array of {}",
                self.list.len()
            )
        }))
    }

    /// The text of an entry, with the comma that goes with it.
    fn range(&self, index: usize, container: &str, text: &str) -> Range<usize> {
        let start = |(key, value): &(Option<&RawValue>, &RawValue)| {
            offset(text, key.unwrap_or(value).get())
        };
        let value_end = end(text, self.list[index].1.get());
        match (index.checked_sub(1), self.list.get(index + 1)) {
            (_, Some(next)) => start(&self.list[index])..start(next),
            (Some(before), None) => end(text, self.list[before].1.get())..value_end,
            (None, None) => offset(text, container) + 1..value_end,
        }
    }
}

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some((key, value)) = map.next_entry()? {
                    list.push((Some(key), value));
                }
                Ok(Entries { object: true, list })
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

#[track_caller]
fn entries<'a>(value: &'a str, pointer: &str) -> Entries<'a> {
    match value.as_bytes()[0] {
        b'{' => parse(value, pointer),
        b'[' => Entries {
            object: false,
            list: parse::<Vec<&RawValue>>(value, pointer)
                .into_iter()
                .map(|value| (None, value))
                .collect(),
        },
        _ => panic!("{pointer:?} leads through a value that is neither an object nor an array"),
    }
}

#[track_caller]
fn parse<'a, T: Deserialize<'a>>(text: &'a str, what: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{what} is not JSON: {error}"))
}

#[track_caller]
fn tokens(pointer: &str) -> Vec<String> {
    let Some(tokens) = pointer.strip_prefix('/') else {
        assert!(
            pointer.is_empty(),
            "{pointer:?} is not a JSON pointer: it does not start with `/`"
        );
        return Vec::new();
    };
    tokens
        .split('/')
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
        .collect()
}

fn quoted(key: &str) -> String {
    serde_json::Value::from(key).to_string()
}

/// Where `part` starts, which is a slice of `text`.
fn offset(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

fn end(text: &str, part: &str) -> usize {
    offset(text, part) + part.len()
}
