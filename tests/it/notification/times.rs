//! `EventTime`, in the forms that Cronofy sends.

use cronofy_webhook::notification::EventTime;
use proptest::prelude::*;
use serde_json::{Value, json};

fn parse(form: &Value) -> EventTime {
    let time: EventTime = serde_json::from_value(form.clone()).unwrap();
    assert_eq!(form.get("time").unwrap_or(form), time.as_str());
    assert_eq!(form.get("tzid").and_then(Value::as_str), time.tzid());
    time
}

/// Date, date and time of day, instant.
fn told(form: &Value) -> [String; 3] {
    fn or_none(told: Option<impl ToString>) -> String {
        told.map_or_else(|| "-".to_owned(), |told| told.to_string())
    }
    let time = parse(form);
    [
        or_none(time.date()),
        or_none(time.datetime()),
        or_none(time.timestamp()),
    ]
}

#[test]
fn the_text_is_kept_in_every_form() {
    let text = parse(&json!("2026-06-25T15:30:00Z"));
    assert_eq!((text.as_str(), text.tzid()), ("2026-06-25T15:30:00Z", None));

    let object = parse(&json!({ "time": "2026-06-25", "tzid": "Europe/Paris" }));
    assert_eq!(
        (object.as_str(), object.tzid()),
        ("2026-06-25", Some("Europe/Paris"))
    );

    let bare = parse(&json!({ "time": "2026-06-25" }));
    assert_eq!((bare.as_str(), bare.tzid()), ("2026-06-25", None));
    assert_eq!(bare, parse(&json!("2026-06-25")));

    let null = parse(&json!({ "time": "t", "tzid": null }));
    assert_eq!(null, parse(&json!({ "time": "t" })));
}

#[test]
fn date_time_of_day_and_instant_are_parsed() {
    let zoned = |time: &str, tzid: &str| json!({ "time": time, "tzid": tzid });
    for (form, expected) in [
        (
            json!("2026-06-25T15:30:00Z"),
            ["2026-06-25", "2026-06-25T15:30:00", "2026-06-25T15:30:00Z"],
        ),
        (
            json!("2026-06-25T00:30:00.5+02:00"),
            [
                "2026-06-25",
                "2026-06-25T00:30:00.5",
                "2026-06-24T22:30:00.5Z",
            ],
        ),
        // The offset takes precedence over the zone.
        (
            zoned("2026-04-21T23:00:00-07:00", "Europe/Paris"),
            ["2026-04-21", "2026-04-21T23:00:00", "2026-04-22T06:00:00Z"],
        ),
        (
            zoned("2026-04-21T23:00:00Z", "No/Such_Zone"),
            ["2026-04-21", "2026-04-21T23:00:00", "2026-04-21T23:00:00Z"],
        ),
        (
            zoned("2026-04-21T23:00:00", "UTC"),
            ["2026-04-21", "2026-04-21T23:00:00", "2026-04-21T23:00:00Z"],
        ),
        (json!("2026-06-25"), ["2026-06-25", "-", "-"]),
        (
            zoned("2026-06-25", "Europe/Paris"),
            ["2026-06-25", "-", "-"],
        ),
        (
            json!("2026-06-25T15:30:00"),
            ["2026-06-25", "2026-06-25T15:30:00", "-"],
        ),
        (
            zoned("2026-06-25T15:30:00", "No/Such_Zone"),
            ["2026-06-25", "2026-06-25T15:30:00", "-"],
        ),
        (
            zoned("2026-06-25T15:30:00", "Etc/Unknown"),
            ["2026-06-25", "2026-06-25T15:30:00", "-"],
        ),
        (
            zoned("2026-06-25T15:30:00", "../../../etc/passwd"),
            ["2026-06-25", "2026-06-25T15:30:00", "-"],
        ),
        (
            json!("9999-12-31T23:59:59-23:00"),
            ["9999-12-31", "9999-12-31T23:59:59", "-"],
        ),
        (json!(""), ["-", "-", "-"]),
        (json!("after lunch"), ["-", "-", "-"]),
        (json!("2026-02-30"), ["-", "-", "-"]),
        (json!("1782401400"), ["-", "-", "-"]),
        (zoned("after lunch", "Europe/Paris"), ["-", "-", "-"]),
    ] {
        assert_eq!(told(&form), expected, "{form}");
    }
}

#[test]
fn local_time_is_converted_by_its_zone() {
    for (local, instant) in [
        ("2026-01-21T23:00:00", "2026-01-21T22:00:00Z"),
        ("2026-07-21T23:00:00", "2026-07-21T21:00:00Z"),
        // Left out when the clocks go forward: an hour later.
        ("2026-03-29T02:30:00", "2026-03-29T01:30:00Z"),
        // Twice when they go back: the first.
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
    ] {
        let [_, _, told] = told(&json!({ "time": local, "tzid": "Europe/Paris" }));
        assert_eq!(told, instant, "{local}");
    }
}

#[test]
fn other_forms_are_refused() {
    for form in [
        json!(5),
        json!(true),
        json!(null),
        json!(["2026-06-25", "UTC"]),
        json!({}),
        json!({ "tzid": "UTC" }),
        json!({ "time": null }),
        json!({ "time": 5 }),
        json!({ "time": "t", "tzid": 5 }),
    ] {
        assert!(
            serde_json::from_value::<EventTime>(form.clone()).is_err(),
            "{form}"
        );
    }
}

proptest! {
    #[test]
    fn any_text_is_kept(time: String, tzid: String) {
        told(&json!(time));
        told(&json!({ "time": time, "tzid": tzid }));
    }

    #[test]
    fn malformed_times_do_not_panic(
        time in "[-+]?[0-9]{0,6}-?[0-9]{1,2}-?[0-9]{1,2}[Tt ]?[0-9]{0,2}:?[0-9]{0,2}:?[0-9]{0,2}(\\.[0-9]{0,10})?(Z|[-+][0-9]{2}:?[0-9]{0,2})?(\\[[A-Za-z/]{0,12}\\])?",
        tzid in "[A-Z][a-z]{1,8}/[A-Z][a-z]{1,8}",
    ) {
        told(&json!(time));
        told(&json!({ "time": time, "tzid": tzid }));
    }
}
