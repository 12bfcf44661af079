//! The order in which Cronofy's documentation shows the fields of its notifications.

/// The place of a field among its neighbours; unknown ones come last.
pub(crate) fn rank(name: &str, is_notification: bool) -> usize {
    let place = if is_notification {
        ORDER.iter().position(|known| *known == name)
    } else {
        ORDER.iter().rposition(|known| *known == name)
    };
    place.unwrap_or(ORDER.len())
}

/// One order that agrees with all documented objects, so that the place of an object does not matter.
///
/// `summary` appears twice: [Real-Time Scheduling](https://docs.cronofy.com/developers/workflow-triggers/scheduling-triggers/),
/// whose bodies have no `notification`, has it at the end of an event, everything else before `start`.
#[rustfmt::skip]
const ORDER: [&str; 73] = [
    "authorization", "code", "error", "notification", "event_id",
    "pending", "sub", "category", "channel_id", "calendar_ids",
    "enabled", "scheduling_request_id", "view_url", "minutes", "email",
    "scheduler", "correlation_id", "smart_invite_id", "time", "error_key",
    "scheduling_request", "smart_invite", "channel", "profile_id", "type",
    "only_managed", "slot_selection", "reschedule_url", "display_name", "status",
    "utm_medium", "callback_url", "error_description", "provider_name", "changes_since",
    "triggered_at", "interactions", "url", "primary_select_url", "decline_url",
    "select_url", "comment", "utm_source", "recipient", "filters",
    "state", "join_url", "scheduling_conversation_id", "transitions", "dashboard_url",
    "slot_selector", "proposal", "utm_campaign", "scheduling_conversations", "resources",
    "recipient_operations", "utm_term", "summary", "utm_content", "description",
    "metadata", "duration", "start", "recipients", "end",
    "summary", "event", "reply", "tzid", "participants",
    "conferencing", "user", "meeting_agent",
];
