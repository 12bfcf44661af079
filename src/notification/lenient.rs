use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_path_to_error::{Path, Segment};

use super::unknown::UnknownReason;

pub(super) type ParseError = serde_path_to_error::Error<serde_json::Error>;

/// How many values below one field of a payload are replaced before the field itself is: it keeps the work linear.
const REPLACED_ONE_BY_ONE: usize = 8;

/// The one object whose keys are a user's. They are values, and appear in no path.
const USER_MAP: &str = ".metadata.scheduler";

/// Replaces by `null`, in the text of a JSON object, each value that keeps it from being parsed.
///
/// Every step replaces a value that is not `null`, so that there is an end to it.
///
/// # Errors
///
/// If `parse` fails and no field can be replaced, as when a field of the object itself is duplicated.
pub(super) fn repair(
    object: &str,
    parse: impl Fn(&str) -> Result<(), ParseError>,
) -> Result<(String, InvalidFields), UnknownReason> {
    let mut text = object.to_owned();
    let mut invalid = InvalidFields::default();
    while let Err(error) = parse(&text) {
        // Lines and columns are those of the body before anything was replaced.
        let reason = reason(&error, invalid.0.is_empty());
        let Some(field) = invalid.next(&text, error.path()) else {
            return Err(reason);
        };
        text.replace_range(field.range, "null");
        invalid.0.push(InvalidField {
            path: field.path,
            reason,
            is_reported: false,
        });
    }
    Ok((text, invalid))
}

/// The fields that were present and could not be parsed.
#[derive(Default)]
pub(super) struct InvalidFields(Vec<InvalidField>);

struct InvalidField {
    path: String,
    reason: UnknownReason,
    /// Whether the field belongs to the kind of the body.
    is_reported: bool,
}

impl InvalidFields {
    /// Takes a field that may be absent.
    pub(super) fn optional<T>(&mut self, path: &str, value: Option<T>) -> Option<T> {
        for field in &mut self.0 {
            field.is_reported |= is_within(&field.path, path);
        }
        value
    }

    /// Takes a field that the kind requires.
    pub(super) fn required<T>(&mut self, path: &str, value: Option<T>) -> Result<T, UnknownReason> {
        self.optional(path, value).ok_or_else(|| {
            let absent = || UnknownReason::Missing {
                field: path.to_owned(),
            };
            self.reason(path).unwrap_or_else(absent)
        })
    }

    /// The first error at or below a field.
    pub(super) fn reason(&self, path: &str) -> Option<UnknownReason> {
        Some(self.within(path).next()?.reason.clone())
    }

    fn within(&self, path: &str) -> impl Iterator<Item = &InvalidField> {
        self.0
            .iter()
            .filter(move |field| is_within(&field.path, path))
    }

    /// The paths of those that were taken, without those below another one.
    pub(super) fn into_paths(self) -> Vec<String> {
        let all = self.0.into_iter().filter(|field| field.is_reported);
        let mut paths: Vec<String> = all.map(|field| field.path).collect();
        paths.sort_unstable();
        // A field is sorted before what is below it.
        paths.dedup_by(|path, before| is_within(path, before));
        paths
    }

    /// The field to replace next, given the path of an error.
    fn next(&self, text: &str, path: &Path) -> Option<Field> {
        let mut fields = fields(text, path);
        let below_payload = |field: &&Field| !field.path.contains('[');
        let outermost = fields.iter().take(2).filter(below_payload).count();
        if let Some(Field { path, .. }) = fields[..outermost].last()
            && self.within(path).count() >= REPLACED_ONE_BY_ONE
        {
            fields.truncate(outermost);
        }
        let replaceable = |field: &Field| &text[field.range.clone()] != "null";
        fields.into_iter().rev().find(replaceable)
    }
}

/// A field of an object, and where its value is in the text.
struct Field {
    path: String,
    range: Range<usize>,
}

/// The fields along a path, outermost first, as far as they can be found.
fn fields(text: &str, path: &Path) -> Vec<Field> {
    let mut fields = Vec::new();
    let (mut name, mut value) = (String::new(), text);
    for segment in path {
        let found = match segment {
            Segment::Map { key } => field(value, key),
            Segment::Seq { index } => item(value, *index),
            _ => None,
        };
        let Some(found) = found else {
            break;
        };
        value = found;
        append(&mut name, segment);
        if let Segment::Map { .. } = segment {
            let start = value.as_ptr() as usize - text.as_ptr() as usize;
            fields.push(Field {
                path: name.clone(),
                range: start..start + value.len(),
            });
        }
    }
    fields
}

/// The text of a field of a JSON object.
pub(super) fn field<'a>(object: &'a str, name: &'a str) -> Option<&'a str> {
    // As bytes: `"\ud800"` is JSON, and no Unicode text.
    #[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
    struct Name<'a>(#[serde(borrow)] Cow<'a, [u8]>);

    let fields: BTreeMap<Name<'_>, &RawValue> = serde_json::from_str(object).ok()?;
    Some(fields.get(&Name(name.as_bytes().into()))?.get())
}

/// The text of an item of a JSON array.
fn item(list: &str, index: usize) -> Option<&str> {
    let items: Vec<&RawValue> = serde_json::from_str(list).ok()?;
    Some(items.get(index)?.get())
}

/// The reason for an error. It is logged, and so quotes nothing that was received.
fn reason(error: &ParseError, with_position: bool) -> UnknownReason {
    let mut field = String::new();
    for segment in error.path() {
        append(&mut field, segment);
    }
    let error = error.inner();
    let message = error.to_string();
    let message = message
        .rsplit_once(" at line ")
        .map_or(&*message, |(message, _)| message);
    // Of serde's messages, these two name a field of ours.
    if let Some(name) = quoted(message, "missing field ") {
        append_name(&mut field, name);
        return UnknownReason::Missing { field };
    }
    let mut detail = if let Some(name) = quoted(message, "duplicate field ") {
        append_name(&mut field, name);
        "duplicated".to_owned()
    } else if let Some((_, expected)) = message.rsplit_once(", expected ") {
        // What comes before it may quote what was received.
        format!("expected {expected}")
    } else if error.is_syntax() {
        message.to_owned()
    } else {
        "not as expected".to_owned()
    };
    if with_position {
        detail += &format!(" at line {} column {}", error.line(), error.column());
    }
    UnknownReason::Malformed { field, detail }
}

fn quoted<'a>(message: &'a str, prefix: &str) -> Option<&'a str> {
    message.strip_prefix(prefix)?.split('`').nth(1)
}

fn append(path: &mut String, segment: &Segment) {
    if path.ends_with(USER_MAP) {
        return;
    }
    match segment {
        Segment::Seq { index } => *path += &format!("[{index}]"),
        Segment::Map { key } => append_name(path, key),
        // A name that is no Unicode text.
        _ => append_name(path, "?"),
    }
}

fn append_name(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    *path += name;
}

/// Whether a path is that of a field, or of something below it.
fn is_within(path: &str, field: &str) -> bool {
    path.strip_prefix(field)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use serde::Deserialize;
    use serde_json::Value;

    use super::repair;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only parsed")]
    struct Item {
        number: u8,
        flag: Option<bool>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only parsed")]
    struct Payload {
        items: Option<Vec<Item>>,
        other: Option<Vec<Item>>,
        flag: Option<bool>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only parsed")]
    struct Body {
        payload: Option<Payload>,
    }

    fn present(value: &Value) -> usize {
        match value {
            Value::Null => 0,
            Value::Array(items) => 1 + items.iter().map(present).sum::<usize>(),
            Value::Object(fields) => 1 + fields.values().map(present).sum::<usize>(),
            _ => 1,
        }
    }

    #[test]
    fn each_pass_has_fewer_values_and_there_are_at_most_nine_for_a_field() {
        let items = vec![r#"{"number":1,"flag":"x"}"#; 2000].join(",");
        let body = format!(r#"{{"payload":{{"items":[{items}],"other":[{items}],"flag":7}}}}"#);
        let texts = RefCell::new(Vec::new());
        let (repaired, _) = repair(&body, |text| {
            texts.borrow_mut().push(text.to_owned());
            let deserializer = &mut serde_json::Deserializer::from_str(text);
            serde_path_to_error::deserialize::<_, Body>(deserializer).map(drop)
        })
        .expect("every odd value is optional");
        assert_eq!(
            repaired,
            r#"{"payload":{"items":null,"other":null,"flag":null}}"#
        );
        let counts: Vec<usize> = texts
            .borrow()
            .iter()
            .map(|text| present(&serde_json::from_str(text).expect("is JSON")))
            .collect();
        assert!(
            counts.is_sorted_by(|before, after| before > after),
            "{counts:?}"
        );
        assert!(counts.len() <= 3 * 9 + 1, "{}", counts.len());
    }
}
