//! On small and on large screens, and after a reload.

use serde_json::json;

use crate::browser::Browser;
use crate::listening::Listening;
use crate::record::{change, deliveries};
use crate::support::recorder;

const WIDTHS: &str = "return ['.list-pane', '.detail', '.aside'].map((selector) => document.querySelector(selector)?.getBoundingClientRect().width > 100)";

pub(crate) fn narrow() {
    let listening = Listening::start(&recorder(204).0, &[]);
    let browser = Browser::start();
    browser.emulate(320, 700, "light");
    browser.open(&listening.link());
    listening.post("/", &change("chn_1"));
    browser.wait_for(".row", "change");
    assert_eq!(browser.js(WIDTHS), json!([true, false, false]));
    assert_eq!(
        browser.js("return document.documentElement.scrollWidth"),
        320
    );
    browser.select(1);
    assert_eq!(browser.js(WIDTHS), json!([false, true, false]));
    assert_eq!(
        browser.js("return document.documentElement.scrollWidth"),
        320
    );
    browser.push("← Back");
    assert_eq!(browser.js(WIDTHS), json!([true, false, false]));
    assert_eq!(browser.js("return document.activeElement.id"), "list");
}

pub(crate) fn wide() {
    let listening = Listening::start(&recorder(204).0, &[]);
    let browser = Browser::start();
    browser.emulate(2560, 1200, "light");
    browser.open(&listening.link());
    listening.post("/", &change("chn_1"));
    browser.wait_for(".row", "change");
    browser.click("#row-1");
    browser.wait_for(".aside", "The receiver");
    assert_eq!(browser.js(WIDTHS), json!([true, true, true]));
    browser.emulate(2559, 1200, "light");
    browser.wait("return document.querySelector('.aside').getBoundingClientRect().width === 0");
}

pub(crate) fn filter() {
    let (_folder, record) = deliveries(30);
    let listening = Listening::start(&recorder(204).0, &["--record", &record]);
    let browser = Browser::start();
    let link = listening.link();
    browser.open(&link);
    browser.wait_for("#count", "30");
    listening.send("GET /favicon.ico HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    browser.fill("[name=text]", "CHN_7");
    browser.wait_for("#count", "1 of 30");
    let fragment = || {
        browser
            .url()
            .split_once('#')
            .map(|(_, fragment)| fragment.to_owned())
    };
    assert_eq!(fragment().as_deref(), Some("text=CHN_7"));
    browser.js("location.reload()");
    browser.wait_for("#count", "1 of 30");
    assert_eq!(
        browser.js("return document.querySelector('[name=text]').value"),
        "CHN_7"
    );
    browser.click("#clear");
    browser.wait("return document.getElementById('count').textContent === '30'");
    assert_eq!(fragment(), None);
    for (select, value, count) in [
        ("verdict", "unauthentic", "3 of 30"),
        ("status", "5", "1 of 30"),
        ("kind", "change", "30"),
    ] {
        browser.js(&format!(
            "const select = document.querySelector('[name={select}]'); select.value = '{value}'; select.dispatchEvent(new Event('input', {{ bubbles: true }}))"
        ));
        browser.wait(&format!(
            "return document.getElementById('count').textContent === '{count}'"
        ));
        assert_eq!(fragment(), Some(format!("{select}={value}")));
        browser.click("#clear");
        browser.wait("return location.hash === ''");
    }
    browser.click("[name=other]");
    browser.wait_for("#row-31", "GET /favicon.ico");
    assert_eq!(fragment().as_deref(), Some("other=1"));
}
