//! ntex has services and bodies of its own: the check alone.

use bytes::Bytes;
use cronofy_webhook::{Delivery, Verifier};
use ntex::http::header::WWW_AUTHENTICATE;
use ntex::web::test::{TestRequest, call_service, init_service};
use ntex::web::types::{Path, State};
use ntex::web::{self, App, HttpRequest, HttpResponse};

use crate::{SECRET, requests};

async fn receive(
    request: HttpRequest,
    account: Path<String>,
    body: ntex::util::Bytes,
    verifier: State<Verifier>,
) -> HttpResponse {
    let signatures = request.headers().get_all("cronofy-hmac-sha256");
    let signatures = signatures.map(|value| value.as_bytes());
    let verified = Delivery::verify_raw(&verifier, signatures, Bytes::copy_from_slice(&body));
    match verified {
        Ok(delivery) => {
            assert_eq!(
                (account.as_str(), delivery.notification().kind()),
                ("42", "change")
            );
            HttpResponse::NoContent().finish()
        }
        Err(rejection) => HttpResponse::Unauthorized()
            .header(WWW_AUTHENTICATE, "Cronofy-HMAC-SHA256")
            .body(rejection.body_text()),
    }
}

#[ntex::test]
async fn only_authentic_deliveries_are_accepted() {
    let app = App::new()
        .state(Verifier::new([SECRET]).unwrap())
        .route("/cronofy/{account}", web::post().to(receive));
    let app = init_service(app).await;
    for (what, request, status) in requests::<Bytes>() {
        let mut sent = TestRequest::post().uri("/cronofy/42");
        for (name, value) in request.headers() {
            sent = sent.header(name.as_str(), value.as_bytes());
        }
        let sent = sent.set_payload(request.body().to_vec()).to_request();
        let response = call_service(&app, sent).await;
        assert_eq!(response.status(), status, "{what}");
    }
}
