//! The bound on handlers in the background.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::{Background, CronofyWebhookLayer, Overrun, Rejection, RejectionKind};
use http::Request;
use http_body_util::Full;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::log::Log;
use crate::support::{Reply, SIX_SECONDS, genuine, layer};

const PLACES: usize = 100;

/// How many handlers there are at the moment, and how many have finished.
#[derive(Clone, Default)]
struct Handlers(Arc<(AtomicUsize, AtomicUsize)>);

impl Handlers {
    fn running(&self) -> usize {
        self.0.0.load(Ordering::SeqCst)
    }

    fn finished(&self) -> usize {
        self.0.1.load(Ordering::SeqCst)
    }

    /// A service whose handler takes six seconds.
    fn behind(
        &self,
        layer: &CronofyWebhookLayer,
    ) -> impl tower::Service<
        Request<Full<Bytes>>,
        Response = Reply,
        Error = Infallible,
        Future: Send,
    > + Clone
    + use<> {
        let handlers = self.clone();
        layer.layer(service_fn(move |_: Request<Full<Bytes>>| {
            let running = Running::start(&handlers);
            async move {
                sleep(SIX_SECONDS).await;
                running.0.0.1.fetch_add(1, Ordering::SeqCst);
                Ok(Reply::default())
            }
        }))
    }
}

struct Running(Handlers);

impl Running {
    fn start(handlers: &Handlers) -> Self {
        handlers.0.0.fetch_add(1, Ordering::SeqCst);
        Self(handlers.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Starts 2,000 handlers behind two layers that share a background.
fn deliver_2000(overrun: Overrun, background: &Background, handlers: &Handlers) -> JoinSet<Reply> {
    let services =
        [(); 2].map(|()| handlers.behind(&layer().overrun(overrun).background(background.clone())));
    let mut deliveries = JoinSet::new();
    for service in services.iter().cycle().take(2000) {
        let delivery = service.clone().oneshot(genuine());
        deliveries.spawn(async { delivery.await.unwrap() });
    }
    deliveries
}

#[tokio::test(start_paused = true)]
async fn late_handlers_beyond_the_places_of_two_layers_are_dropped() {
    for (overrun, status) in [(Overrun::Finish, 503), (Overrun::Accept, 202)] {
        let (background, handlers) = (Background::max(PLACES), Handlers::default());
        let started = Instant::now();
        let mut deliveries = deliver_2000(overrun, &background, &handlers);
        let mut dropped = 0;
        while let Some(response) = deliveries.join_next().await {
            let response = response.unwrap();
            assert!(background.len() <= PLACES);
            assert_eq!(started.elapsed(), Duration::from_secs(4));
            match response.extensions().get() {
                Some(Overrun::Cancel) => {
                    let rejection: &Rejection = response.extensions().get().unwrap();
                    assert_eq!(rejection.kind(), RejectionKind::HandlerTimeout);
                    assert_eq!(response.status(), 503);
                    dropped += 1;
                }
                policy => {
                    assert_eq!(policy, Some(&overrun));
                    assert_eq!(response.status(), status);
                }
            }
        }
        assert_eq!(dropped, 2000 - PLACES);
        assert_eq!((handlers.running(), background.len()), (PLACES, PLACES));

        background.wait().await;
        assert_eq!(started.elapsed(), SIX_SECONDS);
        assert_eq!((handlers.running(), handlers.finished()), (0, PLACES));
        assert_eq!(background.len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn handlers_beyond_the_places_are_dropped_at_a_disconnect() {
    for overrun in [Overrun::Finish, Overrun::Accept] {
        let (background, handlers) = (Background::max(PLACES), Handlers::default());
        let started = Instant::now();
        let mut deliveries = deliver_2000(overrun, &background, &handlers);
        sleep(Duration::from_secs(1)).await;
        assert_eq!((handlers.running(), background.len()), (2000, 0));

        deliveries.shutdown().await;
        assert_eq!((handlers.running(), background.len()), (PLACES, PLACES));

        background.wait().await;
        assert_eq!(started.elapsed(), SIX_SECONDS);
        assert_eq!((handlers.running(), handlers.finished()), (0, PLACES));
    }
}

#[tokio::test(start_paused = true)]
async fn handlers_without_a_place_are_logged_once_a_minute() {
    let (background, handlers) = (Background::max(1), Handlers::default());
    let service = handlers.behind(&layer().background(background.clone()));
    let (log, _guard) = Log::start();
    for _ in 0..2 {
        let deliveries: Vec<_> = (0..3)
            .map(|_| tokio::spawn(service.clone().oneshot(genuine())))
            .collect();
        for delivery in deliveries {
            assert_eq!(delivery.await.unwrap().unwrap().status(), 503);
        }
        sleep(Duration::from_secs(60)).await;
    }
    let events = log.events();
    let warnings: Vec<_> = events
        .iter()
        .filter(|event| event.message == "handler dropped: no place in the background")
        .map(|event| (event.level, event.field("suppressed")))
        .collect();
    let (warn, debug) = (tracing::Level::WARN, tracing::Level::DEBUG);
    let expected = [
        (warn, Some("0")),
        (debug, None),
        (warn, Some("1")),
        (debug, None),
    ];
    assert_eq!(warnings, expected);
}

#[tokio::test(start_paused = true)]
async fn a_place_is_free_again_when_its_handler_is_gone() {
    let background = Background::max(1);
    let layer = layer().grace(SIX_SECONDS).background(background.clone());
    // One that panics in the background, one that outlives the grace, and one that finishes.
    for (time, panics) in [
        (SIX_SECONDS, true),
        (Duration::MAX, false),
        (SIX_SECONDS, false),
    ] {
        let service = layer.layer(service_fn(move |_: Request<Full<Bytes>>| async move {
            sleep(time).await;
            assert!(!panics, "of the handler");
            Ok::<_, Infallible>(Reply::default())
        }));
        assert_eq!(service.oneshot(genuine()).await.unwrap().status(), 503);
        assert_eq!(background.len(), 1);
        background.wait().await;
        assert_eq!(background.len(), 0);
    }
}

#[tokio::test]
async fn nothing_to_wait_for_is_not_waited_for() {
    Background::default().wait().await;
}

#[tokio::test(start_paused = true)]
async fn a_layer_has_1024_places_of_its_own() {
    let handlers = Handlers::default();
    let layer = layer();
    let service = handlers.behind(&layer);
    let mut deliveries = JoinSet::new();
    for _ in 0..1100 {
        deliveries.spawn(service.clone().oneshot(genuine()));
    }
    deliveries.join_all().await;
    assert_eq!(handlers.running(), 1024);
    assert!(format!("{layer:?}").contains("Background { max: 1024, len: 1024 }"));
}

#[test]
#[should_panic(expected = "set a number of places, or Overrun::Cancel")]
fn a_background_without_places_panics_at_construction() {
    let _ = Background::max(0);
}
