//! The layer over 24 hours of attempts, a minute apart. The clock is paused.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::{CronofyWebhookLayer, Overrun, Verifier};
use cronofy_webhook_testing::{Cronofy, OpenChannel, Outcome, Payload, Schedule, Sender};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::time::{Instant, sleep};
use tower::{Layer as _, Service, service_fn};

use crate::support::{Calls, OTHER_SECRET, SECRET, handler};

const URL: &str = "https://receiver.example/cronofy/42";
const MINUTE: Duration = Duration::from_secs(60);

async fn open<S>(sender: Sender, service: S) -> OpenChannel<S, Full<Bytes>>
where
    S: Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = Infallible> + Clone,
{
    let cronofy = Cronofy::new(sender, service).schedule(Schedule::every(MINUTE));
    cronofy.open_channel(URL).await
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_recovers_within_24_hours_keeps_the_channel() {
    let recovers = Instant::now() + MINUTE * (24 * 60 - 2);
    let service = CronofyWebhookLayer::new(SECRET).layer(service_fn(
        move |_: Request<Full<Bytes>>| async move {
            let mut response = Response::<Full<Bytes>>::default();
            if Instant::now() < recovers {
                *response.status_mut() = StatusCode::BAD_GATEWAY;
            }
            Ok(response)
        },
    ));
    let channel = open(Sender::new(SECRET), service).await;
    let outcome = channel.notify(Payload::sample("change")).await;
    assert!(
        matches!(outcome, Outcome::Delivered { attempts: 1439, .. }),
        "{outcome:?}"
    );
    assert!(channel.is_open());
}

/// The outcome of a notification, and how often its handler finished, if the handler is always late.
async fn always_late(overrun: Overrun) -> (Outcome, usize) {
    let finished = Calls::default();
    let layer = CronofyWebhookLayer::new(SECRET).overrun(overrun);
    let service = layer.layer(service_fn({
        let finished = finished.clone();
        move |_: Request<Full<Bytes>>| {
            let finished = finished.clone();
            async move {
                sleep(Duration::from_secs(10)).await;
                finished.add();
                Ok(Response::default())
            }
        }
    }));
    let channel = open(Sender::new(SECRET), service).await;
    let outcome = channel.notify(Payload::sample("change")).await;
    sleep(MINUTE).await;
    (outcome, finished.count())
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_is_always_late_loses_the_channel_under_finish() {
    let (outcome, finished) = always_late(Overrun::Finish).await;
    assert!(
        matches!(outcome, Outcome::ChannelClosed { attempts: 1440, .. }),
        "{outcome:?}"
    );
    assert_eq!(finished, 1441);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_is_always_late_keeps_the_channel_under_accept() {
    let (outcome, finished) = always_late(Overrun::Accept).await;
    assert!(
        matches!(outcome, Outcome::Delivered { attempts: 1, .. }),
        "{outcome:?}"
    );
    assert_eq!(finished, 2);
}

#[tokio::test(start_paused = true)]
async fn a_rotation_of_secrets_loses_nothing() {
    let cronofy = Verifier::new([SECRET]).unwrap();
    let receiver = Verifier::new([SECRET]).unwrap();
    let calls = Calls::default();
    let service = CronofyWebhookLayer::from_verifier(receiver.clone()).layer(handler(&calls));
    let channel = open(Sender::from_verifier(cronofy.clone()), service).await;
    let notify = async || {
        let outcome = channel.notify(Payload::sample("change")).await;
        assert!(
            matches!(outcome, Outcome::Delivered { attempts: 1, .. }),
            "{outcome:?}"
        );
    };
    notify().await;
    cronofy.replace([SECRET, OTHER_SECRET]).unwrap();
    notify().await;
    receiver.replace([SECRET, OTHER_SECRET]).unwrap();
    notify().await;
    cronofy.replace([OTHER_SECRET]).unwrap();
    notify().await;

    // Too early: what is rejected in the meantime is retried.
    cronofy.replace([SECRET]).unwrap();
    receiver.replace([OTHER_SECRET]).unwrap();
    let (outcome, ()) = tokio::join!(channel.notify(Payload::sample("change")), async {
        sleep(MINUTE * 10 - Duration::from_secs(1)).await;
        receiver.replace([OTHER_SECRET, SECRET]).unwrap();
    });
    assert!(
        matches!(outcome, Outcome::Delivered { attempts: 11, .. }),
        "{outcome:?}"
    );
    assert_eq!(calls.count(), 6);
}
