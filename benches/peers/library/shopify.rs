//! `webhook-verify`: its Tower layer, with the scheme closest to Cronofy's, the Base64 HMAC of the body.

use std::convert::Infallible;
use std::hint::black_box;

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use axum::routing::{MethodRouter, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tower::ServiceBuilder;
use webhook_verify::tower::{BoxError, VerifyLayer};
use webhook_verify::{Provider, Secret};

use crate::Peer;
use crate::setup::{BODY, ByHand, SECRET};

pub(crate) fn typed() -> Peer {
    peer(post(async |Json(notification): Json<ByHand>| {
        black_box(notification);
        StatusCode::NO_CONTENT
    }))
}

pub(crate) fn raw() -> Peer {
    peer(post(crate::raw))
}

fn peer(route: MethodRouter) -> Peer {
    // Added to the `Router` as documented, the layer does not compile: its error is a box, and a `Router` takes infallible
    // layers only. The bodies here never fail; a real service needs axum's `HandleErrorLayer`, which costs one more box.
    // The layer is also `Sync` only if its body is, and axum's is not.
    let layer = ServiceBuilder::new()
        .map_err(|error: BoxError| -> Infallible { panic!("{error}") })
        .layer(VerifyLayer::new(Provider::Shopify, Secret::new(SECRET)))
        .map_request(|request: Request<Bytes>| request.map(Body::from));
    Peer {
        router: Router::new().route("/cronofy", route).layer(layer),
        body: BODY,
        signed: |secret| {
            crate::json([(
                "x-shopify-hmac-sha256",
                STANDARD.encode(crate::hmac(secret, BODY)),
            )])
        },
    }
}
