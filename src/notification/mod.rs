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
//! How a body is read:
//!
//! - Reading never fails. Cronofy asks receivers to accept types that they do not know, as it adds new ones, and closes
//!   the channel of a receiver that refuses for a day. What is not one of the kinds below is a
//!   [`Notification::Unknown`], with its bytes and the reason.
//! - Members that are not modelled are ignored. A member that is `null` counts as absent.
//! - A member that Cronofy does not promise is an [`Option`].
//! - Identifiers are opaque strings.
//!
//! Source: Cronofy's API documentation, "Push Notifications".
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

mod body;
mod channel;
mod object;
mod unknown;

use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use self::body::Body;
pub use self::channel::{
    Change, Channel, ConferencingProfileDisconnected, Filters, GdprRequested, ProfileDisconnected,
    ProfileInitialSyncCompleted, Verification,
};
pub use self::unknown::{Unknown, UnknownReason};

/// A notification from Cronofy.
///
/// Behind the middleware an axum handler takes it as an argument (feature `axum`). See the [module docs](self) for how
/// a body is read.
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
    /// Anything else.
    Unknown(Unknown),
}

impl Notification {
    /// Reads a notification from the body of a request. Never fails: what is not understood is a
    /// [`Notification::Unknown`].
    ///
    /// This does not check who sent it: [`Delivery::verify`](crate::Delivery::verify) does.
    #[must_use]
    pub fn from_slice(body: &[u8]) -> Self {
        Self::read(body, || Bytes::copy_from_slice(body))
    }

    /// As [`from_slice`](Self::from_slice), without a copy of what is not understood.
    pub(crate) fn from_bytes(body: &Bytes) -> Self {
        Self::read(body, || body.clone())
    }

    fn read(body: &[u8], keep: impl FnOnce() -> Bytes) -> Self {
        let body = match Body::read(body) {
            Ok(body) => body,
            Err(reason) => return Self::Unknown(Unknown::new(None, reason, keep())),
        };
        let Some(kind) = body.kind() else {
            return Self::Unknown(Unknown::new(None, UnknownReason::Untyped, keep()));
        };
        let read = match kind {
            Verification::KIND => Verification::read(&body).map(Self::Verification),
            Change::KIND => Change::read(&body).map(Self::Change),
            ProfileDisconnected::KIND => {
                ProfileDisconnected::read(&body).map(Self::ProfileDisconnected)
            }
            ConferencingProfileDisconnected::KIND => ConferencingProfileDisconnected::read(&body)
                .map(Self::ConferencingProfileDisconnected),
            ProfileInitialSyncCompleted::KIND => {
                ProfileInitialSyncCompleted::read(&body).map(Self::ProfileInitialSyncCompleted)
            }
            GdprRequested::KIND => GdprRequested::read(&body).map(Self::GdprRequested),
            _ => Err(UnknownReason::UnknownType),
        };
        read.unwrap_or_else(|reason| {
            Self::Unknown(Unknown::new(Some(kind.to_owned()), reason, keep()))
        })
    }

    /// The kind in Cronofy's own word, `notification.type`: `"change"`, say. `"unknown"` for a body that names none.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::Verification(_) => Verification::KIND,
            Self::Change(_) => Change::KIND,
            Self::ProfileDisconnected(_) => ProfileDisconnected::KIND,
            Self::ConferencingProfileDisconnected(_) => ConferencingProfileDisconnected::KIND,
            Self::ProfileInitialSyncCompleted(_) => ProfileInitialSyncCompleted::KIND,
            Self::GdprRequested(_) => GdprRequested::KIND,
            Self::Unknown(unknown) => unknown.kind().unwrap_or("unknown"),
        }
    }

    /// The channel that the notification came through, for the kinds that come through one.
    #[must_use]
    pub fn channel(&self) -> Option<&Channel> {
        match self {
            Self::Verification(Verification { channel })
            | Self::Change(Change { channel, .. })
            | Self::ProfileDisconnected(ProfileDisconnected { channel })
            | Self::ConferencingProfileDisconnected(ConferencingProfileDisconnected { channel })
            | Self::ProfileInitialSyncCompleted(ProfileInitialSyncCompleted { channel })
            | Self::GdprRequested(GdprRequested { channel }) => Some(channel),
            Self::Unknown(_) => None,
        }
    }
}

impl Serialize for Notification {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Verification(verification) => verification.write(serializer),
            Self::Change(change) => change.write(serializer),
            Self::ProfileDisconnected(disconnected) => disconnected.write(serializer),
            Self::ConferencingProfileDisconnected(disconnected) => disconnected.write(serializer),
            Self::ProfileInitialSyncCompleted(completed) => completed.write(serializer),
            Self::GdprRequested(requested) => requested.write(serializer),
            Self::Unknown(unknown) => unknown.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Notification {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let body = match text.get().as_bytes() {
            [b'"', ..] => serde_json::from_str::<String>(text.get()).map(Bytes::from),
            [b'[', ..] => serde_json::from_str::<Vec<u8>>(text.get()).map(Bytes::from),
            object => Ok(Bytes::copy_from_slice(object)),
        };
        body.map(|body| Self::from_bytes(&body))
            .map_err(D::Error::custom)
    }
}
