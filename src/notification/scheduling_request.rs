use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

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
/// use cronofy_webhook::notification::SchedulingRequest;
///
/// let request: SchedulingRequest = serde_json::from_str(r#"{
///     "scheduling_request_id": "srq_1",
///     "recipients": [
///         { "email": "guest@example.com", "slot_selector": true },
///         { "email": "colleague@example.com", "slot_selector": false }
///     ]
/// }"#)?;
/// let recipients = request.recipients.unwrap_or_default();
/// let chooser = recipients.iter().find(|recipient| recipient.slot_selector == Some(true));
/// assert_eq!(chooser.unwrap().email.as_deref(), Some("guest@example.com"));
/// assert_eq!(request.slot_selection, None);
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SchedulingRequest {
    /// Identifies the request. Opaque.
    pub scheduling_request_id: String,
    /// How far the choice has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot_selection: Option<SlotSelection>,
    /// Where the time is chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_select_url: Option<String>,
    /// Where the host sees the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dashboard_url: Option<String>,
    /// What recipients can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient_operations: Option<RecipientOperations>,
    /// The title of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// How long the event takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<RequestDuration>,
    /// Who was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients: Option<Vec<RequestRecipient>>,
    /// The event that is scheduled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<RequestEvent>,
}

open_enum! {
    /// How far the choice of a time has come: `"complete"`, for example.
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
/// ```
/// use cronofy_webhook::notification::RecipientOperations;
///
/// let operations: RecipientOperations =
///     serde_json::from_str(r#"{ "reschedule_url": "https://scheduler.example/rts/A?reschedule=true" }"#)?;
/// assert_eq!(operations.reschedule_url.as_deref(), Some("https://scheduler.example/rts/A?reschedule=true"));
/// assert_eq!(operations.decline_url, None);
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecipientOperations {
    /// Where they see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view_url: Option<String>,
    /// Where they choose another time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reschedule_url: Option<String>,
    /// Where they decline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decline_url: Option<String>,
}

/// How long the event of a [`SchedulingRequest`] takes.
///
/// Source: Cronofy's API documentation, [Embedded Scheduler: Receiving Updates](https://docs.cronofy.com/developers/embedded-scheduler/receiving-updates) (beta) and [Data Types](https://docs.cronofy.com/developers/api/data-types).
///
/// ```
/// use std::time::Duration;
///
/// use cronofy_webhook::notification::RequestDuration;
///
/// let duration: RequestDuration = serde_json::from_str(r#"{ "minutes": 30 }"#)?;
/// let minutes = duration.minutes.and_then(|minutes| u64::try_from(minutes).ok());
/// let duration = minutes.map(|minutes| Duration::from_secs(minutes * 60));
/// assert_eq!(duration, Some(Duration::from_secs(1800)));
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequestDuration {
    /// In minutes: the only unit that Cronofy uses in notifications.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<i32>,
}

/// Somebody who was sent a [`SchedulingRequest`].
///
/// Source: Cronofy's API documentation (beta), [Embedded Scheduler: Receiving Updates](https://docs.cronofy.com/developers/embedded-scheduler/receiving-updates).
///
/// ```
/// use cronofy_webhook::notification::RequestRecipient;
///
/// let recipient: RequestRecipient =
///     serde_json::from_str(r#"{ "email": "guest@example.com", "slot_selector": true }"#)?;
/// let name = recipient.display_name.or(recipient.email);
/// assert_eq!(name.as_deref(), Some("guest@example.com"));
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequestRecipient {
    /// Their email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Where they choose a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub select_url: Option<String>,
    /// Whether it is they who choose the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot_selector: Option<bool>,
}

/// The event that a [`SchedulingRequest`] is for.
///
/// Source: Cronofy's API documentation (beta), [Embedded Scheduler: Receiving Updates](https://docs.cronofy.com/developers/embedded-scheduler/receiving-updates).
///
/// ```
/// use cronofy_webhook::notification::RequestEvent;
///
/// let event: RequestEvent = serde_json::from_str(r#"{ "summary": "Interview" }"#)?;
/// assert_eq!(event.summary.as_deref(), Some("Interview"));
/// assert_eq!(event.metadata, None);
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequestEvent {
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The metadata attached to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<RequestMetadata>,
}

/// The metadata attached to a [`RequestEvent`].
///
/// Source: Cronofy's API documentation (beta), [Embedded Scheduler: Receiving Updates](https://docs.cronofy.com/developers/embedded-scheduler/receiving-updates).
///
/// ```
/// use std::collections::BTreeMap;
///
/// use cronofy_webhook::notification::RequestMetadata;
///
/// let metadata: RequestMetadata = serde_json::from_str(
///     r#"{ "scheduler": { "correlation_id": "case-7", "captured_data.notes": "none" } }"#,
/// )?;
/// let noted = metadata.scheduler.unwrap_or_default();
/// assert_eq!(noted["correlation_id"], "case-7");
///
/// let form: BTreeMap<&str, &str> = noted
///     .iter()
///     .filter_map(|(name, value)| Some((name.strip_prefix("captured_data.")?, value.as_str())))
///     .collect();
/// assert_eq!(form, BTreeMap::from([("notes", "none")]));
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequestMetadata {
    /// The metadata of the Scheduler, by name: `correlation_id`, `utm_source` and the like from the link that was followed,
    /// `captured_data.…` from the form that was filled in (the dot is part of the name). The values are whatever the link
    /// or the person said.
    #[serde(
        default,
        deserialize_with = "without_nulls",
        skip_serializing_if = "Option::is_none"
    )]
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
