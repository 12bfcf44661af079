//! JSON pointers into text, without a change to the text around them.

use std::error::Error;
use std::fmt;
use std::ops::Range;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Why [`Payload::try_set`](crate::Payload::try_set) could not set a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetError {
    message: String,
}

impl SetError {
    pub(super) fn new(message: String) -> Self {
        Self { message }
    }
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for SetError {}

/// Where a pointer leads: to a value and the text to remove with it, or to where it would be added.
pub(super) enum Found {
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

pub(super) fn find(text: &str, pointer: &str) -> Result<Found, SetError> {
    let mut value = parse::<&RawValue>(text, "the payload")?.get();
    let mut entry = None;
    let mut tokens = tokens(pointer)?.into_iter();
    while let Some(token) = tokens.next() {
        let entries = entries(value, pointer)?;
        let index = entries.find(&token, pointer)?;
        let Some(index) = index else {
            let last = entries.list.last().map(|(_, value)| value.get());
            let at = last.map_or_else(|| offset(text, value) + 1, |last| end(text, last));
            return Ok(Found::Add {
                at,
                first: last.is_none(),
                key: entries.object.then_some(token),
                rest: tokens.collect(),
            });
        };
        entry = Some(entries.range(index, value, text));
        value = entries.list[index].1.get();
    }
    Ok(Found::At {
        value: offset(text, value)..end(text, value),
        entry,
    })
}

/// The fields of an object or the elements of an array, as slices of the text. Elements have no key.
struct Entries<'a> {
    object: bool,
    list: Vec<(Option<&'a RawValue>, &'a RawValue)>,
}

impl Entries<'_> {
    fn find(&self, token: &str, pointer: &str) -> Result<Option<usize>, SetError> {
        if self.object {
            let is_key = |key: &RawValue| {
                serde_json::from_str::<String>(key.get()).is_ok_and(|key| key == token)
            };
            let mut keys = self.list.iter().map(|(key, _)| key);
            return Ok(keys.position(|key| key.is_some_and(is_key)));
        }
        if token == "-" {
            return Ok(None);
        }
        let index = token.parse().ok().filter(|index| *index < self.list.len());
        index.map(Some).ok_or_else(|| {
            SetError::new(format!(
                "{pointer:?}: {token:?} is not an index of an array of {}",
                self.list.len()
            ))
        })
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

fn entries<'a>(value: &'a str, pointer: &str) -> Result<Entries<'a>, SetError> {
    match value.as_bytes()[0] {
        b'{' => parse(value, pointer),
        b'[' => Ok(Entries {
            object: false,
            list: parse::<Vec<&RawValue>>(value, pointer)?
                .into_iter()
                .map(|value| (None, value))
                .collect(),
        }),
        _ => Err(SetError::new(format!(
            "{pointer:?} leads through a value that is neither an object nor an array"
        ))),
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str, what: &str) -> Result<T, SetError> {
    serde_json::from_str(text)
        .map_err(|error| SetError::new(format!("{what} is not JSON: {error}")))
}

fn tokens(pointer: &str) -> Result<Vec<String>, SetError> {
    if pointer.is_empty() {
        return Ok(Vec::new());
    }
    let Some(tokens) = pointer.strip_prefix('/') else {
        return Err(SetError::new(format!(
            "{pointer:?} is not a JSON pointer: it does not start with `/`"
        )));
    };
    let unescaped = |token: &str| token.replace("~1", "/").replace("~0", "~");
    Ok(tokens.split('/').map(unescaped).collect())
}

pub(super) fn quoted(key: &str) -> String {
    serde_json::Value::from(key).to_string()
}

/// Where `part` starts, which is a slice of `text`.
fn offset(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

fn end(text: &str, part: &str) -> usize {
    offset(text, part) + part.len()
}
