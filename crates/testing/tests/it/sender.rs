//! Signed requests, and requests that are almost authentic.

use bytes::Bytes;
use cronofy_webhook::{CronofyWebhookLayer, Delivery, Verifier};
use cronofy_webhook_testing::{NearMiss, Payload, Sender};
use http_body_util::Full;
use tower::{Layer as _, ServiceExt as _};

use crate::support::{Calls, OTHER_SECRET, SECRET, handler};

#[tokio::test]
async fn near_misses_are_refused() {
    let senders = [
        (Sender::new(SECRET), Verifier::new([SECRET]).unwrap()),
        (
            Sender::from_verifier(Verifier::new([SECRET, OTHER_SECRET]).unwrap()),
            Verifier::new([OTHER_SECRET, SECRET]).unwrap(),
        ),
    ];
    for (sender, verifier) in senders {
        for sample in Payload::samples() {
            let body: Bytes = sample.payload().into();
            let calls = Calls::default();
            let service = CronofyWebhookLayer::new(SECRET).layer(handler(&calls));
            let genuine = sender.request::<Full<Bytes>>(body.clone());
            assert_eq!(
                service.clone().oneshot(genuine).await.unwrap().status(),
                200
            );
            let misses = sender.near_misses::<Full<Bytes>>(body.clone());
            assert_eq!(misses.len(), 8);
            for (miss, request) in misses {
                assert_eq!(
                    service.clone().oneshot(request).await.unwrap().status(),
                    401,
                    "{miss}"
                );
            }
            for (miss, request) in sender.near_misses::<Bytes>(body) {
                assert!(
                    Delivery::verify(&verifier, request.headers(), request.body().clone()).is_err(),
                    "{miss}"
                );
            }
            assert_eq!(calls.count(), 1);
        }
    }
}

#[test]
fn near_misses_of_an_empty_body_differ_from_it() {
    let verifier = Verifier::new([SECRET]).unwrap();
    let misses = Sender::from_verifier(verifier.clone()).near_misses::<Bytes>(Bytes::new());
    assert_eq!(misses.len(), 6);
    for (miss, request) in misses {
        assert_ne!(miss, NearMiss::Reserialised);
        assert!(
            verifier.verify(request.headers(), request.body()).is_err(),
            "{miss}"
        );
    }
}

#[test]
fn a_url_is_sent_as_a_server_receives_it() {
    let request = Sender::new(SECRET)
        .to("https://a.example:8443/x?y=1")
        .request::<Bytes>("{}");
    assert_eq!(request.uri(), "/x?y=1");
    assert_eq!(request.headers()["host"], "a.example:8443");
    assert_eq!(
        request.headers()["content-type"],
        "application/json; charset=utf-8"
    );
}
