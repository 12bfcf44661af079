//! What Cronofy notifies of, as types.
//!
//! Cronofy sends a JSON object whose `notification.type` names the kind:
//!
//! ```json
//! {
//!   "notification": { "type": "change", "changes_since": "2026-04-19T09:24:16Z" },
//!   "channel": {
//!     "channel_id": "chn_54cf7c7cb4ad4c1027000001",
//!     "callback_url": "https://receiver.example/cronofy/42",
//!     "filters": {}
//!   }
//! }
//! ```
//!
//! Two kinds come without a `notification`, and are told by another top-level member: [`Authorization`] by
//! `authorization`, [`RealTimeSchedulingCompleted`] by `event`.
//!
//! How a body is read:
//!
//! - Reading never fails. Cronofy asks receivers to accept types that they do not know, as it adds new ones, and closes
//!   the channel of a receiver that refuses for a day. What is not one of the kinds below is a
//!   [`Notification::Unknown`], with its bytes and the reason.
//! - Members that are not modelled are ignored. A member that is `null` counts as absent.
//! - A member that Cronofy does not promise is an [`Option`]. One that is there, and is not what it should be, makes the
//!   notification an `Unknown` as well: nothing is passed off as something else.
//! - Words that Cronofy may add to, such as [`ReplyStatus`], keep those that are not known here.
//! - Identifiers are opaque strings.
//!
//! Source: Cronofy's API documentation, "Push Notifications", and the pages that each type names.
//!
//! # Example
//!
//! ```
//! use cronofy_webhook::Notification;
//!
//! let Notification::Change(change) = Notification::from_slice(br#"{
//!     "notification": { "type": "change", "changes_since": "2026-04-19T09:24:16Z" },
//!     "channel": { "channel_id": "chn_1", "callback_url": "https://receiver.example/cronofy/42" }
//! }"#) else {
//!     panic!("not a change");
//! };
//! assert_eq!(change.changes_since.to_string(), "2026-04-19T09:24:16Z");
//!
//! let Notification::Unknown(unknown) = Notification::from_slice(b"{") else {
//!     panic!("not unknown");
//! };
//! assert_eq!(unknown.body(), "{");
//! ```
//!
//! # Times
//!
//! Instants are [`jiff::Timestamp`]s. Where Cronofy sends dates, zones and local times as well, [`EventTime`] holds
//! them. For an application that uses another crate, [`SystemTime`](std::time::SystemTime) is the way there:
//!
//! ```
//! use std::time::SystemTime;
//!
//! # let changes_since: jiff::Timestamp = "2026-04-19T09:24:16Z".parse()?;
//! let changes_since = SystemTime::try_from(changes_since)?;
//!
//! let with_chrono = chrono::DateTime::<chrono::Utc>::from(changes_since);
//! assert_eq!(with_chrono.timestamp(), 1_776_590_656);
//!
//! let with_time = time::OffsetDateTime::from(changes_since);
//! assert_eq!(with_time.unix_timestamp(), 1_776_590_656);
//! # Ok::<_, jiff::Error>(())
//! ```

mod authorization;
mod channel;
mod envelope;
mod event;
mod event_subscription;
mod lenient;
mod open_enum;
mod real_time_scheduling;
mod repr;
mod scheduling_conversation;
mod scheduling_request;
mod smart_invite;
mod time;
mod unknown;

use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::authorization::{Authorization, AuthorizationCode, AuthorizationError};
pub use self::channel::{
    Change, Channel, ConferencingProfileDisconnected, Filters, GdprRequested, ProfileDisconnected,
    ProfileInitialSyncCompleted, SchedulingConversations, Verification,
};
pub use self::event::{Conferencing, Event, MeetingAgentProfile};
pub use self::event_subscription::{
    EventSubscription, Interaction, InteractionKind, MeetingAgent, MeetingAgentState, Resource,
    Transition, TransitionKind,
};
pub use self::real_time_scheduling::{Participant, RealTimeSchedulingCompleted, User};
pub use self::scheduling_conversation::{
    SchedulingConversationJoined, SchedulingConversationUpdated,
};
pub use self::scheduling_request::{
    RecipientOperations, RequestDuration, RequestEvent, RequestMetadata, RequestRecipient,
    SchedulingRequest, SchedulingRequestTimeChosen, SlotSelection,
};
pub use self::smart_invite::{Proposal, Reply, ReplyStatus, SmartInvite};
pub use self::time::EventTime;
pub use self::unknown::{Unknown, UnknownReason};

/// A notification from Cronofy.
///
/// Behind the middleware an axum handler takes it as an argument (feature `axum`). See the [module docs](self) for how
/// a body is read. The kinds with large bodies are in a [`Box`], which keeps the others small.
///
/// With `serde_json` it serialises to the body that Cronofy would send, and back, so that it can cross a queue. An
/// [`Unknown`] keeps its exact text: a JSON object goes as it is, any other text as a string, bytes that are no text
/// as an array of numbers. Reading needs `serde_json` at the outer end, and does not work from inside of
/// `#[serde(flatten)]`, `untagged` or `tag`.
///
/// ```
/// use cronofy_webhook::Notification;
///
/// let notification = Notification::from_slice(br#"{
///     "notification": { "type": "profile_disconnected" },
///     "channel": { "channel_id": "chn_1", "callback_url": "https://receiver.example/cronofy/42", "filters": null }
/// }"#);
///
/// let job = serde_json::to_string(&notification)?;
/// assert_eq!(
///     job,
///     r#"{"notification":{"type":"profile_disconnected"},"channel":{"channel_id":"chn_1","callback_url":"https://receiver.example/cronofy/42"}}"#,
/// );
/// assert_eq!(serde_json::from_str::<Notification>(&job)?, notification);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notification {
    /// `verification`: a channel was created, and Cronofy tries its URL.
    Verification(Verification),
    /// `change`: something changed in the account's calendars.
    Change(Change),
    /// `profile_disconnected`: a calendar profile needs its user to authorise it again.
    ProfileDisconnected(ProfileDisconnected),
    /// `conferencing_profile_disconnected`: a conferencing profile needs its user to authorise it again.
    ConferencingProfileDisconnected(ConferencingProfileDisconnected),
    /// `profile_initial_sync_completed`: the first synchronisation of a calendar profile is done.
    ProfileInitialSyncCompleted(ProfileInitialSyncCompleted),
    /// `gdpr_requested`: the account used its right to be forgotten.
    GdprRequested(GdprRequested),
    /// `scheduling_conversation_joined`: somebody joined a scheduling conversation.
    SchedulingConversationJoined(SchedulingConversationJoined),
    /// `scheduling_conversation_updated`: something changed in a scheduling conversation.
    SchedulingConversationUpdated(SchedulingConversationUpdated),
    /// `smart_invite`: somebody answered a Smart Invite.
    SmartInvite(Box<SmartInvite>),
    /// `event_subscription`: something happened to an event that was subscribed to.
    EventSubscription(Box<EventSubscription>),
    /// `scheduling_request_time_chosen`: a time was chosen for a scheduling request.
    SchedulingRequestTimeChosen(Box<SchedulingRequestTimeChosen>),
    /// A time was chosen in Real-Time Scheduling. Comes without a `notification`.
    RealTimeSchedulingCompleted(Box<RealTimeSchedulingCompleted>),
    /// Delegated access was granted or refused (Enterprise Connect). Comes without a `notification`.
    Authorization(Authorization),
    /// Anything else.
    Unknown(Unknown),
}

impl Notification {
    /// Parses the body of a request. Never fails: what is none of the kinds is a [`Notification::Unknown`].
    ///
    /// This does not check who sent it: [`Delivery::verify`](crate::Delivery::verify) does.
    #[must_use]
    pub fn from_slice(body: &[u8]) -> Self {
        envelope::parse(body, || Bytes::copy_from_slice(body)).0
    }

    /// As [`from_slice`](Self::from_slice), without a copy of the body of an `Unknown`, and with the paths of the optional
    /// fields that could not be parsed and are absent for that reason (`channel.filters`).
    pub(crate) fn parse(body: &Bytes) -> (Self, Vec<String>) {
        envelope::parse(body, || body.clone())
    }

    pub(crate) fn from_bytes(body: &Bytes) -> Self {
        Self::parse(body).0
    }

    /// The channel that the notification came through, for the kinds that come through one, and of an
    /// [`Unknown`] that has one.
    #[must_use]
    pub fn channel(&self) -> Option<&Channel> {
        match self {
            Self::Verification(Verification { channel })
            | Self::Change(Change { channel, .. })
            | Self::ProfileDisconnected(ProfileDisconnected { channel })
            | Self::ConferencingProfileDisconnected(ConferencingProfileDisconnected { channel })
            | Self::ProfileInitialSyncCompleted(ProfileInitialSyncCompleted { channel })
            | Self::GdprRequested(GdprRequested { channel })
            | Self::SchedulingConversationJoined(SchedulingConversationJoined {
                channel, ..
            })
            | Self::SchedulingConversationUpdated(SchedulingConversationUpdated {
                channel, ..
            }) => Some(channel),
            Self::SmartInvite(_)
            | Self::EventSubscription(_)
            | Self::SchedulingRequestTimeChosen(_)
            | Self::RealTimeSchedulingCompleted(_)
            | Self::Authorization(_) => None,
            Self::Unknown(unknown) => unknown.channel(),
        }
    }

    /// The URL that the notification was sent to, as it was registered, for the kinds that say: those that come through
    /// a channel, and Smart Invites.
    ///
    /// ```
    /// use cronofy_webhook::Notification;
    ///
    /// let notification = Notification::from_slice(br#"{
    ///     "notification": { "type": "gdpr_requested" },
    ///     "channel": { "channel_id": "chn_1", "callback_url": "https://receiver.example/cronofy/42" }
    /// }"#);
    /// assert_eq!(notification.callback_url(), Some("https://receiver.example/cronofy/42"));
    /// ```
    #[must_use]
    pub fn callback_url(&self) -> Option<&str> {
        match self {
            Self::SmartInvite(invite) => Some(&invite.callback_url),
            _ => self.channel().map(|channel| channel.callback_url.as_str()),
        }
    }
}

/// What differs from kind to kind only by its name, from one list of them.
macro_rules! kinds {
    ($($name:ident = $kind:literal,)+) => {
        impl Notification {
            /// Every kind that is modelled, as [`kind`](Self::kind) names it.
            ///
            /// ```
            /// use cronofy_webhook::Notification;
            ///
            /// assert!(Notification::KINDS.contains(&"change"));
            /// ```
            pub const KINDS: &'static [&'static str] = &[$($kind,)+];

            /// The kind as Cronofy names it in `notification.type`: `"change"`, for example.
            ///
            /// The two kinds that are sent without one have names of ours: `"authorization"` and
            /// `"real_time_scheduling_completed"`. `"unknown"` for a body of which nothing tells the kind.
            ///
            /// The name does not imply the variant: a [`Notification::Unknown`] can have the name of a kind that is
            /// modelled, if a field that the kind promises is absent or malformed. Match on the variant to handle a
            /// notification, and use the name to log and count. It stays the same when a later release models the kind.
            ///
            /// ```
            /// use cronofy_webhook::Notification;
            ///
            /// let malformed = Notification::from_slice(br#"{ "notification": { "type": "change" } }"#);
            /// assert_eq!(malformed.kind(), "change");
            /// assert!(matches!(malformed, Notification::Unknown(_)));
            /// ```
            #[must_use]
            pub fn kind(&self) -> &str {
                match self {
                    $(Self::$name(_) => $kind,)+
                    Self::Unknown(unknown) => unknown.kind().unwrap_or("unknown"),
                }
            }
        }

        $(
            impl $name {
                const KIND: &str = $kind;
            }

            /// As a [`Notification`] of this kind.
            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    Notification::$name(self.clone().into()).serialize(serializer)
                }
            }

            /// As a [`Notification`]; one of another kind is an error.
            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    match Notification::deserialize(deserializer)? {
                        Notification::$name(notification) => Ok(Self::clone(&notification)),
                        other => Err(D::Error::custom(format_args!(
                            "expected a notification of the kind `{}`, not `{}`",
                            $kind,
                            other.kind()
                        ))),
                    }
                }
            }
        )+
    };
}

kinds! {
    Verification = "verification",
    Change = "change",
    ProfileDisconnected = "profile_disconnected",
    ConferencingProfileDisconnected = "conferencing_profile_disconnected",
    ProfileInitialSyncCompleted = "profile_initial_sync_completed",
    GdprRequested = "gdpr_requested",
    SchedulingConversationJoined = "scheduling_conversation_joined",
    SchedulingConversationUpdated = "scheduling_conversation_updated",
    SmartInvite = "smart_invite",
    EventSubscription = "event_subscription",
    SchedulingRequestTimeChosen = "scheduling_request_time_chosen",
    RealTimeSchedulingCompleted = "real_time_scheduling_completed",
    Authorization = "authorization",
}
