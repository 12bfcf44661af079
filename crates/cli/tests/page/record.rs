//! Deliveries to show.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cronofy_webhook::Verifier;
use cronofy_webhook_testing::Payload;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{SECRET, file};

/// A `change` of this channel.
pub(crate) fn change(channel: &str) -> String {
    let payload = Payload::sample("change").channel(channel, "https://receiver.example/cronofy/42");
    payload.as_str().to_owned()
}

/// A record of so many: a tenth not authentic, a seventeenth answered 503.
pub(crate) fn deliveries(number: u64) -> (TempDir, String) {
    let verifier = Verifier::new([SECRET]).unwrap();
    let lines = (1..=number).map(|id| {
        let body = change(&format!("chn_{id}"));
        let is_authentic = id % 10 != 0;
        let signature = verifier.sign(if is_authentic { body.as_bytes() } else { b"" });
        let line = json!({
            "v": 1, "id": id, "at": "2026-11-25T14:00:00.123Z", "method": "POST", "uri": "/cronofy/42",
            "headers": [["host", "receiver.example"], ["content-type", "application/json; charset=utf-8"],
                ["cronofy-hmac-sha256", signature.to_str().unwrap()]],
            "body_b64": STANDARD.encode(&body), "kind": "change",
            "verdict": if is_authentic { "authentic" } else { "unauthentic" },
            "secret": is_authentic.then_some(0), "mistakes": [],
            "answer": {"status": if id % 17 == 0 { 503 } else { 204 }, "by": "receiver", "took_ms": id % 4000,
                "headers": [], "body_b64": ""},
            "error": null, "attempt": 1, "of": null,
        });
        format!("{line}\n")
    });
    file(lines.collect::<String>())
}
