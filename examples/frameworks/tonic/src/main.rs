//! tonic beside axum: gRPC and Cronofy's notifications on one port.
//!
//! ```sh
//! cd examples/frameworks
//! CRONOFY_CLIENT_SECRET=CRN_test cargo run -p tonic-example
//! ```
//!
//! It listens on `LISTEN` (default: 127.0.0.1:3000) until Ctrl-C. In another terminal, in the root of the repository:
//!
//! ```sh
//! CRONOFY_CLIENT_SECRET=CRN_test cargo run -p cronofy-webhook-cli -- trigger change --to 3000/cronofy/42
//! ```

use std::env;
use std::error::Error;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::post;
use cronofy_webhook::{CronofyWebhookLayer, Notification, Verifier};
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic_health::server::health_reporter;

async fn receive(Path(account): Path<String>, notification: Notification) -> StatusCode {
    println!("account {account}: {}", notification.kind());
    StatusCode::NO_CONTENT
}

fn app(verifier: Verifier) -> Router {
    // Any service that tonic generates; this one comes with tonic-health.
    let (_, health) = health_reporter();
    let layer = CronofyWebhookLayer::from_verifier(verifier);
    // On the route: gRPC calls, and unknown ones, do not pass the layer.
    let cronofy = Router::new().route("/cronofy/{account}", post(receive).layer(layer));
    Routes::new(health).into_axum_router().merge(cronofy)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let app = app(Verifier::from_env("CRONOFY_CLIENT_SECRET")?);
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("LISTEN={address}: {error}"))?;
    println!(
        "listening on http://{}/ until Ctrl-C",
        listener.local_addr()?
    );
    axum::serve(listener, app).await?;
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;
