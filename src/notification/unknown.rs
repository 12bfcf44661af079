use std::{fmt, str};

use bytes::Bytes;
use serde::de::IgnoredAny;

use super::channel::Channel;

/// A body that is none of the kinds modelled here: of a type that Cronofy added later, without a field that its kind
/// requires, or not JSON at all.
///
/// Respond with success, as to any other: [Cronofy asks for that][types], retries what is refused, and closes the channel
/// after 24 hours.
///
/// A later release may model the kind, and then it is a variant of its own: a `match` arm for an `Unknown` of that kind no
/// longer sees it. [`Notification::kind`](crate::Notification::kind) stays the same.
///
/// In [`Debug`](fmt::Debug) the body and the channel are left out: they may hold what no log should.
///
/// [types]: https://docs.cronofy.com/developers/api/push-notifications/
///
/// ```
/// use cronofy_webhook::Notification;
/// use cronofy_webhook::notification::UnknownReason;
///
/// let body = br#"{ "notification": { "type": "future_type", "count": 3 } }"#;
/// let Notification::Unknown(unknown) = Notification::from_slice(body) else {
///     panic!("a known kind");
/// };
/// assert_eq!(unknown.kind(), Some("future_type"));
/// assert_eq!(unknown.reason(), &UnknownReason::UnknownType);
/// assert_eq!(unknown.body(), &body[..]);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Unknown {
    kind: Option<String>,
    reason: Box<UnknownReason>,
    channel: Option<Box<Channel>>,
    body: Bytes,
}

impl Unknown {
    pub(super) fn new(
        kind: Option<String>,
        reason: UnknownReason,
        channel: Option<Channel>,
        body: Bytes,
    ) -> Self {
        Self {
            kind,
            reason: Box::new(reason),
            channel: channel.map(Box::new),
            body,
        }
    }

    /// `notification.type`, if there is one. For a body without `notification` that has the fields of a kind, the name that
    /// [`Notification::kind`](crate::Notification::kind) has for it.
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
    ///
    /// ```
    /// use cronofy_webhook::Notification;
    ///
    /// let Notification::Unknown(unknown) = Notification::from_slice(br#"{
    ///     "notification": { "type": "change", "changes_since": "yesterday" },
    ///     "channel": { "channel_id": "chn_1", "callback_url": "https://receiver.example/cronofy/42" }
    /// }"#) else {
    ///     panic!("a known kind");
    /// };
    /// // Not known since when: read all of its events.
    /// assert_eq!(unknown.channel().unwrap().channel_id, "chn_1");
    /// ```
    #[must_use]
    pub fn channel(&self) -> Option<&Channel> {
        self.channel.as_deref()
    }

    /// The body, byte for byte as it was received.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unknown")
            .field("kind", &self.kind)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// Why a body is a [`Notification::Unknown`](crate::Notification::Unknown).
///
/// Neither the fields nor [`Display`](fmt::Display) quote the body: a reason may be logged.
///
/// ```
/// use cronofy_webhook::Notification;
/// use cronofy_webhook::notification::UnknownReason;
///
/// let reason = |body: &[u8]| match Notification::from_slice(body) {
///     Notification::Unknown(unknown) => unknown.reason().clone(),
///     _ => panic!("a known kind"),
/// };
/// assert_eq!(reason(b"[]").to_string(), "the body is not a JSON object: it is an array");
/// assert_eq!(reason(br#"{ "notification": { "type": "future_type" } }"#), UnknownReason::UnknownType);
/// assert_eq!(reason(br#"{ "notification": { "type": "verification" } }"#).to_string(), "`channel` is missing");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnknownReason {
    /// The body is not a JSON object in UTF-8.
    #[non_exhaustive]
    NotAnObject {
        /// What it is instead, or where it stops to be one.
        detail: String,
    },
    /// The body is a JSON object without a `notification.type`, and does not have the fields of a kind that is sent without
    /// one.
    Untyped,
    /// The type is not one of those modelled.
    UnknownType,
    /// A field that the kind requires is absent.
    #[non_exhaustive]
    Missing {
        /// The path of the field: `"channel.callback_url"`, for example.
        field: String,
    },
    /// A field that the kind requires is present and could not be parsed, or is duplicated.
    #[non_exhaustive]
    Malformed {
        /// The path of the field: `"notification.changes_since"`, for example. `?` stands for a
        /// name that is not Unicode text.
        field: String,
        /// What is wrong with it.
        detail: String,
    },
}

impl fmt::Display for UnknownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject { detail } => write!(f, "the body is not a JSON object: {detail}"),
            Self::Untyped => f.write_str("the body has no `notification.type`"),
            Self::UnknownType => f.write_str("the type is not one of those modelled"),
            Self::Missing { field } => write!(f, "`{field}` is missing"),
            Self::Malformed { field, detail } => write!(f, "`{field}` is malformed: {detail}"),
        }
    }
}

/// The body as text, if it is a JSON object.
pub(super) fn json_object(body: &[u8]) -> Result<&str, UnknownReason> {
    let detail = match (body.trim_ascii_start(), str::from_utf8(body)) {
        ([], _) => "it is empty".to_owned(),
        ([0xef, 0xbb, 0xbf, ..], _) => "it begins with the byte-order mark of UTF-8".to_owned(),
        ([0xfe, 0xff, ..] | [0xff, 0xfe, ..], _) => {
            "it begins with the byte-order mark of UTF-16".to_owned()
        }
        ([0x1f, 0x8b, ..], _) => "it begins as gzip does, and was not decompressed".to_owned(),
        (_, Err(error)) => format!("it is not UTF-8 at byte {}", error.valid_up_to()),
        // Syntax errors do not quote what was received.
        (start, Ok(text)) => match (start[0], serde_json::from_str::<IgnoredAny>(text)) {
            (_, Err(error)) => error.to_string(),
            (b'{', Ok(_)) => return Ok(text),
            (b'[', Ok(_)) => "it is an array".to_owned(),
            (b'"', Ok(_)) => "it is a string".to_owned(),
            (b'n', Ok(_)) => "it is `null`".to_owned(),
            (b't' | b'f', Ok(_)) => "it is a boolean".to_owned(),
            (_, Ok(_)) => "it is a number".to_owned(),
        },
    };
    Err(UnknownReason::NotAnObject { detail })
}
