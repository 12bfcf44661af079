use serde::{Deserialize, Serialize};

use super::object;
use super::time::EventTime;

/// The calendar event that a notification is about.
///
/// A summary of it: the API has the rest.
///
/// ```json
/// {
///   "event_id": "evt-local-1",
///   "summary": "Planning",
///   "description": "Quarter plan",
///   "start": "2026-06-25T15:30:00Z",
///   "end": "2026-06-25T17:00:00Z",
///   "tzid": "Europe/Berlin",
///   "conferencing": {
///     "profile_id": "default",
///     "provider_name": "zoom",
///     "join_url": "https://conf.example/00001111-222"
///   },
///   "meeting_agent": { "profile_id": "cronofy" }
/// }
/// ```
///
/// Source: Cronofy's API documentation, "Meeting Agents: Callbacks" (beta) and "Scheduling Triggers".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// Identifies the event: what your application chose when it was created.
    pub event_id: String,
    /// Its title. Absent: not sent with this notification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Its text. Absent: not sent with this notification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it starts. Absent: not sent with this notification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<EventTime>,
    /// When it ends. Absent: not sent with this notification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<EventTime>,
    /// The IANA name of the time zone that it takes place in. Absent: not known here; it may be in
    /// [`start`](Self::start) and [`end`](Self::end).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tzid: Option<String>,
    /// How to join it online. Absent: it has no conferencing, or none is known here.
    #[serde(
        default,
        deserialize_with = "object::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub conferencing: Option<Conferencing>,
    /// The meeting agent that was asked for. Absent: none.
    #[serde(
        default,
        deserialize_with = "object::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub meeting_agent: Option<MeetingAgentProfile>,
}

/// The conferencing of an [`Event`].
///
/// While its details are being made it is `{ "pending": true }`; the details take its place.
///
/// Source: Cronofy's API documentation, "Conferencing Services: Subscriptions", its questions and answers on
/// conferencing that is not generated, and "Meeting Agents: Callbacks" (beta).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Conferencing {
    /// Whether the details are still to come. Absent: they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<bool>,
    /// Which of the account's conferencing profiles it is made with: `"default"`, or an opaque identifier. Absent: not
    /// sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_id: Option<String>,
    /// The conferencing service: `"zoom"`, say. Absent: not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_name: Option<String>,
    /// Where to join. Absent: not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_url: Option<String>,
}

/// The kind of meeting agent that an [`Event`] asks for.
///
/// Source: Cronofy's API documentation (beta), "Meeting Agents: Callbacks".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MeetingAgentProfile {
    /// Identifies the profile: `"cronofy"`, say. Opaque. Absent: not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_id: Option<String>,
}
