use cronofy_webhook::Notification;
use cronofy_webhook::notification::{
    Authorization, Channel, Event, EventTime, Invitee, MeetingAgent, Proposal, RequestEvent,
    SchedulingRequest, SmartInvite,
};
use serde_json::{Value, json};

/// A notification of a known kind as the JSON that it was parsed from, with the fields that are modelled. A time is an object
/// here, whatever its form was.
pub(crate) fn json(notification: &Notification) -> Value {
    let mut body = match notification {
        Notification::Change(change) => json!({
            "notification": { "changes_since": change.changes_since.to_string() },
        }),
        Notification::SchedulingConversationJoined(joined) => json!({
            "notification": { "scheduling_conversation_id": joined.scheduling_conversation_id },
        }),
        Notification::SchedulingConversationUpdated(updated) => json!({
            "notification": { "scheduling_conversation_id": updated.scheduling_conversation_id },
        }),
        Notification::SmartInvite(invite) => json!({ "smart_invite": smart_invite(invite) }),
        Notification::EventSubscription(subscription) => json!({
            "notification": {
                "transitions": list(subscription.transitions.as_ref(), |it| json!({ "type": it.kind.as_str() })),
                "interactions": list(subscription.interactions.as_ref(), |it| json!({ "type": it.kind.as_str() })),
            },
            "event": subscription.event.as_ref().map(event),
            "meeting_agent": subscription.meeting_agent.as_ref().map(meeting_agent),
        }),
        Notification::SchedulingRequestTimeChosen(chosen) => json!({
            "notification": { "triggered_at": chosen.triggered_at.to_string() },
            "scheduling_request": scheduling_request(&chosen.scheduling_request),
        }),
        Notification::RealTimeSchedulingCompleted(completed) => json!({
            "event": event(&completed.event),
            "participants": list(completed.participants.as_ref(), |it| json!({ "sub": it.sub })),
            "user": completed.user.as_ref().map(|user| json!({ "tzid": user.tzid })),
        }),
        Notification::Authorization(outcome) => json!({ "authorization": authorization(outcome) }),
        Notification::Unknown(_) => panic!("not of a known kind"),
        _ => json!({}),
    };
    if !matches!(
        notification,
        Notification::RealTimeSchedulingCompleted(_) | Notification::Authorization(_)
    ) {
        body["notification"]["type"] = notification.kind().into();
    }
    body["channel"] = notification.channel().map(channel).into();
    without_nulls(body)
}

fn list<T>(items: Option<&Vec<T>>, json: impl Fn(&T) -> Value) -> Option<Vec<Value>> {
    items.map(|items| items.iter().map(json).collect())
}

fn channel(channel: &Channel) -> Value {
    let conversations = channel.scheduling_conversations.as_ref();
    json!({
        "channel_id": channel.channel_id,
        "callback_url": channel.callback_url,
        "filters": channel.filters.as_ref().map(|filters| json!({
            "calendar_ids": filters.calendar_ids,
            "only_managed": filters.only_managed,
        })),
        "scheduling_conversations": conversations.map(|it| json!({ "enabled": it.enabled })),
    })
}

fn smart_invite(invite: &SmartInvite) -> Value {
    let proposal = |proposal: &Option<Proposal>| {
        let proposal = proposal.as_ref();
        proposal.map(|it| json!({ "start": time(&it.start), "end": time(&it.end) }))
    };
    let invitee = |invitee: &Invitee| {
        json!({
            "email": invitee.email,
            "status": invitee.status.as_ref().map(ToString::to_string),
            "comment": invitee.comment,
            "proposal": proposal(&invitee.proposal),
        })
    };
    json!({
        "smart_invite_id": invite.smart_invite_id,
        "callback_url": invite.callback_url,
        "recipient": invite.recipient.as_ref().map(invitee),
        "recipients": list(invite.recipients.as_ref(), invitee),
        "reply": {
            "email": invite.reply.email,
            "status": invite.reply.status.as_str(),
            "comment": invite.reply.comment,
            "proposal": proposal(&invite.reply.proposal),
        },
    })
}

fn event(event: &Event) -> Value {
    json!({
        "event_id": event.event_id,
        "summary": event.summary,
        "description": event.description,
        "start": event.start.as_ref().map(time),
        "end": event.end.as_ref().map(time),
        "tzid": event.tzid,
        "conferencing": event.conferencing.as_ref().map(|conferencing| json!({
            "pending": conferencing.pending,
            "profile_id": conferencing.profile_id,
            "provider_name": conferencing.provider_name,
            "join_url": conferencing.join_url,
        })),
        "meeting_agent": event.meeting_agent.as_ref().map(|it| json!({ "profile_id": it.profile_id })),
    })
}

fn time(time: &EventTime) -> Value {
    json!({ "time": time.as_str(), "tzid": time.tzid() })
}

fn meeting_agent(agent: &MeetingAgent) -> Value {
    let resources = list(
        agent.resources.as_ref(),
        |resource| json!({ "category": resource.category, "type": resource.kind, "url": resource.url }),
    );
    let state = agent.state.as_ref().map(ToString::to_string);
    json!({ "sub": agent.sub, "state": state, "resources": resources })
}

fn scheduling_request(request: &SchedulingRequest) -> Value {
    let metadata = |event: &RequestEvent| {
        let metadata = event.metadata.as_ref();
        metadata.map(|metadata| json!({ "scheduler": metadata.scheduler }))
    };
    json!({
        "scheduling_request_id": request.scheduling_request_id,
        "slot_selection": request.slot_selection.as_ref().map(ToString::to_string),
        "primary_select_url": request.primary_select_url,
        "dashboard_url": request.dashboard_url,
        "recipient_operations": request.recipient_operations.as_ref().map(|operations| json!({
            "view_url": operations.view_url,
            "reschedule_url": operations.reschedule_url,
            "decline_url": operations.decline_url,
        })),
        "summary": request.summary,
        "duration": request.duration.as_ref().map(|duration| json!({ "minutes": duration.minutes })),
        "recipients": list(request.recipients.as_ref(), |recipient| json!({
            "email": recipient.email,
            "display_name": recipient.display_name,
            "select_url": recipient.select_url,
            "slot_selector": recipient.slot_selector,
        })),
        "event": request.event.as_ref().map(|event| json!({
            "summary": event.summary,
            "metadata": metadata(event),
        })),
    })
}

fn authorization(authorization: &Authorization) -> Value {
    let mut fields = match &authorization.outcome {
        Ok(code) => json!({ "code": code.as_str() }),
        Err(error) => json!({
            "error": error.error,
            "error_key": error.error_key,
            "error_description": error.error_description,
        }),
    };
    fields["state"] = authorization.state.clone().into();
    fields
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        value => value,
    }
}
