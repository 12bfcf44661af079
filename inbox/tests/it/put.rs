//! What is stored, and what is answered when it cannot be.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use cronofy_webhook::testing::{NearMiss, Payload, Sender};
use cronofy_webhook::{CronofyWebhookLayer, Delivery, Notification};
use cronofy_webhook_inbox::{Inbox, PutError};
use http_body_util::BodyExt as _;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::support::{Jobs, SECRET, block, change, delivery, in_file, inbox, noting, verification};

async fn receive(
    State(inbox): State<Inbox>,
    Path(account): Path<String>,
    delivery: Delivery,
) -> Result<StatusCode, PutError> {
    inbox.put(account, &delivery).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn app(inbox: &Inbox, budget: Duration) -> Router {
    let layer = CronofyWebhookLayer::new(SECRET).budget(budget);
    Router::new()
        .route("/cronofy/{account}", post(receive).layer(layer))
        .with_state(inbox.clone())
}

#[tokio::test]
async fn what_was_put_outlives_the_process() {
    let (inbox, _directory, url) = in_file().await;
    inbox.put("42", &change("chn_1", 7)).await.unwrap();
    inbox.close().await;
    let inbox = Inbox::open(url).await.unwrap();
    let jobs = Jobs::default();
    inbox.worker(noting(&jobs)).run_until_idle().await.unwrap();
    assert_eq!(jobs.all()[0].body(), change("chn_1", 7).body());
}

#[tokio::test]
async fn every_sample_comes_out_as_it_was() {
    let inbox = inbox().await;
    let samples: Vec<_> = Payload::samples()
        .map(|sample| delivery(sample.payload()))
        .collect();
    let long = "not JSON".repeat(32 * 1024);
    let odd = [
        Payload::new(""),
        Payload::new("not JSON \0"),
        Payload::new(long),
        Payload::new(r#"{ "notification": { "type": "change", "changes_since": "yesterday" } }"#),
    ];
    let deliveries: Vec<_> = samples.into_iter().chain(odd.map(delivery)).collect();
    for (number, delivery) in deliveries.iter().enumerate() {
        inbox.put(number.to_string(), delivery).await.unwrap();
    }
    let not_utf8 = Sender::new(SECRET).delivery(b"\xff\x00".as_slice());
    inbox
        .put(deliveries.len().to_string(), &not_utf8)
        .await
        .unwrap();

    let jobs = Jobs::default();
    inbox.worker(noting(&jobs)).run_until_idle().await.unwrap();
    let jobs = jobs.all();
    assert_eq!(jobs.len(), deliveries.len() + 1);
    for (job, delivery) in jobs.iter().zip(deliveries.iter().chain([&not_utf8])) {
        assert_eq!(job.body(), delivery.body());
        assert_eq!(job.notification(), delivery.notification());
    }
}

#[tokio::test]
async fn an_account_is_any_text() {
    let inbox = inbox().await;
    let long = "é".repeat(100_000);
    let accounts = ["", "a\0b", "a", "ab", "😀", "x' OR 1=1 --", &long];
    for account in accounts {
        inbox.put(account, &change("chn_1", 1)).await.unwrap();
        inbox.put(account, &change("chn_1", 1)).await.unwrap();
    }
    // Concatenated, these are alike.
    inbox.put("a", &change("bchn_1", 1)).await.unwrap();

    let jobs = Jobs::default();
    inbox.worker(noting(&jobs)).run_until_idle().await.unwrap();
    let jobs = jobs.all();
    let stored: Vec<_> = jobs
        .iter()
        .map(|job| (job.account(), job.merged()))
        .collect();
    let mut expected: Vec<_> = accounts.map(|account| (account, 2)).to_vec();
    expected.push(("a", 1));
    assert_eq!(stored, expected);
}

#[tokio::test]
async fn a_malformed_change_is_not_merged() {
    let inbox = inbox().await;
    let malformed =
        delivery(Payload::sample("change").set("/notification/changes_since", "yesterday"));
    assert!(matches!(malformed.notification(), Notification::Unknown(_)));
    for _ in 0..2 {
        inbox.put("42", &malformed).await.unwrap();
    }
    assert_eq!(inbox.stats().await.unwrap().waiting, 2);
}

#[tokio::test]
async fn max_rows_is_full_until_a_job_is_done() {
    let inbox = Inbox::open("sqlite::memory:").max_rows(1).await.unwrap();
    inbox.put("42", &change("chn_1", 1)).await.unwrap();
    inbox.put("42", &change("chn_1", 2)).await.unwrap();
    let full = inbox.put("42", &verification()).await;
    assert!(matches!(full, Err(PutError::Full)), "{full:?}");
    inbox
        .worker(noting(&Jobs::default()))
        .run_until_idle()
        .await
        .unwrap();
    inbox.put("42", &verification()).await.unwrap();
}

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

#[tokio::test]
async fn clones_of_a_closed_inbox_are_closed() {
    let inbox = inbox().await;
    let clone = inbox.clone();
    inbox.put("42", &verification()).await.unwrap();
    inbox.close().await;
    inbox.close().await;
    let closed = clone.put("42", &verification()).await;
    assert!(matches!(closed, Err(PutError::Closed)), "{closed:?}");
    assert!(clone.stats().await.unwrap_err().is_closed());
    assert!(clone.parked(1).await.unwrap_err().is_closed());
    assert!(clone.forget("42").await.unwrap_err().is_closed());
}

#[tokio::test]
async fn close_writes_what_waits() {
    let (inbox, _directory, url) = in_file().await;
    let mut puts = JoinSet::new();
    for number in 0..100 {
        let inbox = inbox.clone();
        puts.spawn(async move { inbox.put(number.to_string(), &verification()).await.is_ok() });
    }
    tokio::task::yield_now().await;
    inbox.close().await;
    let mut stored = 0;
    while let Some(put) = puts.join_next().await {
        stored += u64::from(put.unwrap());
    }
    assert!(stored > 0);
    let inbox = Inbox::open(url).await.unwrap();
    assert_eq!(inbox.stats().await.unwrap().waiting, stored);
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
