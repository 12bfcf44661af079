use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;

use super::event::{SimulatedEvent, Span};
use crate::query::Window;

/// The calendars of one account, with a clock that each change advances.
#[derive(Debug)]
pub(crate) struct Calendar {
    window: Window,
    rng: Rng,
    now: Timestamp,
    events: BTreeMap<String, SimulatedEvent>,
}

/// What happened to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Created,
    Changed,
    Deleted,
}

/// What [Read Events](https://docs.cronofy.com/developers/api/events/read-events/) is asked for.
#[derive(Debug, Default)]
pub(super) struct Selection {
    pub(super) window: Option<Window>,
    pub(super) last_modified: Option<Timestamp>,
    pub(super) include_deleted: bool,
    pub(super) include_moved: bool,
    pub(super) include_managed: bool,
    pub(super) only_managed: bool,
    /// Empty: all.
    pub(super) calendar_ids: Vec<String>,
}

impl Calendar {
    pub(crate) fn new(seed: u64, now: Timestamp) -> Self {
        Self {
            window: Window::around(now),
            rng: Rng::with_seed(seed),
            now: now - 2.hours(),
            events: BTreeMap::new(),
        }
    }

    /// Creates, changes, moves or deletes an event. Returns what, and since when: what a notification would say.
    pub(crate) fn change_at_random(&mut self, calendar_id: &str) -> (Kind, Timestamp) {
        // Some changes are made in the same second.
        self.now += self.rng.i64(0..3).seconds();
        let uids = self
            .events
            .values()
            .filter(|event| event.calendar_id == calendar_id && !event.is_deleted);
        let uids: Vec<_> = uids.map(|event| event.uid.clone()).collect();
        let kind = match (self.rng.u8(0..10), self.rng.choice(&uids)) {
            (0..4, _) | (_, None) => {
                self.create(calendar_id);
                Kind::Created
            }
            (4..8, Some(uid)) => {
                self.alter(uid);
                Kind::Changed
            }
            (_, Some(uid)) => {
                let now = self.now;
                self.event(uid).is_deleted = true;
                self.event(uid).updated = now;
                Kind::Deleted
            }
        };
        (kind, self.now)
    }

    /// An event of which there is no notification: it was made long ago, and the window has moved.
    pub(crate) fn reveal(&mut self, calendar_id: &str) {
        let uid = self.create(calendar_id);
        let long_ago = self.now - 1_000.hours();
        let last_day = self.window.to.saturating_sub(1.day());
        let event = self.event(&uid);
        event.span = Span::Days(last_day, 1);
        (event.created, event.updated) = (long_ago, long_ago);
    }

    /// All events that are there, by their `event_uid`.
    pub(crate) fn events(&self) -> Vec<(String, Value)> {
        let all = Selection {
            window: Some(self.window),
            include_managed: true,
            ..Selection::default()
        };
        let events = self.events.values().filter(|event| all.matches(event));
        events
            .map(|event| (event.uid.clone(), event.to_json()))
            .collect()
    }

    pub(super) fn select(&self, selection: &Selection) -> Vec<Value> {
        let events = self.events.values();
        let selected = events.filter(|event| selection.matches(event));
        selected.map(SimulatedEvent::to_json).collect()
    }

    fn create(&mut self, calendar_id: &str) -> String {
        // In no order of time: what was changed last is on any page.
        let uid = format!("evt_external_{:016x}", self.rng.u64(..));
        let event = SimulatedEvent {
            uid: uid.clone(),
            calendar_id: calendar_id.to_owned(),
            summary: format!("Event {}", self.events.len()),
            span: self.span(),
            moved_from: Vec::new(),
            is_managed: self.rng.u8(0..5) == 0,
            is_deleted: false,
            created: self.now,
            updated: self.now,
        };
        self.events.insert(uid.clone(), event);
        uid
    }

    fn alter(&mut self, uid: &str) {
        let (now, span) = (self.now, self.span());
        let is_moved = self.rng.bool();
        let event = self.event(uid);
        event.updated = now;
        if is_moved {
            let before = std::mem::replace(&mut event.span, span);
            event.moved_from.push(before);
        } else {
            event.summary.push('!');
        }
    }

    /// In the window, or one time in eight beyond it.
    fn span(&mut self) -> Span {
        let days = if self.rng.u8(0..8) == 0 {
            210..400
        } else {
            -40..195
        };
        let today = Offset::UTC.to_datetime(self.now).date();
        let day = today.saturating_add(self.rng.i64(days).days());
        if self.rng.bool() {
            Span::Days(day, self.rng.i64(1..4))
        } else {
            Span::Hour(day, self.rng.i8(0..24))
        }
    }

    fn event(&mut self, uid: &str) -> &mut SimulatedEvent {
        self.events.get_mut(uid).expect("no event is ever removed")
    }
}

impl Selection {
    fn matches(&self, event: &SimulatedEvent) -> bool {
        let in_window = self.window.is_none_or(|window| {
            let moved_from = event.moved_from.iter().filter(|_| self.include_moved);
            moved_from
                .chain([&event.span])
                .any(|span| span.overlaps(window))
        });
        let is_managed = if event.is_managed {
            self.include_managed || self.only_managed
        } else {
            !self.only_managed
        };
        in_window
            && is_managed
            && (self.include_deleted || !event.is_deleted)
            && self.last_modified.is_none_or(|time| event.updated >= time)
            && (self.calendar_ids.is_empty() || self.calendar_ids.contains(&event.calendar_id))
    }
}
