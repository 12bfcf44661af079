//! Promise: nothing authentic is refused for its content. What Cronofy documents is read into types, and whatever else
//! comes is kept.

use cronofy_webhook::Notification;
use cronofy_webhook::notification::UnknownReason;
use serde_json::{Map, Value};

mod fields;
mod fixtures;
mod open_enums;
mod properties;
mod times;
mod totality;

/// Reads JSON, and checks that what was read comes back from a queue as the same.
fn read(body: &Value) -> Notification {
    let notification = Notification::from_slice(body.to_string().as_bytes());
    let job = serde_json::to_string(&notification).unwrap();
    assert_eq!(
        serde_json::from_str::<Notification>(&job).unwrap(),
        notification
    );
    notification
}

/// What an `Unknown` says of itself.
fn unknown(notification: &Notification) -> (Option<&str>, &UnknownReason) {
    let Notification::Unknown(unknown) = notification else {
        panic!("understood: {notification:?}");
    };
    (unknown.kind(), unknown.reason())
}

/// The paths of all members of all objects below `value`, as JSON pointers.
fn paths(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(items) => (0..).map(|n: usize| n.to_string()).zip(items).collect(),
        _ => Vec::new(),
    };
    let mut paths = Vec::new();
    for (step, child) in children {
        // An item of a list is not a member: only what is in it is.
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

/// `value` without the member at `path`.
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

/// Whether the names of the members of the object at `path` are data.
fn holds_data(path: &str) -> bool {
    path.ends_with("/metadata/scheduler")
}
