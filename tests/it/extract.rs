//! axum: every way to add the layer, and the extractors behind it.

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use cronofy_webhook::{Delivery, Notification, Rejection};
use http::Request;
use serde::Deserialize;
use tower::{ServiceBuilder, ServiceExt as _};

use crate::support::{CHANGE, layer, signed, without_signature};

async fn kind(notification: Notification) -> String {
    notification.kind().to_owned()
}

async fn send(router: Router, request: Request<Body>) -> (u16, String) {
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn genuine() -> Request<Body> {
    signed(CHANGE, Body::from(CHANGE))
}

fn unsigned() -> Request<Body> {
    without_signature(genuine())
}

async fn pass_on(request: axum::extract::Request, next: Next) -> Response {
    next.run(request).await
}

#[tokio::test]
async fn the_layer_works_on_every_kind_of_axum_route() {
    let path = "/cronofy/{account}";
    for router in [
        Router::new().route(path, post(kind)).layer(layer()),
        Router::new().route(path, post(kind)).route_layer(layer()),
        Router::new().route(path, post(kind).layer(layer())),
        Router::new().route(path, post(kind).route_layer(layer())),
        Router::new().nest(
            "/cronofy",
            Router::new().route("/{account}", post(kind)).layer(layer()),
        ),
        Router::new()
            .route(path, post(kind))
            .layer(ServiceBuilder::new().layer(layer()).layer(from_fn(pass_on))),
        Router::new()
            .route(path, post(kind))
            .layer(ServiceBuilder::new().layer(from_fn(pass_on)).layer(layer())),
        Router::new()
            .route(path, post(kind))
            .layer(from_fn(pass_on))
            .layer(layer())
            .layer(from_fn(pass_on)),
        Router::new().route_service(
            path,
            ServiceBuilder::new().layer(layer()).service(post(kind)),
        ),
    ] {
        assert_eq!(
            send(router.clone(), genuine()).await,
            (200, "change".to_owned())
        );
        assert_eq!(send(router, unsigned()).await.0, 401);
    }
}

#[tokio::test]
async fn the_layer_leaves_other_routes_alone() {
    let router = Router::new()
        .route("/cronofy/{account}", post(kind))
        .route_layer(layer())
        .route("/health", axum::routing::get(async || "well"));
    let health = Request::get("/health").body(Body::empty()).unwrap();
    assert_eq!(send(router.clone(), health).await, (200, "well".to_owned()));
    let nowhere = Request::get("/nowhere").body(Body::empty()).unwrap();
    assert_eq!(send(router, nowhere).await.0, 404);
}

#[tokio::test]
async fn body_extractors_work_behind_the_layer() {
    async fn bytes(_: Notification, body: Bytes) {
        assert_eq!(body, CHANGE);
    }
    async fn string(_: Delivery, body: String) {
        assert_eq!(body.as_bytes(), CHANGE);
    }
    async fn json(notification: Notification, Json(body): Json<serde_json::Value>) {
        assert_eq!(body["notification"]["type"], notification.kind());
    }
    for handler in [post(bytes), post(string), post(json)] {
        let router = Router::new()
            .route("/cronofy/{account}", handler)
            .layer(layer());
        assert_eq!(send(router, genuine()).await, (200, String::new()));
    }
}

#[tokio::test]
async fn all_extractors_work_together() {
    #[derive(Deserialize)]
    struct Source {
        source: String,
    }
    async fn all(
        State(state): State<u8>,
        Path(account): Path<u32>,
        Query(query): Query<Source>,
        method: Method,
        delivery: Delivery,
        notification: Notification,
        body: Bytes,
    ) -> String {
        assert_eq!(delivery.notification(), &notification);
        assert_eq!(delivery.body(), &body);
        assert_eq!(delivery.signature().index(), 0);
        format!("{state} {account} {} {method}", query.source)
    }
    let router = Router::new()
        .route("/cronofy/{account}", post(all))
        .layer(layer())
        .with_state(7);
    assert_eq!(
        send(router, genuine()).await,
        (200, "7 42 cronofy POST".to_owned())
    );
}

#[tokio::test]
async fn without_the_layer_the_response_is_500_and_names_it() {
    async fn delivery(_: Delivery) {}
    for handler in [post(kind), post(delivery)] {
        let router = Router::new().route("/cronofy/{account}", handler);
        let (status, text) = send(router, genuine()).await;
        assert_eq!(status, 500);
        assert!(text.contains("has no CronofyWebhookLayer"), "{text}");
        assert!(
            text.contains(".layer(CronofyWebhookLayer::new(client_secret))"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn missing_delivery_is_an_error_with_a_message() {
    let (mut parts, _) = genuine().into_parts();
    let missing = <Delivery as FromRequestParts<()>>::from_request_parts(&mut parts, &()).await;
    let missing = missing.unwrap_err();
    assert_eq!(missing.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        missing.to_string(),
        "the handler is not behind a CronofyWebhookLayer"
    );
}

#[tokio::test]
async fn optional_extractors_are_none_without_the_layer_and_some_behind_it() {
    async fn both(notification: Option<Notification>, delivery: Option<Delivery>) -> String {
        format!("{} {}", notification.is_some(), delivery.is_some())
    }
    let router = Router::new().route("/cronofy/{account}", post(both));
    assert_eq!(send(router.clone(), genuine()).await.1, "false false");
    assert_eq!(send(router.layer(layer()), genuine()).await.1, "true true");
}

#[tokio::test]
async fn an_outer_layer_can_render_rejections() {
    async fn render(request: axum::extract::Request, next: Next) -> Response {
        let response = next.run(request).await;
        match response.extensions().get::<Rejection>() {
            Some(rejection) => Response::builder()
                .status(StatusCode::IM_A_TEAPOT)
                .body(Body::from(rejection.kind().to_string()))
                .unwrap(),
            None => response,
        }
    }
    let router = Router::new()
        .route("/cronofy/{account}", post(kind))
        .layer(layer())
        .layer(from_fn(render));
    assert_eq!(
        send(router, unsigned()).await,
        (418, "signature_missing".to_owned())
    );
}

#[tokio::test]
async fn a_rejection_is_an_axum_response() {
    use cronofy_webhook::Verifier;
    use http::HeaderMap;

    async fn by_hand(
        State(verifier): State<Verifier>,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<String, Rejection> {
        let delivery = Delivery::verify(&verifier, &headers, body)?;
        Ok(delivery.notification().kind().to_owned())
    }
    let router = Router::new()
        .route("/cronofy/{account}", post(by_hand))
        .with_state(crate::support::verifier());
    assert_eq!(
        send(router.clone(), genuine()).await,
        (200, "change".to_owned())
    );
    assert_eq!(send(router, unsigned()).await.0, 401);
}

// axum's own limit binds extractors. The layer reads the body before any of them: its own limit is what counts.
#[tokio::test]
async fn default_body_limit_does_not_apply_to_the_layer() {
    use axum::extract::DefaultBodyLimit;
    let large = vec![b' '; 3 * 1024 * 1024];
    async fn length(_: Delivery, body: axum::extract::Request) -> String {
        let body = axum::body::to_bytes(body.into_body(), usize::MAX)
            .await
            .unwrap();
        body.len().to_string()
    }
    let router = Router::new()
        .route("/cronofy/{account}", post(length))
        .layer(DefaultBodyLimit::max(1024));
    let wide = router.clone().layer(layer().body_limit(4 * 1024 * 1024));
    let request = || signed(&large, Body::from(large.clone()));
    assert_eq!(send(wide, request()).await, (200, large.len().to_string()));
    assert_eq!(send(router.layer(layer()), request()).await.0, 413);
}
