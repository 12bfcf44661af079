//! Every documented or reconstructed body.

use std::collections::BTreeSet;

use bytes::Bytes;
use cronofy_webhook::Notification;
use cronofy_webhook::notification::{
    AuthorizationError, InteractionKind, MeetingAgentState, ReplyStatus, SlotSelection,
    TransitionKind,
};
use cronofy_webhook_testing::Payload;
use serde_json::Value;

use super::with_plain_times;
use crate::properties;

pub(super) struct Fixture {
    /// The name of the sample.
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    /// Whether it is of the expected variant.
    is: fn(&Notification) -> bool,
    /// The required fields; `*` is any item of a list.
    pub(super) required: &'static [&'static str],
}

impl Fixture {
    pub(super) fn body(&self) -> Value {
        serde_json::from_str(Payload::sample(self.name).as_str()).unwrap()
    }

    pub(super) fn is_of_its_variant(&self, notification: &Notification) -> bool {
        (self.is)(notification)
    }

    /// Whether the field decides if an authorization was granted.
    pub(super) fn tells_the_outcome(&self, path: &str) -> bool {
        ["/authorization/code", "/authorization/error"].contains(&path)
    }

    pub(super) fn requires(&self, path: &str) -> bool {
        self.required.contains(&super::pattern(path).as_str())
    }
}

const CHANNEL: &[&str] = &["/channel", "/channel/channel_id", "/channel/callback_url"];
const CHANGE: &[&str] = &[
    "/notification/changes_since",
    "/channel",
    "/channel/channel_id",
    "/channel/callback_url",
];
const SCHEDULING_CONVERSATION: &[&str] = &["/notification/scheduling_conversation_id"];
const SMART_INVITE: &[&str] = &[
    "/smart_invite",
    "/smart_invite/smart_invite_id",
    "/smart_invite/callback_url",
    "/smart_invite/reply",
    "/smart_invite/reply/email",
    "/smart_invite/reply/status",
];
// Of the two lists one at least must be parsed.
const EVENT_SUBSCRIPTION: &[&str] = &[
    "/notification/interactions",
    "/notification/interactions/*/type",
    "/notification/transitions",
    "/notification/transitions/*/type",
];
const TIME_CHOSEN: &[&str] = &[
    "/notification/triggered_at",
    "/scheduling_request",
    "/scheduling_request/scheduling_request_id",
];
const COMPLETED: &[&str] = &[
    "/event",
    "/event/event_id",
    "/event/start",
    "/event/end",
    "/event/start/time",
    "/event/end/time",
];
const GRANTED: &[&str] = &["/authorization", "/authorization/code"];
const REFUSED: &[&str] = &["/authorization", "/authorization/error"];

macro_rules! fixtures {
    ($($name:literal is $variant:ident $kind:literal requiring $required:ident;)*) => {
        &[$(Fixture {
            name: $name,
            kind: $kind,
            is: |notification| matches!(notification, Notification::$variant(_)),
            required: $required,
        },)*]
    };
}

/// All fixtures but that of the unknown type.
#[rustfmt::skip]
pub(super) const FIXTURES: &[Fixture] = fixtures! {
    "authorization" is Authorization "authorization" requiring GRANTED;
    "authorization:refused" is Authorization "authorization" requiring REFUSED;
    "event_subscription:conferencing_assigned" is EventSubscription "event_subscription" requiring EVENT_SUBSCRIPTION;
    "event_subscription:conferencing_failing" is EventSubscription "event_subscription" requiring EVENT_SUBSCRIPTION;
    "event_subscription:meeting_agent_activated" is EventSubscription "event_subscription" requiring EVENT_SUBSCRIPTION;
    "event_subscription:meeting_agent_complete" is EventSubscription "event_subscription" requiring EVENT_SUBSCRIPTION;
    "event_subscription:meeting_agent_failed" is EventSubscription "event_subscription" requiring EVENT_SUBSCRIPTION;
    "event_subscription:event_end" is EventSubscription "event_subscription" requiring EVENT_SUBSCRIPTION;
    "event_subscription" is EventSubscription "event_subscription" requiring EVENT_SUBSCRIPTION;
    "change:calendar_ids" is Change "change" requiring CHANGE;
    "change:filtered" is Change "change" requiring CHANGE;
    "change" is Change "change" requiring CHANGE;
    "conferencing_profile_disconnected" is ConferencingProfileDisconnected "conferencing_profile_disconnected" requiring CHANNEL;
    "gdpr_requested" is GdprRequested "gdpr_requested" requiring CHANNEL;
    "profile_disconnected" is ProfileDisconnected "profile_disconnected" requiring CHANNEL;
    "profile_initial_sync_completed" is ProfileInitialSyncCompleted "profile_initial_sync_completed" requiring CHANNEL;
    "scheduling_conversation_joined" is SchedulingConversationJoined "scheduling_conversation_joined" requiring SCHEDULING_CONVERSATION;
    "scheduling_conversation_updated" is SchedulingConversationUpdated "scheduling_conversation_updated" requiring SCHEDULING_CONVERSATION;
    "verification:calendar_ids" is Verification "verification" requiring CHANNEL;
    "verification" is Verification "verification" requiring CHANNEL;
    "real_time_scheduling_completed" is RealTimeSchedulingCompleted "real_time_scheduling_completed" requiring COMPLETED;
    "scheduling_request_time_chosen" is SchedulingRequestTimeChosen "scheduling_request_time_chosen" requiring TIME_CHOSEN;
    "smart_invite:accepted" is SmartInvite "smart_invite" requiring SMART_INVITE;
    "smart_invite:recipients" is SmartInvite "smart_invite" requiring SMART_INVITE;
    "smart_invite" is SmartInvite "smart_invite" requiring SMART_INVITE;
};

const UNKNOWN: &str = "some_future_type";

fn read(name: &str) -> Notification {
    Notification::from_slice(Payload::sample(name).as_str().as_bytes())
}

#[test]
fn every_sample_is_in_the_table() {
    let samples: BTreeSet<_> = Payload::samples().map(|sample| sample.name()).collect();
    let table = FIXTURES.iter().map(|fixture| fixture.name);
    assert_eq!(table.chain([UNKNOWN]).collect::<BTreeSet<_>>(), samples);
}

#[test]
fn every_fixture_is_parsed_completely() {
    for fixture in FIXTURES {
        let notification = read(fixture.name);
        assert!((fixture.is)(&notification), "{}", fixture.name);
        assert_eq!(notification.kind(), fixture.kind, "{}", fixture.name);
        let parsed = with_plain_times(&properties::json(&notification));
        assert_eq!(
            parsed,
            with_plain_times(&fixture.body()),
            "{}",
            fixture.name
        );
    }
}

#[test]
fn the_kinds_are_those_of_the_fixtures() {
    let kinds: BTreeSet<&str> = Notification::KINDS.iter().copied().collect();
    assert_eq!(kinds.len(), Notification::KINDS.len(), "duplicated");
    let table: BTreeSet<&str> = FIXTURES.iter().map(|fixture| fixture.kind).collect();
    assert_eq!(kinds, table);
}

#[test]
fn an_unknown_type_keeps_its_bytes() {
    let body = Bytes::from(Payload::sample(UNKNOWN));
    let Notification::Unknown(unknown) = Notification::from_slice(&body) else {
        panic!("a known kind");
    };
    assert_eq!(unknown.kind(), Some("some_future_type"));
    assert_eq!(unknown.body(), &body);
}

#[test]
fn the_callback_url_and_the_channel_are_those_of_the_body() {
    for fixture in FIXTURES {
        let (body, notification) = (fixture.body(), read(fixture.name));
        let at = |path| body.pointer(path).and_then(Value::as_str);
        let url = at("/channel/callback_url").or(at("/smart_invite/callback_url"));
        assert_eq!(notification.callback_url(), url, "{}", fixture.name);
        let id = notification.channel().map(|c| c.channel_id.as_str());
        assert_eq!(id, at("/channel/channel_id"), "{}", fixture.name);
    }
}

#[test]
fn filters_and_scheduling_conversations_of_a_channel_are_parsed() {
    let notification = read("change:filtered");
    let filters = notification.channel().unwrap().filters.clone().unwrap();
    assert_eq!(
        filters.calendar_ids.as_deref(),
        Some(&["cal_n23kjnwrw2_sakdnawerd3".to_owned()][..])
    );
    assert_eq!(filters.only_managed, Some(false));

    let Notification::SchedulingConversationJoined(joined) = read("scheduling_conversation_joined")
    else {
        panic!("nobody joined");
    };
    assert_eq!(
        joined.scheduling_conversation_id,
        "scv_55cfff7fb4af4c1027000005"
    );
    let conversations = joined.channel.unwrap().scheduling_conversations.unwrap();
    assert_eq!(conversations.enabled, Some(true));
}

#[test]
fn an_ordinary_channel_may_have_empty_scheduling_conversations() {
    let notification = Notification::from_slice(
        br#"{"notification":{"type":"verification"},"channel":{"channel_id":"c","callback_url":"u","scheduling_conversations":{}}}"#,
    );
    let conversations = notification
        .channel()
        .unwrap()
        .scheduling_conversations
        .clone();
    assert_eq!(conversations.unwrap().enabled, None);
}

#[test]
fn the_reply_and_the_proposal_of_a_smart_invite_are_parsed() {
    let Notification::SmartInvite(invite) = read("smart_invite") else {
        panic!("not a smart invite");
    };
    assert_eq!(invite.smart_invite_id, "invite-0001");
    let recipient = invite.recipient.unwrap();
    assert_eq!(recipient.email.as_ref(), Some(&invite.reply.email));
    assert_eq!(recipient.status.as_ref(), Some(&invite.reply.status));
    assert_eq!(recipient.comment, invite.reply.comment);
    assert_eq!(recipient.proposal, invite.reply.proposal);
    assert_eq!(invite.recipients, None);
    assert_eq!(invite.reply.email, "guest@example.com");
    assert_eq!(invite.reply.status, ReplyStatus::Tentative);
    assert_eq!(invite.reply.comment.as_deref(), Some("a comment"));
    let start = invite.reply.proposal.unwrap().start;
    assert_eq!(start.as_str(), "2026-04-21T23:00:00+02:00");
    assert_eq!(start.tzid(), Some("Europe/Paris"));
    assert_eq!(start.timestamp(), "2026-04-21T21:00:00Z".parse().ok());
}

#[test]
fn the_status_of_each_recipient_is_parsed() {
    let Notification::SmartInvite(invite) = read("smart_invite:recipients") else {
        panic!("not a smart invite");
    };
    let recipients = invite.recipients.unwrap();
    let statuses: Vec<_> = recipients.into_iter().map(|r| r.status.unwrap()).collect();
    assert_eq!(statuses, [ReplyStatus::Accepted, ReplyStatus::Pending]);
    assert_eq!(invite.recipient, None);
}

#[test]
fn a_transition_is_parsed_with_its_event() {
    let Notification::EventSubscription(subscription) = read("event_subscription") else {
        panic!("not of a subscription");
    };
    let transitions = subscription.transitions.unwrap();
    assert_eq!(transitions[0].kind, TransitionKind::EventStart);
    assert_eq!(subscription.interactions, None);
    assert_eq!(subscription.meeting_agent, None);
    let event = subscription.event.unwrap();
    assert_eq!(event.event_id, "evt-local-1");
    assert_eq!(event.description.as_deref(), Some("Quarter plan"));
    let end = event.end.unwrap();
    assert_eq!(end.timestamp(), "2026-06-25T17:00:00Z".parse().ok());
}

#[test]
fn an_interaction_is_parsed_with_conferencing_and_meeting_agent() {
    let Notification::EventSubscription(subscription) =
        read("event_subscription:meeting_agent_activated")
    else {
        panic!("not of a subscription");
    };
    let interactions = subscription.interactions.unwrap();
    assert_eq!(interactions[0].kind, InteractionKind::MeetingAgentActivated);
    let event = subscription.event.unwrap();
    assert_eq!(event.tzid.as_deref(), Some("Europe/Berlin"));
    let conferencing = event.conferencing.unwrap();
    assert_eq!(conferencing.provider_name.as_deref(), Some("zoom"));
    assert_eq!(conferencing.pending, None);
    let profile = event.meeting_agent.unwrap();
    assert_eq!(profile.profile_id.as_deref(), Some("cronofy"));
    let agent = subscription.meeting_agent.unwrap();
    assert_eq!(agent.sub, "agt_692702a100ccd07000000000");
    assert_eq!(agent.state, Some(MeetingAgentState::Created));
    let resource = &agent.resources.unwrap()[0];
    assert_eq!(resource.category.as_deref(), Some("cronofy"));
    assert_eq!(resource.kind.as_deref(), Some("dashboard"));
    assert_eq!(resource.url.as_deref(), Some("https://dashboard.example/x"));
}

#[test]
fn a_scheduling_request_is_parsed() {
    let Notification::SchedulingRequestTimeChosen(chosen) = read("scheduling_request_time_chosen")
    else {
        panic!("no time was chosen");
    };
    assert_eq!(chosen.triggered_at.to_string(), "2025-01-19T16:14:11Z");
    let request = chosen.scheduling_request;
    assert_eq!(request.slot_selection, Some(SlotSelection::Complete));
    assert_eq!(request.duration.unwrap().minutes, Some(30));
    let recipient = &request.recipients.unwrap()[0];
    assert_eq!(recipient.display_name.as_deref(), Some("A Guest"));
    assert_eq!(recipient.slot_selector, Some(true));
    let scheduler = request.event.unwrap().metadata.unwrap().scheduler.unwrap();
    assert_eq!(scheduler.len(), 6);
    assert_eq!(scheduler["captured_data.phone_number"], "0118 999");
}

#[test]
fn a_completed_real_time_scheduling_is_parsed() {
    let Notification::RealTimeSchedulingCompleted(completed) =
        read("real_time_scheduling_completed")
    else {
        panic!("not completed");
    };
    let start = completed.event.start.unwrap();
    assert_eq!(start.tzid(), Some("Europe/London"));
    assert_eq!(
        completed.participants.unwrap()[0].sub,
        "acc_5ba21743f408617d1269ea1e"
    );
    assert_eq!(
        completed.user.unwrap().tzid.as_deref(),
        Some("Europe/London")
    );
}

#[test]
fn the_outcome_of_an_authorization_is_parsed() {
    let Notification::Authorization(granted) = read("authorization") else {
        panic!("not an authorization");
    };
    assert_eq!(granted.state.as_deref(), Some("opaque-state"));
    let code = granted.outcome.unwrap();
    assert_eq!(code.as_str(), "0123456789abcdef0123456789abcdef");

    let Notification::Authorization(refused) = read("authorization:refused") else {
        panic!("not an authorization");
    };
    let error: AuthorizationError = refused.outcome.unwrap_err();
    assert_eq!(error.error, "access_denied");
    assert_eq!(error.error_key.as_deref(), Some("an.error.key"));
    assert_eq!(error.to_string(), "access_denied: a human readable reason");
}
