//! The samples, made for this receiver.

use cronofy_webhook_testing::Payload;
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;

/// The fields that name the URL a delivery is for.
const CALLBACK_URLS: [&str; 2] = ["/channel/callback_url", "/smart_invite/callback_url"];

#[derive(Serialize)]
pub(super) struct Sample {
    name: &'static str,
    family: &'static str,
    provenance: &'static str,
}

/// All of them, `verification` first: Cronofy sends it first, too.
pub(super) fn samples() -> Vec<Sample> {
    let samples = Payload::samples().map(|sample| Sample {
        name: sample.name(),
        family: sample.family(),
        provenance: sample.provenance().as_str(),
    });
    samples.collect()
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    name: String,
    /// Path and query.
    uri: String,
    /// The id of the channel; that of the sample if it is empty.
    channel: String,
}

impl Wanted {
    /// The body, with the URL and the channel filled in where its kind has them.
    pub(super) fn body(&self, callback_base: &str) -> Result<String, Refusal> {
        let sample = Payload::samples().find(|sample| sample.name() == self.name);
        let sample = sample.ok_or_else(|| Refusal::unprocessable("there is no such sample"))?;
        let mut payload = sample.payload();
        let value: serde_json::Value =
            serde_json::from_str(payload.as_str()).map_err(Refusal::unprocessable)?;
        let url = format!("{callback_base}{}", self.uri);
        for pointer in CALLBACK_URLS {
            if value.pointer(pointer).is_some() {
                payload = payload.set(pointer, &url);
            }
        }
        let id = "/channel/channel_id";
        if !self.channel.is_empty() && value.pointer(id).is_some() {
            payload = payload.set(id, &self.channel);
        }
        Ok(payload.as_str().to_owned())
    }
}
