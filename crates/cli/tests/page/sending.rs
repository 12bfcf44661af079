//! What the page sends.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use cronofy_webhook::CronofyWebhookLayer;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::Semaphore;

use crate::browser::Browser;
use crate::listening::Listening;
use crate::record::{change, deliveries};
use crate::support::{SECRET, receiver, recorder, serve};

pub(crate) fn edit() {
    // It demands a signature.
    let app = post(async || StatusCode::NO_CONTENT).layer(CronofyWebhookLayer::new(SECRET));
    let listening = Listening::start(&serve(Router::new().route("/cronofy/42", app)), &[]);
    let browser = Browser::start();
    browser.open(&listening.link());
    listening.post("/cronofy/42", &change("chn_1"));
    browser.wait_for(".row", "chn_1");
    browser.select(1);
    browser.push("Edit");
    let replace = |from: &str, to: &str| {
        browser.js_with(
            "const area = document.getElementById('edit-body'); area.value = area.value.replace(arguments[0], arguments[1]); area.dispatchEvent(new Event('input'))",
            vec![json!(from), json!(to)],
        );
    };
    replace("\"channel\": {", "\"channel\" {");
    browser.wait_for("#edit-problem", "column 13: expected a colon, not {");
    assert_eq!(
        browser.js("return document.getElementById('edit-body').getAttribute('aria-invalid')"),
        "true"
    );
    replace("\"channel\" {", "\"channel\": {");
    browser.wait_for("#edit-problem", "It is JSON.");
    replace("chn_1", "chn_edited");
    assert_eq!(
        browser.text("#edit-sign option:checked"),
        "client secret 1 of 1"
    );
    browser.push("Send");
    browser.wait_for(".result", "204 in");
    browser.wait_for("#row-2", "edited from 1");
    assert!(
        browser.text("#row-2").contains("chn_edited")
            && browser.text("#row-2").contains("✓authentic")
    );
    assert!(browser.text("#row-1").contains("chn_1"));
    // With the signature that came, it is refused.
    browser.js("document.getElementById('edit-sign').value = 'keep'");
    browser.push("Send");
    browser.wait_for(".result", "401 in");
    browser.push("Open #3");
    browser.wait_for("#title", "#3");
    browser.click("#tab-Difference");
    browser.wait_for("[role=tabpanel]", "/channel/channel_id");
    assert_eq!(browser.console(), [""; 0]);
}

pub(crate) fn first_steps() {
    let listening = Listening::start(&receiver().replace("/42", ""), &[]);
    let browser = Browser::start();
    browser.open(&listening.link());
    browser.wait_for(".steps li.done:nth-child(2)", "Receiver");
    let steps = browser.text(".steps");
    for text in [
        "client secret 1 of 1",
        "Trigger a verification",
        "ngrok http",
        "dashboard",
    ] {
        assert!(steps.contains(text), "{steps}");
    }
    // The path below that of --to is not known yet: the receiver answers 404 there.
    browser.push("Trigger a verification");
    browser.wait_for("#title", "verification");
    browser.wait_for(".outcome", "404 in");
    listening.send("POST /cronofy/42 HTTP/1.1\r\nHost: abc.ngrok.example\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}");
    browser.wait("return document.querySelectorAll('.row').length === 2");
    browser.click("#trigger");
    browser.wait("return document.getElementById('trigger-path')?.value === '/cronofy/42'");
    browser.push("Send");
    browser.wait_for(".outcome", "204 in");
    browser.wait_for("#facts", "https://abc.ngrok.example");
}

pub(crate) fn menu() {
    let (to, log) = recorder(204);
    let arguments = ["--public-url", "https://receiver.example"];
    let listening = Listening::start(&to, &arguments);
    let browser = Browser::start();
    browser.open(&listening.link());
    listening.post("/cronofy/42", &change("chn_7"));
    browser.wait_for(".row", "chn_7");
    browser.click("#trigger");
    browser.wait("return document.getElementById('trigger-kind')?.value === 'verification'");
    let groups =
        browser.js("return [...document.querySelectorAll('optgroup')].map((group) => group.label)");
    assert_eq!(groups[0], "Channel");
    assert_eq!(groups.as_array().unwrap().len(), 8);
    browser.js("const kind = document.getElementById('trigger-kind'); kind.value = 'profile_disconnected'; kind.dispatchEvent(new Event('change'))");
    browser.push("Send");
    browser.wait_for("#title", "profile_disconnected");
    browser.click("#trigger");
    browser.wait("return document.getElementById('trigger-kind')");
    browser.push("Edit first");
    browser.wait_for("#title", "Trigger verification");
    browser.push("Send");
    browser.wait_for(".result", "204 in");
    let log = log.lock().unwrap();
    assert_eq!(log.len(), 3);
    for received in &log[1..] {
        let body: serde_json::Value = serde_json::from_slice(&received.body).unwrap();
        assert_eq!(received.uri, "/cronofy/42");
        assert_eq!(body["channel"]["channel_id"], "chn_7");
        assert_eq!(
            body["channel"]["callback_url"],
            "https://receiver.example/cronofy/42"
        );
        assert_eq!(received.headers["host"], "receiver.example");
    }
}

pub(crate) fn several() {
    let gate = Arc::new(Semaphore::new(0));
    let at_gate = Arc::clone(&gate);
    let app = Router::new().fallback(async move || {
        at_gate.acquire().await.unwrap().forget();
        StatusCode::NO_CONTENT
    });
    let (_folder, record) = deliveries(30);
    let arguments = ["--record", &record, "--patience", "60s"];
    let listening = Listening::start(&serve(app), &arguments);
    let browser = Browser::start();
    browser.open(&listening.link());
    browser.wait_for("#count", "30");
    browser.fill("[name=text]", "chn_1");
    browser.wait_for("#count", "11 of 30");
    browser.click("#replay-all");
    browser.wait_for("dialog", "11 deliveries are sent");
    browser.push("Cancel");
    browser.click("#replay-all");
    browser.push("Replay 11");
    browser.wait_for("#progress-text", "0 of 11 replayed");
    gate.add_permits(2);
    browser.wait_for("#progress-text", "2 of 11 replayed, 2 delivered");
    browser.click("#stop");
    browser.wait("return document.getElementById('stop').disabled");
    gate.add_permits(20);
    browser.wait("return document.getElementById('progress').hidden");
    browser.wait_for("#live", "3 of 11 replayed, 3 delivered");
    browser.wait_for("#count", "14 of 33");
    assert!(
        browser.text("#row-33").contains("replay of 11"),
        "{}",
        browser.text("#row-33")
    );
}

pub(crate) fn fixture() {
    let listening = Listening::start(&recorder(204).0, &[]);
    let folder = TempDir::new().unwrap();
    let browser = Browser::start();
    browser.cdp(
        "Browser.setDownloadBehavior",
        &json!({"behavior": "allow", "downloadPath": folder.path(), "eventsEnabled": false}),
    );
    browser.open(&listening.link());
    let body = change("chn_é") + "\r\n ";
    listening.post("/", &body);
    browser.wait_for(".row", "chn_é");
    browser.select(1);
    browser.push("Save as fixture");
    // This test is one of the others, so that it compiles and passes.
    let test = include_str!("../it/listen/page/fixture.rs");
    browser.wait("return document.querySelector('dialog .code')");
    assert_eq!(browser.text("dialog .code"), test);
    browser.push("Save change-1.json");
    let path = folder.path().join("change-1.json");
    // The browser renames the file when it is whole.
    for _ in 0..500 {
        if path.exists() {
            break;
        }
        browser.js_async("await new Promise((resolve) => setTimeout(resolve, 20))");
    }
    assert_eq!(std::fs::read(path).unwrap(), body.as_bytes());
    assert_eq!(browser.console(), [""; 0]);
}
