use std::borrow::Cow;
use std::str;

use bytes::Bytes;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

use super::Notification;
use super::authorization;
use super::channel::{
    Change, Channel, ConferencingProfileDisconnected, GdprRequested, ProfileDisconnected,
    ProfileInitialSyncCompleted, Verification,
};
use super::event::Event;
use super::event_subscription::{EventSubscription, Interaction, MeetingAgent, Transition};
use super::lenient::{self, InvalidFields, ParseError};
use super::real_time_scheduling::{Participant, RealTimeSchedulingCompleted, User};
use super::scheduling_conversation::{SchedulingConversationJoined, SchedulingConversationUpdated};
use super::scheduling_request::{SchedulingRequest, SchedulingRequestTimeChosen};
use super::smart_invite::SmartInvite;
use super::time::WireTimestamp;
use super::unknown::{self, Unknown, UnknownReason};

/// A body, with what the kinds have in it.
// What most bodies do not have is boxed, which makes it cheaper to move.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "object")]
    notification: Option<Head<'a>>,
    #[serde(default, deserialize_with = "object")]
    channel: Option<Channel>,
    #[serde(default, deserialize_with = "object")]
    smart_invite: Option<Box<SmartInvite>>,
    #[serde(default, deserialize_with = "object")]
    event: Option<Box<Event>>,
    #[serde(default, deserialize_with = "object")]
    meeting_agent: Option<Box<MeetingAgent>>,
    #[serde(default, deserialize_with = "object")]
    scheduling_request: Option<Box<SchedulingRequest>>,
    participants: Option<Vec<Participant>>,
    #[serde(default, deserialize_with = "object")]
    user: Option<User>,
    #[serde(default, deserialize_with = "object")]
    authorization: Option<Box<authorization::Fields>>,
}

/// `notification`: the type, and what the kinds have beside it.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Kind<'a>>,
    changes_since: Option<WireTimestamp>,
    scheduling_conversation_id: Option<String>,
    triggered_at: Option<WireTimestamp>,
    transitions: Option<Vec<Transition>>,
    interactions: Option<Vec<Interaction>>,
}

// Serde borrows a `Cow` that is a field, and not one in an `Option`.
#[derive(Deserialize)]
struct Kind<'a>(#[serde(borrow)] Cow<'a, str>);

/// A JSON object: a derived `Deserialize` takes an array of the fields for a struct as well.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(OnlyMap(deserializer)).map(Self)
    }
}

fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let object = Option::<Object<T>>::deserialize(deserializer)?;
    Ok(object.map(|Object(value)| value))
}

/// Deserializes a map, whatever is asked for.
struct OnlyMap<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for OnlyMap<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Parses a body. The second part names the optional fields of the kind that were present and could not be parsed.
pub(super) fn parse(body: &[u8], keep: impl FnOnce() -> Bytes) -> (Notification, Vec<String>) {
    if let Ok(text) = str::from_utf8(body)
        && let Ok(Object(envelope)) = serde_json::from_str(text)
    {
        return from_envelope(envelope, InvalidFields::default(), text, keep);
    }
    let text = match unknown::json_object(body) {
        Ok(text) => text,
        Err(reason) => return unknown(None, reason, None, keep),
    };
    match lenient::repair(text, try_parse) {
        Ok((repaired, invalid)) => {
            let Object(envelope) =
                serde_json::from_str(&repaired).expect("it has just been parsed without an error");
            from_envelope(envelope, invalid, text, keep)
        }
        Err(reason) => {
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
            let channel = lenient::field(text, "channel")
                .and_then(|channel| serde_json::from_str(channel).ok())
                .map(|Object(channel)| channel);
            unknown(kind, reason, channel, keep)
        }
    }
}

fn try_parse(text: &str) -> Result<(), ParseError> {
    let deserializer = &mut serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize::<_, Object<Envelope<'_>>>(deserializer).map(drop)
}

fn unknown(
    kind: Option<String>,
    reason: UnknownReason,
    channel: Option<Channel>,
    keep: impl FnOnce() -> Bytes,
) -> (Notification, Vec<String>) {
    let unknown = Unknown::new(kind, reason, channel, keep());
    (Notification::Unknown(unknown), Vec::new())
}

fn from_envelope(
    mut envelope: Envelope<'_>,
    mut invalid: InvalidFields,
    text: &str,
    keep: impl FnOnce() -> Bytes,
) -> (Notification, Vec<String>) {
    let (kind, result) = match envelope.notification.take() {
        Some(mut head) => match head.kind.take() {
            Some(Kind(kind)) => {
                let result = typed(&kind, head, &mut envelope, &mut invalid);
                (Some(kind), result)
            }
            None => {
                let reason = invalid.reason("notification.type");
                (None, Err(reason.unwrap_or(UnknownReason::Untyped)))
            }
        },
        None => untyped(&mut envelope, &mut invalid, text),
    };
    match result {
        Ok(notification) => (notification, invalid.into_paths()),
        Err(reason) => unknown(kind.map(Cow::into_owned), reason, envelope.channel, keep),
    }
}

/// A kind that `notification.type` names.
fn typed(
    kind: &str,
    head: Head<'_>,
    envelope: &mut Envelope<'_>,
    invalid: &mut InvalidFields,
) -> Result<Notification, UnknownReason> {
    Ok(match kind {
        "verification" => Notification::Verification(Verification {
            channel: invalid.required("channel", envelope.channel.take())?,
        }),
        "change" => Notification::Change(Change {
            changes_since: invalid
                .required("notification.changes_since", head.changes_since)?
                .0,
            channel: invalid.required("channel", envelope.channel.take())?,
        }),
        "profile_disconnected" => Notification::ProfileDisconnected(ProfileDisconnected {
            channel: invalid.required("channel", envelope.channel.take())?,
        }),
        "conferencing_profile_disconnected" => {
            Notification::ConferencingProfileDisconnected(ConferencingProfileDisconnected {
                channel: invalid.required("channel", envelope.channel.take())?,
            })
        }
        "profile_initial_sync_completed" => {
            Notification::ProfileInitialSyncCompleted(ProfileInitialSyncCompleted {
                channel: invalid.required("channel", envelope.channel.take())?,
            })
        }
        "gdpr_requested" => Notification::GdprRequested(GdprRequested {
            channel: invalid.required("channel", envelope.channel.take())?,
        }),
        "scheduling_conversation_joined" | "scheduling_conversation_updated" => {
            scheduling_conversation(kind, head, envelope, invalid)?
        }
        "smart_invite" => {
            let invite = invalid.required("smart_invite", envelope.smart_invite.take())?;
            Notification::SmartInvite(invite)
        }
        "event_subscription" => event_subscription(head, envelope, invalid)?,
        "scheduling_request_time_chosen" => time_chosen(head, envelope, invalid)?,
        _ => return Err(UnknownReason::UnknownType),
    })
}

fn scheduling_conversation(
    kind: &str,
    head: Head<'_>,
    envelope: &mut Envelope<'_>,
    invalid: &mut InvalidFields,
) -> Result<Notification, UnknownReason> {
    let scheduling_conversation_id = invalid.required(
        "notification.scheduling_conversation_id",
        head.scheduling_conversation_id,
    )?;
    let channel = invalid.optional("channel", envelope.channel.take());
    Ok(if kind == "scheduling_conversation_joined" {
        Notification::SchedulingConversationJoined(SchedulingConversationJoined {
            scheduling_conversation_id,
            channel,
        })
    } else {
        Notification::SchedulingConversationUpdated(SchedulingConversationUpdated {
            scheduling_conversation_id,
            channel,
        })
    })
}

fn event_subscription(
    head: Head<'_>,
    envelope: &mut Envelope<'_>,
    invalid: &mut InvalidFields,
) -> Result<Notification, UnknownReason> {
    let transitions = invalid.optional("notification.transitions", head.transitions);
    let interactions = invalid.optional("notification.interactions", head.interactions);
    // What happened is in one of the two: without either it is not known what the notification is about.
    if transitions.is_none() && interactions.is_none() {
        let transitions = invalid.reason("notification.transitions");
        let reason = transitions.or_else(|| invalid.reason("notification.interactions"));
        reason.map_or(Ok(()), Err)?;
    }
    let event = invalid.optional("event", envelope.event.take());
    let meeting_agent = invalid.optional("meeting_agent", envelope.meeting_agent.take());
    Ok(Notification::EventSubscription(Box::new(
        EventSubscription {
            transitions,
            interactions,
            event: event.map(|event| *event),
            meeting_agent: meeting_agent.map(|agent| *agent),
        },
    )))
}

fn time_chosen(
    head: Head<'_>,
    envelope: &mut Envelope<'_>,
    invalid: &mut InvalidFields,
) -> Result<Notification, UnknownReason> {
    let WireTimestamp(triggered_at) =
        invalid.required("notification.triggered_at", head.triggered_at)?;
    let request = envelope.scheduling_request.take();
    let scheduling_request = *invalid.required("scheduling_request", request)?;
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
    invalid: &mut InvalidFields,
    text: &str,
) -> (
    Option<Cow<'static, str>>,
    Result<Notification, UnknownReason>,
) {
    let is_present = |path, is_parsed: bool| is_parsed || invalid.reason(path).is_some();
    if let Some(reason) = invalid.reason("notification") {
        (kind_of(text).map(Cow::Owned), Err(reason))
    } else if is_present("authorization", envelope.authorization.is_some()) {
        let result = authorization(envelope, invalid);
        (Some("authorization".into()), result)
    } else if is_present("event", envelope.event.is_some()) {
        let result = real_time_scheduling(envelope, invalid);
        (Some("real_time_scheduling_completed".into()), result)
    } else {
        (None, Err(UnknownReason::Untyped))
    }
}

fn authorization(
    envelope: &mut Envelope<'_>,
    invalid: &mut InvalidFields,
) -> Result<Notification, UnknownReason> {
    let fields = invalid.required("authorization", envelope.authorization.take())?;
    for path in ["authorization.code", "authorization.error"] {
        invalid.reason(path).map_or(Ok(()), Err)?;
    }
    let result = fields.into_authorization();
    result
        .map(Notification::Authorization)
        .map_err(|detail| UnknownReason::Malformed {
            field: "authorization".to_owned(),
            detail: detail.to_owned(),
        })
}

fn real_time_scheduling(
    envelope: &mut Envelope<'_>,
    invalid: &mut InvalidFields,
) -> Result<Notification, UnknownReason> {
    let event = *invalid.required("event", envelope.event.take())?;
    // Nothing names the kind, and other callbacks of Real-Time Scheduling may have an `event` that is not to be.
    invalid.required("event.start", event.start.as_ref())?;
    invalid.required("event.end", event.end.as_ref())?;
    let participants = invalid.optional("participants", envelope.participants.take());
    let user = invalid.optional("user", envelope.user.take());
    Ok(Notification::RealTimeSchedulingCompleted(Box::new(
        RealTimeSchedulingCompleted {
            event,
            participants,
            user,
        },
    )))
}

/// The kind of a body that could not be parsed.
fn kind_of(text: &str) -> Option<String> {
    let field = |name| lenient::field(text, name).filter(|value| *value != "null");
    if let Some(notification) = field("notification") {
        serde_json::from_str(lenient::field(notification, "type")?).ok()
    } else if field("authorization").is_some() {
        Some("authorization".to_owned())
    } else {
        field("event").map(|_| "real_time_scheduling_completed".to_owned())
    }
}
