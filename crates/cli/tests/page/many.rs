//! As many deliveries as are kept.

use serde_json::json;

use crate::browser::Browser;
use crate::listening::Listening;
use crate::record::deliveries;
use crate::support::nobody;

/// The milliseconds from an input to the rows that it leaves, in the next frame.
const FILTER: &str = "
    const [name, value, expected] = CASE;
    const field = document.querySelector(`[name=${name}]`);
    const count = document.getElementById('count');
    const started = performance.now();
    field.value = value;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    while (count.textContent !== expected) await new Promise((resolve) => requestAnimationFrame(resolve));
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    return performance.now() - started;";

/// The milliseconds of each frame while the whole list passes by, and the most rows that were there.
const SCROLL: &str = "
    const list = document.getElementById('list');
    const times = [];
    let rows = 0;
    let last = await new Promise(requestAnimationFrame);
    for (let top = 0; top < list.scrollHeight; top += list.scrollHeight / 240) {
      list.scrollTop = top;
      const now = await new Promise(requestAnimationFrame);
      times.push(now - last);
      last = now;
      rows = Math.max(rows, list.querySelectorAll('.row').length);
    }
    return [times.sort((a, b) => a - b), rows];";

pub(crate) fn fast() {
    let (_folder, record) = deliveries(5000);
    let listening = Listening::start(&nobody(), &["--record", &record]);
    let browser = Browser::start();
    browser.open(&listening.link());
    browser.wait("return document.getElementById('count').textContent === '5,000'");
    for (field, value, count) in [
        ("text", "CHN_49", "111 of 5,000"),
        ("verdict", "unauthentic", "500 of 5,000"),
        ("status", "5", "294 of 5,000"),
    ] {
        let filter = |value, count| {
            let case = json!([field, value, count]).to_string();
            let time = browser.js_async(&FILTER.replace("CASE", &case));
            time.as_f64().unwrap()
        };
        // Others use the machine as well: one of ten times is not theirs.
        let mut times = Vec::new();
        while times.iter().all(|time| *time >= 200.0) {
            assert!(times.len() < 10, "{field} {times:?}");
            times.push(filter(value, count).max(filter("", "5,000")));
        }
        println!("filter by {field}, and back: {times:.1?} ms");
    }
    let scrolled = browser.js_async(SCROLL);
    let times: Vec<f64> = serde_json::from_value(scrolled[0].clone()).unwrap();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!(
        "{} frames while scrolling: {:.1} ms (median), {:.1} ms (p95), {:.1} ms at most",
        times.len(),
        at(50),
        at(95),
        at(100)
    );
    assert!(scrolled[1].as_u64().unwrap() < 100, "{}", scrolled[1]);
    assert!(at(50) < 34.0, "{times:?}");
}
