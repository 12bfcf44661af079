//! What is stored, and what is answered when it cannot be.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use cronofy_webhook_inbox::{Inbox, PutError};
use cronofy_webhook_testing::{NearMiss, Payload, Sender};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::common::{SECRET, app, delivery, verification};
use crate::support::{block, in_file, inbox};

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_loses_nothing_that_it_took() {
    let (inbox, directory, _) = in_file().await;
    let lock = block(&directory);
    let put = async |number: u32| inbox.put(number.to_string(), &verification()).await;
    let mut puts: Vec<_> = (0..1_024).map(|number| Box::pin(put(number))).collect();
    for put in &mut puts {
        let polled = poll_fn(|cx| Poll::Ready(put.as_mut().poll(cx)));
        assert!(polled.await.is_pending());
    }
    let refused = poll_fn(|cx| Poll::Ready(pin!(put(1_024)).poll(cx))).await;
    assert!(
        matches!(refused, Poll::Ready(Err(PutError::Full))),
        "{refused:?}"
    );

    drop(lock);
    for put in puts {
        put.await.unwrap();
    }
    assert_eq!(inbox.stats().await.unwrap().waiting, 1_024);
}

#[tokio::test]
async fn a_put_fails_before_the_deadline_and_cronofy_is_told_to_retry() {
    let (inbox, directory, _) = in_file().await;
    let request = || {
        Sender::new(SECRET)
            .to("/cronofy/42")
            .request::<Body>(Payload::sample("change"))
    };
    let lock = block(&directory);
    let response = app(&inbox, Duration::from_millis(300))
        .oneshot(request())
        .await
        .unwrap();
    assert_eq!(response.status(), 503);
    // The layer's own 503 would have no such header.
    assert_eq!(response.headers()["retry-after"], "10");
    let text = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(text, "The notification could not be stored; please retry.");

    drop(lock);
    let response = app(&inbox, Duration::from_secs(4))
        .oneshot(request())
        .await
        .unwrap();
    assert_eq!(response.status(), 204);
}

#[tokio::test]
async fn without_time_left_nothing_is_stored() {
    let inbox = inbox().await;
    let request = Sender::new(SECRET)
        .to("/cronofy/42")
        .request::<Body>(Payload::sample("change"));
    let response = app(&inbox, Duration::from_millis(100))
        .oneshot(request)
        .await
        .unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "10");
    assert_eq!(inbox.stats().await.unwrap().waiting, 0);
}

#[tokio::test]
async fn what_is_not_authentic_is_not_stored() {
    let inbox = inbox().await;
    let app = app(&inbox, Duration::from_secs(4));
    let sender = Sender::new(SECRET).to("/cronofy/42");
    let near_misses: Vec<(NearMiss, _)> = sender.near_misses::<Body>(Payload::sample("change"));
    for (near_miss, request) in near_misses {
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 401, "{near_miss}");
    }
    assert_eq!(inbox.stats().await.unwrap().waiting, 0);
}

#[test]
fn an_inbox_can_be_shared() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    shared::<Inbox>();
}

#[tokio::test]
async fn debug_shows_no_body() {
    let delivery = delivery(Payload::sample("smart_invite:accepted"));
    let job = cronofy_webhook_inbox::Job::from_delivery("42", &delivery);
    let text = format!("{job:?}");
    assert!(
        text.contains("smart_invite") && !text.contains('@'),
        "{text}"
    );
}
