use serde::{Deserialize, Serialize};

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
/// Source: Cronofy's API documentation, [Meeting Agents: Callbacks](https://docs.cronofy.com/developers/api/meeting-agents/callbacks) (beta) and [Scheduling Triggers](https://docs.cronofy.com/developers/workflow-triggers/scheduling-triggers/).
///
/// ```
/// use cronofy_webhook::notification::Event;
///
/// let event: Event = serde_json::from_str(r#"{ "event_id": "evt-local-1", "start": "2026-06-25T15:30:00Z" }"#)?;
/// assert_eq!(event.event_id, "evt-local-1");
///
/// let start = event.start.and_then(|start| start.timestamp());
/// assert_eq!(start.unwrap().to_string(), "2026-06-25T15:30:00Z");
/// assert_eq!(event.summary.as_deref().unwrap_or("An event"), "An event");
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// Identifies the event: what your application chose when it was created.
    pub event_id: String,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<EventTime>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<EventTime>,
    /// The IANA name of the time zone that it takes place in. Absent or invalid: not known here; it may be in
    /// [`start`](Self::start) and [`end`](Self::end).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tzid: Option<String>,
    /// How to join it online. Absent or invalid: it has no conferencing, or none is known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conferencing: Option<Conferencing>,
    /// The meeting agent that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meeting_agent: Option<MeetingAgentProfile>,
}

/// The conferencing of an [`Event`].
///
/// ```json
/// { "profile_id": "default", "provider_name": "zoom", "join_url": "https://conf.example/00001111-222" }
/// ```
///
/// While its details are being made it is this, and they take its place:
///
/// ```json
/// { "pending": true }
/// ```
///
/// Source: Cronofy's API documentation, [Conferencing Services: Subscriptions](https://docs.cronofy.com/developers/api/conferencing-services/subscriptions/), its
/// [questions and answers](https://docs.cronofy.com/developers/faqs/conferencing/conferencing-not-generated/) on conferencing that is not generated, and [Meeting Agents: Callbacks](https://docs.cronofy.com/developers/api/meeting-agents/callbacks) (beta).
///
/// ```
/// use cronofy_webhook::notification::Conferencing;
///
/// let how_to_join = |conferencing: &Conferencing| match &conferencing.join_url {
///     Some(url) => format!("join at {url}"),
///     None if conferencing.pending == Some(true) => "the link follows".to_owned(),
///     None => "ask the host".to_owned(),
/// };
///
/// let pending: Conferencing = serde_json::from_str(r#"{ "pending": true }"#)?;
/// assert_eq!(how_to_join(&pending), "the link follows");
///
/// let made: Conferencing = serde_json::from_str(r#"{ "join_url": "https://conf.example/1" }"#)?;
/// assert_eq!(how_to_join(&made), "join at https://conf.example/1");
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Conferencing {
    /// Whether the details are still to come. Absent or invalid: they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<bool>,
    /// Which of the account's conferencing profiles it is made with: `"default"`, or an opaque identifier. Absent or invalid: not
    /// sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_id: Option<String>,
    /// The conferencing service: `"zoom"`, for example. Absent or invalid: not known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_name: Option<String>,
    /// Where to join. Absent or invalid: not known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join_url: Option<String>,
}

/// The kind of meeting agent that an [`Event`] asks for.
///
/// What became of it, a [`MeetingAgent`](super::MeetingAgent), stands beside the event.
///
/// ```json
/// { "profile_id": "cronofy" }
/// ```
///
/// Source: Cronofy's API documentation (beta), [Meeting Agents: Callbacks](https://docs.cronofy.com/developers/api/meeting-agents/callbacks).
///
/// ```
/// use cronofy_webhook::notification::Event;
///
/// let event: Event = serde_json::from_str(
///     r#"{ "event_id": "evt-local-1", "meeting_agent": { "profile_id": "cronofy" } }"#,
/// )?;
/// let profile = event.meeting_agent.unwrap_or_default();
/// assert_eq!(profile.profile_id.as_deref(), Some("cronofy"));
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MeetingAgentProfile {
    /// Identifies the profile: `"cronofy"`, for example. Opaque.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_id: Option<String>,
}
