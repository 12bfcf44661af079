//! A delivery through an axum `Router` with a typed handler, and what it is to be held against.

use std::convert::Infallible;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Extension, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use criterion::{BatchSize, Criterion};
use cronofy_webhook::signature::HEADER;
use cronofy_webhook::{CronofyWebhookLayer, Notification, Verifier};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
use tower::{Service as _, layer::layer_fn};

const SECRET: &str = "CRN_the_client_secret_of_the_application";
const BODY: &[u8] = include_bytes!("../tests/data/fixtures/push-change.json");

/// What a user would write down by hand for the one kind that they need.
#[derive(Clone, Deserialize)]
#[expect(dead_code, reason = "read by a handler that is not written out")]
struct ByHand {
    notification: ChangeByHand,
    channel: ChannelByHand,
}

#[derive(Clone, Deserialize)]
#[expect(dead_code, reason = "read by a handler that is not written out")]
struct ChangeByHand {
    #[serde(rename = "type")]
    kind: String,
    changes_since: jiff::Timestamp,
}

#[derive(Clone, Deserialize)]
#[expect(dead_code, reason = "read by a handler that is not written out")]
struct ChannelByHand {
    channel_id: String,
    callback_url: String,
}

fn genuine_by_hand(secret: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let Some(signatures) = headers.get(HEADER).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(body);
    signatures.split(',').any(|signature| {
        STANDARD
            .decode(signature.trim())
            .is_ok_and(|signature| mac.clone().verify_slice(&signature).is_ok())
    })
}

async fn middleware_by_hand(
    State(secret): State<Arc<str>>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, 256 << 10).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    if !genuine_by_hand(&secret, &parts.headers, &body) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(notification) = serde_json::from_slice::<ByHand>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut request = Request::from_parts(parts, Body::from(body));
    request.extensions_mut().insert(notification);
    next.run(request).await
}

async fn handler_by_hand(
    State(secret): State<Arc<str>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if !genuine_by_hand(&secret, &headers, &body) {
        return StatusCode::UNAUTHORIZED;
    }
    match serde_json::from_slice::<ByHand>(&body) {
        Ok(notification) => {
            black_box(notification);
            StatusCode::NO_CONTENT
        }
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

async fn typed(notification: Notification) -> StatusCode {
    black_box(notification);
    StatusCode::NO_CONTENT
}

async fn typed_by_hand(Extension(notification): Extension<ByHand>) -> StatusCode {
    black_box(notification);
    StatusCode::NO_CONTENT
}

async fn bare() -> StatusCode {
    StatusCode::NO_CONTENT
}

fn request(signed_with: Option<&Verifier>) -> Request {
    let mut request = Request::post("/cronofy")
        .body(Body::from(BODY))
        .expect("is a request");
    if let Some(verifier) = signed_with {
        request.headers_mut().insert(HEADER, verifier.sign(BODY));
    }
    request
}

/// A future that is ready when it is first polled, as all of these are: no executor comes between.
fn ready<T>(future: impl Future<Output = Result<T, Infallible>>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(value)) => value,
        Poll::Pending => panic!("not ready at once"),
    }
}

pub(crate) fn bench(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let runtime = runtime.expect("there is a runtime");
    let _inside = runtime.enter();

    let route = |router: Router| router;
    let secret: Arc<str> = SECRET.into();
    let verifier = Verifier::new([SECRET]).expect("not blank");
    let forger = Verifier::new(["a guess"]).expect("not blank");
    let ours = route(Router::new().route("/cronofy", post(typed)))
        .layer(CronofyWebhookLayer::with_verifier(verifier.clone()));
    let genuine = Some(&verifier);

    let mut group = criterion.benchmark_group("middleware");
    for (name, mut router, signed_with, status) in [
        (
            "bare route",
            Router::new().route("/cronofy", post(bare)),
            genuine,
            204,
        ),
        (
            "identity layer",
            Router::new()
                .route("/cronofy", post(bare))
                .layer(layer_fn(|route| route)),
            genuine,
            204,
        ),
        (
            "from_fn by hand",
            Router::new()
                .route("/cronofy", post(typed_by_hand))
                .layer(from_fn_with_state(secret.clone(), middleware_by_hand)),
            genuine,
            204,
        ),
        (
            "handler by hand",
            Router::new()
                .route("/cronofy", post(handler_by_hand))
                .with_state(secret),
            genuine,
            204,
        ),
        ("ours", ours.clone(), genuine, 204),
        ("ours, forged", ours.clone(), Some(&forger), 401),
        ("ours, unsigned", ours, None, 401),
    ] {
        assert_eq!(
            ready(router.call(request(signed_with))).status(),
            status,
            "{name}"
        );
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || request(signed_with),
                |request| ready(router.call(request)),
                BatchSize::SmallInput,
            );
        });
    }

    // What no implementation can do without.
    let keyed = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
    let signature = verifier.sign(BODY);
    group.bench_function("floor", |bencher| {
        bencher.iter(|| {
            let tag = keyed.clone().chain_update(black_box(BODY)).finalize();
            let listed = STANDARD.decode(black_box(&signature)).expect("is Base64");
            assert!(tag.as_bytes()[..] == listed[..]);
            serde_json::from_slice::<ByHand>(black_box(BODY)).expect("is a change")
        });
    });
}
