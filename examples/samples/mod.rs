//! A body for each kind of notification, under the name of the kind. A suffix after a colon distinguishes several of one
//! kind. The last has an unknown type.

macro_rules! samples {
    ($($name:literal $file:literal)*) => {
        &[$(($name, include_str!(concat!("../../tests/data/fixtures/", $file, ".json"))),)*]
    };
}

/// Name and body.
pub(crate) const SAMPLES: &[(&str, &str)] = samples! {
    "verification" "push-verification"
    "change" "push-change"
    "change:filtered" "push-change-filtered"
    "profile_disconnected" "push-profile_disconnected"
    "conferencing_profile_disconnected" "push-conferencing_profile_disconnected"
    "profile_initial_sync_completed" "push-profile_initial_sync_completed"
    "gdpr_requested" "push-gdpr_requested"
    "scheduling_conversation_joined" "push-scheduling_conversation_joined"
    "scheduling_conversation_updated" "push-scheduling_conversation_updated"
    "smart_invite" "smart_invite"
    "smart_invite:accepted" "smart_invite-minimal-accepted"
    "smart_invite:recipients" "smart_invite-multiple-recipients"
    "event_subscription" "event_subscription-transition-event_start"
    "event_subscription:event_end" "event_subscription-transition-event_end"
    "event_subscription:conferencing_assigned" "event_subscription-conferencing_assigned"
    "event_subscription:conferencing_failing" "event_subscription-conferencing_failing"
    "event_subscription:meeting_agent_activated" "event_subscription-meeting_agent_activated"
    "event_subscription:meeting_agent_complete" "event_subscription-meeting_agent_complete"
    "event_subscription:meeting_agent_failed" "event_subscription-meeting_agent_failed"
    "scheduling_request_time_chosen" "scheduler-scheduling_request_time_chosen"
    "real_time_scheduling_completed" "rts-completed"
    "authorization" "enterprise-connect-authorized"
    "authorization:refused" "enterprise-connect-error"
    "some_future_type" "push-unknown-type"
};
