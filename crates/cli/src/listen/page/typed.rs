use cronofy_webhook::Notification;
use cronofy_webhook_testing::Sender;
use serde::Serialize;

/// How this library types a body.
#[derive(Serialize)]
pub(super) struct Typed {
    /// Why it is not one of the kinds.
    unknown: Option<String>,
    /// The optional fields that could not be parsed.
    invalid: Vec<String>,
    text: String,
}

impl Typed {
    pub(super) fn new(body: &[u8]) -> Self {
        // Who signed it does not matter here.
        let delivery = Sender::new("CRN_unused").delivery(body.to_vec());
        let notification = delivery.notification();
        Self {
            unknown: match notification {
                Notification::Unknown(unknown) => Some(unknown.reason().to_string()),
                _ => None,
            },
            invalid: delivery.invalid_fields().to_vec(),
            text: format!("{notification:#?}"),
        }
    }
}
