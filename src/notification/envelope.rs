use std::borrow::Cow;
use std::str;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;

use super::Notification;
use super::authorization::{self, Authorization};
use super::channel::{
    Change, Channel, ConferencingProfileDisconnected, GdprRequested, ProfileDisconnected,
    ProfileInitialSyncCompleted, Verification,
};
use super::event::Event;
use super::event_subscription::{EventSubscription, Interaction, MeetingAgent, Transition};
use super::lenient::{self, Losses, ParseError};
use super::object::Object;
use super::real_time_scheduling::{Participant, RealTimeSchedulingCompleted, User};
use super::scheduling_conversation::{SchedulingConversationJoined, SchedulingConversationUpdated};
use super::scheduling_request::{SchedulingRequest, SchedulingRequestTimeChosen};
use super::smart_invite::{self, SmartInvite};
use super::time::Instant;
use super::unknown::{self, Unknown, UnknownReason};

/// A body, with what the kinds have in it.
// What most bodies do not have is boxed, which makes it cheaper to move.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    notification: Option<Object<Head<'a>>>,
    channel: Option<Object<Channel>>,
    smart_invite: Option<Box<Object<smart_invite::Payload>>>,
    event: Option<Box<Object<Event>>>,
    meeting_agent: Option<Box<Object<MeetingAgent>>>,
    scheduling_request: Option<Box<Object<SchedulingRequest>>>,
    participants: Option<Vec<Participant>>,
    user: Option<Object<User>>,
    authorization: Option<Box<Object<authorization::Fields<String>>>>,
}

/// `notification`: the type, and what the kinds have beside it.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Kind<'a>>,
    changes_since: Option<Instant>,
    scheduling_conversation_id: Option<String>,
    triggered_at: Option<Instant>,
    transitions: Option<Vec<Transition>>,
    interactions: Option<Vec<Interaction>>,
}

// Serde borrows a `Cow` that is a field, and not one in an `Option`.
#[derive(Deserialize)]
struct Kind<'a>(#[serde(borrow)] Cow<'a, str>);

/// Parses a body. The second part names the optional fields of the kind that were present and could not be parsed.
pub(super) fn parse(body: &[u8], keep: impl FnOnce() -> Bytes) -> (Notification, Vec<String>) {
    if let Ok(text) = str::from_utf8(body)
        && let Ok(Object(envelope)) = serde_json::from_str(text)
    {
        return from_envelope(envelope, Losses::default(), text, keep);
    }
    let text = match unknown::json_object(body) {
        Ok(text) => text,
        Err(reason) => {
            let unknown = Unknown::new(None, reason, None, keep());
            return (Notification::Unknown(unknown), Vec::new());
        }
    };
    match lenient::repair(text, try_parse) {
        Ok((repaired, losses)) => {
            let Object(envelope) =
                serde_json::from_str(&repaired).expect("it has just been parsed without an error");
            from_envelope(envelope, losses, text, keep)
        }
        Err(reason) => {
            let channel = lenient::object(text)
                .and_then(|object| serde_json::from_str(object.get("channel")?.get()).ok())
                .map(|Object(channel)| channel);
            let kind = kind_of(text);
            let of_notification = matches!(
                &reason,
                UnknownReason::Malformed { field, .. } if field.starts_with("notification")
            );
            let reason = match kind.as_deref() {
                Some(kind) if !Notification::KINDS.contains(&kind) => UnknownReason::UnknownType,
                None if !of_notification => UnknownReason::Untyped,
                _ => reason,
            };
            let unknown = Unknown::new(kind, reason, channel, keep());
            (Notification::Unknown(unknown), Vec::new())
        }
    }
}

fn try_parse(text: &str) -> Result<(), ParseError> {
    let deserializer = &mut serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize::<_, Object<Envelope<'_>>>(deserializer).map(drop)
}

fn from_envelope(
    mut envelope: Envelope<'_>,
    mut losses: Losses,
    text: &str,
    keep: impl FnOnce() -> Bytes,
) -> (Notification, Vec<String>) {
    let (kind, result) = match envelope.notification.take() {
        Some(Object(mut head)) => match head.kind.take() {
            Some(Kind(kind)) => {
                let result = typed(&kind, head, &mut envelope, &mut losses);
                (Some(kind), result)
            }
            None => {
                let reason = losses.reason("notification.type");
                (None, Err(reason.unwrap_or(UnknownReason::Untyped)))
            }
        },
        None => untyped(&mut envelope, &mut losses, text),
    };
    match result {
        Ok(notification) => (notification, losses.into_paths()),
        Err(reason) => {
            let channel = envelope.channel.map(|Object(channel)| channel);
            let unknown = Unknown::new(kind.map(Cow::into_owned), reason, channel, keep());
            (Notification::Unknown(unknown), Vec::new())
        }
    }
}

/// A kind that `notification.type` names.
fn typed(
    kind: &str,
    head: Head<'_>,
    envelope: &mut Envelope<'_>,
    losses: &mut Losses,
) -> Result<Notification, UnknownReason> {
    Ok(match kind {
        Verification::KIND => Notification::Verification(Verification {
            channel: channel(envelope, losses)?,
        }),
        Change::KIND => Notification::Change(Change {
            changes_since: instant("notification.changes_since", head.changes_since, losses)?,
            channel: channel(envelope, losses)?,
        }),
        ProfileDisconnected::KIND => Notification::ProfileDisconnected(ProfileDisconnected {
            channel: channel(envelope, losses)?,
        }),
        ConferencingProfileDisconnected::KIND => {
            Notification::ConferencingProfileDisconnected(ConferencingProfileDisconnected {
                channel: channel(envelope, losses)?,
            })
        }
        ProfileInitialSyncCompleted::KIND => {
            Notification::ProfileInitialSyncCompleted(ProfileInitialSyncCompleted {
                channel: channel(envelope, losses)?,
            })
        }
        GdprRequested::KIND => Notification::GdprRequested(GdprRequested {
            channel: channel(envelope, losses)?,
        }),
        SchedulingConversationJoined::KIND => {
            Notification::SchedulingConversationJoined(SchedulingConversationJoined {
                scheduling_conversation_id: conversation_id(head, losses)?,
                channel: channel(envelope, losses)?,
            })
        }
        SchedulingConversationUpdated::KIND => {
            Notification::SchedulingConversationUpdated(SchedulingConversationUpdated {
                scheduling_conversation_id: conversation_id(head, losses)?,
                channel: channel(envelope, losses)?,
            })
        }
        SmartInvite::KIND => {
            let payload = losses.promised("smart_invite", envelope.smart_invite.take())?;
            let Object(smart_invite::Payload(invite)) = *payload;
            Notification::SmartInvite(Box::new(invite))
        }
        EventSubscription::KIND => event_subscription(head, envelope, losses)?,
        SchedulingRequestTimeChosen::KIND => time_chosen(head, envelope, losses)?,
        _ => return Err(UnknownReason::UnknownType),
    })
}

fn channel(envelope: &mut Envelope<'_>, losses: &mut Losses) -> Result<Channel, UnknownReason> {
    let Object(channel) = losses.promised("channel", envelope.channel.take())?;
    Ok(channel)
}

fn instant(
    path: &str,
    value: Option<Instant>,
    losses: &mut Losses,
) -> Result<Timestamp, UnknownReason> {
    let Instant(timestamp) = losses.promised(path, value)?;
    Ok(timestamp)
}

fn conversation_id(head: Head<'_>, losses: &mut Losses) -> Result<String, UnknownReason> {
    let path = "notification.scheduling_conversation_id";
    losses.promised(path, head.scheduling_conversation_id)
}

fn event_subscription(
    head: Head<'_>,
    envelope: &mut Envelope<'_>,
    losses: &mut Losses,
) -> Result<Notification, UnknownReason> {
    let transitions = losses.optional("notification.transitions", head.transitions);
    let interactions = losses.optional("notification.interactions", head.interactions);
    // What happened is in one of the two: without either it is not known what the notification is about.
    if transitions.is_none() && interactions.is_none() {
        let transitions = losses.reason("notification.transitions");
        let reason = transitions.or_else(|| losses.reason("notification.interactions"));
        reason.map_or(Ok(()), Err)?;
    }
    let event = losses.optional("event", envelope.event.take());
    let meeting_agent = losses.optional("meeting_agent", envelope.meeting_agent.take());
    Ok(Notification::EventSubscription(Box::new(
        EventSubscription {
            transitions,
            interactions,
            event: event.map(|event| event.0),
            meeting_agent: meeting_agent.map(|agent| agent.0),
        },
    )))
}

fn time_chosen(
    head: Head<'_>,
    envelope: &mut Envelope<'_>,
    losses: &mut Losses,
) -> Result<Notification, UnknownReason> {
    let triggered_at = instant("notification.triggered_at", head.triggered_at, losses)?;
    let request = envelope.scheduling_request.take();
    let Object(scheduling_request) = *losses.promised("scheduling_request", request)?;
    Ok(Notification::SchedulingRequestTimeChosen(Box::new(
        SchedulingRequestTimeChosen {
            triggered_at,
            scheduling_request,
        },
    )))
}

/// A kind that is sent without `notification`.
fn untyped(
    envelope: &mut Envelope<'_>,
    losses: &mut Losses,
    text: &str,
) -> (
    Option<Cow<'static, str>>,
    Result<Notification, UnknownReason>,
) {
    let is_present = |path, is_parsed| is_parsed || losses.contains(path);
    let is_lost = losses.contains("notification");
    if let Some(reason) = losses.reason("notification").filter(|_| is_lost) {
        (kind_of(text).map(Cow::Owned), Err(reason))
    } else if is_present("authorization", envelope.authorization.is_some()) {
        let result = authorization(envelope, losses);
        (Some(Authorization::KIND.into()), result)
    } else if is_present("event", envelope.event.is_some()) {
        let result = real_time_scheduling(envelope, losses);
        (Some(RealTimeSchedulingCompleted::KIND.into()), result)
    } else {
        (None, Err(UnknownReason::Untyped))
    }
}

fn authorization(
    envelope: &mut Envelope<'_>,
    losses: &mut Losses,
) -> Result<Notification, UnknownReason> {
    let fields = losses.promised("authorization", envelope.authorization.take())?;
    let Object(fields) = *fields;
    for path in ["authorization.code", "authorization.error"] {
        losses.reason(path).map_or(Ok(()), Err)?;
    }
    let authorization =
        Authorization::try_from(fields).map_err(|error| UnknownReason::Malformed {
            field: "authorization".to_owned(),
            detail: error.to_owned(),
        })?;
    Ok(Notification::Authorization(authorization))
}

fn real_time_scheduling(
    envelope: &mut Envelope<'_>,
    losses: &mut Losses,
) -> Result<Notification, UnknownReason> {
    let Object(event) = *losses.promised("event", envelope.event.take())?;
    // Nothing names the kind, and other callbacks of Real-Time Scheduling may have an `event` that is not to be.
    losses.promised("event.start", event.start.as_ref())?;
    losses.promised("event.end", event.end.as_ref())?;
    let participants = losses.optional("participants", envelope.participants.take());
    let user = losses.optional("user", envelope.user.take());
    Ok(Notification::RealTimeSchedulingCompleted(Box::new(
        RealTimeSchedulingCompleted {
            event,
            participants,
            user: user.map(|Object(user)| user),
        },
    )))
}

/// The kind of a body that could not be taken apart.
fn kind_of(text: &str) -> Option<String> {
    let body = lenient::object(text)?;
    let is_present = |name| body.get(name).is_some_and(|value| value.get() != "null");
    if is_present("notification") {
        let notification = lenient::object(body.get("notification")?.get())?;
        serde_json::from_str(notification.get("type")?.get()).ok()
    } else if is_present("authorization") {
        Some(Authorization::KIND.to_owned())
    } else if is_present("event") {
        Some(RealTimeSchedulingCompleted::KIND.to_owned())
    } else {
        None
    }
}
