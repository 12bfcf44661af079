use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service};
use cronofy_webhook_testing::{Payload, Sender};
use tokio::sync::oneshot;
use tokio::time::{pause, sleep};

use super::*;

/// Sends a request, which is of another release of `http` than actix-web's.
macro_rules! send {
    ($app:expr, $request:expr) => {{
        let request = $request;
        let mut sent = TestRequest::post().uri("/cronofy/42");
        for (name, value) in request.headers() {
            sent = sent.append_header((name.as_str(), value.as_bytes()));
        }
        let sent = sent.set_payload(request.into_body()).to_request();
        call_service($app, sent).await
    }};
}

fn verifier() -> Data<Verifier> {
    Data::new(Verifier::new(["CRN_test"]).unwrap())
}

#[actix_web::test]
async fn only_authentic_deliveries_are_accepted() {
    let app = init_service(App::new().app_data(verifier()).configure(routes)).await;
    let sender = Sender::new("CRN_test");
    for sample in Payload::samples() {
        let response = send!(&app, sender.request::<Bytes>(sample.payload()));
        assert_eq!(
            response.status(),
            StatusCode::NO_CONTENT,
            "{}",
            sample.name()
        );
    }
    for (near_miss, request) in sender.near_misses::<Bytes>(Payload::sample("change")) {
        let response = send!(&app, request);
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{near_miss}");
        let challenge = response.headers().get(WWW_AUTHENTICATE).unwrap();
        assert_eq!(challenge, "Cronofy-HMAC-SHA256");
    }
}

#[actix_web::test]
async fn a_signature_in_a_second_line_of_the_header_counts() {
    let app = init_service(App::new().app_data(verifier()).configure(routes)).await;
    let mut request = Sender::new("CRN_test").request::<Bytes>(Payload::sample("change"));
    let signature = request.headers()["cronofy-hmac-sha256"].clone();
    let headers = request.headers_mut();
    headers.insert("cronofy-hmac-sha256", "another".parse().unwrap());
    headers.append("cronofy-hmac-sha256", signature);
    assert_eq!(send!(&app, request).status(), StatusCode::NO_CONTENT);
}

#[actix_web::test]
async fn a_body_over_the_limit_is_refused() {
    let app = init_service(App::new().app_data(verifier()).configure(routes)).await;
    let request = Sender::new("CRN_test").request::<Bytes>(vec![b' '; BODY_LIMIT + 1]);
    assert_eq!(send!(&app, request).status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[actix_web::test]
async fn a_late_handler_finishes() {
    pause();
    let (done, finished) = oneshot::channel();
    let response = in_time(async {
        sleep(2 * BUDGET).await;
        done.send(()).unwrap();
    });
    assert_eq!(response.await.status(), StatusCode::SERVICE_UNAVAILABLE);
    finished.await.unwrap();
}

#[actix_web::test]
async fn a_handler_whose_client_disconnects_finishes() {
    pause();
    let (done, finished) = oneshot::channel();
    let response = in_time(async {
        sleep(BUDGET / 2).await;
        done.send(()).unwrap();
    });
    timeout(BUDGET / 4, response).await.unwrap_err();
    finished.await.unwrap();
}

#[actix_web::test]
async fn a_panic_is_a_failure() {
    let response = in_time(async { panic!("of the handler") }).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
