//! The smallest real service: secrets from the environment, the account from the path, a shutdown that loses nothing.
//!
//! ```sh
//! CRONOFY_CLIENT_SECRET=CRN_… cargo run --example axum
//! ```
//!
//! | variable | |
//! |---|---|
//! | `CRONOFY_CLIENT_SECRET` | the client secret; several, separated by commas, while rotating |
//! | `LISTEN` | the address to listen on; `127.0.0.1:3000` if absent |
//! | `RUST_LOG` | which events to print, with the feature `tracing`; `info` if absent |

use std::env;
use std::error::Error;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::post;
use cronofy_webhook::{CronofyWebhookLayer, Notification, Verifier};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use tracing_subscriber::EnvFilter;

async fn receive(Path(account): Path<String>, notification: Notification) -> StatusCode {
    match notification {
        Notification::Change(change) => {
            println!("account {account}: changed since {}", change.changes_since);
        }
        Notification::Unknown(unknown) => {
            println!("account {account}: not understood: {}", unknown.reason());
        }
        other => println!("account {account}: {}", other.kind()),
    }
    // Whatever is authentic is answered with success: Cronofy would deliver it again, and close the channel in the end.
    StatusCode::NO_CONTENT
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();

    let secrets = env::var("CRONOFY_CLIENT_SECRET")
        .map_err(|error| format!("CRONOFY_CLIENT_SECRET: {error}"))?;
    let verifier = Verifier::new(secrets.split(',').map(str::trim))
        .map_err(|error| format!("CRONOFY_CLIENT_SECRET: {error}"))?;
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());

    let background = TaskTracker::new();
    let layer = CronofyWebhookLayer::from_verifier(verifier).task_tracker(background.clone());
    let app = Router::new()
        .route("/cronofy/{account}", post(receive))
        .layer(layer);

    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("LISTEN={address}: {error}"))?;
    println!(
        "listening on http://{}/cronofy/{{account}}",
        listener.local_addr()?
    );

    axum::serve(listener, app)
        .with_graceful_shutdown(stop())
        .await?;

    // Handlers that were late, or whose sender hung up, are still at work.
    background.close();
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
