//! rocket has types of its own: the check alone, in a guard for the body.

use cronofy_webhook::{Delivery, Verifier};
use rocket::data::{Data, FromData, Outcome, ToByteUnit as _};
use rocket::http::{Header, Status};
use rocket::local::asynchronous::Client;
use rocket::{Build, Request, Rocket, State, async_trait, post, routes};

use crate::{SECRET, requests};

/// A delivery whose signature was checked.
struct Signed(Delivery);

#[async_trait]
impl<'r> FromData<'r> for Signed {
    type Error = &'static str;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        let verifier: &State<Verifier> = request.guard().await.unwrap();
        let body = match data.open(64.kibibytes()).into_bytes().await {
            Ok(body) if body.is_complete() => body.into_inner(),
            Ok(_) => return Outcome::Error((Status::PayloadTooLarge, "the body is too large")),
            Err(_) => return Outcome::Error((Status::BadRequest, "the body ended early")),
        };
        let signatures = request.headers().get("cronofy-hmac-sha256");
        let verified = Delivery::verify_raw(verifier, signatures, body.into());
        match verified {
            Ok(delivery) => Outcome::Success(Self(delivery)),
            Err(rejection) => Outcome::Error((Status::Unauthorized, rejection.body_text())),
        }
    }
}

#[post("/cronofy/<account>", data = "<signed>")]
fn receive(account: &str, signed: Signed) -> Status {
    assert_eq!((account, signed.0.notification().kind()), ("42", "change"));
    Status::NoContent
}

fn app() -> Rocket<Build> {
    rocket::build()
        .manage(Verifier::new([SECRET]).unwrap())
        .mount("/", routes![receive])
}

async fn send(client: &Client, request: http::Request<Vec<u8>>) -> u16 {
    let mut sent = client.post(request.uri().to_string());
    for (name, value) in request.headers() {
        sent.add_header(Header::new(
            name.to_string(),
            value.to_str().unwrap().to_owned(),
        ));
    }
    sent.body(request.body()).dispatch().await.status().code
}

#[rocket::async_test]
async fn only_authentic_deliveries_are_accepted() {
    let client = Client::untracked(app()).await.unwrap();
    for (what, request, status) in requests::<bytes::Bytes>() {
        assert_eq!(
            send(&client, request.map(Vec::from)).await,
            status,
            "{what}"
        );
    }
}

#[rocket::async_test]
async fn a_body_over_the_limit_is_refused() {
    let client = Client::untracked(app()).await.unwrap();
    let request = crate::sender().request::<bytes::Bytes>(vec![b' '; 64 * 1024 + 1]);
    assert_eq!(send(&client, request.map(Vec::from)).await, 413);
}
