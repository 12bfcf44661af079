//! The sample bodies that the examples send.

use cronofy_webhook::Notification;

#[path = "../../examples/samples/mod.rs"]
mod examples;

#[test]
fn every_kind_has_a_sample_of_that_kind() {
    for (name, body) in examples::SAMPLES {
        let kind = name.split(':').next().unwrap();
        let notification = Notification::from_slice(body.as_bytes());
        assert_eq!(notification.kind(), kind);
        let known = !matches!(notification, Notification::Unknown(_));
        assert_eq!(known, kind != "some_future_type", "{name}");
    }
    for kind in Notification::KINDS {
        assert!(
            examples::SAMPLES.iter().any(|(name, _)| name == kind),
            "{kind}"
        );
    }
}
