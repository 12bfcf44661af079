//! What is asked of [Read Events](https://docs.cronofy.com/developers/api/events/read-events/).

use cronofy_webhook::notification::Change;
use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::event::Event;

/// The days that are kept in sync: those for which Cronofy has events,
/// [from 42 days ago to 201 days ahead](https://docs.cronofy.com/developers/faqs/recommended-sync/).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: Date,
    /// The first day that is not part of it.
    pub(crate) to: Date,
}

impl Window {
    pub(crate) fn around(now: Timestamp) -> Self {
        let today = Offset::UTC.to_datetime(now).date();
        Self {
            from: today.saturating_sub(42.days()),
            to: today.saturating_add(201.days()),
        }
    }

    /// Whether the event starts before the end, and ends on the first day or later. Both a date and a time in UTC start with
    /// the day, in an order that is that of the text.
    pub(crate) fn contains(&self, event: &Event) -> bool {
        let day = |time: &str| time.get(..10).unwrap_or(time).to_owned();
        day(&event.start) < self.to.to_string() && day(&event.end) >= self.from.to_string()
    }
}

/// The path for all events of the window.
pub(crate) fn all(window: Window) -> String {
    format!(
        "/v1/events?from={}&to={}&tzid=Etc%2FUTC&include_managed=true",
        window.from, window.to
    )
}

/// The path for what a `change` is about: the events of the channel's calendars that were modified at `changes_since` or
/// later. Those that were deleted, or have left the window, are among them.
pub(crate) fn changes(window: Window, change: &Change) -> String {
    let mut path = all(window);
    path.push_str("&include_deleted=true&include_moved=true&last_modified=");
    path.push_str(&encoded(&change.changes_since.to_string()));
    let filters = change.channel.filters.clone().unwrap_or_default();
    if filters.only_managed == Some(true) {
        path.push_str("&only_managed=true");
    }
    for calendar in filters.calendar_ids.unwrap_or_default() {
        path.push_str("&calendar_ids%5B%5D=");
        path.push_str(&encoded(&calendar));
    }
    path
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use cronofy_webhook::Notification;
    use cronofy_webhook_testing::Payload;

    use super::*;

    fn window() -> Window {
        Window::around("2026-04-19T23:59:59Z".parse().unwrap())
    }

    fn change(payload: &Payload) -> Change {
        match Notification::from_slice(payload.as_str().as_bytes()) {
            Notification::Change(change) => change,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_change_is_read_from_its_time_and_for_its_calendars() {
        let payload = Payload::change("2026-04-19T09:24:16Z".parse().unwrap());
        let all_calendars = "/v1/events?from=2026-03-08&to=2026-11-06&tzid=Etc%2FUTC&include_managed=true\
            &include_deleted=true&include_moved=true&last_modified=2026%2D04%2D19T09%3A24%3A16Z";
        let without = payload.clone().remove("/channel/filters");
        assert_eq!(changes(window(), &change(&without)), all_calendars);

        let filters =
            serde_json::json!({ "calendar_ids": ["cal_1", "cal_a@b"], "only_managed": true });
        let filtered = change(&payload.set("/channel/filters", filters));
        assert_eq!(
            changes(window(), &filtered),
            format!(
                "{all_calendars}&only_managed=true&calendar_ids%5B%5D=cal%5F1&calendar_ids%5B%5D=cal%5Fa%40b"
            )
        );
    }

    #[test]
    fn a_window_contains_what_overlaps_it() {
        for (start, end, expected) in [
            ("2026-03-01", "2026-03-07", false),
            ("2026-03-01T10:00:00Z", "2026-03-08T00:00:00Z", true),
            ("2026-03-01", "2026-12-01", true),
            ("2026-11-05T23:00:00Z", "2026-11-06T01:00:00Z", true),
            ("2026-11-06", "2026-11-07", false),
        ] {
            let event = Event::for_test("evt_1", start, end);
            assert_eq!(window().contains(&event), expected, "{start} to {end}");
        }
    }
}
