//! Open enums.

use std::fmt::{Debug, Display};

use cronofy_webhook::notification::{
    InteractionKind, MeetingAgentState, ReplyStatus, SlotSelection, TransitionKind,
};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::json;

fn check<T>(word: &str, as_str: fn(&T) -> &str, other: fn(&T) -> bool, known: &[&str])
where
    T: for<'a> From<&'a str> + From<String> + DeserializeOwned,
    T: PartialEq + Debug + Display,
{
    let parsed: T = serde_json::from_value(json!(word)).unwrap();
    assert_eq!(as_str(&parsed), word);
    assert_eq!(parsed.to_string(), word);
    assert_eq!(parsed, T::from(word));
    assert_eq!(parsed, T::from(word.to_owned()));
    assert_eq!(other(&parsed), !known.contains(&word), "{word}");
}

macro_rules! check {
    ($word:expr, $($name:ident $known:expr),+ $(,)?) => {
        $(check::<$name>($word, $name::as_str, |word| matches!(word, $name::Other { .. }), $known);)+
    };
}

fn check_all(word: &str) {
    check!(
        word,
        ReplyStatus & ["pending", "accepted", "tentative", "declined"],
        TransitionKind & ["event_start", "event_end"],
        InteractionKind & INTERACTIONS,
        MeetingAgentState & ["created"],
        SlotSelection & ["complete"],
    );
}

const INTERACTIONS: [&str; 7] = [
    "conferencing_assigned",
    "conferencing_failing",
    "meeting_agent_activated",
    "meeting_agent_complete",
    "meeting_agent_failed",
    "attachment_approved",
    "attachment_rejected",
];

#[test]
fn known_values_are_variants_and_others_are_kept() {
    let others = ["", "Pending", " pending", "of_tomorrow", "event_start "];
    let known = [
        "pending",
        "accepted",
        "tentative",
        "declined",
        "event_start",
        "event_end",
    ];
    for word in known
        .into_iter()
        .chain(["created", "complete"])
        .chain(INTERACTIONS)
        .chain(others)
    {
        check_all(word);
    }
}

#[test]
fn a_known_value_is_its_own_variant() {
    assert_eq!(ReplyStatus::from("pending"), ReplyStatus::Pending);
    assert_eq!(ReplyStatus::from("accepted"), ReplyStatus::Accepted);
    assert_eq!(ReplyStatus::from("tentative"), ReplyStatus::Tentative);
    assert_eq!(ReplyStatus::from("declined"), ReplyStatus::Declined);
    assert_eq!(TransitionKind::from("event_end"), TransitionKind::EventEnd);
    for (word, variant) in INTERACTIONS.into_iter().zip([
        InteractionKind::ConferencingAssigned,
        InteractionKind::ConferencingFailing,
        InteractionKind::MeetingAgentActivated,
        InteractionKind::MeetingAgentComplete,
        InteractionKind::MeetingAgentFailed,
        InteractionKind::AttachmentApproved,
        InteractionKind::AttachmentRejected,
    ]) {
        assert_eq!(InteractionKind::from(word), variant);
    }
}

proptest! {
    #[test]
    fn any_value_round_trips(word: String) {
        check_all(&word);
    }
}
