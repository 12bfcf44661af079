use serde::Deserialize;

use super::open_enum::open_enum;
use super::time::EventTime;

/// An invitee replied to a Smart Invite.
///
/// [`reply`](Self::reply) is what this notification is about; [`recipient`](Self::recipient) is where the invitee stands
/// now. They can differ: the reply to an invitation that was passed on comes from another address.
///
/// ```json
/// {
///   "notification": { "type": "smart_invite" },
///   "smart_invite": {
///     "smart_invite_id": "invite-0001",
///     "callback_url": "https://receiver.example/invites",
///     "recipient": { "email": "guest@example.com", "status": "pending" },
///     "reply": {
///       "email": "guest@example.com",
///       "status": "tentative",
///       "comment": "a comment",
///       "proposal": {
///         "start": { "time": "2026-04-21T23:00:00+02:00", "tzid": "Europe/Paris" },
///         "end": { "time": "2026-04-21T23:30:00+02:00", "tzid": "Europe/Paris" }
///       }
///     }
///   }
/// }
/// ```
///
/// Source: Cronofy's API documentation (beta), [Smart Invites: Invite Callback](https://docs.cronofy.com/developers/api/smart-invites/invite-callback).
///
/// ```
/// use cronofy_webhook::Notification;
/// use cronofy_webhook::notification::ReplyStatus;
///
/// let Notification::SmartInvite(invite) = Notification::from_slice(br#"{
///     "notification": { "type": "smart_invite" },
///     "smart_invite": {
///         "smart_invite_id": "invite-0001",
///         "callback_url": "https://receiver.example/invites",
///         "recipient": { "email": "guest@example.com", "status": "accepted" },
///         "reply": {
///             "email": "guest@example.com",
///             "status": "tentative",
///             "proposal": {
///                 "start": { "time": "2026-04-21T23:00:00+02:00", "tzid": "Europe/Paris" },
///                 "end": { "time": "2026-04-21T23:30:00+02:00", "tzid": "Europe/Paris" }
///             }
///         }
///     }
/// }"#) else {
///     panic!("not a reply");
/// };
/// assert_eq!(invite.smart_invite_id, "invite-0001");
/// assert_eq!(invite.recipient.unwrap_or_default().status, Some(ReplyStatus::Accepted));
/// assert_eq!(invite.reply.status, ReplyStatus::Tentative);
/// let proposal = invite.reply.proposal.unwrap();
/// assert_eq!(proposal.start.timestamp().unwrap().to_string(), "2026-04-21T21:00:00Z");
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SmartInvite {
    /// Identifies the invite: what your application chose when it was created.
    pub smart_invite_id: String,
    /// The URL that was given when the invite was created, unchanged.
    pub callback_url: String,
    /// Where the invitee stands. Absent from an invite to several.
    pub recipient: Option<Invitee>,
    /// Where each invitee stands, for an invite to several. Absent from an invite to one.
    ///
    /// Several recipients are an alpha feature of Cronofy's API, whose documentation prints no callback of it: this is
    /// modelled as the invite itself has it.
    pub recipients: Option<Vec<Invitee>>,
    /// The reply that this notification is about.
    pub reply: Reply,
}

/// Where an invitee of a [`SmartInvite`] stands.
///
/// Source: Cronofy's API documentation (beta), [Smart Invites: Invite Callback](https://docs.cronofy.com/developers/api/smart-invites/invite-callback).
///
/// ```
/// use cronofy_webhook::Notification;
/// use cronofy_webhook::notification::ReplyStatus;
///
/// let Notification::SmartInvite(invite) = Notification::from_slice(br#"{
///     "notification": { "type": "smart_invite" },
///     "smart_invite": {
///         "smart_invite_id": "invite-0001",
///         "callback_url": "https://receiver.example/invites",
///         "recipients": [
///             { "email": "guest@example.com", "status": "accepted" },
///             { "email": "colleague@example.com", "status": "pending" }
///         ],
///         "reply": { "email": "guest@example.com", "status": "accepted" }
///     }
/// }"#) else {
///     panic!("not a reply");
/// };
/// let recipients = invite.recipients.unwrap_or_default();
/// let pending = recipients.iter().find(|invitee| invitee.status == Some(ReplyStatus::Pending));
/// assert_eq!(pending.unwrap().email.as_deref(), Some("colleague@example.com"));
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Invitee {
    /// Their email address.
    pub email: Option<String>,
    /// Their latest reply, or [`ReplyStatus::Pending`].
    pub status: Option<ReplyStatus>,
    /// What they wrote along with it.
    pub comment: Option<String>,
    /// Another time that they ask for.
    pub proposal: Option<Proposal>,
}

/// An invitee's reply.
///
/// ```json
/// {
///   "email": "guest@example.com",
///   "status": "tentative",
///   "comment": "a comment",
///   "proposal": {
///     "start": { "time": "2026-04-21T23:00:00+02:00", "tzid": "Europe/Paris" },
///     "end": { "time": "2026-04-21T23:30:00+02:00", "tzid": "Europe/Paris" }
///   }
/// }
/// ```
///
/// Source: Cronofy's API documentation (beta), [Smart Invites: Invite Callback](https://docs.cronofy.com/developers/api/smart-invites/invite-callback).
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Reply {
    /// Whose reply it is.
    pub email: String,
    /// What they replied.
    pub status: ReplyStatus,
    /// What they wrote along with it.
    pub comment: Option<String>,
    /// Another time that they ask for.
    pub proposal: Option<Proposal>,
}

open_enum! {
    /// What an invitee replied: `"accepted"`, for example.
    ///
    /// ```
    /// use cronofy_webhook::notification::ReplyStatus;
    ///
    /// let coming = |status: &ReplyStatus| match status {
    ///     ReplyStatus::Accepted => "yes".to_owned(),
    ///     ReplyStatus::Other { value, .. } => format!("what is {value:?}?"),
    ///     _ => "not yet".to_owned(),
    /// };
    /// assert_eq!(coming(&ReplyStatus::from("accepted")), "yes");
    /// assert_eq!(coming(&ReplyStatus::from("delegated")), r#"what is "delegated"?"#);
    /// assert_eq!(ReplyStatus::from("delegated").as_str(), "delegated");
    /// ```
    ///
    /// Source: Cronofy's API documentation (beta), [Smart Invites: Invite Callback](https://docs.cronofy.com/developers/api/smart-invites/invite-callback).
    ReplyStatus {
        /// No reply yet.
        Pending = "pending",
        /// Will come.
        Accepted = "accepted",
        /// May come.
        Tentative = "tentative",
        /// Will not come.
        Declined = "declined",
    }
}

/// Another time, in place of that of the invite.
///
/// ```json
/// {
///   "start": { "time": "2026-04-21T23:00:00+02:00", "tzid": "Europe/Paris" },
///   "end": { "time": "2026-04-21T23:30:00+02:00", "tzid": "Europe/Paris" }
/// }
/// ```
///
/// Source: Cronofy's API documentation (beta), [Smart Invites: Invite Callback](https://docs.cronofy.com/developers/api/smart-invites/invite-callback).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Proposal {
    /// When it would start.
    pub start: EventTime,
    /// When it would end. The documentation's example has it equal to the start.
    pub end: EventTime,
}
