use serde::Deserialize;

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
/// use cronofy_webhook::Notification;
///
/// let Notification::EventSubscription(subscription) = Notification::from_slice(br#"{
///     "notification": { "type": "event_subscription", "transitions": [{ "type": "event_start" }] },
///     "event": { "event_id": "evt-local-1", "start": "2026-06-25T15:30:00Z" }
/// }"#) else {
///     panic!("not of a subscription");
/// };
/// let event = subscription.event.unwrap();
/// assert_eq!(event.event_id, "evt-local-1");
///
/// let start = event.start.and_then(|start| start.timestamp());
/// assert_eq!(start.unwrap().to_string(), "2026-06-25T15:30:00Z");
/// assert_eq!(event.summary.as_deref().unwrap_or("An event"), "An event");
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// Identifies the event: what your application chose when it was created.
    pub event_id: String,
    /// Its title.
    pub summary: Option<String>,
    /// Its text.
    pub description: Option<String>,
    /// When it starts.
    pub start: Option<EventTime>,
    /// When it ends.
    pub end: Option<EventTime>,
    /// The IANA name of the time zone that it takes place in. Absent or invalid: not known here; it may be in
    /// [`start`](Self::start) and [`end`](Self::end).
    pub tzid: Option<String>,
    /// How to join it online. Absent or invalid: it has no conferencing, or none is known here.
    pub conferencing: Option<Conferencing>,
    /// The meeting agent that was asked for.
    pub meeting_agent: Option<MeetingAgentProfile>,
}

/// The conferencing of an [`Event`].
///
/// ```json
/// { "profile_id": "default", "provider_name": "zoom", "join_url": "https://conf.example/00001111-222" }
/// ```
///
/// Until the details are available Cronofy sends:
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
/// let mut conferencing = Conferencing::default();
/// conferencing.pending = Some(true);
/// assert_eq!(how_to_join(&conferencing), "the link follows");
///
/// conferencing.join_url = Some("https://conf.example/1".to_owned());
/// assert_eq!(how_to_join(&conferencing), "join at https://conf.example/1");
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Conferencing {
    /// Whether the details are still to come. Absent or invalid: they are not.
    pub pending: Option<bool>,
    /// Which of the account's conferencing profiles it is made with: `"default"`, or an opaque identifier. Absent or invalid: not
    /// sent.
    pub profile_id: Option<String>,
    /// The conferencing service: `"zoom"`, for example. Absent or invalid: not known yet.
    pub provider_name: Option<String>,
    /// Where to join. Absent or invalid: not known yet.
    pub join_url: Option<String>,
}

/// The kind of meeting agent that an [`Event`] asks for.
///
/// Its state is the sibling field `meeting_agent` ([`MeetingAgent`](super::MeetingAgent)).
///
/// ```json
/// { "profile_id": "cronofy" }
/// ```
///
/// Source: Cronofy's API documentation (beta), [Meeting Agents: Callbacks](https://docs.cronofy.com/developers/api/meeting-agents/callbacks).
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MeetingAgentProfile {
    /// Identifies the profile: `"cronofy"`, for example. Opaque.
    pub profile_id: Option<String>,
}
