//! Without a mouse.

use serde_json::json;

use crate::browser::{Browser, CONTROL, ENTER, ESCAPE, RIGHT, TAB};
use crate::listening::Listening;
use crate::record::change;
use crate::support::{receiver, recorder};

/// Moves the focus by the tabulator until it is in the list.
fn tab_to_list(browser: &Browser) {
    for _ in 0..30 {
        if browser.js("return document.activeElement.id") == "list" {
            return;
        }
        browser.press(TAB);
    }
    panic!("the list cannot be reached");
}

pub(crate) fn detail_and_replay() {
    let (to, log) = recorder(204);
    let listening = Listening::start(&to, &[]);
    let browser = Browser::start();
    browser.open(&listening.link());
    for channel in ["chn_1", "chn_2", "chn_3"] {
        listening.post("/", &change(channel));
    }
    browser.wait("return document.querySelectorAll('.row').length === 3");
    tab_to_list(&browser);
    browser.press("j");
    browser.press("j");
    browser.press("j");
    browser.press("k");
    let active = "return document.getElementById(document.getElementById('list').getAttribute('aria-activedescendant')).textContent";
    assert!(browser.js(active).as_str().unwrap().contains("chn_2"));
    browser.press(ENTER);
    browser.wait("return document.activeElement.id === 'title'");
    assert_eq!(browser.text("#title"), "change#2");
    browser.press("r");
    browser.wait_for(".said", "Replayed: 204 in");
    assert_eq!(log.lock().unwrap()[3].body, change("chn_2"));
    assert_eq!(browser.text("#title"), "change#2");
    browser.wait_for("#row-4", "replay of 2");
    browser.press(ESCAPE);
    assert_eq!(browser.js("return document.activeElement.id"), "list");
    // The one above, while the detail has the focus.
    browser.press(ENTER);
    browser.press("j");
    browser.wait_for("#title", "#1");
    assert_eq!(browser.js("return document.activeElement.id"), "title");
    browser.press("k");
    browser.wait_for("#title", "#2");
    browser.press(ESCAPE);
    // The tabs by the arrow keys.
    browser.press(ENTER);
    for _ in 0..20 {
        browser.press(TAB);
        if browser.js("return document.activeElement.getAttribute('role')") == "tab" {
            break;
        }
    }
    browser.press(RIGHT);
    assert_eq!(
        browser.js("return document.activeElement.id"),
        "tab-Signature"
    );
    browser.wait_for("[role=tabpanel]", "client secret 1 of 1");
    assert_eq!(browser.console(), [""; 0]);
}

pub(crate) fn actions() {
    let listening = Listening::start(&receiver().replace("/42", ""), &[]);
    let browser = Browser::start();
    let link = listening.link();
    browser.open(&link);
    let origin = link.split_once("/#").unwrap().0;
    browser.cdp(
        "Browser.grantPermissions",
        &json!({"origin": origin, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}),
    );
    listening.post("/cronofy/42", &change("chn_1"));
    browser.wait_for(".row", "chn_1");
    tab_to_list(&browser);
    browser.press("j");
    browser.press("c");
    browser.wait_for(".said", "Copied");
    let copied = browser.js_async("return await navigator.clipboard.readText()");
    assert!(
        copied.as_str().unwrap().starts_with("curl --include"),
        "{copied}"
    );
    browser.press("s");
    browser.wait_for("dialog h2", "Save as fixture");
    browser.press(ESCAPE);
    browser.press("?");
    browser.wait_for("dialog h2", "Keys");
    browser.press(ESCAPE);
    assert_eq!(browser.js("return document.activeElement.id"), "list");
    browser.press("/");
    assert_eq!(browser.js("return document.activeElement.name"), "text");
    browser.press("nowhere");
    browser.wait_for("#count", "0 of 1");
    browser.press(ENTER);
    assert_eq!(browser.js("return document.activeElement.id"), "list");
    browser.press("e");
    browser.wait("return document.activeElement.id === 'edit-body'");
    browser.press(&format!("{CONTROL}{ENTER}"));
    browser.wait_for(".result", "204 in");
    browser.press(ESCAPE);
    browser.wait("return document.activeElement.id === 'title'");
}

pub(crate) fn letters() {
    let (to, log) = recorder(204);
    let listening = Listening::start(&to, &[]);
    let browser = Browser::start();
    browser.open(&listening.link());
    listening.post("/", &change("chn_1"));
    browser.wait_for(".row", "chn_1");
    browser.select(1);
    browser.fill("[name=text]", "rrees");
    browser.click("#trigger");
    browser.wait("return document.querySelector('dialog[open]')");
    browser.press("r");
    browser.press(ESCAPE);
    browser.wait("return !document.querySelector('dialog')");
    // With a modifier, outside of list and detail, and during a composition.
    browser.js("document.getElementById('list').focus()");
    browser.press(&format!("{CONTROL}r"));
    browser.js("document.getElementById('help').focus()");
    browser.press("r");
    browser.js(
        "document.getElementById('list').dispatchEvent(new KeyboardEvent('keydown', { key: 'r', bubbles: true, isComposing: true }))",
    );
    // Turned off.
    browser.click("#help");
    browser.wait("return document.getElementById('letters')?.checked");
    browser.click("#letters");
    browser.press(ESCAPE);
    browser.js("document.getElementById('list').focus()");
    browser.press("r");
    assert_eq!(log.lock().unwrap().len(), 1);
    browser.js("location.reload()");
    browser
        .wait("return document.querySelector('.row') || !document.getElementById('none').hidden");
    browser.js("document.getElementById('list').focus()");
    browser.press("j");
    assert!(
        browser
            .js("return document.querySelector('[aria-selected=true].row')")
            .is_null()
    );
    // Turned on.
    browser.click("#help");
    browser.wait(
        "return document.getElementById('letters') && !document.getElementById('letters').checked",
    );
    browser.click("#letters");
    browser.press(ESCAPE);
    browser.click("#clear");
    browser.wait_for(".row", "chn_1");
    browser.js("document.getElementById('list').focus()");
    browser.press("j");
    browser.press("r");
    browser.wait_for(".said", "Replayed");
    assert_eq!(log.lock().unwrap().len(), 2);
}
