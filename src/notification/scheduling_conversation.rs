use serde::{Deserialize, Serialize, Serializer};

use super::UnknownReason;
use super::body::Body;
use super::channel::{self, Channel};
use super::object::Object;

/// What a [`Channel`] is told of scheduling conversations.
///
/// ```json
/// { "enabled": true }
/// ```
///
/// A delivery to an ordinary channel was seen to carry this with nothing in it.
///
/// Source: Cronofy's API documentation (alpha), "Scheduling Conversations: Push Notifications".
///
/// ```
/// use cronofy_webhook::notification::SchedulingConversations;
///
/// let subscribed: SchedulingConversations = serde_json::from_str(r#"{ "enabled": true }"#)?;
/// assert!(subscribed.enabled.unwrap_or(false));
///
/// let ordinary: SchedulingConversations = serde_json::from_str("{}")?;
/// assert!(!ordinary.enabled.unwrap_or(false));
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SchedulingConversations {
    /// Whether the channel was subscribed to them when it was created. Absent: it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

#[derive(Serialize)]
struct Members<'a> {
    scheduling_conversation_id: &'a str,
}

macro_rules! scheduling_conversation_notification {
    ($(#[$docs:meta])* $name:ident, $kind:literal) => {
        $(#[$docs])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            /// Identifies the conversation: with it the conversation is read through the API. Opaque.
            pub scheduling_conversation_id: String,
            /// The channel that the notification came through.
            pub channel: Channel,
        }

        impl $name {
            pub(super) const KIND: &str = $kind;

            pub(super) fn read(body: &mut Body<'_>) -> Result<Self, UnknownReason> {
                let mut id = body.head()?.scheduling_conversation_id;
                let id = id.promised_in_head("scheduling_conversation_id")?;
                let Object(channel) = body.channel.promised("channel")?;
                Ok(Self {
                    scheduling_conversation_id: id,
                    channel,
                })
            }

            pub(super) fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let members = Members {
                    scheduling_conversation_id: &self.scheduling_conversation_id,
                };
                channel::write(serializer, Self::KIND, members, &self.channel)
            }
        }
    };
}

scheduling_conversation_notification! {
    /// Somebody joined a scheduling conversation.
    ///
    /// Sent to channels that were created with `scheduling_conversations` enabled. An alpha feature of Cronofy's API: it
    /// may change there at any time.
    ///
    /// ```json
    /// {
    ///   "notification": {
    ///     "type": "scheduling_conversation_joined",
    ///     "scheduling_conversation_id": "scv_55cfff7fb4af4c1027000005"
    ///   },
    ///   "channel": {
    ///     "channel_id": "chn_54cf7c7cb4ad4c1027000001",
    ///     "callback_url": "https://receiver.example/cronofy/42",
    ///     "scheduling_conversations": { "enabled": true }
    ///   }
    /// }
    /// ```
    ///
    /// Source: Cronofy's API documentation (alpha), "Scheduling Conversations: Push Notifications".
    ///
    /// ```
    /// use cronofy_webhook::Notification;
    ///
    /// let Notification::SchedulingConversationJoined(joined) = Notification::from_slice(br#"{
    ///     "notification": { "type": "scheduling_conversation_joined", "scheduling_conversation_id": "scv_1" },
    ///     "channel": { "channel_id": "chn_1", "callback_url": "https://receiver.example/cronofy/42" }
    /// }"#) else {
    ///     panic!("nobody joined");
    /// };
    /// assert_eq!(joined.scheduling_conversation_id, "scv_1");
    /// ```
    SchedulingConversationJoined, "scheduling_conversation_joined"
}

scheduling_conversation_notification! {
    /// Something changed in a scheduling conversation: read it through the API.
    ///
    /// Sent to channels that were created with `scheduling_conversations` enabled. An alpha feature of Cronofy's API: it
    /// may change there at any time.
    ///
    /// ```json
    /// {
    ///   "notification": {
    ///     "type": "scheduling_conversation_updated",
    ///     "scheduling_conversation_id": "scv_55cfff7fb4af4c1027000005"
    ///   },
    ///   "channel": {
    ///     "channel_id": "chn_54cf7c7cb4ad4c1027000001",
    ///     "callback_url": "https://receiver.example/cronofy/42",
    ///     "scheduling_conversations": { "enabled": true }
    ///   }
    /// }
    /// ```
    ///
    /// Source: Cronofy's API documentation (alpha), "Scheduling Conversations: Push Notifications" (the type; the members
    /// are those of [`SchedulingConversationJoined`]).
    ///
    /// ```
    /// use cronofy_webhook::Notification;
    ///
    /// let Notification::SchedulingConversationUpdated(updated) = Notification::from_slice(br#"{
    ///     "notification": { "type": "scheduling_conversation_updated", "scheduling_conversation_id": "scv_1" },
    ///     "channel": { "channel_id": "chn_1", "callback_url": "https://receiver.example/cronofy/42" }
    /// }"#) else {
    ///     panic!("not an update");
    /// };
    /// assert_eq!(updated.scheduling_conversation_id, "scv_1");
    /// ```
    SchedulingConversationUpdated, "scheduling_conversation_updated"
}
