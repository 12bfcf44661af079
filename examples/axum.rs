//! A complete axum service: secrets from the environment, the account from the path, a graceful shutdown.
//!
//! ```sh
//! CRONOFY_CLIENT_SECRET=CRN_test cargo run --example axum
//! ```
//!
//! It listens until Ctrl-C. In another terminal:
//!
//! ```sh
//! CRONOFY_CLIENT_SECRET=CRN_test cargo run -p cronofy-webhook-cli -- trigger change --to 3000/cronofy/42
//! ```
//!
//! | variable | |
//! |---|---|
//! | `CRONOFY_CLIENT_SECRET` | the client secret; several, separated by commas, while rotating |
//! | `LISTEN` | the address to listen on; `127.0.0.1:3000` if absent |
//! | `RUST_LOG` | which events to print; `info` if absent |

use std::env;
use std::error::Error;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::serve::Listener;
use cronofy_webhook::{Background, CronofyWebhookLayer, Notification, Verifier};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing_subscriber::EnvFilter;

/// How long the response to a delivery may take.
const BUDGET: Duration = Duration::from_secs(4);
/// How long a late handler may run in the background.
const GRACE: Duration = Duration::from_secs(30);
/// How long a client may take for the head of a request. It includes the time that a connection is idle, so it is longer than
/// proxies keep one: 60 s for nginx and AWS.
pub(crate) const HEAD: Duration = Duration::from_secs(75);

async fn receive(Path(account): Path<String>, notification: Notification) -> StatusCode {
    match notification {
        Notification::Change(change) => {
            println!("account {account}: changed since {}", change.changes_since);
        }
        Notification::Unknown(unknown) => {
            println!("account {account}: unknown: {}", unknown.reason());
        }
        other => println!("account {account}: {}", other.kind()),
    }
    // Acknowledge every authentic delivery: Cronofy retries what is not, and closes the channel after 24 hours.
    StatusCode::NO_CONTENT
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();

    let verifier = Verifier::from_env("CRONOFY_CLIENT_SECRET")?;
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());

    let background = Background::new();
    let layer = CronofyWebhookLayer::from_verifier(verifier)
        .budget(BUDGET)
        .grace(GRACE)
        .background(background.clone());
    // On the route: on the `Router`, the layer would guard `/health` too.
    let app = Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/cronofy/{account}", post(receive).layer(layer));

    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("LISTEN={address}: {error}"))?;
    let address = listener.local_addr()?;
    println!(
        "listening on http://{address}/cronofy/{{account}} until Ctrl-C; in another terminal:\n\
         cargo run -p cronofy-webhook-cli -- trigger change --to http://{address}/cronofy/42"
    );

    serve(listener, app, stop(), BUDGET + Duration::from_secs(1)).await;

    // Late handlers, and those whose client disconnected, still run in the background.
    if timeout(GRACE, background.wait()).await.is_err() {
        println!("{} handlers have not ended", background.len());
    }
    Ok(())
}

/// Serves until `stop` completes, and then for at most `limit` the requests that had begun.
///
/// `axum::serve` has no limit for the head of a request, nor for its graceful shutdown: a client that sends half a head holds it
/// up for as long as it likes.
pub(crate) async fn serve(
    mut listener: TcpListener,
    app: Router,
    stop: impl Future,
    limit: Duration,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            biased;
            _ = &mut stop => break,
            Some(_) = connections.join_next() => {}
            (stream, _) = Listener::accept(&mut listener) => {
                let service = TowerToHyperService::new(app.clone());
                let connection = http.serve_connection(TokioIo::new(stream), service);
                connections.spawn(graceful.watch(connection));
            }
        }
    }
    drop(listener);
    // What is left then is dropped, as if the client had disconnected.
    let _ = timeout(limit, graceful.shutdown()).await;
    connections.shutdown().await;
}

/// Waits for SIGINT (Ctrl-C) or SIGTERM.
async fn stop() {
    #[cfg(unix)]
    let terminate = async {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate())
            .expect("can listen for SIGTERM")
            .recv()
            .await;
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();

    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt.expect("can listen for SIGINT"),
        () = terminate => {}
    }
    println!("stopping");
}
