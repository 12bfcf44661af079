//! What the tests of the public API share.

use std::time::Duration;

use axum::body::Body;
use cronofy_webhook_inbox::Inbox;
use cronofy_webhook_testing::{Payload, Sender};
use tokio::runtime;
use tokio::time::{Instant, sleep};
use tower::ServiceExt as _;

use crate::common::{Log, SECRET, app};

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// On this thread alone, where a [`Log`](crate::common::Log) sees all events.
pub(crate) fn block_on_this_thread<T>(future: impl Future<Output = T>) -> T {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// Sends a `change` to a receiver with this time for an answer; its status, and whether it is the handler's answer.
pub(crate) async fn post_change(inbox: &Inbox, budget: Duration) -> (u16, bool) {
    let request = Sender::new(SECRET)
        .to("/cronofy/42")
        .request::<Body>(Payload::sample("change"));
    let response = app(inbox, budget).oneshot(request).await.unwrap();
    let is_of_handler = response.headers().contains_key("retry-after");
    (response.status().as_u16(), is_of_handler)
}

/// Waits until it is true. Longer than anything here takes is a failure.
#[track_caller]
pub(crate) fn eventually(mut condition: impl AsyncFnMut() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let started = Instant::now();
        while !condition().await {
            assert!(started.elapsed() < Duration::from_secs(30), "{caller}");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Waits for a line with this text.
pub(crate) async fn logged(log: &Log, message: &str) -> String {
    eventually(async || !log.lines(message).is_empty()).await;
    log.lines(message).remove(0)
}

/// An error and its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
