use jiff::Timestamp;
use serde::Deserialize;

/// The channel that a notification came through.
///
/// A channel is what an application registers to be notified of one account. The URL may differ from channel to channel,
/// which makes it the place for your own account identifier.
///
/// ```json
/// {
///   "channel_id": "chn_54cf7c7cb4ad4c1027000001",
///   "callback_url": "https://receiver.example/cronofy/42",
///   "filters": { "calendar_ids": [ "cal_n23kjnwrw2_sakdnawerd3" ] },
///   "scheduling_conversations": { "enabled": true }
/// }
/// ```
///
/// ```
/// use cronofy_webhook::Notification;
///
/// let notification = Notification::from_slice(br#"{
///     "notification": { "type": "verification" },
///     "channel": {
///         "channel_id": "chn_54cf7c7cb4ad4c1027000001",
///         "callback_url": "https://receiver.example/cronofy/42",
///         "filters": { "calendar_ids": ["cal_n23kjnwrw2_sakdnawerd3"] }
///     }
/// }"#);
/// let channel = notification.channel().unwrap();
/// assert_eq!(channel.callback_url, "https://receiver.example/cronofy/42");
///
/// let filters = channel.filters.clone().unwrap_or_default();
/// assert_eq!(filters.calendar_ids.as_deref(), Some(&["cal_n23kjnwrw2_sakdnawerd3".to_owned()][..]));
/// assert_eq!(filters.only_managed, None);
/// ```
///
/// Source: Cronofy's API documentation, [Push Notifications](https://docs.cronofy.com/developers/api/push-notifications/) and [Create Channel](https://docs.cronofy.com/developers/api/push-notifications/create-channel/).
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Channel {
    /// Identifies the channel, as in the response to its creation. Opaque.
    pub channel_id: String,
    /// The URL that was registered, unchanged.
    pub callback_url: String,
    /// Which events the channel is about. Absent, or with nothing in it, for a channel without filters.
    pub filters: Option<Filters>,
    /// Whether the channel is notified of scheduling conversations. Absent, or with nothing in it, for a channel that is not.
    pub scheduling_conversations: Option<SchedulingConversations>,
}

/// The filters of a [`Channel`], as set when it was created.
///
/// Cronofy documents that filters are listed when they differ from the default, and prints examples where a default is
/// listed all the same: treat an absent filter as the default; its presence means nothing.
///
/// ```json
/// { "calendar_ids": [ "cal_n23kjnwrw2_sakdnawerd3" ], "only_managed": false }
/// ```
///
/// Source: Cronofy's API documentation, [Push Notifications](https://docs.cronofy.com/developers/api/push-notifications/) and [Create Channel](https://docs.cronofy.com/developers/api/push-notifications/create-channel/).
///
/// ```
/// use cronofy_webhook::notification::Filters;
///
/// let covers = |filters: &Filters, calendar_id: &str| match &filters.calendar_ids {
///     Some(calendar_ids) => calendar_ids.iter().any(|id| id == calendar_id),
///     None => true,
/// };
///
/// let mut filters = Filters::default();
/// assert!(covers(&filters, "cal_2"));
/// filters.calendar_ids = Some(vec!["cal_1".to_owned()]);
/// assert!(covers(&filters, "cal_1"));
/// assert!(!covers(&filters, "cal_2"));
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Filters {
    /// The calendars to which the channel is restricted. Absent or invalid: all calendars of the account. Opaque.
    pub calendar_ids: Option<Vec<String>>,
    /// Whether the channel is restricted to events that the application manages. Absent or invalid: it is not.
    pub only_managed: Option<bool>,
}

/// What a [`Channel`] is notified of scheduling conversations.
///
/// ```json
/// { "enabled": true }
/// ```
///
/// The notification of an ordinary channel can contain this as an empty object.
///
/// Source: Cronofy's API documentation (alpha), [Scheduling Conversations: Push Notifications](https://docs.cronofy.com/developers/api-alpha/scheduling-conversations/push-notifications).
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SchedulingConversations {
    /// Whether the channel was subscribed to them when it was created. Absent or invalid: it was not.
    pub enabled: Option<bool>,
}

/// Something changed in the account's calendars.
///
/// The notification does not say what: read the events with [`changes_since`](Self::changes_since) as `last_modified`,
/// through the API. Changes that your own application makes do not notify it.
///
/// ```json
/// {
///   "notification": { "type": "change", "changes_since": "2026-04-19T09:24:16Z" },
///   "channel": {
///     "channel_id": "chn_54cf7c7cb4ad4c1027000001",
///     "callback_url": "https://receiver.example/cronofy/42",
///     "filters": {}
///   }
/// }
/// ```
///
/// Source: Cronofy's API documentation, [Push Notifications](https://docs.cronofy.com/developers/api/push-notifications/).
///
/// ```
/// use cronofy_webhook::Notification;
///
/// let Notification::Change(change) = Notification::from_slice(br#"{
///     "notification": { "type": "change", "changes_since": "2026-04-19T09:24:16Z" },
///     "channel": { "channel_id": "chn_1", "callback_url": "https://receiver.example/cronofy/42" }
/// }"#) else {
///     panic!("not a change");
/// };
///
/// let query = format!("last_modified={}", change.changes_since);
/// assert_eq!(query, "last_modified=2026-04-19T09:24:16Z");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Everything before this instant was covered by earlier notifications. Prints in the form that the API takes; see
    /// [Times](super#times) for other crates' types.
    pub changes_since: Timestamp,
    /// The channel that the notification came through.
    pub channel: Channel,
}

/// For the kinds that carry nothing but their channel.
macro_rules! channel_notification {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            /// The channel that the notification came through.
            pub channel: Channel,
        }
    };
}

channel_notification! {
    /// A channel was created, and Cronofy verifies the callback URL.
    ///
    /// Respond with any 2xx; the response body is ignored.
    ///
    /// Source: Cronofy's API documentation, [Push Notifications](https://docs.cronofy.com/developers/api/push-notifications/).
    ///
    /// ```
    /// use cronofy_webhook::Notification;
    ///
    /// let Notification::Verification(verification) = Notification::from_slice(br#"{
    ///     "notification": { "type": "verification" },
    ///     "channel": { "channel_id": "chn_1", "callback_url": "https://receiver.example/cronofy/42" }
    /// }"#) else {
    ///     panic!("not a verification");
    /// };
    /// assert_eq!(verification.channel.channel_id, "chn_1");
    /// ```
    Verification
}

channel_notification! {
    /// One calendar profile of the account, or several, cannot be reached until the user authorises it again.
    ///
    /// Cronofy notices when it next fails to use the profile, which may be long after access was revoked. Which profiles
    /// are concerned is in the API's `UserInfo`, in `cronofy.data.profiles`.
    ///
    /// Source: Cronofy's API documentation, [Push Notifications](https://docs.cronofy.com/developers/api/push-notifications/) (the type; the fields are those of its other kinds).
    ///
    /// ```
    /// use cronofy_webhook::Notification;
    ///
    /// let Notification::ProfileDisconnected(disconnected) = Notification::from_slice(br#"{
    ///     "notification": { "type": "profile_disconnected" },
    ///     "channel": { "channel_id": "chn_1", "callback_url": "https://receiver.example/cronofy/42" }
    /// }"#) else {
    ///     panic!("not a disconnection");
    /// };
    /// assert_eq!(disconnected.channel.channel_id, "chn_1");
    /// ```
    ProfileDisconnected
}

channel_notification! {
    /// One conferencing profile of the account, or several, cannot be reached until the user authorises it again.
    ///
    /// Which profiles are concerned is in the API's `UserInfo`, in `cronofy.data.conferencing_profiles`.
    ///
    /// Source: Cronofy's API documentation, [Push Notifications](https://docs.cronofy.com/developers/api/push-notifications/) (the type; the fields are those of its other kinds).
    ///
    /// ```
    /// use cronofy_webhook::Notification;
    ///
    /// let Notification::ConferencingProfileDisconnected(disconnected) = Notification::from_slice(br#"{
    ///     "notification": { "type": "conferencing_profile_disconnected" },
    ///     "channel": { "channel_id": "chn_1", "callback_url": "https://receiver.example/cronofy/42" }
    /// }"#) else {
    ///     panic!("not a disconnection");
    /// };
    /// assert_eq!(disconnected.channel.channel_id, "chn_1");
    /// ```
    ConferencingProfileDisconnected
}

channel_notification! {
    /// The first synchronisation of a calendar profile is done: its events can be read.
    ///
    /// Not sent when it was done before the channel was created.
    ///
    /// Source: Cronofy's API documentation, [Push Notifications](https://docs.cronofy.com/developers/api/push-notifications/) (the type; the fields are those of its other kinds).
    ///
    /// ```
    /// use cronofy_webhook::Notification;
    ///
    /// let Notification::ProfileInitialSyncCompleted(completed) = Notification::from_slice(br#"{
    ///     "notification": { "type": "profile_initial_sync_completed" },
    ///     "channel": { "channel_id": "chn_1", "callback_url": "https://receiver.example/cronofy/42" }
    /// }"#) else {
    ///     panic!("not a completion");
    /// };
    /// assert_eq!(completed.channel.channel_id, "chn_1");
    /// ```
    ProfileInitialSyncCompleted
}

channel_notification! {
    /// The account requested erasure (GDPR): delete the account's data.
    ///
    /// Source: Cronofy's API documentation, [Push Notifications](https://docs.cronofy.com/developers/api/push-notifications/) (the type; the fields are those of its other kinds).
    ///
    /// ```
    /// use cronofy_webhook::Notification;
    ///
    /// let Notification::GdprRequested(requested) = Notification::from_slice(br#"{
    ///     "notification": { "type": "gdpr_requested" },
    ///     "channel": { "channel_id": "chn_1", "callback_url": "https://receiver.example/cronofy/42" }
    /// }"#) else {
    ///     panic!("not a request");
    /// };
    /// assert_eq!(requested.channel.channel_id, "chn_1");
    /// ```
    GdprRequested
}
