//! axe-core, in each state of the page.

use std::{env, fs};

use crate::browser::Browser;
use crate::listening::Listening;
use crate::record::{change, deliveries};
use crate::support::receiver;

/// Names the file `axe.min.js`.
const AXE: &str = "AXE_CORE";

pub(crate) fn missing() -> Option<String> {
    match env::var_os(AXE) {
        Some(path) if fs::exists(&path).unwrap_or_default() => None,
        _ => Some(format!("{AXE} does not name the script of axe-core")),
    }
}

pub(crate) fn light() {
    check("light");
}

pub(crate) fn dark() {
    check("dark");
}

fn check(scheme: &str) {
    let axe = fs::read_to_string(env::var_os(AXE).unwrap()).unwrap();
    let listening = Listening::start(&receiver().replace("/42", ""), &[]);
    let browser = Browser::start();
    browser.emulate(1400, 900, scheme);
    let link = listening.link();
    browser.open(&link);
    let color = browser.js("return getComputedStyle(document.body).backgroundColor");
    let is_dark = color == "rgb(16, 18, 22)";
    assert_eq!(is_dark, scheme == "dark", "{color}");
    browser.js(&axe);
    let look = |state: &str| assert_no_violation(&browser, state);
    look("first steps");
    listening.post("/cronofy/42", &change("chn_1"));
    listening.post("/cronofy/42", &change("chn_2"));
    let forged = crate::listening::post("/cronofy/42", &change("chn_1"));
    listening.send(forged.replacen("HMAC-SHA256: ", "HMAC-SHA256: x", 1));
    listening.send("GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    browser.click("[name=other]");
    browser.wait("return document.querySelectorAll('.row').length === 4");
    for key in [2, 3, 4] {
        browser.click(&format!("#row-{key}"));
        browser.wait(&format!("return document.querySelector('#row-{key}[aria-selected=true]') && document.querySelector('[role=tabpanel]')"));
        browser.wait_for(
            "#title",
            if key == 4 {
                "GET"
            } else {
                ["#2", "#3"][key - 2]
            },
        );
        let tabs =
            browser.js("return [...document.querySelectorAll('[role=tab]')].map((tab) => tab.id)");
        for tab in tabs.as_array().unwrap() {
            let tab = tab.as_str().unwrap();
            browser.click(&format!("#{tab}"));
            look(&format!("{key} {tab}"));
        }
    }
    browser.select(3);
    browser.click("#tab-Body");
    for form in ["Raw", "Hex", "Typed"] {
        browser.push(form);
        look(form);
    }
    for (open, state) in [
        ("#trigger", "trigger"),
        ("#help", "help"),
        ("#replay-all", "replay"),
    ] {
        browser.click(open);
        browser.wait("return document.querySelector('dialog[open]')");
        look(state);
        browser.js("document.querySelector('dialog').close()");
        browser.wait("return !document.querySelector('dialog')");
    }
    browser.click("#detail .buttons button");
    browser.wait_for(".said", "Replayed");
    look("replayed");
    browser.push("Edit");
    look("editor");
    browser.push("Send");
    browser.wait_for(".result", " in ");
    look("sent");
    browser.emulate(400, 800, scheme);
    look("narrow editor");
    browser.push("← Back");
    look("narrow list");
    browser.emulate(2560, 1200, scheme);
    look("wide");
    let url = link.split_once("/#").unwrap().0;
    browser.js("sessionStorage.clear()");
    browser.go("about:blank");
    browser.go(url);
    browser.wait("return document.querySelector('[role=alert]')");
    browser.js(&axe);
    look("locked");
    many(&axe, scheme);
}

/// The list while it is scrolled, with rows that are not there.
fn many(axe: &str, scheme: &str) {
    let (_folder, record) = deliveries(500);
    let listening = Listening::start(&receiver().replace("/42", ""), &["--record", &record]);
    let browser = Browser::start();
    browser.emulate(1400, 900, scheme);
    browser.open(&listening.link());
    browser.wait_for("#count", "500");
    browser.click(".row:nth-child(2)");
    browser.wait("return document.querySelector('[role=tabpanel]')");
    browser.js("document.getElementById('list').scrollTop = 3000");
    browser.wait("return document.getElementById('row-420')");
    listening.post("/cronofy/42", &change("chn_new"));
    browser.wait_for("#new", "1 new");
    browser.js(axe);
    assert_no_violation(&browser, "scrolled");
}

/// Those of WCAG 2.2 AA, and axe-core's best practices.
fn assert_no_violation(browser: &Browser, state: &str) {
    let violations = browser.js_async(
        "const { violations } = await axe.run({ resultTypes: ['violations'] });
         return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html + ' ' + node.any.map((one) => one.message)).join(' | ')}`)",
    );
    assert_eq!(violations, serde_json::json!([]), "{state}");
}
