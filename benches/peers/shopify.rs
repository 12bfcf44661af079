//! `webhook-verify`: its Tower layer, with its scheme that is nearest to ours, the Base64 of the tag of the body.

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
    // The layer's documentation adds it to the `Router` as it is, which does not compile. Its error is a box, where a
    // `Router` takes only layers that cannot fail: the bodies here do not break off, and `HandleErrorLayer` of axum, as
    // a real service needs it, would cost one more box. And it is `Sync` only with a body that is, as axum's is not.
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
