//! Changes to a body, as `--set` gives them.

use bytes::Bytes;
use cronofy_webhook_testing::Payload;
use serde_json::value::{RawValue, to_raw_value};

use crate::error::Error;

/// A value to set at a JSON pointer.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pointer: String,
    value: Box<RawValue>,
}

impl Setting {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (pointer, value) = text
            .split_once('=')
            .ok_or("it has no `=`: write /notification/type=change")?;
        let value = serde_json::from_str(value)
            .or_else(|_| to_raw_value(value))
            .map_err(|error| error.to_string())?;
        Ok(Self {
            pointer: pointer.to_owned(),
            value,
        })
    }
}

pub(crate) fn edited(payload: Payload, settings: &[Setting]) -> Result<Bytes, Error> {
    let edited = settings.iter().try_fold(payload, |payload, setting| {
        payload.try_set(&setting.pointer, &setting.value)
    });
    match edited {
        Ok(payload) => Ok(payload.into()),
        Err(error) => Err(Error::usage(format!("--set: {error}"))),
    }
}

/// As [`edited`], for a body that came from outside.
pub(crate) fn edited_bytes(body: Vec<u8>, settings: &[Setting]) -> Result<Bytes, Error> {
    let text = String::from_utf8(body)
        .map_err(|_| Error::usage("--set needs a body that is JSON, and this is not UTF-8"))?;
    edited(Payload::new(text), settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Result<Bytes, Error> {
        let setting = Setting::parse(text).map_err(Error::usage)?;
        edited(Payload::new(r#"{"a":{"b":1}}"#), &[setting])
    }

    #[test]
    fn a_value_is_json_or_else_text() {
        for (setting, body) in [
            ("/a/b=2.50", r#"{"a":{"b":2.50}}"#),
            ("/a={ \"d\":1, \"c\":2 }", r#"{"a":{ "d":1, "c":2 }}"#),
            ("/a/b=chn_1", r#"{"a":{"b":"chn_1"}}"#),
            ("/a/b=x=\"y\"", r#"{"a":{"b":"x=\"y\""}}"#),
            ("/a/b=", r#"{"a":{"b":""}}"#),
            ("/c/d=null", r#"{"a":{"b":1},"c":{"d":null}}"#),
        ] {
            assert_eq!(set(setting).unwrap(), body, "{setting}");
        }
        for setting in ["/a/b", "a/b=1", "/a/b/c=1"] {
            assert_eq!(set(setting).unwrap_err().exit_status(), 2, "{setting}");
        }
    }
}
