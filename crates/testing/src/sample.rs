use crate::Payload;

/// A body of the kit: one for each kind of notification, and for what varies within a kind.
///
/// Keys, nesting and formats are Cronofy's, as far as [`provenance`](Self::provenance) says. Names, texts and URLs are
/// made up.
///
/// ```
/// use cronofy_webhook_testing::{Payload, Provenance};
///
/// let sample = Payload::samples().find(|sample| sample.name() == "change:filtered").unwrap();
/// assert_eq!((sample.kind(), sample.family()), ("change", "channel"));
/// assert_eq!(sample.provenance(), Provenance::Documented);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    name: &'static str,
    family: &'static str,
    provenance: Provenance,
    text: &'static str,
}

impl Sample {
    /// The kind, and after a colon what distinguishes several samples of one kind: `"change:filtered"`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The kind, as [`Notification::kind`](cronofy_webhook::Notification::kind) returns it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.name
            .split_once(':')
            .map_or(self.name, |(kind, _)| kind)
    }

    /// The part of Cronofy's API that sends it: `"channel"`, `"Smart Invites"`.
    #[must_use]
    pub fn family(&self) -> &'static str {
        self.family
    }

    /// How much of the body is known from Cronofy's documentation.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        self.provenance
    }

    /// The body.
    #[must_use]
    pub fn payload(&self) -> Payload {
        Payload::new(self.text)
    }
}

/// How much of the body of a [`Sample`] is known from Cronofy's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provenance {
    /// Cronofy's documentation prints these fields.
    Documented,
    /// Cronofy's documentation names the type. The fields are those of its siblings, or of a test in a Cronofy SDK.
    TypeDocumented,
    /// Put together from Cronofy's sample applications, its SDKs, and the code of receivers. Do not rely on the presence
    /// or absence of a field.
    Reconstructed,
    /// Made up, to test that unknown types and fields are accepted.
    Synthetic,
}

impl Provenance {
    /// The name: `"type_documented"`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::TypeDocumented => "type_documented",
            Self::Reconstructed => "reconstructed",
            Self::Synthetic => "synthetic",
        }
    }
}

macro_rules! samples {
    ($($name:literal $family:literal $provenance:ident $file:literal)*) => {
        &[$(Sample {
            name: $name,
            family: $family,
            provenance: Provenance::$provenance,
            text: include_str!(concat!("../samples/", $file, ".json")),
        },)*]
    };
}

pub(super) const SAMPLES: &[Sample] = samples! {
    "verification" "channel" TypeDocumented "push-verification"
    "verification:calendar_ids" "channel" TypeDocumented "push-verification-calendar-ids-only"
    "change" "channel" Documented "push-change"
    "change:filtered" "channel" Documented "push-change-filtered"
    "change:calendar_ids" "channel" TypeDocumented "push-change-calendar-ids-only"
    "profile_disconnected" "channel" TypeDocumented "push-profile_disconnected"
    "conferencing_profile_disconnected" "channel" TypeDocumented "push-conferencing_profile_disconnected"
    "profile_initial_sync_completed" "channel" TypeDocumented "push-profile_initial_sync_completed"
    "gdpr_requested" "channel" TypeDocumented "push-gdpr_requested"
    "scheduling_conversation_joined" "channel" Documented "push-scheduling_conversation_joined"
    "scheduling_conversation_updated" "channel" TypeDocumented "push-scheduling_conversation_updated"
    "smart_invite" "Smart Invites" Documented "smart_invite"
    "smart_invite:accepted" "Smart Invites" Reconstructed "smart_invite-minimal-accepted"
    "smart_invite:recipients" "Smart Invites" Reconstructed "smart_invite-multiple-recipients"
    "event_subscription" "Event Triggers" Reconstructed "event_subscription-transition-event_start"
    "event_subscription:event_end" "Event Triggers" Reconstructed "event_subscription-transition-event_end"
    "event_subscription:conferencing_assigned" "Conferencing" TypeDocumented "event_subscription-conferencing_assigned"
    "event_subscription:conferencing_failing" "Conferencing" TypeDocumented "event_subscription-conferencing_failing"
    "event_subscription:meeting_agent_activated" "Meeting Agents" Documented "event_subscription-meeting_agent_activated"
    "event_subscription:meeting_agent_complete" "Meeting Agents" TypeDocumented "event_subscription-meeting_agent_complete"
    "event_subscription:meeting_agent_failed" "Meeting Agents" TypeDocumented "event_subscription-meeting_agent_failed"
    "scheduling_request_time_chosen" "Scheduler" Documented "scheduler-scheduling_request_time_chosen"
    "real_time_scheduling_completed" "Real-Time Scheduling" Documented "rts-completed"
    "authorization" "Enterprise Connect" Reconstructed "enterprise-connect-authorized"
    "authorization:refused" "Enterprise Connect" Reconstructed "enterprise-connect-error"
    "some_future_type" "channel" Synthetic "push-unknown-type"
};
