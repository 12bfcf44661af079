use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::UnknownReason;
use super::authorization;
use super::channel::Channel;
use super::event::Event;
use super::event_subscription::{Interaction, MeetingAgent, Transition};
use super::members::{self, Members, Value};
use super::object::Object;
use super::real_time_scheduling::{Participant, User};
use super::scheduling::SchedulingRequest;
use super::slot::Slot;
use super::smart_invite;

/// A body taken apart into the members that some kind reads: a kind takes those that are its own, and what is amiss with
/// the others cannot spoil it.
// What most bodies do not have is in boxes, so as not to be moved about for nothing.
#[derive(Default)]
pub(super) struct Body<'a> {
    notification: Slot<Head<'a>>,
    pub(super) channel: Slot<Object<Channel>>,
    pub(super) smart_invite: Slot<Box<Object<smart_invite::Read>>>,
    pub(super) event: Slot<Box<Object<Event>>>,
    pub(super) meeting_agent: Slot<Box<Object<MeetingAgent>>>,
    pub(super) scheduling_request: Slot<Box<Object<SchedulingRequest>>>,
    pub(super) participants: Slot<Vec<Object<Participant>>>,
    pub(super) user: Slot<Object<User>>,
    pub(super) authorization: Slot<Box<Object<authorization::Members<String>>>>,
}

/// `notification`: the type, and what the kinds have beside it.
#[derive(Default)]
pub(super) struct Head<'a> {
    kind: Slot<Kind<'a>>,
    pub(super) changes_since: Slot<Timestamp>,
    pub(super) scheduling_conversation_id: Slot<String>,
    pub(super) triggered_at: Slot<Timestamp>,
    pub(super) transitions: Slot<Vec<Object<Transition>>>,
    pub(super) interactions: Slot<Vec<Object<Interaction>>>,
}

#[derive(Deserialize)]
struct Kind<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Members<'a> for Body<'a> {
    fn read<V: Value<'a>>(&mut self, name: &str, value: V) -> Result<(), V::Error> {
        match name {
            "notification" => value.read_members(&mut self.notification),
            "channel" => value.read(&mut self.channel),
            "smart_invite" => value.read(&mut self.smart_invite),
            "event" => value.read(&mut self.event),
            "meeting_agent" => value.read(&mut self.meeting_agent),
            "scheduling_request" => value.read(&mut self.scheduling_request),
            "participants" => value.read(&mut self.participants),
            "user" => value.read(&mut self.user),
            "authorization" => value.read(&mut self.authorization),
            _ => value.skip(),
        }
    }
}

impl<'a> Members<'a> for Head<'a> {
    fn read<V: Value<'a>>(&mut self, name: &str, value: V) -> Result<(), V::Error> {
        match name {
            "type" => value.read(&mut self.kind),
            "changes_since" => value.read(&mut self.changes_since),
            "scheduling_conversation_id" => value.read(&mut self.scheduling_conversation_id),
            "triggered_at" => value.read(&mut self.triggered_at),
            "transitions" => value.read(&mut self.transitions),
            "interactions" => value.read(&mut self.interactions),
            _ => value.skip(),
        }
    }
}

/// What a body shows of its kind before its members are read.
pub(super) enum Shape<'a> {
    /// It has a `notification.type`.
    Tagged(Cow<'a, str>),
    /// It has no `notification` and an `authorization`.
    Authorization,
    /// It has neither, and an `event`.
    RealTimeScheduling,
    /// None of these.
    Untyped,
}

impl<'a> Body<'a> {
    pub(super) fn read(body: &'a str) -> Result<Self, UnknownReason> {
        members::at_once(body)
            .or_else(|_| members::with_care(body))
            .map_err(|_| UnknownReason::NotAnObject)
    }

    pub(super) fn shape(&self) -> Shape<'a> {
        match &self.notification {
            Slot::Is(Head {
                kind: Slot::Is(Kind(kind)),
                ..
            }) => Shape::Tagged(kind.clone()),
            Slot::Is(_) | Slot::Malformed(_) => Shape::Untyped,
            Slot::Absent if !self.authorization.is_absent() => Shape::Authorization,
            Slot::Absent if !self.event.is_absent() => Shape::RealTimeScheduling,
            Slot::Absent => Shape::Untyped,
        }
    }

    /// Takes what is in `notification`.
    pub(super) fn head(&mut self) -> Result<Head<'a>, UnknownReason> {
        self.notification.promised("notification")
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
