//! A filter is a Tower service.

use bytes::Bytes;
use cronofy_webhook::Delivery;
use http::StatusCode;
use http_body_util::Full;
use tower::{Layer as _, ServiceExt as _};
use warp::Filter as _;

use crate::{genuine, late, layer, requests};

#[tokio::test]
async fn only_authentic_deliveries_are_accepted() {
    let receive = warp::post()
        .and(warp::path!("cronofy" / String))
        .and(warp::ext::get::<Delivery>())
        .map(|account: String, delivery: Delivery| {
            assert_eq!(
                (account.as_str(), delivery.notification().kind()),
                ("42", "change")
            );
            StatusCode::NO_CONTENT
        });
    let service = layer().layer(warp::service(receive));
    for (what, request, status) in requests::<Full<Bytes>>() {
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_handler_finishes() {
    let (late, mut handler) = late();
    let receive = warp::path!("cronofy" / String).then(move |_| {
        let late = late.clone();
        async move {
            late.work().await;
            StatusCode::NO_CONTENT
        }
    });
    let service = layer().layer(warp::service(receive));
    let response = service.oneshot(genuine::<Full<Bytes>>()).await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(handler.finished().await);
}
