use serde::Deserialize;

use super::event::Event;

/// A time was chosen in Real-Time Scheduling, and the event is made.
///
/// Sent to the `completed_url` of the request. The body has no `notification`: one with an `event` that has a start and an
/// end, and with neither `notification` nor `authorization`, is taken for this.
///
/// ```json
/// {
///   "event": {
///     "event_id": "evt-local-2",
///     "summary": "Interview",
///     "start": { "time": "2024-07-27T10:00:00Z", "tzid": "Europe/London" },
///     "end": { "time": "2024-07-27T11:00:00Z", "tzid": "Europe/London" }
///   },
///   "participants": [ { "sub": "acc_5ba21743f408617d1269ea1e" } ],
///   "user": { "tzid": "Europe/London" }
/// }
/// ```
///
/// Source: Cronofy's API documentation, [Scheduling Triggers](https://docs.cronofy.com/developers/workflow-triggers/scheduling-triggers/).
///
/// ```
/// use cronofy_webhook::Notification;
///
/// let Notification::RealTimeSchedulingCompleted(completed) = Notification::from_slice(br#"{
///     "event": {
///         "event_id": "evt-local-2",
///         "start": { "time": "2024-07-27T10:00:00Z", "tzid": "Europe/London" },
///         "end": { "time": "2024-07-27T11:00:00Z", "tzid": "Europe/London" }
///     },
///     "participants": [{ "sub": "acc_1" }]
/// }"#) else {
///     panic!("not completed");
/// };
/// assert_eq!(completed.event.event_id, "evt-local-2");
/// assert_eq!(completed.participants.unwrap_or_default()[0].sub, "acc_1");
/// assert_eq!(completed.user, None);
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RealTimeSchedulingCompleted {
    /// The event that was made. Its start and end are required.
    pub event: Event,
    /// The accounts that take part.
    pub participants: Option<Vec<Participant>>,
    /// The person who chose the time.
    pub user: Option<User>,
}

/// An account that takes part in an event.
///
/// ```json
/// { "sub": "acc_5ba21743f408617d1269ea1e" }
/// ```
///
/// Source: Cronofy's API documentation, [Scheduling Triggers](https://docs.cronofy.com/developers/workflow-triggers/scheduling-triggers/).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Participant {
    /// Identifies the account. Opaque.
    pub sub: String,
}

/// The person who chose a time.
///
/// ```json
/// { "tzid": "Europe/London" }
/// ```
///
/// Source: Cronofy's API documentation, [Scheduling Triggers](https://docs.cronofy.com/developers/workflow-triggers/scheduling-triggers/). The copies that this was made from end within this
/// field: there may be more to it.
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// The IANA name of the time zone that they were shown times in.
    pub tzid: Option<String>,
}
