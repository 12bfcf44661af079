//! poem's adapter for layers is not over `http::Request`, the one for services is: the layer goes on a service, which becomes an
//! endpoint.

use std::convert::Infallible;
use std::io;

use bytes::Bytes;
use cronofy_webhook::{Delivery, MaybeBuffered};
use http::{Request, Response, StatusCode};
use http_body_util::{Full, combinators::BoxBody};
use poem::endpoint::TowerCompatExt as _;
use poem::{Endpoint, Route};
use tower::ServiceBuilder;

use crate::{genuine, late, layer, requests};

type RequestBody = MaybeBuffered<BoxBody<Bytes, io::Error>>;

async fn receive(request: Request<RequestBody>) -> Result<Response<Full<Bytes>>, Infallible> {
    let delivery: &Delivery = request.extensions().get().unwrap();
    assert_eq!(delivery.notification().kind(), "change");
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// What poem's server does with a request.
async fn send(app: &impl Endpoint, request: Request<Bytes>) -> StatusCode {
    let (parts, body) = request.into_parts();
    let mut request = poem::Request::builder()
        .method(parts.method)
        .uri(parts.uri)
        .body(body);
    *request.headers_mut() = parts.headers;
    app.get_response(request).await.status()
}

#[tokio::test]
async fn only_authentic_deliveries_are_accepted() {
    let service = ServiceBuilder::new()
        .map_request(|request: Request<_>| request.map(MaybeBuffered::new))
        .layer(layer())
        .service_fn(receive)
        .compat();
    let app = Route::new().at("/cronofy/:account", poem::post(service));
    for (what, request, status) in requests() {
        assert_eq!(send(&app, request).await, status, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_handler_finishes() {
    let (late, mut handler) = late();
    let service = ServiceBuilder::new()
        .map_request(|request: Request<_>| request.map(MaybeBuffered::new))
        .layer(layer())
        .service_fn(move |request| {
            let late = late.clone();
            async move {
                late.work().await;
                receive(request).await
            }
        });
    assert_eq!(send(&service.compat(), genuine()).await, 503);
    assert!(handler.finished().await);
}
