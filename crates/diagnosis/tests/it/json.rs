//! JSON with its fields in order, and the styles that it can be written in, by `serde_json`'s formatters.

use std::fmt;
use std::io;

use cronofy_webhook_testing::Payload;
use proptest::collection::vec;
use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Flag(bool),
    Number(i64),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// How many styles there are: 4 layouts with 5 sets of escapes, each without and with a final newline.
pub(crate) const STYLES: u64 = 40;

impl Json {
    /// In one of the styles that serialisers have.
    pub(crate) fn text(&self, style: u64) -> String {
        let style = style % STYLES;
        let mut bytes = Vec::new();
        match style / 5 % 4 {
            0 => self.write(&mut bytes, CompactFormatter),
            1 => self.write(&mut bytes, Spaced),
            2 => self.write(&mut bytes, PrettyFormatter::new()),
            _ => self.write(&mut bytes, PrettyFormatter::with_indent(b"    ")),
        }
        let text = String::from_utf8(bytes).unwrap();
        let text = match style % 5 {
            0 => text,
            1 => escaped(&text, |c| {
                matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')
            }),
            2 => escaped(&text, |c| !c.is_ascii()),
            3 => text.replace('/', "\\/"),
            _ => escaped(&text.replace('/', "\\/"), |c| !c.is_ascii()),
        };
        if style < 20 { text } else { text + "\n" }
    }

    /// As PHP passes it on, which has one type for lists and objects.
    pub(crate) fn by_php(&self) -> Self {
        match self {
            Self::List(items) => Self::List(items.iter().map(Self::by_php).collect()),
            Self::Object(fields) if fields.is_empty() => Self::List(Vec::new()),
            Self::Object(fields) => {
                let fields = fields.iter();
                Self::Object(
                    fields
                        .map(|(name, value)| (name.clone(), value.by_php()))
                        .collect(),
                )
            }
            other => other.clone(),
        }
    }

    fn write(&self, bytes: &mut Vec<u8>, formatter: impl Formatter) {
        let mut serializer = serde_json::Serializer::with_formatter(bytes, formatter);
        self.serialize(&mut serializer).unwrap();
    }

    pub(crate) fn sorted(&self) -> Self {
        match self {
            Self::List(items) => Self::List(items.iter().map(Self::sorted).collect()),
            Self::Object(fields) => {
                let sorted = fields
                    .iter()
                    .map(|(name, value)| (name.clone(), value.sorted()));
                let mut fields: Vec<_> = sorted.collect();
                fields.sort_by(|(a, _), (b, _)| a.cmp(b));
                Self::Object(fields)
            }
            other => other.clone(),
        }
    }

    pub(crate) fn strings(&self) -> Vec<String> {
        match self {
            Self::Text(text) => vec![text.clone()],
            Self::List(items) => items.iter().flat_map(Self::strings).collect(),
            Self::Object(fields) => fields
                .iter()
                .flat_map(|(_, value)| value.strings())
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// Only text has these characters: what is not in a string is punctuation, digits and literals.
fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if is_escaped(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                escaped += &format!("\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// As Python's `json.dumps` lays it out.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        w: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { w.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        w: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { w.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, w: &mut W) -> io::Result<()> {
        w.write_all(b": ")
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Ordered;

        impl<'de> Visitor<'de> for Ordered {
            type Value = Json;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON without fractions")
            }

            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
                Ok(Json::Flag(flag))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
                Ok(Json::Number(number))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
                Ok(Json::Number(number.try_into().unwrap()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(Json::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Json::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Json::Object(fields))
            }
        }

        deserializer.deserialize_any(Ordered)
    }
}

pub(crate) fn samples() -> Vec<(&'static str, Json)> {
    Payload::samples()
        .map(|sample| {
            (
                sample.name(),
                serde_json::from_str(sample.payload().as_str()).unwrap(),
            )
        })
        .collect()
}

/// Text with all that serialisers escape.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "https://[a-z]{8,12}\\.example/[a-z0-9]{8,16}\\?a=1&b=<é>",
        "[ -~]{0,24}",
        "[a-z\u{e0}-\u{ff}/&<>\"\\\\\n\t\u{2028}😀日]{0,16}",
        "\\PC{0,12}",
    ]
}

/// Any JSON.
pub(crate) fn value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Flag),
        any::<i64>().prop_map(Json::Number),
        text().prop_map(Json::Text),
    ];
    let tree = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::List),
            vec((text(), inner), 0..4).prop_map(Json::Object),
        ]
    });
    vec((text(), tree), 1..4).prop_map(Json::Object)
}

/// A body of a documented kind with other strings in it, fields in the documented order.
pub(crate) fn notification() -> impl Strategy<Value = Json> {
    let samples = prop::sample::select(samples());
    (samples, vec(text(), 32)).prop_map(|((_, mut body), mut texts)| {
        fill(&mut body, &mut texts);
        body
    })
}

fn fill(body: &mut Json, texts: &mut Vec<String>) {
    match body {
        Json::Text(text) => *text = texts.pop().unwrap_or_default(),
        Json::List(items) => items.iter_mut().for_each(|item| fill(item, texts)),
        Json::Object(fields) => fields.iter_mut().for_each(|(_, value)| fill(value, texts)),
        _ => {}
    }
}
