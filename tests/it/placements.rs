//! Layers of tower-http and axum around this one and below it, in one `ServiceBuilder`.

use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{Next, from_fn, map_response};
use axum::response::Response;
use axum::routing::{MethodRouter, post};
use axum::{Extension, Router, body::Body};
use cronofy_webhook::{Delivery, MaybeBuffered};
use http::header::{AUTHORIZATION, HeaderValue, SERVER};
use http::{HeaderName, StatusCode};
use tower::{ServiceBuilder, ServiceExt as _};
use tower_http::ServiceBuilderExt as _;
use tower_http::add_extension::AddExtensionLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::metrics::InFlightRequestsLayer;
use tower_http::metrics::in_flight_requests::InFlightRequestsCounter;
use tower_http::normalize_path::NormalizePathLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::sensitive_headers::SetSensitiveHeadersLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};
use tower_http::trace::TraceLayer;

use crate::support::{CHANGE, forged, layer, signed};

async fn receive(_: Delivery) -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn pass_on(request: Request, next: Next) -> Response {
    next.run(request).await
}

async fn keep(response: Response) -> Response {
    response
}

/// What stands around our layer, for the body of a request.
macro_rules! outside {
    (as_is, $layer:expr) => {
        post(receive).layer(ServiceBuilder::new().layer($layer).layer(layer()))
    };
    (with_the_line, $layer:expr) => {
        post(receive).layer(
            ServiceBuilder::new()
                .layer($layer)
                .map_request_body(MaybeBuffered::new)
                .layer(layer()),
        )
    };
}

/// What stands below our layer, for the body of a response.
macro_rules! inside {
    (as_is, $layer:expr) => {
        post(receive).layer(ServiceBuilder::new().layer(layer()).layer($layer))
    };
    (with_the_line, $layer:expr) => {
        post(receive).layer(
            ServiceBuilder::new()
                .layer(layer())
                .map_response_body(MaybeBuffered::new)
                .layer($layer),
        )
    };
}

/// A route for each way to write a placement. All can be written with the line, and those that are `as_is` without it.
macro_rules! routes {
    ($place:ident, as_is, $layer:expr) => {
        vec![
            ("as is", $place!(as_is, $layer)),
            ("with the line", $place!(with_the_line, $layer)),
        ]
    };
    ($place:ident, with_the_line, $layer:expr) => {
        vec![("with the line", $place!(with_the_line, $layer))]
    };
}

struct Row {
    name: &'static str,
    outside: Vec<(&'static str, MethodRouter)>,
    inside: Vec<(&'static str, MethodRouter)>,
}

macro_rules! rows {
    ($($outside:ident $inside:ident $name:literal $layer:expr,)*) => {
        [$(Row {
            name: $name,
            outside: routes!(outside, $outside, $layer),
            inside: routes!(inside, $inside, $layer),
        }),*]
    };
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MINUTE: Duration = Duration::from_secs(60);

// `compile_errors` shows that the others cannot be written without the line.
#[rustfmt::skip]
fn rows() -> [Row; 18] {
    rows! {
        as_is         as_is         "AddExtensionLayer"         AddExtensionLayer::new(()),
        as_is         as_is         "CorsLayer"                 CorsLayer::permissive(),
        as_is         as_is         "NormalizePathLayer"        NormalizePathLayer::trim_trailing_slash(),
        as_is         as_is         "PropagateRequestIdLayer"   PropagateRequestIdLayer::new(REQUEST_ID),
        as_is         as_is         "SetRequestIdLayer"         SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid),
        as_is         as_is         "SetResponseHeaderLayer"    SetResponseHeaderLayer::overriding(SERVER, HeaderValue::from_static("x")),
        as_is         as_is         "SetSensitiveHeadersLayer"  SetSensitiveHeadersLayer::new([AUTHORIZATION]),
        as_is         as_is         "TimeoutLayer"              TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, MINUTE),
        as_is         as_is         "axum::Extension"           Extension(()),
        as_is         as_is         "axum::middleware::from_fn" from_fn(pass_on),
        as_is         as_is         "axum::…::map_response"     map_response(keep),
        as_is         with_the_line "CatchPanicLayer"           CatchPanicLayer::new(),
        as_is         with_the_line "CompressionLayer"          CompressionLayer::new(),
        as_is         with_the_line "InFlightRequestsLayer"     InFlightRequestsLayer::new(InFlightRequestsCounter::new()),
        as_is         with_the_line "TraceLayer"                TraceLayer::new_for_http(),
        with_the_line as_is         "RequestBodyTimeoutLayer"   RequestBodyTimeoutLayer::new(MINUTE),
        with_the_line with_the_line "RequestBodyLimitLayer"     RequestBodyLimitLayer::new(64 * 1024),
        with_the_line with_the_line "RequestDecompressionLayer" RequestDecompressionLayer::new(),
    }
}

/// The statuses of a genuine and of a forged request.
async fn statuses(route: MethodRouter) -> [u16; 2] {
    let app = Router::new().route("/cronofy/{account}", route);
    let genuine = signed(CHANGE, Body::from(CHANGE));
    let forged = forged().map(Body::new);
    [
        app.clone()
            .oneshot(genuine)
            .await
            .unwrap()
            .status()
            .as_u16(),
        app.oneshot(forged).await.unwrap().status().as_u16(),
    ]
}

#[tokio::test]
async fn layers_work_on_both_sides() {
    println!("{:<26} {:<22} inside", "layer", "outside");
    for Row {
        name,
        outside,
        inside,
    } in rows()
    {
        let mut cells = Vec::new();
        for routes in [outside, inside] {
            let ways: Vec<_> = routes.iter().map(|(way, _)| *way).collect();
            cells.push(ways.join(", "));
            for (way, route) in routes {
                assert_eq!(statuses(route).await, [204, 401], "{name}, {way}");
            }
        }
        println!("{name:<26} {:<22} {}", cells[0], cells[1]);
    }
}
