//! What comes while the page is open.

use serde_json::json;

use crate::browser::Browser;
use crate::listening::Listening;
use crate::record::{change, deliveries};
use crate::support::recorder;

pub(crate) fn appears() {
    let listening = Listening::start(&recorder(204).0, &[]);
    let browser = Browser::start();
    browser.open(&listening.link());
    browser.js("window.isTheSame = true");
    listening.post("/cronofy/42", &change("chn_1"));
    browser.wait_for(".row", "change");
    let row = browser.text(".row");
    for text in ["change", "chn_1", "✓authentic", "204", " ms"] {
        assert!(row.contains(text), "{row}");
    }
    assert_eq!(browser.text("#count"), "1");
    assert_eq!(browser.js("return window.isTheSame"), true);
    assert_eq!(browser.console(), [""; 0]);
}

pub(crate) fn does_not_move() {
    let (_folder, record) = deliveries(200);
    let listening = Listening::start(&recorder(204).0, &["--record", &record]);
    let browser = Browser::start();
    browser.open(&listening.link());
    browser.wait("return document.querySelectorAll('.row').length > 10");
    browser.click(".row:nth-child(3)");
    browser.wait("return document.querySelector('[role=tabpanel]')");
    browser.js("const list = document.getElementById('list'); list.scrollTop = 34 * 50 + 7");
    browser.wait("return !document.getElementById('row-199')");
    let read = "const list = document.getElementById('list').getBoundingClientRect();
        const row = document.elementsFromPoint(list.left + 40, list.top + 100).find((e) => e.matches('.row'));
        return [row.id, row.getBoundingClientRect().top, document.getElementById('title').textContent]";
    let before = browser.js(read);
    for number in 0..3 {
        listening.post("/", &format!("{number}"));
    }
    browser.wait_for("#new", "3 new");
    assert_eq!(browser.js(read), before);
    let selected = "return document.querySelector('[aria-selected=true].row').id";
    assert_eq!(browser.js(selected), "row-198");
    browser.click("#new");
    browser
        .wait("return document.getElementById('row-203') && document.getElementById('new').hidden");
    assert_eq!(
        browser.js("return document.getElementById('list').scrollTop"),
        0
    );
    assert_eq!(browser.js(selected), "row-198");
}

pub(crate) fn announced() {
    let listening = Listening::start(&recorder(204).0, &[]);
    let browser = Browser::start();
    browser.open(&listening.link());
    browser.js(
        "window.told = [];
         new MutationObserver(() => window.told.push([performance.now(), document.getElementById('live').textContent]))
           .observe(document.getElementById('live'), { childList: true })",
    );
    for number in 0..40 {
        listening.post("/", &format!("{number}"));
    }
    browser.wait_for("#live", "new deliveries");
    listening.post("/", "more");
    browser.wait_for("#live", "1 new delivery");
    let told = browser.js("return window.told");
    let told = told.as_array().unwrap();
    let times: Vec<_> = told.iter().map(|told| told[0].as_f64().unwrap()).collect();
    for pair in times.windows(2) {
        assert!(pair[1] - pair[0] >= 4900.0, "{told:?}");
    }
    let polite = browser.js("return document.getElementById('live').getAttribute('aria-live')");
    assert_eq!(polite, json!("polite"));
}
