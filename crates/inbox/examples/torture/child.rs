//! The process that is tortured: as the example `receiver`, with work that is sometimes slow, fails, panics or blocks its
//! thread, and with faults.

use std::env;
use std::error::Error;
use std::io;
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use cronofy_webhook::{CronofyWebhookLayer, Delivery};
use cronofy_webhook_inbox::{Inbox, Job, OpenError, PutError};
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::block_in_place;
use tokio::time::sleep;
use tower::service_fn;
use tracing_subscriber::EnvFilter;

use crate::{LEASE, SECRET, service};

/// The variables in which the settings are passed.
pub(crate) const LISTEN: &str = "TORTURE_LISTEN";
pub(crate) const WORKS: &str = "TORTURE_WORKS";
pub(crate) const STORE: &str = "TORTURE_STORE";
pub(crate) const FAULT: &str = "CRONOFY_INBOX_FAULT";

async fn receive(
    State(inbox): State<Inbox>,
    Path(account): Path<String>,
    delivery: Delivery,
) -> Result<StatusCode, PutError> {
    inbox.put(account, &delivery).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A fault: the answer does not wait for the commit.
async fn ack_before_commit(
    State(inbox): State<Inbox>,
    Path(account): Path<String>,
    delivery: Delivery,
) -> StatusCode {
    tokio::spawn(async move { inbox.put(account, &delivery).await });
    StatusCode::NO_CONTENT
}

/// A fault.
async fn store_nothing(_: Delivery) -> StatusCode {
    StatusCode::NO_CONTENT
}

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("error"))
        .with_ansi(false)
        .with_writer(io::stderr)
        .init();
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve())
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let inbox = open(&env::var(STORE)?).await?;
    let (stop_worker, stopped) = oneshot::channel::<()>();
    let worker = match env::var(WORKS)?.as_str() {
        "true" => Some(tokio::spawn(run_jobs(inbox.clone(), stopped))),
        _ => None,
    };
    match env::var(LISTEN)?.as_str() {
        "" => drop(terminate.recv().await),
        address => {
            let listener = TcpListener::bind(address).await?;
            axum::serve(listener, app(&inbox))
                .with_graceful_shutdown(async move {
                    terminate.recv().await;
                })
                .await?;
        }
    }
    drop(stop_worker);
    if let Some(worker) = worker {
        worker.await?.map_err(|error| error.to_string())?;
    }
    inbox.close().await;
    Ok(())
}

/// The server may just be restarting.
async fn open(url: &str) -> Result<Inbox, OpenError> {
    loop {
        match Inbox::open(url).await {
            Err(OpenError::Unreachable(_)) => sleep(Duration::from_millis(20)).await,
            opened => return opened,
        }
    }
}

fn app(inbox: &Inbox) -> Router {
    let route = match env::var(FAULT).as_deref() {
        Ok("ack-before-commit") => post(ack_before_commit),
        Ok("stores-nothing") => post(store_nothing),
        _ => post(receive),
    };
    let layer = CronofyWebhookLayer::new(SECRET);
    Router::new()
        .route("/cronofy/{account}", route.layer(layer))
        .with_state(inbox.clone())
}

async fn run_jobs(
    inbox: Inbox,
    stopped: oneshot::Receiver<()>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    inbox
        .worker(service_fn(|job: Job| {
            let channel = job.notification().channel();
            let work = match channel.map(|channel| channel.channel_id.as_str()) {
                Some(id) if id.starts_with("cold") => work(25, 5_000),
                Some(id) if id.starts_with("other") => work(0, 0),
                _ => work(10, 2_000),
            };
            service::handle(job, work)
        }))
        .concurrency(100)
        .lease(LEASE)
        .backoff(|_, _| Duration::from_millis(fastrand::u64(0..200)))
        .run_until(async { drop(stopped.await) })
        .await
}

/// Mostly short; `blocks` of 100 block their thread, for so many milliseconds at most: such a job cannot be dropped, and
/// outlives its lease if the process is stopped.
async fn work(blocks: u8, longest: u64) -> Result<(), Box<dyn Error + Send + Sync>> {
    let millis = |range| Duration::from_millis(fastrand::u64(range));
    if fastrand::u8(0..100) < blocks {
        block_in_place(|| thread::sleep(millis(500..longest)));
    }
    match fastrand::u8(0..100) {
        0..30 if blocks > 0 => sleep(millis(50..300)).await,
        30..35 => return Err("a failure".into()),
        35 => panic!("a panic"),
        _ => sleep(millis(0..10)).await,
    }
    Ok(())
}
