use std::time::{Duration, Instant};

use async_nats::jetstream::stream;
use axum::body::Body;
use cronofy_webhook_testing::{Payload, Sender};
use futures_util::future::join_all;
use jetstream_example::queue;
use tokio::time::timeout;
use tower::ServiceExt as _;

use crate::support::{PATIENCE, Queue};

/// How long Cronofy waits for the answer.
const TIME_LIMIT: Duration = Duration::from_secs(5);

pub(crate) async fn what_is_not_authentic_is_not_stored() {
    let queue = Queue::start().await;
    let sender = Sender::new("CRN_test").to("/cronofy/42");
    for (near_miss, request) in sender.near_misses::<Body>(Payload::sample("change")) {
        let response = queue.app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 401, "{near_miss}");
    }
    assert_eq!(queue.stored().await, 0);
}

pub(crate) async fn an_acknowledged_notification_survives_a_killed_server() {
    let mut queue = Queue::start().await;
    for round in 1..=5 {
        let sent = join_all((0..20).map(|_| queue.send(Payload::sample("change")))).await;
        queue.server.kill();
        assert!(sent.iter().all(|status| *status == 204), "{sent:?}");

        queue.server.start_again();
        let stored = async {
            loop {
                // An error: not connected again yet.
                if let Ok(info) = queue.stream.get_info().await {
                    return info.state.messages;
                }
            }
        };
        assert_eq!(timeout(PATIENCE, stored).await.unwrap(), 20 * round);
    }
}

pub(crate) async fn a_full_stream_is_a_503() {
    let queue = Queue::start().await;
    let full = stream::Config {
        max_messages: 1,
        ..queue::stream_config()
    };
    queue.jetstream.update_stream(full).await.unwrap();
    assert_eq!(queue.send(Payload::sample("change")).await, 204);
    assert_eq!(queue.send(Payload::sample("change")).await, 503);
    assert_eq!(queue.stored().await, 1);

    let mut worker = queue.worker().await;
    worker.next().await.done();
    queue.has_left(0).await;
    assert_eq!(queue.send(Payload::sample("change")).await, 204);
}

pub(crate) async fn a_server_that_is_away_is_a_503_within_the_time_limit() {
    let mut queue = Queue::start().await;
    queue.server.kill();
    let begin = Instant::now();
    let sent = join_all((0..20).map(|_| queue.send(Payload::sample("change")))).await;
    assert!(begin.elapsed() < TIME_LIMIT, "{:?}", begin.elapsed());
    assert!(sent.iter().all(|status| *status == 503), "{sent:?}");

    queue.server.start_again();
    let recovered = async { while queue.send(Payload::sample("verification")).await != 204 {} };
    timeout(PATIENCE, recovered).await.unwrap();
}
