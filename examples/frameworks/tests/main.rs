//! The frameworks without an example: each file has the layer, or the check alone, in one of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod axum_0_7;
mod ntex;
mod poem;
mod rocket;
mod salvo;
mod warp;

use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::CronofyWebhookLayer;
use cronofy_webhook_testing::{Payload, Sender};
use http::Request;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

const SECRET: &str = "CRN_test";

fn layer() -> CronofyWebhookLayer {
    CronofyWebhookLayer::new(SECRET)
}

fn sender() -> Sender {
    Sender::new(SECRET).to("/cronofy/42")
}

/// A delivery that a framework must accept.
fn genuine<B: From<Bytes>>() -> Request<B> {
    sender().request(Payload::sample("change"))
}

/// A delivery that a framework must accept, and some that it must refuse, each with its status.
fn requests<B: From<Bytes>>() -> Vec<(String, Request<B>, u16)> {
    let near_misses = sender().near_misses(Payload::sample("change"));
    let refused = near_misses
        .into_iter()
        .map(|(near_miss, request)| (near_miss.to_string(), request, 401));
    let accepted = ("genuine".to_owned(), genuine(), 204);
    [accepted].into_iter().chain(refused).collect()
}

/// The work of a handler that takes longer than the budget.
#[derive(Clone)]
struct Late(mpsc::Sender<()>);

impl Late {
    async fn work(&self) {
        sleep(Duration::from_secs(6)).await;
        self.0.send(()).await.unwrap();
    }
}

/// Whether a late handler finished, or was dropped.
struct Finished(mpsc::Receiver<()>);

impl Finished {
    async fn finished(&mut self) -> bool {
        let minute = Duration::from_secs(60);
        matches!(timeout(minute, self.0.recv()).await, Ok(Some(())))
    }
}

fn late() -> (Late, Finished) {
    let (sender, receiver) = mpsc::channel(1);
    (Late(sender), Finished(receiver))
}
