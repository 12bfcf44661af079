use super::channel::Channel;

macro_rules! scheduling_conversation_notification {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            /// Identifies the conversation: with it the conversation is read through the API. Opaque.
            pub scheduling_conversation_id: String,
            /// The channel that the notification came through. Absent or invalid: not known here.
            pub channel: Option<Channel>,
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
    /// Source: Cronofy's API documentation (alpha), [Scheduling Conversations: Push Notifications](https://docs.cronofy.com/developers/api-alpha/scheduling-conversations/push-notifications).
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
    SchedulingConversationJoined
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
    /// Source: Cronofy's API documentation (alpha), [Scheduling Conversations: Push Notifications](https://docs.cronofy.com/developers/api-alpha/scheduling-conversations/push-notifications) (the type; the fields
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
    SchedulingConversationUpdated
}
