//! The simulated Cronofy. The clock is paused.

use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook_testing::{AttemptResult, Cronofy, Outcome, Payload, Schedule, Sender};
use http::{HeaderMap, Request, Response, StatusCode};
use tokio::time::{Instant, sleep};
use tower::limit::ConcurrencyLimit;
use tower::service_fn;

use crate::support::{Calls, SECRET};

const URL: &str = "https://receiver.example/cronofy/42";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

fn status(status: u16) -> Response<Bytes> {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

#[tokio::test(start_paused = true)]
async fn the_verification_names_the_channel() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let service = service_fn({
        let seen = Arc::clone(&seen);
        move |request: Request<Bytes>| {
            seen.lock().unwrap().push(request);
            async { Ok::<_, Infallible>(status(204)) }
        }
    });
    let channel = Cronofy::new(Sender::new(SECRET), service)
        .open_channel(URL)
        .await;
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].uri(), "/cronofy/42");
    let body = std::str::from_utf8(seen[0].body()).unwrap();
    assert!(body.contains("\"verification\"") && body.contains(URL) && body.contains(channel.id()));
    assert!(channel.is_open());
}

#[tokio::test(start_paused = true)]
async fn a_late_request_is_dropped_at_the_time_limit() {
    let service = service_fn(|_: Request<Bytes>| pending::<Result<Response<Bytes>, Infallible>>());
    let cronofy = Cronofy::new(Sender::new(SECRET), service).give_up_after(Duration::from_secs(1));
    for (sample, limit) in [
        ("change", 5),
        ("event_subscription", 7),
        ("event_subscription:conferencing_assigned", 5),
    ] {
        let channel = cronofy.open_channel(URL).await;
        let started = Instant::now();
        assert!(matches!(
            channel.notify(Payload::sample(sample)).await,
            Outcome::ChannelClosed { attempts: 1, .. }
        ));
        assert_eq!(started.elapsed(), Duration::from_secs(limit), "{sample}");
        let attempts = channel.attempts();
        assert_eq!(attempts[1].result, AttemptResult::TimedOut);
        assert_eq!(attempts[1].took, Duration::from_secs(limit));
    }
    let short = cronofy
        .timeout(Duration::from_secs(2))
        .open_channel(URL)
        .await;
    let _ = short.notify(Payload::sample("event_subscription")).await;
    assert!(
        short
            .attempts()
            .iter()
            .all(|attempt| attempt.took == Duration::from_secs(2))
    );
}

#[tokio::test(start_paused = true)]
async fn retries_send_the_same_bytes_and_follow_the_schedule() {
    type Seen = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;
    let seen = Seen::default();
    let service = service_fn({
        let seen = Arc::clone(&seen);
        move |request: Request<Bytes>| {
            let (head, body) = request.into_parts();
            seen.lock().unwrap().push((head.headers, body));
            let count = seen.lock().unwrap().len();
            async move {
                match count {
                    2 => Err("connection reset"),
                    3..9 => Ok(status(302)),
                    _ => Ok(status(200)),
                }
            }
        }
    });
    let channel = Cronofy::new(Sender::new(SECRET), service)
        .open_channel(URL)
        .await;
    let body = Bytes::from_static(b" { \"b\": 1, \"a\": 2 } ");
    assert!(matches!(
        channel.notify(body.clone()).await,
        Outcome::Delivered { attempts: 8, .. }
    ));
    let attempts = channel.attempts();
    let minutes: Vec<_> = attempts[1..]
        .iter()
        .map(|attempt| attempt.at.as_secs() / 60)
        .collect();
    assert_eq!(minutes, [0, 1, 3, 7, 15, 31, 63, 123]);
    assert_eq!(
        attempts[1].result,
        AttemptResult::Failed("connection reset".to_owned())
    );
    assert_eq!(attempts[2].result, AttemptResult::Status(StatusCode::FOUND));
    let seen = seen.lock().unwrap();
    assert!(
        seen[1..]
            .iter()
            .all(|sent| *sent == seen[1] && sent.1 == body)
    );
}

/// A service that fails where the body has the text.
fn failing(
    text: &'static str,
) -> impl tower::Service<Request<Bytes>, Response = Response<Bytes>, Error = Infallible> + Clone {
    service_fn(move |request: Request<Bytes>| {
        let fails = std::str::from_utf8(request.body()).unwrap().contains(text);
        async move { Ok(status(if fails { 500 } else { 200 })) }
    })
}

#[tokio::test(start_paused = true)]
async fn a_channel_closes_after_24_hours_and_stays_silent() {
    let cronofy = Cronofy::new(Sender::new(SECRET), failing("changes_since"))
        .schedule(Schedule::every(MINUTE));
    let channel = cronofy.open_channel(URL).await;
    let started = Instant::now();
    let outcome = channel.notify(Payload::sample("change")).await;
    let closed = matches!(outcome, Outcome::ChannelClosed { attempts: 1440, .. });
    assert!(closed, "{outcome:?} {:?}", started.elapsed());
    assert_eq!(started.elapsed(), 24 * HOUR);
    assert!(!channel.is_open());
    assert!(matches!(
        channel.notify(Payload::verification()).await,
        Outcome::ChannelClosed { attempts: 0, .. }
    ));
    assert_eq!(channel.attempts().len(), 1441);
}

#[tokio::test(start_paused = true)]
async fn the_success_of_another_notification_keeps_the_channel_open() {
    let channel = Cronofy::new(Sender::new(SECRET), failing("changes_since"))
        .open_channel(URL)
        .await;
    let (lost, delivered) = tokio::join!(channel.notify(Payload::sample("change")), async {
        sleep(12 * HOUR).await;
        channel.notify(Payload::sample("gdpr_requested")).await
    });
    assert!(matches!(lost, Outcome::GivenUp { .. }));
    assert!(matches!(delivered, Outcome::Delivered { attempts: 1, .. }));
    assert!(channel.is_open());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_never_ready_times_out() {
    let service = ConcurrencyLimit::new(
        service_fn(|_: Request<Bytes>| async { Ok::<_, Infallible>(status(204)) }),
        0,
    );
    let channel = Cronofy::new(Sender::new(SECRET), service)
        .open_channel(URL)
        .await;
    let attempts = channel.attempts();
    assert_eq!(attempts[0].result, AttemptResult::TimedOut);
    assert_eq!(attempts[0].took, Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "an assertion in the handler")]
async fn a_panic_in_the_service_fails_the_test() {
    let service = service_fn(
        |_: Request<Bytes>| -> std::future::Ready<Result<Response<Bytes>, Infallible>> {
            panic!("an assertion in the handler")
        },
    );
    Cronofy::new(Sender::new(SECRET), service)
        .open_channel(URL)
        .await;
}

#[tokio::test(start_paused = true)]
async fn the_first_notification_to_run_out_of_time_closes_the_channel_for_all() {
    let service = service_fn(|_: Request<Bytes>| async { Ok::<_, Infallible>(status(500)) });
    let channel = Cronofy::new(Sender::new(SECRET), service)
        .schedule(Schedule::every(HOUR))
        .open_channel(URL)
        .await;
    let later = async {
        sleep(HOUR * 12).await;
        channel.notify(Payload::sample("change")).await
    };
    let started = Instant::now();
    let (first, later) = tokio::join!(channel.notify(Payload::sample("change")), later);
    assert!(matches!(first, Outcome::ChannelClosed { .. }), "{first:?}");
    assert!(matches!(later, Outcome::ChannelClosed { .. }), "{later:?}");
    assert!(started.elapsed() <= HOUR * 25);
    let nothing = channel.notify(Payload::sample("change")).await;
    assert!(matches!(
        nothing,
        Outcome::ChannelClosed { attempts: 0, .. }
    ));
}

#[tokio::test(start_paused = true)]
async fn the_longest_times_do_not_overflow() {
    let calls = Calls::default();
    let counted = calls.clone();
    let service = service_fn(move |_: Request<Bytes>| {
        counted.add();
        async { Ok::<_, Infallible>(status(500)) }
    });
    let cronofy = Cronofy::new(Sender::new(SECRET), service).give_up_after(Duration::MAX);
    let retries = cronofy.open_channel(URL).await;
    let notify = retries.notify(Payload::sample("change"));
    assert!(tokio::time::timeout(HOUR * 24 * 30, notify).await.is_err());
    assert!(calls.count() > 700, "{}", calls.count());

    let never = cronofy
        .schedule(Schedule::every(Duration::MAX))
        .open_channel(URL)
        .await;
    let before = calls.count();
    let notify = never.notify(Payload::sample("change"));
    assert!(tokio::time::timeout(HOUR, notify).await.is_err());
    assert_eq!(calls.count(), before + 1);
}
