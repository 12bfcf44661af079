//! TLS as Cronofy wants it, without a proxy: the full chain, TLS 1.2 and 1.3, HTTP/1.1 and HTTP/2, and a certificate that is
//! replaced without a restart.
//!
//! ```sh
//! cd examples/frameworks
//! CRONOFY_CLIENT_SECRET=CRN_test CERTIFICATES=fullchain.pem KEY=privkey.pem cargo run -p tls-example
//! ```
//!
//! | variable | |
//! |---|---|
//! | `CRONOFY_CLIENT_SECRET` | the client secret; several, separated by commas, while rotating |
//! | `CERTIFICATES` | a PEM file with the certificate and all intermediate ones (`fullchain.pem` of an ACME client) |
//! | `KEY` | a PEM file with the private key |
//! | `LISTEN` | the address to listen on; `127.0.0.1:3443` if absent |

mod certificate;

use std::env;
use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::post;
use cronofy_webhook::{CronofyWebhookLayer, Notification, Verifier};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use self::certificate::Certificate;

/// How long a client may take for the handshake, and then for the head of a request over HTTP/1.1. For one over HTTP/2 hyper has
/// no limit.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait after `accept` failed: out of file descriptors, for example.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

async fn receive(Path(account): Path<String>, notification: Notification) -> StatusCode {
    println!("account {account}: {}", notification.kind());
    StatusCode::NO_CONTENT
}

fn app(verifier: Verifier) -> Router {
    let layer = CronofyWebhookLayer::from_verifier(verifier);
    Router::new().route("/cronofy/{account}", post(receive).layer(layer))
}

async fn serve(listener: TcpListener, mut certificate: Certificate, app: Router) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // In a task, as a slow handshake must not keep other clients waiting.
                let (config, app) = (certificate.current(), app.clone());
                tokio::spawn(async move {
                    if let Err(error) = serve_connection(stream, config, app).await {
                        eprintln!("connection: {error}");
                    }
                });
            }
            Err(error) => {
                eprintln!("accept: {error}");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve_connection(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    app: Router,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let handshake = TlsAcceptor::from(config).accept(stream);
    let stream = timeout(CLIENT_TIMEOUT, handshake)
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;

    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(CLIENT_TIMEOUT);
    // Otherwise it waits without a limit for the bytes that tell the version.
    let server = match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => server.http2_only(),
        _ => server.http1_only(),
    };
    let service = TowerToHyperService::new(app);
    server.serve_connection(TokioIo::new(stream), service).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .ok_or(format!("{name} is not set"))
    };
    let certificate = Certificate::open(path("CERTIFICATES")?, path("KEY")?)?;
    let app = app(Verifier::from_env("CRONOFY_CLIENT_SECRET")?);
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3443".to_owned());
    // Nothing listens for plain HTTP: a redirect would come after the notification was sent without encryption.
    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("LISTEN={address}: {error}"))?;
    println!("listening on https://{}/", listener.local_addr()?);
    serve(listener, certificate, app).await;
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;
