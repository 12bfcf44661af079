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

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use cronofy_webhook::{Background, CronofyWebhookLayer, Notification, Verifier};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

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
    let layer = CronofyWebhookLayer::from_verifier(verifier).background(background.clone());
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

    axum::serve(listener, app)
        .with_graceful_shutdown(stop())
        .await?;

    // Late handlers, and those whose client disconnected, still run in the background.
    background.wait().await;
    Ok(())
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
