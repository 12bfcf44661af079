//! Properties of generated notifications.

use cronofy_webhook::Notification;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::fixtures::FIXTURES;
use super::with_plain_times;
use crate::properties;

type Json = BoxedStrategy<Value>;
type Field = (&'static str, BoxedStrategy<Option<Value>>);

fn required(name: &'static str, value: Json) -> Field {
    (name, value.prop_map(Some).boxed())
}

fn perhaps(name: &'static str, value: Json) -> Field {
    (name, proptest::option::of(value).boxed())
}

fn object(fields: impl IntoIterator<Item = Field>) -> Json {
    let (names, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    let object = values.prop_map(move |values| {
        let fields = names.iter().zip(values);
        fields
            .filter_map(|(name, value)| Some(((*name).to_owned(), value?)))
            .collect::<Map<_, _>>()
            .into()
    });
    object.boxed()
}

fn list(item: Json) -> Json {
    vec(item, 0..4).prop_map(Value::from).boxed()
}

fn text() -> Json {
    any::<String>().prop_map(Value::from).boxed()
}

fn flag() -> Json {
    any::<bool>().prop_map(Value::from).boxed()
}

fn word(known: &'static [&'static str]) -> Json {
    prop_oneof![select(known).prop_map(Value::from), text()].boxed()
}

fn instant() -> Json {
    (-2_000_000_000_i64..5_000_000_000)
        .prop_map(|second| json!(jiff::Timestamp::from_second(second).unwrap().to_string()))
        .boxed()
}

fn event_time() -> Json {
    let time = || prop_oneof![instant(), Just(json!("2026-06-25")), text()].boxed();
    prop_oneof![
        time(),
        object([required("time", time()), perhaps("tzid", text())])
    ]
    .boxed()
}

fn channel() -> Json {
    object([
        required("channel_id", text()),
        required("callback_url", text()),
        perhaps(
            "filters",
            object([
                perhaps("calendar_ids", list(text())),
                perhaps("only_managed", flag()),
            ]),
        ),
        perhaps(
            "scheduling_conversations",
            object([perhaps("enabled", flag())]),
        ),
    ])
}

/// An entry of `recipients`, or a reply, whose address and status are required.
fn invitee_with(member: fn(&'static str, Json) -> Field) -> Json {
    let proposal = object([
        required("start", event_time()),
        required("end", event_time()),
    ]);
    object([
        member("email", text()),
        member(
            "status",
            word(&["pending", "accepted", "tentative", "declined"]),
        ),
        perhaps("comment", text()),
        perhaps("proposal", proposal),
    ])
}

fn event() -> Json {
    event_with(perhaps)
}

/// An event whose start and end are required or optional.
fn event_with(member: fn(&'static str, Json) -> Field) -> Json {
    let conferencing = object([
        perhaps("pending", flag()),
        perhaps("profile_id", text()),
        perhaps("provider_name", text()),
        perhaps("join_url", text()),
    ]);
    object([
        required("event_id", text()),
        perhaps("summary", text()),
        perhaps("description", text()),
        member("start", event_time()),
        member("end", event_time()),
        perhaps("tzid", text()),
        perhaps("conferencing", conferencing),
        perhaps("meeting_agent", object([perhaps("profile_id", text())])),
    ])
}

fn meeting_agent() -> Json {
    let resource = object([
        perhaps("category", text()),
        perhaps("type", text()),
        perhaps("url", text()),
    ]);
    object([
        required("sub", text()),
        perhaps("state", word(&["created"])),
        perhaps("resources", list(resource)),
    ])
}

fn scheduling_request() -> Json {
    let operations = object([
        perhaps("view_url", text()),
        perhaps("reschedule_url", text()),
        perhaps("decline_url", text()),
    ]);
    let recipient = object([
        perhaps("email", text()),
        perhaps("display_name", text()),
        perhaps("select_url", text()),
        perhaps("slot_selector", flag()),
    ]);
    let scheduler = btree_map(any::<String>(), any::<String>(), 0..5);
    let scheduler = scheduler.prop_map(|map| json!(map)).boxed();
    let event = object([
        perhaps("summary", text()),
        perhaps("metadata", object([perhaps("scheduler", scheduler)])),
    ]);
    let minutes = any::<i32>().prop_map(Value::from).boxed();
    object([
        required("scheduling_request_id", text()),
        perhaps("slot_selection", word(&["complete"])),
        perhaps("primary_select_url", text()),
        perhaps("dashboard_url", text()),
        perhaps("recipient_operations", operations),
        perhaps("summary", text()),
        perhaps("duration", object([perhaps("minutes", minutes)])),
        perhaps("recipients", list(recipient)),
        perhaps("event", event),
    ])
}

fn authorization() -> Json {
    let state = || perhaps("state", text());
    prop_oneof![
        object([required("code", text()), state()]),
        object([
            required("error", text()),
            perhaps("error_key", text()),
            perhaps("error_description", text()),
            state(),
        ]),
    ]
    .boxed()
}

/// `notification` with `kind` as the type, and the kind's own fields.
fn tag(kind: &'static str, fields: impl IntoIterator<Item = Field>) -> Field {
    let kind = required("type", Just(json!(kind)).boxed());
    required("notification", object([kind].into_iter().chain(fields)))
}

fn body(kind: &'static str) -> Json {
    let typed = |words| list(object([required("type", word(words))]));
    match kind {
        "change" => object([
            tag(kind, [required("changes_since", instant())]),
            required("channel", channel()),
        ]),
        "scheduling_conversation_joined" | "scheduling_conversation_updated" => object([
            tag(kind, [required("scheduling_conversation_id", text())]),
            perhaps("channel", channel()),
        ]),
        "smart_invite" => {
            let invite = object([
                required("smart_invite_id", text()),
                required("callback_url", text()),
                perhaps("recipient", invitee_with(perhaps)),
                perhaps("recipients", list(invitee_with(perhaps))),
                required("reply", invitee_with(required)),
            ]);
            object([tag(kind, []), required("smart_invite", invite)])
        }
        "event_subscription" => object([
            tag(
                kind,
                [
                    perhaps("transitions", typed(&["event_start", "event_end"])),
                    perhaps("interactions", typed(&["conferencing_assigned"])),
                ],
            ),
            perhaps("event", event()),
            perhaps("meeting_agent", meeting_agent()),
        ]),
        "scheduling_request_time_chosen" => object([
            tag(kind, [required("triggered_at", instant())]),
            required("scheduling_request", scheduling_request()),
        ]),
        "real_time_scheduling_completed" => object([
            required("event", event_with(required)),
            perhaps("participants", list(object([required("sub", text())]))),
            perhaps("user", object([perhaps("tzid", text())])),
        ]),
        "authorization" => object([required("authorization", authorization())]),
        _ => object([tag(kind, []), required("channel", channel())]),
    }
}

fn any_body() -> impl Strategy<Value = (&'static str, Value)> {
    select(Notification::KINDS).prop_flat_map(|kind| (Just(kind), body(kind)))
}

proptest! {
    #[test]
    fn a_generated_notification_of_any_kind_is_parsed_completely((kind, body) in any_body()) {
        let notification = properties::notification(body.to_string().as_bytes());
        prop_assert!(!matches!(notification, Notification::Unknown(_)), "{notification:?}");
        prop_assert_eq!(notification.kind(), kind);
        let parsed = properties::json(&notification);
        prop_assert_eq!(with_plain_times(&parsed), with_plain_times(&body));
    }

    #[test]
    fn the_property_holds_for_any_text(body in "[ \\n]?[\\[{\"]?\\PC{0,20}[\\]}\"]?[ \\n]?") {
        properties::notification(body.as_bytes());
    }

    #[test]
    fn the_property_holds_for_a_fixture_with_any_byte_changed(
        fixture in 0..FIXTURES.len(),
        place in any::<prop::sample::Index>(),
        byte: u8,
    ) {
        let mut body = FIXTURES[fixture].body().to_string().into_bytes();
        let place = place.index(body.len());
        body[place] = byte;
        properties::notification(&body);
    }
}
