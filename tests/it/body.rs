//! How the body is read: whole, once, and never more of it than the limit.

use std::convert::Infallible;
use std::error::Error as _;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::signature::HEADER;
use cronofy_webhook::{Delivery, Rejection, RejectionKind};
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_http::timeout::TimeoutBody;

use crate::log::Log;
use crate::support::{CHANGE, Calls, Reply, Script, Step, handler, layer, signed};

/// A `change` as the handler gets it.
async fn delivered(body: Script) -> Bytes {
    delivered_as(CHANGE, body).await.0
}

/// The body as the handler gets it: that of the request, and that of the delivery.
async fn delivered_as(signature_of: &[u8], body: Script) -> (Bytes, Bytes) {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let service = layer().layer(service_fn(move |request: Request<Script>| {
        sender.send(request).unwrap();
        async { Ok::<Reply, Infallible>(Response::default()) }
    }));
    let response = service.oneshot(signed(signature_of, body)).await.unwrap();
    assert_eq!(response.status(), 200);

    let request = receiver.recv().await.unwrap();
    let kept = request
        .extensions()
        .get::<Delivery>()
        .unwrap()
        .body()
        .clone();
    let replayed = http_body_util::BodyExt::collect(request.into_body())
        .await
        .unwrap()
        .to_bytes();
    assert_eq!(kept, replayed);
    (replayed, kept)
}

// A delivery with a slice of the server's read buffer would keep all of it alive in a queue or a task.
#[tokio::test]
async fn the_request_has_the_body_as_it_came_and_the_delivery_a_copy_up_to_4_kib() {
    for (size, is_copied) in [(4096, true), (4097, false)] {
        let sent = Bytes::from(vec![b' '; size]);
        let (received, kept) = delivered_as(&sent, sent.clone().into()).await;
        assert_eq!(received, sent);
        assert_eq!(received.as_ptr(), sent.as_ptr(), "{size}");
        assert_eq!(kept.as_ptr() != sent.as_ptr(), is_copied, "{size}");
    }
}

#[test]
fn a_body_in_small_frames_is_kept_in_little_more_than_its_length() {
    for size in [67_627, 133_163] {
        let sent = vec![b' '; size];
        let frames: Vec<_> = sent.chunks(4096).map(Bytes::copy_from_slice).collect();
        let request =
            |frames: Vec<Bytes>| signed(&sent, Script::new(frames.into_iter().map(Step::Data)));
        let deliver = |request| {
            let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
            let service = layer().layer(service_fn(move |request: Request<Script>| {
                let delivery = request.extensions().get::<Delivery>().unwrap().clone();
                sender.send(delivery).unwrap();
                async { Ok::<Reply, Infallible>(Response::default()) }
            }));
            let Poll::Ready(response) = tokio_test::task::spawn(service.oneshot(request)).poll()
            else {
                panic!("all frames are there");
            };
            assert_eq!(response.unwrap().status(), 200);
            receiver.try_recv().unwrap()
        };
        let mut kept = None;
        let request = request(frames);
        let memory = allocation_counter::measure(|| kept = Some(deliver(request)));
        assert_eq!(kept.unwrap().body().len(), size);
        // The frames were allocated before and are freed by now.
        let freed = i64::try_from(size).unwrap();
        let kept = memory.bytes_current + freed;
        assert!(kept <= freed * 5 / 4 + 4096, "{kept} bytes for {size}");
    }
}

// By hand, as a server would: what panicked is dropped afterwards.
#[tokio::test(start_paused = true)]
async fn a_body_that_panics_is_not_logged_as_a_disconnect() {
    struct Panicking(bool);
    impl From<Bytes> for Panicking {
        fn from(_: Bytes) -> Self {
            Self(true)
        }
    }
    impl http_body::Body for Panicking {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
            assert!(!self.0, "of the body");
            self.0 = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    }
    let (log, _guard) = Log::start();
    let service = layer().layer(handler(&Calls::default()));
    let request = signed(CHANGE, Panicking(false));
    let panicked = tokio::spawn(service.oneshot(request)).await.unwrap_err();
    assert!(panicked.is_panic());
    assert!(log.events().is_empty(), "{:?}", log.events());
}

#[tokio::test]
async fn a_body_of_unknown_length_is_read_to_the_end() {
    // `Script::is_end_stream` is always false, as it is for a chunked body.
    for size in [1, 2, 100, CHANGE.len()] {
        let pieces = CHANGE
            .chunks(size)
            .map(|piece| Step::Data(Bytes::from_static(piece)));
        assert_eq!(
            delivered(Script::new(pieces)).await,
            CHANGE,
            "in pieces of {size}"
        );
    }
}

// By hand, as a loop that wakes itself would keep the clock of a paused runtime from moving.
#[tokio::test]
async fn a_pending_body_is_not_polled_until_it_wakes() {
    struct Woken(AtomicBool);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    let body = Script::new([Step::Data(CHANGE[..10].into()), Step::Hang]);
    let polls = body.polls();
    let calls = Calls::default();
    let service = layer().layer(handler(&calls));
    let mut answer = Box::pin(service.oneshot(signed(CHANGE, body)));

    let woken = Arc::new(Woken(AtomicBool::new(false)));
    let waker = Waker::from(woken.clone());
    let polled = answer.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    assert_eq!(polls.count(), 2);
    assert!(!woken.0.load(Ordering::SeqCst));
}

#[tokio::test]
async fn empty_frames_do_not_end_the_body() {
    let body = Script::new([
        Step::Data(Bytes::new()),
        Step::Data(CHANGE[..10].into()),
        Step::Data(Bytes::new()),
        Step::Data(CHANGE[10..].into()),
        Step::Data(Bytes::new()),
    ]);
    assert_eq!(delivered(body).await, CHANGE);
}

#[tokio::test]
async fn trailers_are_ignored() {
    let mut trailers = HeaderMap::new();
    trailers.insert(HEADER, "x".parse().unwrap());
    let body = Script::new([Step::Data(CHANGE.into()), Step::Trailers(trailers)]);
    assert_eq!(delivered(body).await, CHANGE);
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_accepted() {
    let body = vec![b' '; 1000];
    for (limit, status) in [(1000, 200), (999, 413)] {
        let calls = Calls::default();
        let service = layer().body_limit(limit).layer(handler(&calls));
        let request = signed(&body, Script::from(Bytes::from(body.clone())));
        assert_eq!(service.oneshot(request).await.unwrap().status(), status);
    }
}

#[tokio::test]
async fn the_default_limit_is_256_kib() {
    for (size, status) in [(256 * 1024, 200), (256 * 1024 + 1, 413)] {
        let body = vec![b' '; size];
        let calls = Calls::default();
        let request = signed(&body, Script::from(Bytes::from(body.clone())));
        let response = layer().layer(handler(&calls)).oneshot(request).await;
        assert_eq!(response.unwrap().status(), status);
    }
}

#[tokio::test]
async fn an_empty_body_can_be_authentic() {
    let calls = Calls::default();
    let service = layer().layer(handler(&calls));
    let response = service
        .oneshot(signed(b"", Script::default()))
        .await
        .unwrap();
    assert_eq!((response.status().as_u16(), calls.count()), (200, 1));
}

#[tokio::test]
async fn reading_stops_at_the_limit() {
    let endless = (0..1_000_000).map(|_| Step::Data(Bytes::from_static(&[b' '; 100])));
    let body = Script::new(endless);
    let polls = body.polls();
    let calls = Calls::default();
    let service = layer().body_limit(1000).layer(handler(&calls));
    let response = service.oneshot(signed(CHANGE, body)).await.unwrap();
    assert_eq!(response.status(), 413);
    assert_eq!(polls.count(), 11);
}

#[test]
#[should_panic(expected = "set a number of bytes")]
fn a_body_limit_of_zero_panics_at_construction() {
    let _ = layer().body_limit(0);
}

// Frame by frame, as `http_body_util` collects, it would be more than thirty times the limit.
#[test]
fn a_body_in_single_byte_frames_takes_no_extra_memory() {
    const SIZE: usize = 256 * 1024;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let bytes = vec![b' '; SIZE];
    let body = Script::new((0..SIZE).map(|_| Step::Data(Bytes::from_static(b" "))));
    let request = signed(&bytes, body);
    let calls = Calls::default();
    let service = layer().layer(handler(&calls));
    let memory = allocation_counter::measure(|| {
        let response = runtime.block_on(service.oneshot(request)).unwrap();
        assert_eq!(response.status(), 200);
    });
    // A vector that grows holds the old bytes while it copies them.
    assert!(memory.bytes_max < 4 * SIZE as u64, "{memory:?}");
}

#[tokio::test]
async fn a_wrapped_limit_of_an_outer_layer_is_413() {
    use http_body_util::Limited;

    #[derive(Debug)]
    struct Wrapped(Box<dyn std::error::Error + Send + Sync>);
    impl std::fmt::Display for Wrapped {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("wrapped")
        }
    }
    impl std::error::Error for Wrapped {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&*self.0)
        }
    }

    let mut limited = Limited::new(Script::from(Bytes::from_static(CHANGE)), 10);
    let error = http_body_util::BodyExt::frame(&mut limited)
        .await
        .unwrap()
        .unwrap_err();
    let body = Script::new([Step::FailWith(Box::new(Wrapped(error)))]);
    let calls = Calls::default();
    let service = layer().layer(handler(&calls));
    let response = service.oneshot(signed(CHANGE, body)).await.unwrap();
    assert_eq!((response.status().as_u16(), calls.count()), (413, 0));
}

async fn rejection(body: impl IntoIterator<Item = Step>) -> (u16, Rejection) {
    let service = layer().layer(handler(&Calls::default()));
    let request = signed(CHANGE, Script::new(body));
    let response = service.oneshot(request).await.unwrap();
    let rejection = response.extensions().get::<Rejection>().unwrap().clone();
    (response.status().as_u16(), rejection)
}

// An error of a body that is not wrapped looks like one of our own limit.
#[tokio::test]
async fn the_limit_of_an_outer_layer_is_not_reported_as_ours() {
    use http_body_util::{BodyExt as _, Limited};

    let mut limited = Limited::new(Full::<Bytes>::from(CHANGE), 10);
    let error = limited.frame().await.unwrap().unwrap_err();
    let (status, rejection) = rejection([Step::FailWith(error)]).await;
    assert_eq!(status, 413);
    assert_eq!(
        rejection.to_string(),
        "the request body exceeds the limit of an outer layer"
    );
    assert_eq!(
        rejection.source().unwrap().to_string(),
        "length limit exceeded"
    );
}

#[tokio::test(start_paused = true)]
async fn the_body_timeout_of_an_outer_layer_is_400_with_its_cause() {
    let slow = Script::new([Step::Hang]);
    let body = TimeoutBody::new(Duration::from_secs(1), slow);
    let calls = Calls::default();
    let service = layer().layer(handler(&calls));
    // As axum does, which boxes the error once more.
    let request = signed(CHANGE, axum_core::body::Body::new(body));
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 400);
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!(rejection.kind(), RejectionKind::BodyIncomplete);
    let cause = rejection.source().unwrap();
    assert_eq!(
        cause.to_string(),
        "data was not received within the designated timeout"
    );
}

// An executor other than tokio has no cooperative budget that would interrupt a body that is always ready.
#[test]
fn endless_empty_frames_do_not_starve_the_deadline_on_a_foreign_executor() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let _inside = runtime.enter();
    let body = Script::new([Step::EmptyForever]);
    let polls = body.polls();
    let service = layer().layer(handler(&Calls::default()));
    let mut answer = pin!(service.oneshot(signed(CHANGE, body)));
    let mut context = Context::from_waker(Waker::noop());

    assert!(answer.as_mut().poll(&mut context).is_pending());
    assert_eq!(polls.count(), 64);
    runtime.block_on(tokio::time::advance(Duration::from_secs(4)));
    let Poll::Ready(Ok(response)) = answer.as_mut().poll(&mut context) else {
        panic!("the deadline has passed");
    };
    assert_eq!(response.status(), 408);
}
