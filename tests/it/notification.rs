//! Guarantee: a correctly signed delivery is never rejected because of its content.

use cronofy_webhook::Notification;
use cronofy_webhook::notification::UnknownReason;
use serde_json::{Map, Value};

mod fields;
mod fixtures;
mod leniency;
mod open_enums;
mod properties;
mod times;
mod totality;

fn parse(body: &Value) -> Notification {
    Notification::from_slice(body.to_string().as_bytes())
}

/// `value` with each time that has no zone as a string, which is one of its two forms.
fn with_plain_times(value: &Value) -> Value {
    match value {
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("time") => {
            fields["time"].clone()
        }
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), with_plain_times(value)))
            .collect(),
        Value::Array(items) => items.iter().map(with_plain_times).collect(),
        value => value.clone(),
    }
}

/// The kind and the reason of an `Unknown`.
fn unknown(notification: &Notification) -> (Option<&str>, &UnknownReason) {
    let Notification::Unknown(unknown) = notification else {
        panic!("of a known kind: {notification:?}");
    };
    (unknown.kind(), unknown.reason())
}

/// The paths of all fields of all objects below `value`, as JSON pointers.
fn paths(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(items) => (0..).map(|n: usize| n.to_string()).zip(items).collect(),
        _ => Vec::new(),
    };
    let mut paths = Vec::new();
    for (step, child) in children {
        // An item of a list is not a field.
        if value.is_object() {
            paths.push(format!("/{step}"));
        }
        paths.extend(
            self::paths(child)
                .iter()
                .map(|path| format!("/{step}{path}")),
        );
    }
    paths
}

/// `value` with what is at `path` changed by `change`.
fn with(value: &Value, path: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut value = value.clone();
    change(value.pointer_mut(path).unwrap());
    value
}

/// `value` without the field at `path`.
fn without(value: &Value, path: &str) -> Value {
    let (object, name) = path.rsplit_once('/').unwrap();
    with(value, object, |object| {
        fields(object).remove(name).unwrap();
    })
}

fn fields(object: &mut Value) -> &mut Map<String, Value> {
    object.as_object_mut().unwrap()
}

/// `path` with `*` for each number in it.
fn pattern(path: &str) -> String {
    let steps = path
        .split('/')
        .map(|step| step.parse::<usize>().map_or(step, |_| "*"));
    steps.collect::<Vec<_>>().join("/")
}

/// Whether the names of the fields of the object at `path` are data.
fn holds_data(path: &str) -> bool {
    path.ends_with("/metadata/scheduler")
}
