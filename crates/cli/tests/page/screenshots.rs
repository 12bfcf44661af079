//! The pictures of the README.

use std::fs;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use cronofy_webhook::CronofyWebhookLayer;
use cronofy_webhook_testing::Payload;

use crate::browser::Browser;
use crate::listening::Listening;
use crate::support::{SECRET, serve};

/// Writes `page-light.png` and `page-dark.png`.
pub(crate) fn take(folder: &Path) {
    let app = post(answer).layer(CronofyWebhookLayer::new(SECRET));
    let to = serve(Router::new().route("/cronofy/{account}", app)) + "/cronofy";
    let listening = Listening::start(&to, &["--public-url", "https://receiver.example"]);
    for name in [
        "verification",
        "change",
        "change:filtered",
        "smart_invite",
        "profile_initial_sync_completed",
        "event_subscription",
        "smart_invite:accepted",
        "scheduling_request_time_chosen",
        "change:calendar_ids",
        "gdpr_requested",
        "event_subscription:meeting_agent_activated",
        "some_future_type",
        "profile_disconnected",
    ] {
        listening.post("/cronofy/42", &body(name));
    }
    let retried = body("change").replace("2026-04", "2026-05");
    for _ in 0..3 {
        listening.post("/cronofy/42", &retried);
    }
    // Signed as it is compact, and formatted on the way.
    let formatted = body("change");
    let compact: String = formatted.split_whitespace().collect();
    let length = |body: &str| format!("Content-Length: {}", body.len());
    let request = crate::listening::post("/cronofy/42", &compact)
        .replace(&length(&compact), &length(formatted.trim()))
        .replace(&compact, formatted.trim());
    listening.send(request);
    let browser = Browser::start();
    browser.emulate(1400, 860, "light");
    browser.open(&listening.link());
    browser.wait("return document.querySelectorAll('.row').length === 17");
    fs::create_dir_all(folder).unwrap();
    for (scheme, key, tab) in [("light", 17, "Signature"), ("dark", 16, "Body")] {
        browser.emulate(1400, 860, scheme);
        browser.click(&format!("#row-{key}"));
        browser.wait_for("#title", &format!("#{key}"));
        browser.click(&format!("#tab-{tab}"));
        browser.js("document.activeElement.blur()");
        let picture = browser.screenshot();
        assert!(picture.len() < 300_000, "{}", picture.len());
        fs::write(folder.join(format!("page-{scheme}.png")), picture).unwrap();
    }
}

fn body(name: &str) -> String {
    let payload = Payload::sample(name);
    let text = payload.as_str().to_owned();
    if !text.contains("\"channel\"") {
        return text;
    }
    let payload = payload.channel(
        "chn_54cf7c7cb4ad4c1027",
        "https://receiver.example/cronofy/42",
    );
    payload.as_str().to_owned()
}

/// As a receiver that has its days.
async fn answer(body: Bytes) -> StatusCode {
    let (time, status) = match body.len() % 7 {
        0 => (3700, StatusCode::NO_CONTENT),
        1 => (40, StatusCode::SERVICE_UNAVAILABLE),
        2 => (620, StatusCode::NO_CONTENT),
        rest => (3 + rest as u64 * 4, StatusCode::NO_CONTENT),
    };
    tokio::time::sleep(Duration::from_millis(time)).await;
    status
}
