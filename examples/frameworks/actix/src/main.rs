//! actix-web, which has types of its own for headers and services: the check alone, without the layer.
//!
//! ```sh
//! cd examples/frameworks
//! CRONOFY_CLIENT_SECRET=CRN_test cargo run -p actix-example
//! ```
//!
//! It listens on `LISTEN` (default: 127.0.0.1:3000) until Ctrl-C. In another terminal, in the root of the repository:
//!
//! ```sh
//! CRONOFY_CLIENT_SECRET=CRN_test cargo run -p cronofy-webhook-cli -- trigger change --to 3000/cronofy/42
//! ```

use std::env;
use std::error::Error;
use std::time::Duration;

use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use actix_web::web::{Bytes, Data, Path, PayloadConfig, ServiceConfig, post};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt};
use cronofy_webhook::{Delivery, Verifier};
use tokio::time::timeout;

/// The size of a body. Notifications have a few hundred bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// How long to wait for the work. Cronofy waits 5 seconds for the response.
const BUDGET: Duration = Duration::from_secs(4);

/// The work itself.
async fn handle(account: String, delivery: Delivery) {
    println!("account {account}: {}", delivery.notification().kind());
}

async fn receive(
    request: HttpRequest,
    account: Path<String>,
    body: Bytes,
    verifier: Data<Verifier>,
) -> HttpResponse {
    let signatures = request.headers().get_all("cronofy-hmac-sha256");
    let signatures = signatures.map(HeaderValue::as_bytes);
    let verified = Delivery::verify_raw(&verifier, signatures, body);
    let delivery = match verified {
        Ok(delivery) => delivery,
        Err(rejection) => {
            eprintln!("rejected: {rejection}");
            return HttpResponse::Unauthorized()
                .insert_header((WWW_AUTHENTICATE, "Cronofy-HMAC-SHA256"))
                .body(rejection.body_text());
        }
    };

    in_time(handle(account.into_inner(), delivery)).await
}

/// Responds within the budget. The work is a task of its own: it goes on when it is late, and when actix-web drops the handler
/// because the client disconnects.
async fn in_time(work: impl Future<Output = ()> + 'static) -> HttpResponse {
    match timeout(BUDGET, rt::spawn(work)).await {
        Ok(Ok(())) => HttpResponse::NoContent().finish(),
        Ok(Err(panic)) => {
            eprintln!("{panic}");
            HttpResponse::InternalServerError().finish()
        }
        // Cronofy retries.
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

fn routes(config: &mut ServiceConfig) {
    config
        .app_data(PayloadConfig::new(BODY_LIMIT))
        .route("/cronofy/{account}", post().to(receive));
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let verifier = Data::new(Verifier::from_env("CRONOFY_CLIENT_SECRET")?);
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let app = move || App::new().app_data(verifier.clone()).configure(routes);
    let server = HttpServer::new(app)
        .bind(&address)
        .map_err(|error| format!("LISTEN={address}: {error}"))?;
    for address in server.addrs() {
        println!("listening on http://{address}/ until Ctrl-C");
    }
    server.run().await?;
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;
