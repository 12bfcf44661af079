//! How notifications are serialised: in human-readable formats as Cronofy's own object, in others as bytes of JSON.

use std::{fmt, str};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{
    Channel, Event, Interaction, MeetingAgent, Notification, Participant, SchedulingRequest,
    Transition, Unknown, User, authorization, smart_invite,
};

/// The name of the only field of an [`Unknown`] whose body is text.
const UNKNOWN: &str = "unknown";
/// The same for a body that is not UTF-8, or has a NUL, which `PostgreSQL`'s `jsonb` refuses.
const UNKNOWN_BASE64: &str = "unknown_base64";

/// The body that Cronofy sends.
#[derive(Default, Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    notification: Option<Head<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a Channel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    smart_invite: Option<smart_invite::PayloadRef<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a Event>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meeting_agent: Option<&'a MeetingAgent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduling_request: Option<&'a SchedulingRequest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    participants: Option<&'a [Participant]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a User>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization: Option<authorization::Fields<&'a str>>,
}

#[derive(Default, Serialize)]
struct Head<'a> {
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes_since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduling_conversation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    triggered_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transitions: Option<&'a [Transition]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interactions: Option<&'a [Interaction]>,
}

impl<'a> Body<'a> {
    /// `None` for what is kept as it was received.
    fn of(notification: &'a Notification) -> Option<Self> {
        let mut head = Head {
            r#type: notification.kind(),
            ..Head::default()
        };
        let mut body = Self {
            channel: notification.channel(),
            ..Self::default()
        };
        match notification {
            Notification::Verification(_)
            | Notification::ProfileDisconnected(_)
            | Notification::ConferencingProfileDisconnected(_)
            | Notification::ProfileInitialSyncCompleted(_)
            | Notification::GdprRequested(_) => {}
            Notification::Change(change) => head.changes_since = Some(change.changes_since),
            Notification::SchedulingConversationJoined(joined) => {
                head.scheduling_conversation_id = Some(&joined.scheduling_conversation_id);
            }
            Notification::SchedulingConversationUpdated(updated) => {
                head.scheduling_conversation_id = Some(&updated.scheduling_conversation_id);
            }
            Notification::SmartInvite(invite) => {
                body.smart_invite = Some(smart_invite::PayloadRef(invite));
            }
            Notification::EventSubscription(subscription) => {
                head.transitions = subscription.transitions.as_deref();
                head.interactions = subscription.interactions.as_deref();
                body.event = subscription.event.as_ref();
                body.meeting_agent = subscription.meeting_agent.as_ref();
            }
            Notification::SchedulingRequestTimeChosen(chosen) => {
                head.triggered_at = Some(chosen.triggered_at);
                body.scheduling_request = Some(&chosen.scheduling_request);
            }
            Notification::RealTimeSchedulingCompleted(completed) => {
                body.event = Some(&completed.event);
                body.participants = completed.participants.as_deref();
                body.user = completed.user.as_ref();
                return Some(body);
            }
            Notification::Authorization(authorization) => {
                body.authorization = Some(authorization.fields());
                return Some(body);
            }
            Notification::Unknown(_) => return None,
        }
        body.notification = Some(head);
        Some(body)
    }
}

impl Serialize for Notification {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self, Body::of(self)) {
            (_, Some(body)) if serializer.is_human_readable() => body.serialize(serializer),
            (_, Some(body)) => {
                let json = serde_json::to_vec(&body).map_err(S::Error::custom)?;
                serializer.serialize_bytes(&json)
            }
            (Self::Unknown(unknown), None) => unknown.serialize(serializer),
            (_, None) => unreachable!("only an `Unknown` is kept as it was received"),
        }
    }
}

impl Serialize for Unknown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_bytes(self.body());
        }
        let mut map = serializer.serialize_map(Some(1))?;
        match str::from_utf8(self.body()) {
            Ok(text) if !text.contains('\0') => map.serialize_entry(UNKNOWN, text)?,
            _ => map.serialize_entry(UNKNOWN_BASE64, &STANDARD.encode(self.body()))?,
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Notification {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Content that serde has buffered says that it is human-readable, whatever the format: both forms are accepted.
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(NotificationVisitor)
        } else {
            deserializer.deserialize_byte_buf(NotificationVisitor)
        }
    }
}

struct NotificationVisitor;

impl<'de> Visitor<'de> for NotificationVisitor {
    type Value = Notification;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a notification, as an object or as bytes of JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Notification, A::Error> {
        let object = JsonVisitor.visit_map(map)?;
        let body = match (&object[UNKNOWN], &object[UNKNOWN_BASE64]) {
            (Value::String(text), _) => Bytes::copy_from_slice(text.as_bytes()),
            (_, Value::String(text)) => STANDARD.decode(text).map_err(A::Error::custom)?.into(),
            _ => object.to_string().into(),
        };
        Ok(Notification::parse(&body).0)
    }

    fn visit_str<E>(self, json: &str) -> Result<Notification, E> {
        Ok(Notification::from_slice(json.as_bytes()))
    }

    fn visit_bytes<E>(self, json: &[u8]) -> Result<Notification, E> {
        Ok(Notification::from_slice(json))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<Notification, A::Error> {
        let mut json = Vec::new();
        while let Some(byte) = bytes.next_element()? {
            json.push(byte);
        }
        Ok(Notification::parse(&json.into()).0)
    }
}

/// A JSON value. `Value` itself gives a meaning to some keys, which a user's map may have.
struct Json(Value);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor).map(Self)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Json(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Json(value))) = map.next_entry::<String, Json>()? {
            object.insert(key, value);
        }
        Ok(object.into())
    }
}
