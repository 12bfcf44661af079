use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::open_enum::open_enum;

/// A time was chosen for a scheduling request of Cronofy's Scheduler.
///
/// Sent to the URL that the dashboard has for the embedded Scheduler.
///
/// ```json
/// {
///   "notification": {
///     "type": "scheduling_request_time_chosen",
///     "triggered_at": "2025-01-19T16:14:11Z"
///   },
///   "scheduling_request": {
///     "scheduling_request_id": "srq_80f7fece4f37897d62d86d80",
///     "slot_selection": "complete",
///     "primary_select_url": "https://scheduler.example/rts/AAAAAAAA",
///     "dashboard_url": "https://scheduler.example/80f7fece4f37897d62d86d80",
///     "recipient_operations": {
///       "view_url": "https://scheduler.example/rts/AAAAAAAA",
///       "reschedule_url": "https://scheduler.example/rts/AAAAAAAA?reschedule=true",
///       "decline_url": "https://scheduler.example/rts/AAAAAAAA?decline=true"
///     },
///     "summary": "Interview",
///     "duration": { "minutes": 30 },
///     "recipients": [
///       {
///         "email": "guest@example.com",
///         "display_name": "A Guest",
///         "select_url": "https://scheduler.example/rts/1234abc",
///         "slot_selector": true
///       }
///     ],
///     "event": {
///       "summary": "Interview",
///       "metadata": {
///         "scheduler": { "correlation_id": "case-7", "captured_data.notes": "none" }
///       }
///     }
///   }
/// }
/// ```
///
/// Source: Cronofy's API documentation (beta), [Embedded Scheduler: Receiving Updates](https://docs.cronofy.com/developers/embedded-scheduler/receiving-updates).
///
/// ```
/// use cronofy_webhook::Notification;
///
/// let Notification::SchedulingRequestTimeChosen(chosen) = Notification::from_slice(br#"{
///     "notification": { "type": "scheduling_request_time_chosen", "triggered_at": "2025-01-19T16:14:11Z" },
///     "scheduling_request": {
///         "scheduling_request_id": "srq_1",
///         "event": { "metadata": { "scheduler": { "correlation_id": "case-7" } } }
///     }
/// }"#) else {
///     panic!("no time was chosen");
/// };
/// let request = chosen.scheduling_request;
/// assert_eq!(request.scheduling_request_id, "srq_1");
///
/// let metadata = request.event.and_then(|event| event.metadata).unwrap_or_default();
/// assert_eq!(metadata.scheduler.unwrap_or_default()["correlation_id"], "case-7");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchedulingRequestTimeChosen {
    /// When it happened.
    pub triggered_at: Timestamp,
    /// The request that the time was chosen for.
    pub scheduling_request: SchedulingRequest,
}

/// A request that somebody choose a time for an event.
///
/// Source: Cronofy's API documentation (beta), [Embedded Scheduler: Receiving Updates](https://docs.cronofy.com/developers/embedded-scheduler/receiving-updates).
///
/// ```
/// use cronofy_webhook::Notification;
///
/// let Notification::SchedulingRequestTimeChosen(chosen) = Notification::from_slice(br#"{
///     "notification": { "type": "scheduling_request_time_chosen", "triggered_at": "2025-01-19T16:14:11Z" },
///     "scheduling_request": {
///         "scheduling_request_id": "srq_1",
///         "duration": { "minutes": 30 },
///         "recipients": [
///             { "email": "guest@example.com", "slot_selector": true },
///             { "email": "colleague@example.com", "slot_selector": false }
///         ]
///     }
/// }"#) else {
///     panic!("no time was chosen");
/// };
/// let request = chosen.scheduling_request;
/// let recipients = request.recipients.unwrap_or_default();
/// let chooser = recipients.iter().find(|recipient| recipient.slot_selector == Some(true));
/// assert_eq!(chooser.unwrap().email.as_deref(), Some("guest@example.com"));
/// assert_eq!(request.duration.unwrap_or_default().minutes, Some(30));
/// assert_eq!(request.slot_selection, None);
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SchedulingRequest {
    /// Identifies the request. Opaque.
    pub scheduling_request_id: String,
    /// Slot-selection status.
    pub slot_selection: Option<SlotSelection>,
    /// URL to choose the time.
    pub primary_select_url: Option<String>,
    /// URL of the request in the host's dashboard.
    pub dashboard_url: Option<String>,
    /// What recipients can do.
    pub recipient_operations: Option<RecipientOperations>,
    /// The title of the request.
    pub summary: Option<String>,
    /// How long the event takes.
    pub duration: Option<RequestDuration>,
    /// The recipients.
    pub recipients: Option<Vec<RequestRecipient>>,
    /// The event that is scheduled.
    pub event: Option<RequestEvent>,
}

open_enum! {
    /// Slot-selection status: `"complete"`, for example.
    ///
    /// Source: Cronofy's API documentation (beta), [Embedded Scheduler: Receiving Updates](https://docs.cronofy.com/developers/embedded-scheduler/receiving-updates), which prints this one value.
    ///
    /// ```
    /// use cronofy_webhook::notification::SlotSelection;
    ///
    /// assert_eq!(SlotSelection::from("complete"), SlotSelection::Complete);
    ///
    /// let new = SlotSelection::from("partial");
    /// assert_ne!(new, SlotSelection::Complete);
    /// assert_eq!(new.as_str(), "partial");
    /// ```
    SlotSelection {
        /// A time was chosen.
        Complete = "complete",
    }
}

/// URLs for the recipients of a [`SchedulingRequest`].
///
/// Source: Cronofy's API documentation (beta), [Embedded Scheduler: Receiving Updates](https://docs.cronofy.com/developers/embedded-scheduler/receiving-updates).
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RecipientOperations {
    /// URL to view the request.
    pub view_url: Option<String>,
    /// URL to choose another time.
    pub reschedule_url: Option<String>,
    /// URL to decline.
    pub decline_url: Option<String>,
}

/// How long the event of a [`SchedulingRequest`] takes.
///
/// Source: Cronofy's API documentation, [Embedded Scheduler: Receiving Updates](https://docs.cronofy.com/developers/embedded-scheduler/receiving-updates) (beta) and [Data Types](https://docs.cronofy.com/developers/api/data-types).
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RequestDuration {
    /// In minutes: the only unit that Cronofy uses in notifications.
    pub minutes: Option<i32>,
}

/// Somebody who was sent a [`SchedulingRequest`].
///
/// Source: Cronofy's API documentation (beta), [Embedded Scheduler: Receiving Updates](https://docs.cronofy.com/developers/embedded-scheduler/receiving-updates).
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RequestRecipient {
    /// Their email address.
    pub email: Option<String>,
    /// Their name.
    pub display_name: Option<String>,
    /// URL to choose a time.
    pub select_url: Option<String>,
    /// Whether it is they who choose the time.
    pub slot_selector: Option<bool>,
}

/// The event that a [`SchedulingRequest`] is for.
///
/// Source: Cronofy's API documentation (beta), [Embedded Scheduler: Receiving Updates](https://docs.cronofy.com/developers/embedded-scheduler/receiving-updates).
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RequestEvent {
    /// Its title.
    pub summary: Option<String>,
    /// The metadata attached to it.
    pub metadata: Option<RequestMetadata>,
}

/// The metadata attached to a [`RequestEvent`].
///
/// Source: Cronofy's API documentation (beta), [Embedded Scheduler: Receiving Updates](https://docs.cronofy.com/developers/embedded-scheduler/receiving-updates).
///
/// ```
/// use std::collections::BTreeMap;
///
/// use cronofy_webhook::Notification;
///
/// let Notification::SchedulingRequestTimeChosen(chosen) = Notification::from_slice(br#"{
///     "notification": { "type": "scheduling_request_time_chosen", "triggered_at": "2025-01-19T16:14:11Z" },
///     "scheduling_request": {
///         "scheduling_request_id": "srq_1",
///         "event": { "metadata": { "scheduler": { "correlation_id": "case-7", "captured_data.notes": "none" } } }
///     }
/// }"#) else {
///     panic!("no time was chosen");
/// };
/// let metadata = chosen.scheduling_request.event.and_then(|event| event.metadata).unwrap_or_default();
/// let noted = metadata.scheduler.unwrap_or_default();
/// assert_eq!(noted["correlation_id"], "case-7");
///
/// let form: BTreeMap<&str, &str> = noted
///     .iter()
///     .filter_map(|(name, value)| Some((name.strip_prefix("captured_data.")?, value.as_str())))
///     .collect();
/// assert_eq!(form, BTreeMap::from([("notes", "none")]));
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RequestMetadata {
    /// The metadata of the Scheduler, by name: `correlation_id`, `utm_source` and the like from the link that was followed,
    /// `captured_data.…` from the form that was filled in (the dot is part of the name). The values are whatever the link
    /// or the person said.
    #[serde(default, deserialize_with = "without_nulls")]
    pub scheduler: Option<BTreeMap<String, String>>,
}

/// A key whose value is `null` counts as absent.
fn without_nulls<'de, D>(deserializer: D) -> Result<Option<BTreeMap<String, String>>, D::Error>
where
    D: Deserializer<'de>,
{
    let map = Option::<BTreeMap<String, Option<String>>>::deserialize(deserializer)?;
    let entries = map.map(|map| {
        map.into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
    });
    Ok(entries.map(Iterator::collect))
}
