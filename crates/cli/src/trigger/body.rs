//! The body to send.

use std::path::Path;

use bytes::Bytes;
use cronofy_webhook_testing::Payload;

use crate::edit::{Setting, edited, edited_bytes};
use crate::error::Error;
use crate::input::read;

/// The fields that name the URL a delivery is for, one in each family that has it.
const CALLBACK_URLS: [&str; 2] = ["/channel/callback_url", "/smart_invite/callback_url"];

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
    edited_bytes(bytes, settings)
}

#[cfg(test)]
mod tests {
    use cronofy_webhook::Notification;

    use super::*;

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
