//! What is not the page of this run.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use serde_json::json;

use crate::browser::Browser;
use crate::listening::Listening;
use crate::record::change;
use crate::support::{recorder, serve};

pub(crate) fn host() {
    let listening = Listening::start(&recorder(204).0, &[]);
    let browser = Browser::start();
    browser.go(&listening.link().replace("127.0.0.1", "localhost"));
    let text = browser.text("body");
    assert_eq!(text, r#"{"error":"the host is not that of the page"}"#);
}

/// A page of another origin, and one of none, that know the token.
pub(crate) fn origin() {
    let (to, log) = recorder(204);
    let listening = Listening::start(&to, &[]);
    listening.post("/", &change("chn_1"));
    let link = listening.link();
    let (url, token) = link.split_once("/#t=").unwrap();
    let send = format!(
        "fetch('{url}/api/replay', {{ method: 'POST', body: '{{\"key\":1}}', headers: {{ authorization: 'Bearer {token}', 'content-type': 'application/json' }} }})"
    );
    let plain = format!(
        "fetch('{url}/api/replay', {{ method: 'POST', mode: 'no-cors', body: '{{\"key\":1}}' }})"
    );
    let read = format!(
        "fetch('{url}/api/deliveries', {{ headers: {{ authorization: 'Bearer {token}' }} }})"
    );
    let frame = format!(
        "<iframe sandbox=allow-scripts srcdoc=\"<script>Promise.allSettled([{}]).then((all) => parent.postMessage(all.map((one) => one.status + (one.value?.status ?? '')), '*'))</script>\"></iframe>",
        [&send, &plain, &read]
            .map(|call| call.replace('"', "&quot;"))
            .join(", ")
    );
    let html = format!(
        "<!doctype html><script>addEventListener('message', (event) => window.ofFrame = event.data)</script>{frame}"
    );
    let other = serve(Router::new().route("/", get(async move || Html(html))));
    let browser = Browser::start();
    browser.go(&other);
    let refused = json!(["rejected", "rejected", "rejected"]);
    assert_eq!(browser.wait("return window.ofFrame"), refused);
    let own = browser.js_async(&format!(
        "const all = await Promise.allSettled([{send}, {plain}, {read}]);
         return all.map((one) => one.status + (one.value?.status ?? ''))"
    ));
    assert_eq!(own, refused);
    assert_eq!(log.lock().unwrap().len(), 1);
    // The same calls from the page itself.
    browser.open(&link);
    assert_eq!(
        browser.js_async(&format!("return (await {read}).status")),
        200
    );
    assert_eq!(
        browser.js_async(&format!("return (await {send}).status")),
        200
    );
    assert_eq!(log.lock().unwrap().len(), 2);
}

pub(crate) fn token() {
    let listening = Listening::start(&recorder(204).0, &[]);
    let link = listening.link();
    let (url, token) = link.split_once("/#t=").unwrap();
    let browser = Browser::start();
    browser.go(url);
    browser.wait_for("[role=alert]", "open the link that listen printed");
    assert_eq!(
        browser.js_async("return (await fetch('/api/deliveries')).status"),
        401
    );
    // The link, opened in the same tab, changes the fragment only.
    browser.open(&link);
    assert_eq!(browser.url(), format!("{url}/"));
    assert!(
        browser
            .js("return document.querySelector('.locked')")
            .is_null()
    );
    assert_eq!(browser.js("return sessionStorage.token"), token);
    assert_eq!(
        browser.js("return document.cookie + JSON.stringify(localStorage)"),
        "{}"
    );
}
