//! The extractors are those of axum 0.8. The layer is not: `Extension` finds what it leaves in the request.

use axum::body::Body;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Extension, Router};
use cronofy_webhook::Delivery;
use tower::ServiceExt as _;

use crate::{genuine, late, layer, requests};

async fn receive(
    Path(account): Path<String>,
    Extension(delivery): Extension<Delivery>,
) -> StatusCode {
    assert_eq!(
        (account.as_str(), delivery.notification().kind()),
        ("42", "change")
    );
    StatusCode::NO_CONTENT
}

#[tokio::test]
async fn only_authentic_deliveries_are_accepted() {
    let app = Router::new().route("/cronofy/:account", post(receive).layer(layer()));
    for (what, request, status) in requests::<Body>() {
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_handler_finishes() {
    let (late, mut handler) = late();
    let receive = post(async move || late.work().await);
    let app = Router::new().route("/cronofy/:account", receive.layer(layer()));
    assert_eq!(app.oneshot(genuine::<Body>()).await.unwrap().status(), 503);
    assert!(handler.finished().await);
}
