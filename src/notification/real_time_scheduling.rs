use serde::{Deserialize, Serialize};

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
    /// The event that was made. Its start and end are promised.
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
///
/// ```
/// use cronofy_webhook::notification::Participant;
///
/// let participants: Vec<Participant> = serde_json::from_str(r#"[{ "sub": "acc_1" }, { "sub": "acc_2" }]"#)?;
/// assert!(participants.iter().any(|participant| participant.sub == "acc_2"));
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
/// Source: Cronofy's API documentation, [Scheduling Triggers](https://docs.cronofy.com/developers/workflow-triggers/scheduling-triggers/). The copies that this was made from end inside of this
/// field: there may be more to it.
///
/// ```
/// use cronofy_webhook::notification::User;
///
/// let user: User = serde_json::from_str(r#"{ "tzid": "Europe/London" }"#)?;
/// assert_eq!(user.tzid.as_deref().unwrap_or("UTC"), "Europe/London");
///
/// let user: User = serde_json::from_str("{}")?;
/// assert_eq!(user.tzid.as_deref().unwrap_or("UTC"), "UTC");
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// The IANA name of the time zone that they were shown times in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tzid: Option<String>,
}
