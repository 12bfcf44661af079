//! A complete receiver: it stores each notification, answers, and processes it later.
//!
//! ```sh
//! CRONOFY_CLIENT_SECRET=CRN_test cargo run -p cronofy-webhook-inbox --example receiver
//! ```
//!
//! It listens until Ctrl-C or SIGTERM. Then it takes no more jobs, and ends when those that run are done, after 30 seconds at the
//! latest. In another terminal:
//!
//! ```sh
//! CRONOFY_CLIENT_SECRET=CRN_test cargo run -p cronofy-webhook-cli -- trigger change --to 3000/cronofy/42
//! ```
//!
//! | variable | |
//! |---|---|
//! | `CRONOFY_CLIENT_SECRET` | the client secret; several, separated by commas, while rotating |
//! | `LISTEN` | the address to listen on; `127.0.0.1:3000` if absent |
//! | `INBOX` | the URL of the inbox; `sqlite:cronofy-inbox.db` if absent |
//! | `PUBLIC_URL` | if set, deliveries that were made for another URL are refused: `https://receiver.example`, for example |
//! | `WORK_MS` | how long a job takes, in milliseconds; 0 if absent |
//! | `CONCURRENCY` | how many jobs run at the same time; 8 if absent |
//! | `LEASE_MS` | the lease of a job, in milliseconds; 30,000 if absent |
//! | `RUST_LOG` | which events to print, on standard error; `info` if absent |
//!
//! Each job prints `begin run=… account=… key=… kind=… since=… attempt=… merged=…`, and then `done run=…` or
//! `failed run=…`, which is also that of a run that was dropped. Accounts and keys are percent-encoded.

mod server;
mod service;

use std::env::{self, VarError};
use std::error::Error;
use std::io;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use cronofy_webhook::{Background, CronofyWebhookLayer, Delivery, Verifier};
use cronofy_webhook_inbox::{Inbox, Job, PutError};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower::service_fn;
use tracing_subscriber::EnvFilter;

use self::server::BUDGET;

/// A real service looks the account up first: Cronofy does not sign the URL.
async fn receive(
    State(inbox): State<Inbox>,
    Path(account): Path<String>,
    delivery: Delivery,
) -> Result<StatusCode, PutError> {
    inbox.put(account, &delivery).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stands for the real work: for a `change`, to read the account's events with `changes_since` as `last_modified`.
async fn sync(work: Duration) -> Result<(), Box<dyn Error + Send + Sync>> {
    tokio::time::sleep(work).await;
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprint!(": {error}");
                cause = error.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let verifier = Verifier::from_env("CRONOFY_CLIENT_SECRET")?;
    let address = setting("LISTEN", "127.0.0.1:3000".to_owned())?;
    let url = setting("INBOX", "sqlite:cronofy-inbox.db".to_owned())?;
    let work = Duration::from_millis(setting("WORK_MS", 0)?);
    let concurrency = setting("CONCURRENCY", 8)?;
    let lease = Duration::from_millis(setting("LEASE_MS", 30_000)?);

    let inbox = Inbox::open(url).await?;
    let background = Background::new();
    let mut layer = CronofyWebhookLayer::from_verifier(verifier)
        .budget(BUDGET)
        .background(background.clone());
    if let Ok(url) = env::var("PUBLIC_URL") {
        layer = layer.public_url(url.parse()?);
    }
    let app = Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/cronofy/{account}", post(receive).layer(layer))
        .with_state(inbox.clone());
    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("LISTEN={address}: {error}"))?;

    let (stop_worker, stopped) = oneshot::channel::<()>();
    let worker = inbox
        .worker(service_fn(move |job: Job| service::handle(job, sync(work))))
        .concurrency(concurrency)
        .lease(lease)
        .run_until(async { drop(stopped.await) });
    let worker = tokio::spawn(worker);

    eprintln!(
        "listening on http://{}/cronofy/{{account}} until Ctrl-C",
        listener.local_addr()?
    );
    // From the signal on the worker takes nothing more, also while the server still answers.
    let stop = async {
        server::signalled().await;
        drop(stop_worker);
    };
    // In this order: no more deliveries, those under way are stored, jobs that run are done, the file is closed.
    server::serve(listener, app, stop).await;
    background.wait().await;
    worker.await?.map_err(|error| error.to_string())?;
    inbox.close().await;
    Ok(())
}

/// The value of a variable, or the default if it is absent.
fn setting<T: FromStr<Err: std::fmt::Display>>(name: &str, default: T) -> Result<T, String> {
    match env::var(name) {
        Ok(value) => value
            .parse()
            .map_err(|error| format!("{name}={value}: {error}")),
        Err(VarError::NotPresent) => Ok(default),
        Err(error) => Err(format!("{name}: {error}")),
    }
}
