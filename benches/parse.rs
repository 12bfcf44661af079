//! `Notification::from_slice` for a body of each family, compared with `serde_json::Value`.

use std::hint::black_box;

use bytes::Bytes;
use cronofy_webhook::Notification;
use cronofy_webhook_testing::Payload;
use serde_json::Value;

use crate::ratios::{Rounds, print_header};
use crate::setup::SAMPLES;

pub(crate) fn bench() {
    print_header("parse");
    for (family, sample) in SAMPLES {
        let body = Bytes::from(Payload::sample(sample));
        let mut rounds = Rounds::new(50);
        rounds.row(
            "typed",
            || (),
            |()| Notification::from_slice(black_box(&body)),
        );
        rounds.row(
            "Value",
            || (),
            |()| serde_json::from_slice::<Value>(black_box(&body)),
        );
        rounds.run();
        rounds.print_ratio(
            &format!("{family} / serde_json's Value"),
            "typed",
            &["Value"],
        );
    }
}
