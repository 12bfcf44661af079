//! What the tests of both binaries share.

mod app;
mod jobs;
mod log;

use cronofy_webhook::Delivery;
use cronofy_webhook_testing::{Payload, Sender};
use jiff::Timestamp;

pub(crate) use self::app::app;
pub(crate) use self::jobs::Jobs;
pub(crate) use self::log::Log;

pub(crate) const SECRET: &str = "CRN_test";

pub(crate) fn delivery(payload: Payload) -> Delivery {
    Sender::new(SECRET).delivery(payload)
}

/// A `change` of this channel.
pub(crate) fn change(channel: &str, since: i64) -> Delivery {
    let since = Timestamp::from_second(since).unwrap();
    let url = "https://receiver.example/cronofy/42";
    delivery(Payload::change(since).channel(channel, url))
}

/// Another kind.
pub(crate) fn verification() -> Delivery {
    delivery(Payload::verification())
}
