use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::Sample;
use crate::pointer::{Found, SetError, find, quoted};
use crate::sample::SAMPLES;
use cronofy_webhook::notification::{InteractionKind, ReplyStatus, TransitionKind};

/// The JSON body of a notification, and changes to it.
///
/// [`set`](Self::set) and [`remove`](Self::remove) replace only the text that they are about: the order of the keys and
/// all other bytes stay as they were. Fields that Cronofy does not send and values of the wrong type are fine.
///
/// ```
/// use cronofy_webhook_testing::Payload;
///
/// let payload = Payload::new(r#"{ "b": 1, "a": [true] }"#);
/// let payload = payload.set("/b", "x").set("/a/-", 2).set("/c/d", ());
/// assert_eq!(payload.as_str(), r#"{ "b": "x", "a": [true,2],"c":{"d":null} }"#);
/// assert_eq!(payload.remove("/b").remove("/a/0").as_str(), r#"{ "a": [2],"c":{"d":null} }"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Payload {
    text: String,
}

impl Payload {
    /// A body of your own, such as one that was recorded. The text is not checked.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    /// The samples of the kit: at least one of each kind in [`Notification::KINDS`](cronofy_webhook::Notification::KINDS), and one
    /// of a type that this crate does not know.
    pub fn samples() -> impl Iterator<Item = Sample> {
        SAMPLES.iter().cloned()
    }

    /// The sample with this [name](Sample::name).
    ///
    /// # Panics
    ///
    /// When there is none. The message lists the names.
    #[must_use]
    #[track_caller]
    pub fn sample(name: &str) -> Self {
        let Some(sample) = Self::samples().find(|sample| sample.name() == name) else {
            let names: Vec<_> = Self::samples().map(|sample| sample.name()).collect();
            panic!("no sample {name:?}; there are: {}", names.join(", "));
        };
        sample.payload()
    }

    /// A `verification`.
    #[must_use]
    pub fn verification() -> Self {
        Self::sample("verification")
    }

    /// A `change` since this time.
    #[must_use]
    pub fn change(since: Timestamp) -> Self {
        Self::sample("change").set("/notification/changes_since", since.to_string())
    }

    /// A `profile_disconnected`.
    #[must_use]
    pub fn profile_disconnected() -> Self {
        Self::sample("profile_disconnected")
    }

    /// A `smart_invite` with this reply, which is also the recipient's status.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "as in the other constructors"
    )]
    pub fn smart_invite(status: ReplyStatus) -> Self {
        Self::sample("smart_invite:accepted")
            .set("/smart_invite/recipient/status", status.as_str())
            .set("/smart_invite/reply/status", status.as_str())
    }

    /// An `event_subscription` with one transition (Event Triggers).
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "as in the other constructors"
    )]
    pub fn transition(kind: TransitionKind) -> Self {
        Self::sample("event_subscription").set("/notification/transitions/0/type", kind.as_str())
    }

    /// An `event_subscription` with one interaction (Conferencing, Meeting Agents, Attachments).
    ///
    /// The other fields are those of a `meeting_agent_activated`; for a sample of another kind see
    /// [`samples`](Self::samples).
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "as in the other constructors"
    )]
    pub fn interaction(kind: InteractionKind) -> Self {
        Self::sample("event_subscription:meeting_agent_activated")
            .set("/notification/interactions/0/type", kind.as_str())
    }

    /// A notification of a type that Cronofy may add.
    #[must_use]
    pub fn unknown(kind: &str) -> Self {
        Self::sample("some_future_type").set("/notification/type", kind)
    }

    /// Sets `channel.channel_id` and `channel.callback_url`.
    ///
    /// # Panics
    ///
    /// When the text is not a JSON object.
    #[must_use]
    #[track_caller]
    pub fn channel(self, id: &str, callback_url: &str) -> Self {
        self.set("/channel/channel_id", id)
            .set("/channel/callback_url", callback_url)
    }

    /// Sets the value at a JSON pointer ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)).
    ///
    /// A field that is not there is added at the end of its object, with the objects that lead to it. `-` as an index adds
    /// an element at the end of an array. Of a doubled key the first is meant.
    ///
    /// # Panics
    ///
    /// Where [`try_set`](Self::try_set) returns an error.
    #[must_use]
    #[track_caller]
    pub fn set(self, pointer: &str, value: impl Serialize) -> Self {
        self.try_set(pointer, value)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`set`](Self::set), for a text or a pointer that somebody else has written.
    ///
    /// ```
    /// use cronofy_webhook_testing::Payload;
    ///
    /// let error = Payload::new("{}").try_set("notification", 1).unwrap_err();
    /// assert_eq!(error.to_string(), r#""notification" is not a JSON pointer: it does not start with `/`"#);
    /// ```
    ///
    /// # Errors
    ///
    /// When the text is not JSON, when the pointer is malformed or leads through something that is neither an object nor
    /// an array, when an index is not in the array, and when the value cannot be serialised to JSON.
    pub fn try_set(mut self, pointer: &str, value: impl Serialize) -> Result<Self, SetError> {
        let value = serde_json::to_string(&value).map_err(|error| {
            SetError::new(format!("the value for {pointer:?} is not JSON: {error}"))
        })?;
        match find(&self.text, pointer)? {
            Found::At { value: range, .. } => self.text.replace_range(range, &value),
            Found::Add {
                at,
                first,
                key,
                rest,
            } => {
                let mut added = if first { String::new() } else { ",".to_owned() };
                if let Some(key) = key {
                    added += &format!("{}:", quoted(&key));
                }
                for key in &rest {
                    added += &format!("{{{}:", quoted(key));
                }
                added += &value;
                added.extend(rest.iter().map(|_| '}'));
                self.text.insert_str(at, &added);
            }
        }
        Ok(self)
    }

    /// Removes the field or the element at a JSON pointer ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)).
    ///
    /// # Panics
    ///
    /// When there is none, when the pointer is malformed or empty, and when the text is not JSON.
    #[must_use]
    #[track_caller]
    pub fn remove(mut self, pointer: &str) -> Self {
        match find(&self.text, pointer) {
            Ok(Found::At {
                entry: Some(entry), ..
            }) => self.text.replace_range(entry, ""),
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("there is nothing to remove at {pointer:?}"),
        }
        self
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<Payload> for Bytes {
    fn from(payload: Payload) -> Self {
        payload.text.into()
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
