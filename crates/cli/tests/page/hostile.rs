//! What was received is text.

use serde_json::json;

use crate::browser::Browser;
use crate::listening::{Listening, post};
use crate::support::recorder;

const MARKUP: &str = "<img src=x onerror=\"window.isHarmed=1\"><script>window.isHarmed=1</script>";

pub(crate) fn markup() {
    let listening = Listening::start(&recorder(204).0, &[]);
    let browser = Browser::start();
    browser.open(&listening.link());
    let body = json!({
        "notification": {"type": MARKUP, MARKUP: MARKUP},
        "channel": {"channel_id": MARKUP, "callback_url": "javascript:window.isHarmed=1"},
    });
    let request = post(
        "/?<img/src=x/onerror=alert(1)>"
            .replace(['<', '>'], "|")
            .as_str(),
        &body.to_string(),
    );
    listening.send(request.replacen("Host", &format!("X-A: {MARKUP}\r\nHost"), 1));
    listening.post("/", &format!("not JSON {MARKUP}"));
    browser.wait("return document.querySelectorAll('.row').length === 2");
    for key in [1, 2] {
        browser.click(&format!("#row-{key}"));
        browser.wait_for("#title", &format!("#{key}"));
        for tab in [
            "Body",
            "Signature",
            "Headers",
            "Answer",
            "Attempts",
            "Difference",
        ] {
            browser.click(&format!("#tab-{tab}"));
            assert_harmless(&browser);
        }
        browser.click("#tab-Body");
        for form in ["Raw", "Hex", "Typed", "Pretty"] {
            browser.push(form);
            assert_harmless(&browser);
        }
        assert!(
            browser
                .text("[role=tabpanel]")
                .contains("<img src=x onerror=")
        );
    }
    browser.push("Save as fixture");
    assert_harmless(&browser);
    browser.push("Close");
    browser.push("Edit");
    assert_harmless(&browser);
    assert_eq!(browser.console(), [""; 0]);
}

fn assert_harmless(browser: &Browser) {
    assert!(browser.js("return window.isHarmed ?? null").is_null());
    assert_eq!(
        browser.js("return document.querySelectorAll('img').length"),
        0
    );
    assert_eq!(browser.js("return document.scripts.length"), 1);
}
