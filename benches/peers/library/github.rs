//! `axum-github-webhook-extract`: an extractor, with the hexadecimal HMAC of the body.

use std::hint::black_box;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use axum_github_webhook_extract::{GithubEvent, GithubToken};

use crate::Peer;
use crate::setup::{BODY, ByHand, SECRET};

pub(crate) fn typed() -> Peer {
    let handler = post(async |GithubEvent(notification): GithubEvent<ByHand>| {
        black_box(notification);
        StatusCode::NO_CONTENT
    });
    Peer {
        router: Router::new()
            .route("/cronofy", handler)
            .with_state(GithubToken(Arc::new(SECRET.into()))),
        body: BODY,
        signed: |secret| {
            let tag = hex::encode(crate::hmac(secret, BODY));
            crate::json([("x-hub-signature-256", format!("sha256={tag}"))])
        },
    }
}
