use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::UnknownReason;
use super::object::Object;

/// A body taken apart into its top-level members, each of them still text: a kind reads those that are its own, and
/// what the others hold cannot spoil it.
pub(super) struct Body<'a> {
    members: Members<'a>,
    tag: Option<Cow<'a, str>>,
}

/// The top-level members that some kind reads.
#[derive(Clone, Copy, Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
pub(super) enum Member {
    Notification,
    Channel,
    SmartInvite,
    Event,
    MeetingAgent,
    SchedulingRequest,
    Participants,
    User,
    Authorization,
    #[serde(other)]
    Other,
}

/// What a body shows of its kind before its members are read.
pub(super) enum Shape<'a> {
    /// It has a `notification.type`.
    Tagged(&'a str),
    /// It has no `notification` and an `authorization`.
    Authorization,
    /// It has neither, and an `event`.
    RealTimeScheduling,
    /// None of these.
    Untyped,
}

impl<'a> Body<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, UnknownReason> {
        let members: Members<'a> =
            serde_json::from_slice(body).map_err(|_| UnknownReason::NotAnObject)?;
        let tag = match members.slot(Member::Notification) {
            Slot::Once(text) => serde_json::from_str::<Object<Tag<'a>>>(text.get()).ok(),
            Slot::Absent | Slot::Twice => None,
        };
        Ok(Self {
            members,
            tag: tag.map(|Object(Tag { kind })| kind),
        })
    }

    pub(super) fn shape(&self) -> Shape<'_> {
        if let Some(tag) = &self.tag {
            return Shape::Tagged(tag);
        }
        let has = |member| !matches!(self.members.slot(member), Slot::Absent);
        if has(Member::Notification) {
            Shape::Untyped
        } else if has(Member::Authorization) {
            Shape::Authorization
        } else if has(Member::Event) {
            Shape::RealTimeScheduling
        } else {
            Shape::Untyped
        }
    }

    /// A member that is promised, an object.
    pub(super) fn object<T: DeserializeOwned>(&self, member: Member) -> Result<T, UnknownReason> {
        self.optional(member)?.ok_or(UnknownReason::Missing {
            member: member.name(),
        })
    }

    /// A member that is not promised, an object.
    pub(super) fn optional<T: DeserializeOwned>(
        &self,
        member: Member,
    ) -> Result<Option<T>, UnknownReason> {
        let object = self.value::<Object<T>>(member)?;
        Ok(object.map(|Object(value)| value))
    }

    /// A member that is not promised, a list of objects.
    pub(super) fn list<T: DeserializeOwned>(
        &self,
        member: Member,
    ) -> Result<Option<Vec<T>>, UnknownReason> {
        let list = self.value::<Vec<Object<T>>>(member)?;
        Ok(list.map(|list| list.into_iter().map(|Object(value)| value).collect()))
    }

    fn value<T: DeserializeOwned>(&self, member: Member) -> Result<Option<T>, UnknownReason> {
        let detail = match self.members.slot(member) {
            Slot::Absent => return Ok(None),
            Slot::Once(text) => match serde_json::from_str(text.get()) {
                Ok(value) => return Ok(Some(value)),
                Err(error) => detail(&error),
            },
            Slot::Twice => "there is more than one".to_owned(),
        };
        Err(UnknownReason::Malformed {
            member: member.name(),
            detail,
        })
    }
}

impl Member {
    const COUNT: usize = Self::Other as usize + 1;

    fn name(self) -> &'static str {
        match self {
            Self::Notification => "notification",
            Self::Channel => "channel",
            Self::SmartInvite => "smart_invite",
            Self::Event => "event",
            Self::MeetingAgent => "meeting_agent",
            Self::SchedulingRequest => "scheduling_request",
            Self::Participants => "participants",
            Self::User => "user",
            Self::Authorization => "authorization",
            Self::Other => "other",
        }
    }
}

/// What is wrong, without a word of what was received: this gets into logs.
fn detail(error: &serde_json::Error) -> String {
    let message = error.to_string();
    // Of serde's messages, these name a member of ours. Others quote what they did not expect.
    if message.starts_with("missing field ") || message.starts_with("duplicate field ") {
        message
    } else {
        format!(
            "not as expected at line {} column {}",
            error.line(),
            error.column()
        )
    }
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

#[derive(Clone, Copy)]
enum Slot<'a> {
    Absent,
    Once(&'a RawValue),
    Twice,
}

struct Members<'a>([Slot<'a>; Member::COUNT]);

impl<'a> Members<'a> {
    fn slot(&self, member: Member) -> Slot<'a> {
        self.0[member as usize]
    }
}

// Not derived: that refuses the whole body for a member that is there twice, even for one that this kind does not read.
impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = [Slot<'de>; Member::COUNT];

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut slots = [Slot::Absent; Member::COUNT];
                while let Some(member) = map.next_key::<Member>()? {
                    let slot = &mut slots[member as usize];
                    match (map.next_value::<Option<&RawValue>>()?, *slot) {
                        (None, _) => {}
                        (Some(text), Slot::Absent) => *slot = Slot::Once(text),
                        (Some(_), Slot::Once(_) | Slot::Twice) => *slot = Slot::Twice,
                    }
                }
                Ok(slots)
            }
        }

        deserializer.deserialize_map(MembersVisitor).map(Self)
    }
}

/// `notification` as it is written: the type, then the kind's own members.
#[derive(Serialize)]
pub(super) struct Tagged<M> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(flatten)]
    pub(super) members: M,
}

/// For a kind without members of its own in `notification`.
#[derive(Serialize)]
pub(super) struct NoMembers {}
