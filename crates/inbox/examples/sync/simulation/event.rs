use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::query::Window;

/// An event, as Cronofy has it.
#[derive(Clone, Debug)]
pub(super) struct SimulatedEvent {
    pub(super) uid: String,
    pub(super) calendar_id: String,
    pub(super) summary: String,
    pub(super) span: Span,
    /// Where it was before.
    pub(super) moved_from: Vec<Span>,
    pub(super) is_managed: bool,
    pub(super) is_deleted: bool,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
}

/// When an event takes place: a whole day or longer, or an hour.
#[derive(Clone, Copy, Debug)]
pub(super) enum Span {
    Days(Date, i64),
    Hour(Date, i8),
}

impl Span {
    pub(super) fn overlaps(self, window: Window) -> bool {
        let (first, last) = match self {
            Self::Days(first, days) => (first, first.saturating_add(days.days())),
            Self::Hour(day, _) => (day, day),
        };
        first < window.to && last >= window.from
    }

    fn to_text(self) -> (String, String) {
        match self {
            Self::Days(first, days) => {
                let end = first.saturating_add(days.days());
                (first.to_string(), end.to_string())
            }
            Self::Hour(day, hour) => (
                format!("{day}T{hour:02}:00:00Z"),
                format!("{day}T{hour:02}:59:00Z"),
            ),
        }
    }
}

impl SimulatedEvent {
    /// The fields of the [documentation](https://docs.cronofy.com/developers/api/events/read-events/) that are of interest.
    pub(super) fn to_json(&self) -> Value {
        let (start, end) = self.span.to_text();
        json!({
            "calendar_id": self.calendar_id,
            "event_uid": self.uid,
            "summary": self.summary,
            "description": "",
            "start": start,
            "end": end,
            "deleted": self.is_deleted,
            "created": self.created.to_string(),
            "updated": self.updated.to_string(),
            "participation_status": "needs_action",
            "attendees": [],
            "transparency": "opaque",
            "status": "confirmed",
            "categories": [],
            "recurring": false,
            "event_private": false,
        })
    }
}
