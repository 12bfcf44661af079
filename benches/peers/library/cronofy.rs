//! This crate: a list of Base64 HMACs of the body.

use axum::Router;
use axum::routing::post;
use cronofy_webhook::CronofyWebhookLayer;

use crate::Peer;
use crate::setup::{BODY, SECRET, router, signature};

pub(crate) fn typed() -> Peer {
    peer(router("ours"))
}

pub(crate) fn raw() -> Peer {
    let route = Router::new().route("/cronofy", post(crate::raw));
    peer(route.layer(CronofyWebhookLayer::new(SECRET)))
}

fn peer(router: Router) -> Peer {
    Peer {
        router,
        body: BODY,
        signed: |secret| {
            let mut headers = crate::json([]);
            headers.insert(cronofy_webhook::signature::HEADER, signature(secret));
            headers
        },
    }
}
