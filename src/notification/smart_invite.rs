use serde::{Deserialize, Serialize};

use super::open_enum::open_enum;
use super::time::EventTime;

/// Somebody answered a Smart Invite.
///
/// [`reply`](Self::reply) is the answer that this notification is about; [`recipient`](Self::recipient) is where the
/// invitee stands now. They can differ: an invitation that was passed on is answered from another address.
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
///         "reply": { "email": "guest@example.com", "status": "accepted" }
///     }
/// }"#) else {
///     panic!("not an answer");
/// };
/// assert_eq!(invite.smart_invite_id, "invite-0001");
/// assert_eq!(invite.reply.status, ReplyStatus::Accepted);
/// assert_eq!(invite.reply.proposal, None);
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SmartInvite {
    /// Identifies the invite: what your application chose when it was created.
    pub smart_invite_id: String,
    /// The URL that was given when the invite was created, unchanged.
    pub callback_url: String,
    /// Where the invitee stands. Absent from an invite to several.
    pub recipient: Option<Reply>,
    /// Where each invitee stands, for an invite to several. Absent from an invite to one.
    ///
    /// Several recipients are an alpha feature of Cronofy's API, whose documentation prints no callback of it: this is
    /// read as the invite itself has it.
    pub recipients: Option<Vec<Reply>>,
    /// The answer that this notification is about.
    pub reply: Reply,
}

/// An invitee's answer, or the lack of one.
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
/// ```
/// use cronofy_webhook::notification::{Reply, ReplyStatus};
///
/// let reply: Reply = serde_json::from_str(r#"{ "email": "guest@example.com", "status": "declined" }"#)?;
/// assert_eq!(reply.email, "guest@example.com");
/// assert_eq!(reply.status, ReplyStatus::Declined);
/// assert_eq!((reply.comment, reply.proposal), (None, None));
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reply {
    /// Whose answer it is.
    pub email: String,
    /// What the answer is.
    pub status: ReplyStatus,
    /// What the invitee wrote along with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Another time that the invitee asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Proposal>,
}

open_enum! {
    /// What an invitee answered: `"accepted"`, for example.
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
        /// No answer yet.
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
///
/// ```
/// use cronofy_webhook::notification::Proposal;
///
/// let proposal: Proposal = serde_json::from_str(r#"{
///     "start": { "time": "2026-04-21T23:00:00+02:00", "tzid": "Europe/Paris" },
///     "end": { "time": "2026-04-21T23:30:00+02:00", "tzid": "Europe/Paris" }
/// }"#)?;
/// assert_eq!(proposal.start.timestamp().unwrap().to_string(), "2026-04-21T21:00:00Z");
/// assert_eq!(proposal.end.datetime().unwrap().to_string(), "2026-04-21T23:30:00");
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Proposal {
    /// When it would start.
    pub start: EventTime,
    /// When it would end. The documentation's example has it equal to the start.
    pub end: EventTime,
}

/// `smart_invite` as it is on the wire. Apart from [`SmartInvite`], which stands for the whole body.
#[derive(Deserialize, Serialize)]
#[serde(remote = "SmartInvite")]
struct Wire {
    smart_invite_id: String,
    callback_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<Reply>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipients: Option<Vec<Reply>>,
    reply: Reply,
}

/// `smart_invite`, to be parsed.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Payload(#[serde(with = "Wire")] pub(super) SmartInvite);

/// `smart_invite`, to be written.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct PayloadRef<'a>(#[serde(with = "Wire")] pub(super) &'a SmartInvite);
