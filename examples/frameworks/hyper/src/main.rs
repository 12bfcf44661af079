//! Without axum: hyper's server and a Tower service.
//!
//! ```sh
//! cd examples/frameworks
//! CRONOFY_CLIENT_SECRET=CRN_test cargo run -p hyper-example
//! ```
//!
//! It listens on `LISTEN` (default: 127.0.0.1:3000) until Ctrl-C. In another terminal, in the root of the repository:
//!
//! ```sh
//! CRONOFY_CLIENT_SECRET=CRN_test cargo run -p cronofy-webhook-cli -- trigger change --to 3000/cronofy/42
//! ```

use std::convert::Infallible;
use std::env;
use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::{CronofyWebhookLayer, Delivery, MaybeBuffered, Verifier};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tower::ServiceBuilder;

/// How long a client may take to send the head of a request.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait after `accept` failed.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

async fn receive(
    request: Request<MaybeBuffered<Incoming>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let delivery: &Delivery = request.extensions().get().expect("behind the layer");
    println!(
        "{}: {}",
        request.uri().path(),
        delivery.notification().kind()
    );

    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

async fn serve(listener: TcpListener, verifier: Verifier) {
    let service = ServiceBuilder::new()
        // The layer makes the body that it passes on from bytes, which hyper's `Incoming` cannot be made from.
        .map_request(|request: Request<Incoming>| request.map(MaybeBuffered::new))
        .layer(CronofyWebhookLayer::from_verifier(verifier))
        .service_fn(receive);

    // `hyper_util`'s `auto`, which serves HTTP/2 as well, waits without a limit for the bytes that tell the version.
    let mut server = http1::Builder::new();
    // hyper has a default for the timeout, but does not apply it without a timer.
    server
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ_TIMEOUT);
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, for example: without the pause, this loop would occupy a core.
                eprintln!("accept: {error}");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(service.clone());
        let server = server.clone();
        tokio::spawn(async move {
            if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
                eprintln!("connection: {error}");
            }
        });
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let verifier = Verifier::from_env("CRONOFY_CLIENT_SECRET")?;
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("LISTEN={address}: {error}"))?;
    println!(
        "listening on http://{}/ until Ctrl-C",
        listener.local_addr()?
    );
    serve(listener, verifier).await;
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;
