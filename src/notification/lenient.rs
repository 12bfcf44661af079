use std::collections::BTreeMap;
use std::ops::Range;

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
) -> Result<(String, Losses), UnknownReason> {
    let mut text = object.to_owned();
    let mut losses = Losses::default();
    while let Err(error) = parse(&text) {
        // Lines and columns are those of the body before anything was replaced.
        let reason = reason(&error, losses.0.is_empty());
        let Some(field) = losses.next(&text, error.path()) else {
            return Err(reason);
        };
        text.replace_range(field.range, "null");
        losses.0.push(Loss {
            path: field.path,
            reason,
            is_reported: false,
        });
    }
    Ok((text, losses))
}

/// The fields that were present and could not be parsed.
#[derive(Default)]
pub(super) struct Losses(Vec<Loss>);

struct Loss {
    path: String,
    reason: UnknownReason,
    /// Whether the field belongs to the kind of the body.
    is_reported: bool,
}

impl Losses {
    /// Takes a field that may be absent.
    pub(super) fn optional<T>(&mut self, path: &str, value: Option<T>) -> Option<T> {
        for loss in &mut self.0 {
            loss.is_reported |= is_within(&loss.path, path);
        }
        value
    }

    /// Takes a field that the kind promises.
    pub(super) fn promised<T>(&mut self, path: &str, value: Option<T>) -> Result<T, UnknownReason> {
        self.optional(path, value).ok_or_else(|| {
            let absent = || UnknownReason::Missing {
                field: path.to_owned(),
            };
            self.reason(path).unwrap_or_else(absent)
        })
    }

    /// The first error at or below a field.
    pub(super) fn reason(&self, path: &str) -> Option<UnknownReason> {
        let loss = self.0.iter().find(|loss| is_within(&loss.path, path))?;
        Some(loss.reason.clone())
    }

    /// Whether a field was present and is lost as a whole.
    pub(super) fn contains(&self, path: &str) -> bool {
        self.0.iter().any(|loss| loss.path == path)
    }

    /// The paths of the fields that were taken and are lost, without those below another one.
    pub(super) fn into_paths(self) -> Vec<String> {
        let all = self.0.into_iter().filter(|loss| loss.is_reported);
        let mut paths: Vec<String> = all.map(|loss| loss.path).collect();
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
        if let Some(field) = outermost.checked_sub(1).map(|last| &fields[last]) {
            let replaced = self
                .0
                .iter()
                .filter(|loss| is_within(&loss.path, &field.path));
            if replaced.count() >= REPLACED_ONE_BY_ONE {
                fields.truncate(outermost);
            }
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
            Segment::Map { key } => object(value).and_then(|mut object| object.remove(key)),
            Segment::Seq { index } => serde_json::from_str::<Vec<&RawValue>>(value)
                .ok()
                .and_then(|list| list.get(*index).copied()),
            _ => None,
        };
        let Some(found) = found else {
            break;
        };
        value = found.get();
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

/// The fields of a JSON object, not parsed.
pub(super) fn object(text: &str) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(text).ok()
}

/// The reason for an error. It is logged, and so quotes nothing that was received.
fn reason(error: &ParseError, with_position: bool) -> UnknownReason {
    let mut field = String::new();
    for segment in error.path() {
        append(&mut field, segment);
    }
    let error = error.inner();
    let message = error.to_string();
    // Of serde's messages, these two name a field of ours. Others quote what was received.
    if let Some(name) = quoted(&message, "missing field ") {
        append_name(&mut field, name);
        return UnknownReason::Missing { field };
    }
    let mut detail = "not as expected".to_owned();
    if let Some(name) = quoted(&message, "duplicate field ") {
        append_name(&mut field, name);
        detail = "there is more than one".to_owned();
    }
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
