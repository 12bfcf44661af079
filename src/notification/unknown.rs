use std::fmt;

use bytes::Bytes;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A body that is none of the kinds modelled here: a type that Cronofy added later, a shape that was not expected, or
/// no JSON at all.
///
/// Answer it with success, like any other: Cronofy asks for that, delivers again what is refused, and closes the
/// channel in the end.
///
/// ```
/// use cronofy_webhook::Notification;
/// use cronofy_webhook::notification::UnknownReason;
///
/// let body = br#"{ "notification": { "type": "of_tomorrow", "count": 3 } }"#;
/// let Notification::Unknown(unknown) = Notification::from_slice(body) else {
///     panic!("a known kind");
/// };
/// assert_eq!(unknown.kind(), Some("of_tomorrow"));
/// assert_eq!(unknown.reason(), &UnknownReason::UnknownType);
/// assert_eq!(unknown.body(), &body[..]);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Unknown {
    kind: Option<String>,
    reason: UnknownReason,
    body: Bytes,
}

impl Unknown {
    pub(super) fn new(kind: Option<String>, reason: UnknownReason, body: Bytes) -> Self {
        Self { kind, reason, body }
    }

    /// `notification.type`, if there is one. For a body without `notification` that has the members of a kind, the word
    /// that [`Notification::kind`](crate::Notification::kind) has for it.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// Why it is none of the kinds modelled.
    #[must_use]
    pub fn reason(&self) -> &UnknownReason {
        &self.reason
    }

    /// The channel that the notification came through, if the body has one that could be parsed.
    #[must_use]
    pub fn channel(&self) -> Option<&super::Channel> {
        None
    }

    /// The body, byte for byte as it was received.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

// The body may hold what no log should: it is left out.
impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unknown")
            .field("kind", &self.kind)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

// An object goes as it is. Whatever else was received goes as a string or an array, which no notification is, so that
// the way back can tell them apart.
impl Serialize for Unknown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Ok(text) = std::str::from_utf8(&self.body) else {
            return serializer.collect_seq(&self.body);
        };
        match serde_json::from_str::<&RawValue>(text) {
            // Shorter, if there is white space around it.
            Ok(raw) if text.starts_with('{') && raw.get().len() == text.len() => {
                raw.serialize(serializer)
            }
            _ => serializer.serialize_str(text),
        }
    }
}

/// Why a body is a [`Notification::Unknown`](crate::Notification::Unknown).
///
/// ```
/// use cronofy_webhook::Notification;
/// use cronofy_webhook::notification::UnknownReason;
///
/// let reason = |body: &[u8]| match Notification::from_slice(body) {
///     Notification::Unknown(unknown) => unknown.reason().clone(),
///     _ => panic!("a known kind"),
/// };
/// assert_eq!(reason(b"[]"), UnknownReason::NotAnObject);
/// assert_eq!(reason(br#"{ "notification": { "type": "of_tomorrow" } }"#), UnknownReason::UnknownType);
/// assert_eq!(reason(br#"{ "notification": { "type": "verification" } }"#).to_string(), "`channel` is missing");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnknownReason {
    /// The body is not a JSON object in UTF-8.
    NotAnObject,
    /// The body is a JSON object without a `notification.type`, and does not have the members of a kind that goes
    /// without.
    Untyped,
    /// The type is not one of those modelled.
    UnknownType,
    /// The kind is known, and a member that it promises is not there.
    #[non_exhaustive]
    Missing {
        /// The top-level member of the body.
        member: &'static str,
    },
    /// The kind is known, and one of its members is not as documented, or is there twice.
    #[non_exhaustive]
    Malformed {
        /// The top-level member of the body.
        member: &'static str,
        /// What is wrong, and where inside of that member. Does not quote the body.
        detail: String,
    },
}

impl fmt::Display for UnknownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("the body is not a JSON object"),
            Self::Untyped => f.write_str("the body has no `notification.type`"),
            Self::UnknownType => f.write_str("the type is not one of those modelled"),
            Self::Missing { member } => write!(f, "`{member}` is missing"),
            Self::Malformed { member, detail } => write!(f, "`{member}` is malformed: {detail}"),
        }
    }
}
