//! The kinds of notification, as types.
//!
//! Cronofy sends a JSON object whose `notification.type` names the kind.
//!
//! # Kinds
//!
//! | kind | family | Cronofy's status | body |
//! |---|---|---|---|
//! | `verification` | channel | | type documented |
//! | `change` | channel | | documented |
//! | `profile_disconnected`, `conferencing_profile_disconnected` | channel | | type documented |
//! | `profile_initial_sync_completed`, `gdpr_requested` | channel | | type documented |
//! | `scheduling_conversation_joined` | channel | alpha | documented |
//! | `scheduling_conversation_updated` | channel | alpha | type documented |
//! | `smart_invite` | Smart Invites | beta | documented; with several `recipients` reconstructed |
//! | `event_subscription` | event triggers, conferencing, meeting agents, attachments | beta, conferencing not | `meeting_agent_activated` documented; other interactions type documented; transitions reconstructed |
//! | `scheduling_request_time_chosen` | Scheduler | beta | documented |
//! | `real_time_scheduling_completed` | Real-Time Scheduling | | documented |
//! | `authorization` | Enterprise Connect | | reconstructed |
//!
//! *Documented*: Cronofy's documentation prints the body. *Type documented*: it names the type, and the fields are those of
//! its siblings. *Reconstructed*: from sample applications, SDKs and receivers. The last two kinds are sent without
//! `notification`; their names are ours, and they are recognised by `authorization` or `event`.
//!
//! # Leniency
//!
//! Parsing never fails: [Cronofy asks receivers](https://docs.cronofy.com/developers/api/push-notifications/) to accept
//! types that they do not know, and closes the channel of one that refuses for 24 hours.
//!
//! - A body that is none of the kinds, or lacks a field that its kind requires, is a [`Notification::Unknown`].
//! - A field that is an [`Option`] is `None` if it is absent, `null` or *invalid*: of another type, or with a duplicated
//!   field in it. A list is invalid if one of its items is. The notification keeps its kind; the middleware logs the
//!   names of invalid fields in one warning, and [`Delivery::invalid_fields`](crate::Delivery::invalid_fields) has them.
//! - A required field that is invalid makes the notification an `Unknown`, as does a duplicated field in the body or in
//!   an object that the kind requires.
//! - Fields that are not modelled are ignored. Identifiers are opaque strings. Open enums such as [`ReplyStatus`] keep
//!   values that are not known here.
//!
//! The parts of a notification implement [`Deserialize`](serde::Deserialize) for this parser: strictly, without the
//! leniency above, and in a way that may change in any release. Parse bodies with [`Notification::from_slice`].
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
//! ```
//!
//! # Queues
//!
//! A notification is not serialised. Store the body: it is complete, and a later release may know more kinds. What is
//! not UTF-8 is no notification: log it, and respond with success.
//!
//! ```
//! use std::str;
//!
//! use bytes::Bytes;
//! use cronofy_webhook::{Delivery, Notification, Verifier};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Job {
//!     account: String,
//!     body: String,
//! }
//!
//! fn enqueue(account: &str, delivery: &Delivery) -> Result<String, Box<dyn std::error::Error>> {
//!     let body = str::from_utf8(delivery.body())?.to_owned();
//!     Ok(serde_json::to_string(&Job { account: account.to_owned(), body })?)
//! }
//!
//! fn process(job: &str) -> serde_json::Result<Notification> {
//!     let job: Job = serde_json::from_str(job)?;
//!     Ok(Notification::from_slice(job.body.as_bytes()))
//! }
//!
//! # let verifier = Verifier::new(["CRN_an_example"])?;
//! # let body = Bytes::from_static(br#"{
//! #     "notification": { "type": "gdpr_requested" },
//! #     "channel": { "channel_id": "chn_1", "callback_url": "https://receiver.example/cronofy/42" }
//! # }"#);
//! # let delivery = Delivery::verify_raw(&verifier, [verifier.sign(&body)], body)?;
//! let job = enqueue("42", &delivery)?;
//! assert_eq!(&process(&job)?, delivery.notification());
//! # Ok::<_, Box<dyn std::error::Error>>(())
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
mod scheduling_conversation;
mod scheduling_request;
mod smart_invite;
mod time;
mod unknown;

use bytes::Bytes;

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
pub use self::smart_invite::{Invitee, Proposal, Reply, ReplyStatus, SmartInvite};
pub use self::time::EventTime;
pub use self::unknown::{Unknown, UnknownReason};

/// A notification from Cronofy.
///
/// Behind the middleware an axum handler takes it as an argument (feature `axum`). To test a handler, make one with
/// [`from_slice`](Self::from_slice). The kinds with large bodies are in a [`Box`], which keeps the others small. See the
/// [module docs](self) for how a body is parsed.
///
/// It is not serialised: [a queue stores the body](self#queues).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notification {
    /// `verification`: a channel was created, and Cronofy verifies the callback URL.
    Verification(Verification),
    /// `change`: something changed in the account's calendars.
    Change(Change),
    /// `profile_disconnected`: a calendar profile needs its user to authorise it again.
    ProfileDisconnected(ProfileDisconnected),
    /// `conferencing_profile_disconnected`: a conferencing profile needs its user to authorise it again.
    ConferencingProfileDisconnected(ConferencingProfileDisconnected),
    /// `profile_initial_sync_completed`: the first synchronisation of a calendar profile is done.
    ProfileInitialSyncCompleted(ProfileInitialSyncCompleted),
    /// `gdpr_requested`: the account requested erasure (GDPR).
    GdprRequested(GdprRequested),
    /// `scheduling_conversation_joined`: somebody joined a scheduling conversation.
    SchedulingConversationJoined(SchedulingConversationJoined),
    /// `scheduling_conversation_updated`: something changed in a scheduling conversation.
    SchedulingConversationUpdated(SchedulingConversationUpdated),
    /// `smart_invite`: an invitee replied to a Smart Invite.
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
    /// Every kind that is modelled, as [`kind`](Self::kind) names it.
    ///
    /// ```
    /// use cronofy_webhook::Notification;
    ///
    /// assert!(Notification::KINDS.contains(&"change"));
    /// ```
    pub const KINDS: &'static [&'static str] = &[
        "verification",
        "change",
        "profile_disconnected",
        "conferencing_profile_disconnected",
        "profile_initial_sync_completed",
        "gdpr_requested",
        "scheduling_conversation_joined",
        "scheduling_conversation_updated",
        "smart_invite",
        "event_subscription",
        "scheduling_request_time_chosen",
        "real_time_scheduling_completed",
        "authorization",
    ];

    /// Parses the body of a request. Never fails: what is none of the kinds is a [`Notification::Unknown`].
    ///
    /// This does not check who sent it: [`Delivery::verify`](crate::Delivery::verify) does.
    #[must_use]
    pub fn from_slice(body: &[u8]) -> Self {
        envelope::parse(body, || Bytes::copy_from_slice(body)).0
    }

    /// As [`from_slice`](Self::from_slice), without a copy of the body of an `Unknown`, and with the paths of the invalid
    /// fields (`channel.filters`).
    pub(crate) fn parse(body: &Bytes) -> (Self, Vec<String>) {
        envelope::parse(body, || body.clone())
    }

    /// The kind as Cronofy names it in `notification.type`: `"change"`, for example.
    ///
    /// The two kinds that are sent without one have names of ours: `"authorization"` and
    /// `"real_time_scheduling_completed"`. `"unknown"` for a body whose kind is not known.
    ///
    /// The name does not imply the variant: a [`Notification::Unknown`] can have the name of a kind that is modelled, if
    /// a field that the kind requires is absent or invalid. Match on the variant to handle a notification, and use the
    /// name to log and count. It stays the same when a later release models the kind.
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
            Self::Verification(_) => "verification",
            Self::Change(_) => "change",
            Self::ProfileDisconnected(_) => "profile_disconnected",
            Self::ConferencingProfileDisconnected(_) => "conferencing_profile_disconnected",
            Self::ProfileInitialSyncCompleted(_) => "profile_initial_sync_completed",
            Self::GdprRequested(_) => "gdpr_requested",
            Self::SchedulingConversationJoined(_) => "scheduling_conversation_joined",
            Self::SchedulingConversationUpdated(_) => "scheduling_conversation_updated",
            Self::SmartInvite(_) => "smart_invite",
            Self::EventSubscription(_) => "event_subscription",
            Self::SchedulingRequestTimeChosen(_) => "scheduling_request_time_chosen",
            Self::RealTimeSchedulingCompleted(_) => "real_time_scheduling_completed",
            Self::Authorization(_) => "authorization",
            Self::Unknown(unknown) => unknown.kind().unwrap_or("unknown"),
        }
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
            | Self::GdprRequested(GdprRequested { channel }) => Some(channel),
            Self::SchedulingConversationJoined(joined) => joined.channel.as_ref(),
            Self::SchedulingConversationUpdated(updated) => updated.channel.as_ref(),
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
