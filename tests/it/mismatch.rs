//! `CronofyWebhookLayer::on_mismatch`.

use std::sync::{Arc, Mutex};

use cronofy_webhook::signature::HEADER;
use cronofy_webhook::{CronofyWebhookLayer, RejectionKind};
use http::{Request, StatusCode};
use http_body_util::Full;
use tower::{Layer as _, ServiceExt as _};
use tracing::Level;

use crate::log::Log;
use crate::support::{CHANGE, Calls, forged, genuine, handler, layer, text, unsigned};

/// Each call of a hook, in its own words.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn add(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn malformed() -> Request<Full<bytes::Bytes>> {
    let mut request = genuine();
    request.headers_mut().insert(HEADER, "abc".parse().unwrap());
    request
}

async fn deliver(layer: &CronofyWebhookLayer, request: Request<Full<bytes::Bytes>>) -> StatusCode {
    let service = layer.layer(handler(&Calls::default()));
    service.oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn the_hook_is_called_for_a_mismatch_and_a_malformed_signature_alone() {
    let seen = Seen::default();
    let hook = seen.clone();
    let layer =
        layer().on_mismatch(move |mismatch| hook.add(mismatch.rejection().kind().to_string()));

    for (request, status, kinds) in [
        (forged(), 401, &["signature_mismatch"][..]),
        (malformed(), 401, &["signature_malformed"]),
        (unsigned(), 401, &[]),
        (genuine(), 200, &[]),
    ] {
        assert_eq!(deliver(&layer, request).await, status);
        assert_eq!(seen.take(), kinds);
    }
}

#[tokio::test]
async fn the_hook_sees_the_request_as_it_was_received() {
    let seen = Seen::default();
    let hook = seen.clone();
    let layer = layer().on_mismatch(move |mismatch| {
        assert_eq!(mismatch.uri().path(), "/cronofy/42");
        assert_eq!(mismatch.body(), CHANGE);
        assert_eq!(
            mismatch.rejection().kind(),
            RejectionKind::SignatureMismatch
        );
        assert!(
            mismatch
                .verifier()
                .verify(mismatch.headers(), b"another body")
                .is_ok()
        );
        hook.add(format!("{mismatch:?}"));
    });
    assert_eq!(deliver(&layer, forged()).await, 401);
    let debug = seen.take();
    assert!(debug[0].starts_with("Mismatch { rejection: "), "{debug:?}");
    for private in [
        "/cronofy/42",
        "callback_url",
        HEADER.as_str(),
        "application/json",
        "CRN_",
    ] {
        assert!(!debug[0].contains(private), "{private} in {debug:?}");
    }
}

#[tokio::test]
async fn the_response_is_the_same_with_a_hook_that_panics() {
    let response = async |layer: CronofyWebhookLayer| {
        let calls = Calls::default();
        let response = layer
            .layer(handler(&calls))
            .oneshot(forged())
            .await
            .unwrap();
        assert_eq!(calls.count(), 0);
        let (status, headers) = (response.status(), response.headers().clone());
        (status, headers, text(response).await)
    };
    let without = response(layer()).await;
    assert_eq!(without.0, StatusCode::UNAUTHORIZED);

    let (log, _guard) = Log::start();
    let with = response(layer().on_mismatch(|_| panic!("in the hook"))).await;
    assert_eq!(with, without);
    let events = log.events();
    assert!(
        events
            .iter()
            .any(|event| event.level == Level::ERROR && event.message.contains("on_mismatch")),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_later_hook_replaces_the_former() {
    let seen = Seen::default();
    let (first, second) = (seen.clone(), seen.clone());
    let layer = layer()
        .on_mismatch(move |_| first.add("first".to_owned()))
        .on_mismatch(move |_| second.add("second".to_owned()));
    assert_eq!(deliver(&layer, forged()).await, 401);
    assert_eq!(seen.take(), ["second"]);
}
