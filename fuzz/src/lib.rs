//! The properties of `tests/it/properties`, compiled once for all targets.

#[path = "../../tests/it/properties/mod.rs"]
mod properties;

#[path = "../../crates/diagnosis/tests/it/property.rs"]
mod property;

use self::properties::reference;

#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../../tests/it/support.rs"]
mod support;

/// Secrets, a header and a body, through `Verifier`.
pub fn signature(input: &[u8]) {
    properties::signature(input);
}

/// A body, through `Notification::from_slice`.
pub fn notification(input: &[u8]) {
    properties::notification(input);
}

/// A header and a body, through `Delivery::verify`.
pub fn delivery(input: &[u8]) {
    properties::delivery(input);
}

/// A header and a body, through `Diagnosis::explain`.
pub fn diagnosis(input: &[u8]) {
    property::diagnosis(input);
}

/// An exchange with a scripted request body and handler, through the layer.
pub fn middleware(input: &[u8]) {
    properties::middleware(input);
}
