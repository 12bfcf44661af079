//! The body to send.

use std::path::Path;

use bytes::Bytes;
use cronofy_webhook::testing::Payload;
use serde_json::value::{RawValue, to_raw_value};

use crate::error::Error;
use crate::input::read;

/// The fields that name the URL a delivery is for, one in each family that has it.
const CALLBACK_URLS: [&str; 2] = ["/channel/callback_url", "/smart_invite/callback_url"];

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

/// The sample, made for this URL where its kind names one: a receiver may refuse a delivery that is for another URL.
pub(super) fn of_sample(name: &str, url: &str, settings: &[Setting]) -> Result<Bytes, Error> {
    let mut payload = Payload::sample(name);
    let value: serde_json::Value = serde_json::from_str(payload.as_str()).map_err(Error::failed)?;
    for pointer in CALLBACK_URLS {
        if value.pointer(pointer).is_some() {
            payload = payload.set(pointer, url);
        }
    }
    edited(payload, settings)
}

/// The file as it is, or with changes if it is text.
pub(super) fn of_file(path: &Path, settings: &[Setting]) -> Result<Bytes, Error> {
    let bytes = read(path)?;
    if settings.is_empty() {
        return Ok(bytes.into());
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::usage("--set needs a body that is JSON, and this is not UTF-8"))?;
    edited(Payload::new(text), settings)
}

fn edited(payload: Payload, settings: &[Setting]) -> Result<Bytes, Error> {
    let edited = settings.iter().try_fold(payload, |payload, setting| {
        payload.try_set(&setting.pointer, &setting.value)
    });
    match edited {
        Ok(payload) => Ok(payload.into()),
        Err(error) => Err(Error::usage(format!("--set: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use cronofy_webhook::Notification;

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

    #[test]
    fn a_sample_is_for_the_url_where_its_kind_names_one() {
        const URL: &str = "http://127.0.0.1:3000/cronofy/42";
        let named = Payload::samples().filter(|sample| {
            let body = of_sample(sample.name(), URL, &[]).unwrap();
            let callback_url = Notification::from_slice(&body)
                .callback_url()
                .map(str::to_owned);
            assert!(
                callback_url.is_none_or(|url| url == URL),
                "{}",
                sample.name()
            );
            body != sample.payload().as_str()
        });
        assert_eq!(named.count(), 15);
    }

    #[test]
    fn a_setting_wins_over_the_url() {
        let setting = Setting::parse("/channel/callback_url=https://a.example/").unwrap();
        let body = of_sample("change", "http://127.0.0.1/", &[setting]).unwrap();
        let notification = Notification::from_slice(&body);
        assert_eq!(notification.callback_url(), Some("https://a.example/"));
    }
}
