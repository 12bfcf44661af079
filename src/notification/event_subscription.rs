use serde::Deserialize;

use super::event::Event;
use super::open_enum::open_enum;

/// Something happened to an event that your application subscribed to.
///
/// What happened is in [`transitions`](Self::transitions) (the event starts or ends) or in
/// [`interactions`](Self::interactions) (its conferencing, meeting agent or attachments). A subscription is made with the
/// event, attachment or meeting agent that it is about, and has a URL of its own.
///
/// ```json
/// {
///   "notification": {
///     "type": "event_subscription",
///     "interactions": [ { "type": "meeting_agent_activated" } ]
///   },
///   "event": {
///     "event_id": "evt-local-1",
///     "summary": "Planning",
///     "start": "2026-04-25T15:30:00Z",
///     "end": "2026-04-25T17:00:00Z",
///     "tzid": "Europe/Berlin",
///     "conferencing": { "provider_name": "zoom", "join_url": "https://conf.example/00001111-222" },
///     "meeting_agent": { "profile_id": "cronofy" }
///   },
///   "meeting_agent": {
///     "sub": "agt_692702a100ccd07000000000",
///     "state": "created",
///     "resources": [
///       { "category": "cronofy", "type": "dashboard", "url": "https://dashboard.example/x" }
///     ]
///   }
/// }
/// ```
///
/// Source: Cronofy's API documentation, [Meeting Agents: Callbacks](https://docs.cronofy.com/developers/api/meeting-agents/callbacks) (beta), which prints the body above. [Event Triggers](https://docs.cronofy.com/developers/api/event-triggers)
/// (beta), [Conferencing Services: Subscriptions](https://docs.cronofy.com/developers/api/conferencing-services/subscriptions/) and [Attachments: Create](https://docs.cronofy.com/developers/api/attachments/create) (beta) name their values without printing a
/// body: for those the fields are taken from the body above, and from what receivers of transitions read.
///
/// ```
/// use cronofy_webhook::Notification;
/// use cronofy_webhook::notification::InteractionKind;
///
/// let Notification::EventSubscription(subscription) = Notification::from_slice(br#"{
///     "notification": { "type": "event_subscription", "interactions": [{ "type": "conferencing_assigned" }] },
///     "event": { "event_id": "evt-local-1", "conferencing": { "join_url": "https://conf.example/1" } }
/// }"#) else {
///     panic!("not of a subscription");
/// };
/// let interactions = subscription.interactions.unwrap_or_default();
/// assert_eq!(interactions[0].kind, InteractionKind::ConferencingAssigned);
///
/// let conferencing = subscription.event.and_then(|event| event.conferencing).unwrap_or_default();
/// assert_eq!(conferencing.join_url.as_deref(), Some("https://conf.example/1"));
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventSubscription {
    /// What became of the event with time. Absent or invalid: the notification is about something else.
    pub transitions: Option<Vec<Transition>>,
    /// What was done to the event. Absent or invalid: the notification is about something else.
    pub interactions: Option<Vec<Interaction>>,
    /// The event. Absent for a meeting agent, for example, that was sent to a meeting without one.
    pub event: Option<Event>,
    /// The meeting agent. Absent or invalid: the notification is about something else.
    pub meeting_agent: Option<MeetingAgent>,
}

/// An event reached a point in time.
///
/// ```json
/// { "type": "event_end" }
/// ```
///
/// Source: Cronofy's API documentation (beta), [Event Triggers](https://docs.cronofy.com/developers/api/event-triggers), which prints none as it is delivered: this is what
/// receivers of it read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Transition {
    /// Which point. `type` on the wire.
    #[serde(rename = "type")]
    pub kind: TransitionKind,
}

open_enum! {
    /// Which point in time an event reached: `"event_start"`, for example. The subscription may have set an offset before or
    /// after it.
    ///
    /// Source: Cronofy's API documentation (beta), [Event Triggers](https://docs.cronofy.com/developers/api/event-triggers).
    ///
    /// ```
    /// use cronofy_webhook::notification::TransitionKind;
    ///
    /// let over = |kind: &TransitionKind| match kind {
    ///     TransitionKind::EventStart => Some(false),
    ///     TransitionKind::EventEnd => Some(true),
    ///     _ => None,
    /// };
    /// assert_eq!(over(&TransitionKind::from("event_end")), Some(true));
    ///
    /// let new = TransitionKind::from("event_moved");
    /// assert_eq!(over(&new), None);
    /// assert_eq!(new.as_str(), "event_moved");
    /// ```
    TransitionKind {
        /// The event started.
        EventStart = "event_start",
        /// The event ended.
        EventEnd = "event_end",
    }
}

/// Something was done to an event.
///
/// ```json
/// { "type": "conferencing_assigned" }
/// ```
///
/// Source: Cronofy's API documentation, [Meeting Agents: Callbacks](https://docs.cronofy.com/developers/api/meeting-agents/callbacks) (beta).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Interaction {
    /// What was done. `type` on the wire.
    #[serde(rename = "type")]
    pub kind: InteractionKind,
}

open_enum! {
    /// What was done to an event: `"conferencing_assigned"`, for example.
    ///
    /// Source: Cronofy's API documentation, [Conferencing Services: Subscriptions](https://docs.cronofy.com/developers/api/conferencing-services/subscriptions/), [Meeting Agents: Callbacks](https://docs.cronofy.com/developers/api/meeting-agents/callbacks) (beta)
    /// and [Attachments: Create](https://docs.cronofy.com/developers/api/attachments/create) (beta).
    ///
    /// ```
    /// use cronofy_webhook::notification::InteractionKind;
    ///
    /// let act_on = |kind: &InteractionKind| match kind {
    ///     InteractionKind::ConferencingAssigned => "send the link",
    ///     InteractionKind::ConferencingFailing => "wait: Cronofy retries",
    ///     InteractionKind::Other { .. } => "log the value",
    ///     _ => "nothing to do",
    /// };
    /// assert_eq!(act_on(&InteractionKind::from("conferencing_assigned")), "send the link");
    ///
    /// let new = InteractionKind::from("conferencing_removed");
    /// assert_eq!(act_on(&new), "log the value");
    /// assert_eq!(new.to_string(), "conferencing_removed");
    /// ```
    InteractionKind {
        /// Conferencing details were assigned.
        ConferencingAssigned = "conferencing_assigned",
        /// The conferencing service fails to give details. Cronofy retries: the details may still follow.
        ConferencingFailing = "conferencing_failing",
        /// Its meeting agent is about to join.
        MeetingAgentActivated = "meeting_agent_activated",
        /// Its meeting agent is done: what it made can be read through the API.
        MeetingAgentComplete = "meeting_agent_complete",
        /// Its meeting agent failed.
        MeetingAgentFailed = "meeting_agent_failed",
        /// An attachment was approved.
        AttachmentApproved = "attachment_approved",
        /// An attachment was rejected.
        AttachmentRejected = "attachment_rejected",
    }
}

/// An agent that attends a meeting.
///
/// The documentation prints one that is activated. What it holds when it is done, or failed, is not printed.
///
/// ```json
/// {
///   "sub": "agt_692702a100ccd07000000000",
///   "state": "created",
///   "resources": [
///     { "category": "cronofy", "type": "dashboard", "url": "https://dashboard.example/x" }
///   ]
/// }
/// ```
///
/// Source: Cronofy's API documentation (beta), [Meeting Agents: Callbacks](https://docs.cronofy.com/developers/api/meeting-agents/callbacks).
///
/// ```
/// use cronofy_webhook::Notification;
///
/// let Notification::EventSubscription(subscription) = Notification::from_slice(br#"{
///     "notification": { "type": "event_subscription", "interactions": [{ "type": "meeting_agent_activated" }] },
///     "meeting_agent": {
///         "sub": "agt_1",
///         "resources": [{ "category": "cronofy", "type": "dashboard", "url": "https://dashboard.example/x" }]
///     }
/// }"#) else {
///     panic!("not of a subscription");
/// };
/// let agent = subscription.meeting_agent.unwrap();
/// assert_eq!(agent.sub, "agt_1");
/// assert_eq!(agent.state, None);
///
/// let resources = agent.resources.unwrap_or_default();
/// let dashboard = resources.iter().find(|resource| resource.kind.as_deref() == Some("dashboard"));
/// assert_eq!(dashboard.unwrap().url.as_deref(), Some("https://dashboard.example/x"));
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MeetingAgent {
    /// Identifies the agent. Opaque.
    pub sub: String,
    /// Its state.
    pub state: Option<MeetingAgentState>,
    /// Where there is more about it.
    pub resources: Option<Vec<Resource>>,
}

open_enum! {
    /// The state of a [`MeetingAgent`]: `"created"`, for example.
    ///
    /// Source: Cronofy's API documentation (beta), [Meeting Agents: Callbacks](https://docs.cronofy.com/developers/api/meeting-agents/callbacks), which prints this one value.
    ///
    /// ```
    /// use cronofy_webhook::notification::MeetingAgentState;
    ///
    /// assert_eq!(MeetingAgentState::from("created"), MeetingAgentState::Created);
    ///
    /// let MeetingAgentState::Other { value, .. } = MeetingAgentState::from("joining") else {
    ///     panic!("a known value");
    /// };
    /// assert_eq!(value, "joining");
    /// ```
    MeetingAgentState {
        /// It exists.
        Created = "created",
    }
}

/// Something about a [`MeetingAgent`] that has a URL.
///
/// ```json
/// { "category": "cronofy", "type": "dashboard", "url": "https://dashboard.example/x" }
/// ```
///
/// Source: Cronofy's API documentation (beta), [Meeting Agents: Callbacks](https://docs.cronofy.com/developers/api/meeting-agents/callbacks).
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Resource {
    /// Whose it is: `"cronofy"`, for example.
    pub category: Option<String>,
    /// What it is: `"dashboard"`, for example. `type` on the wire.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Where it is.
    pub url: Option<String>,
}
