//! `standardwebhooks`: a function to call in the handler, with the Base64 HMAC of an identifier, a timestamp and the
//! body.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use standardwebhooks::{
    HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook,
};

use crate::Peer;
use crate::setup::{BODY, SECRET};

pub(crate) fn raw() -> Peer {
    Peer {
        router: Router::new()
            .route("/cronofy", post(receive))
            .with_state(Arc::new(webhook(SECRET))),
        body: BODY,
        signed: |secret| {
            let id = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let now = now.expect("is after 1970").as_secs();
            let signature = webhook(secret).sign(id, now.cast_signed(), BODY);
            crate::json([
                (HEADER_WEBHOOK_ID, id.to_owned()),
                (HEADER_WEBHOOK_TIMESTAMP, now.to_string()),
                (HEADER_WEBHOOK_SIGNATURE, signature.expect("is text")),
            ])
        },
    }
}

fn webhook(secret: &str) -> Webhook {
    Webhook::new(&STANDARD.encode(secret)).expect("is Base64")
}

async fn receive(
    State(webhook): State<Arc<Webhook>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    match webhook.verify(&body, &headers) {
        Ok(()) => {
            black_box(body);
            StatusCode::NO_CONTENT
        }
        Err(_) => StatusCode::UNAUTHORIZED,
    }
}
