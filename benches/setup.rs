//! The routers that are measured, ours and the baselines, and how they are called.

use std::convert::Infallible;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Extension, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cronofy_webhook::signature::HEADER;
use cronofy_webhook::{CronofyWebhookLayer, Notification, Verifier};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
use tokio::time::timeout;
use tower::{Service as _, layer::layer_fn};

pub(crate) const SECRET: &str = "CRN_the_client_secret_of_the_application";
pub(crate) const BODY: &[u8] = include_bytes!("../crates/testing/samples/push-change.json");

/// The layer's default.
const BUDGET: Duration = Duration::from_secs(4);

/// A family of notifications, and the sample of it that is measured.
pub(crate) const SAMPLES: [(&str, &str); 7] = [
    ("channel", "change:filtered"),
    ("smart invite", "smart_invite"),
    (
        "event subscription",
        "event_subscription:meeting_agent_activated",
    ),
    ("scheduler", "scheduling_request_time_chosen"),
    ("real-time scheduling", "real_time_scheduling_completed"),
    ("enterprise connect", "authorization"),
    ("unknown", "some_future_type"),
];

/// What a user would write by hand for the one kind that they need.
#[derive(Clone, Deserialize)]
#[expect(dead_code, reason = "a real handler would use it")]
pub(crate) struct ByHand<C = ChannelByHand> {
    notification: ChangeByHand,
    channel: C,
}

#[derive(Clone, Deserialize)]
#[expect(dead_code, reason = "a real handler would use it")]
struct ChangeByHand {
    #[serde(rename = "type")]
    kind: String,
    changes_since: jiff::Timestamp,
}

#[derive(Clone, Deserialize)]
#[expect(dead_code, reason = "a real handler would use it")]
pub(crate) struct ChannelByHand {
    channel_id: String,
    callback_url: String,
}

/// As the layer parses it.
#[derive(Clone, Deserialize)]
#[expect(dead_code, reason = "a real handler would use it")]
struct ChannelWithFilters {
    channel_id: String,
    callback_url: String,
    filters: Option<FiltersByHand>,
}

#[derive(Clone, Deserialize)]
#[expect(dead_code, reason = "a real handler would use it")]
struct FiltersByHand {
    calendar_ids: Option<Vec<String>>,
    only_managed: Option<bool>,
}

/// What a handler behind the layer can take.
struct Received {
    #[expect(dead_code, reason = "a real handler would use it")]
    body: Bytes,
    notification: ByHand<ChannelWithFilters>,
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

/// As [`middleware_by_hand`], with what the layer does besides: a time limit around it all, the filters parsed, and the raw body and
/// the notification shared.
async fn same_function_by_hand(
    State(secret): State<Arc<str>>,
    request: Request,
    next: Next,
) -> Response {
    let response = async {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, 256 << 10).await else {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        };
        if !genuine_by_hand(&secret, &parts.headers, &body) {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let Ok(notification) = serde_json::from_slice(&body) else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        let received = Received {
            body: body.clone(),
            notification,
        };
        let mut request = Request::from_parts(parts, Body::from(body));
        request.extensions_mut().insert(Arc::new(received));
        next.run(request).await
    };
    timeout(BUDGET, response)
        .await
        .unwrap_or_else(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())
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

/// With a value of its own, as [`typed`].
async fn typed_by_same_function(Extension(received): Extension<Arc<Received>>) -> StatusCode {
    black_box(received.notification.clone());
    StatusCode::NO_CONTENT
}

async fn reads(body: Bytes) -> StatusCode {
    black_box(body);
    StatusCode::NO_CONTENT
}

async fn bare() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// The router for a row of the table.
pub(crate) fn router(name: &str) -> Router {
    let route = |handler| Router::new().route("/cronofy", handler);
    let secret: Arc<str> = SECRET.into();
    let router = match name {
        "bare route" => route(post(bare)),
        "route that reads" => route(post(reads)),
        "identity layer" => route(post(bare)).layer(layer_fn(|route| route)),
        "from_fn by hand" => {
            route(post(typed_by_hand)).layer(from_fn_with_state(secret, middleware_by_hand))
        }
        "same function by hand" => {
            let layer = from_fn_with_state(secret, same_function_by_hand);
            route(post(typed_by_same_function)).layer(layer)
        }
        "handler by hand" => Router::new()
            .route("/cronofy", post(handler_by_hand))
            .with_state(secret),
        "ours" => route(post(typed)).layer(CronofyWebhookLayer::new(SECRET)),
        "ours with a hook" => {
            let layer = CronofyWebhookLayer::new(SECRET);
            route(post(typed)).layer(layer.on_mismatch(|mismatch| {
                black_box(mismatch.body());
            }))
        }
        other => panic!("no router {other:?}"),
    };
    // As `axum::serve` does: layers are applied here, once and not for each request.
    router.with_state(())
}

/// The signature of the body by a secret.
pub(crate) fn signature(secret: &str) -> HeaderValue {
    Verifier::new([secret]).expect("not blank").sign(BODY)
}

/// A delivery, signed or not.
pub(crate) fn request(signature: Option<&HeaderValue>) -> Request {
    let mut request = Request::new(Body::from(BODY));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_static("/cronofy");
    if let Some(signature) = signature {
        request.headers_mut().insert(HEADER, signature.clone());
    }
    request
}

/// The least that any implementation does: HMAC from a precomputed key, Base64, parsing.
pub(crate) fn floor(keyed: &Hmac<Sha256>, signature: &[u8]) -> ByHand {
    let tag = keyed.clone().chain_update(black_box(BODY)).finalize();
    let listed = STANDARD.decode(black_box(signature)).expect("is Base64");
    assert!(tag.as_bytes()[..] == listed[..]);
    serde_json::from_slice::<ByHand>(black_box(BODY)).expect("is a change")
}

/// Sends a request whose futures are all ready when first polled, so that no executor is measured.
pub(crate) fn send(router: &mut Router, request: Request) -> StatusCode {
    ready(router.call(request)).status()
}

/// The output of a future that is ready when first polled.
fn ready<T>(future: impl Future<Output = Result<T, Infallible>>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(value)) => value,
        Poll::Pending => panic!("not ready at once"),
    }
}
