//! What is the same for both peers: the route, and what their worker calls.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use apalis::prelude::{Data, TaskSink, WorkerContext};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use cronofy_webhook::{CronofyWebhookLayer, Delivery, Notification};

use crate::load::{SECRET, change};

/// An account, and the body that was received for it.
pub(crate) type Job = (String, String);

pub(crate) fn route<S, Kind>(storage: S) -> Router
where
    S: TaskSink<Job, Kind> + Clone + Send + Sync + 'static,
    Kind: 'static,
{
    Router::new()
        .route(
            "/cronofy/{account}",
            post(push::<S, Kind>).layer(CronofyWebhookLayer::new(SECRET)),
        )
        .with_state(storage)
}

async fn push<S, Kind>(
    State(mut storage): State<S>,
    Path(account): Path<String>,
    delivery: Delivery,
) -> StatusCode
where
    S: TaskSink<Job, Kind>,
{
    let body = str::from_utf8(delivery.body()).unwrap().to_owned();
    match storage.push((account, body)).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Jobs of so many accounts.
pub(crate) fn jobs(count: u64) -> Vec<Job> {
    let body = str::from_utf8(&change()).unwrap().to_owned();
    let accounts = (0..count).map(|account| account.to_string());
    accounts.map(|account| (account, body.clone())).collect()
}

/// How many jobs wait. The worker counts down.
pub(crate) type Waiting = Arc<AtomicU64>;

/// How many jobs a worker takes and completes in a second, while there are any.
pub(crate) async fn runs(jobs: u64, time: Duration, worker: impl AsyncFnOnce(Waiting)) -> f64 {
    let waiting = Waiting::new(jobs.into());
    let started = Instant::now();
    // An error: there were more jobs than the worker could complete.
    let _ = tokio::time::timeout(time, worker(Arc::clone(&waiting))).await;
    let runs = jobs - waiting.load(Ordering::Relaxed);
    runs as f64 / started.elapsed().as_secs_f64()
}

/// Parses the notification, as the worker of the inbox does, and stops the worker after the last job.
pub(crate) async fn run((_, body): Job, waiting: Data<Waiting>, worker: WorkerContext) {
    black_box(Notification::from_slice(body.as_bytes()));
    if waiting.fetch_sub(1, Ordering::Relaxed) == 1 {
        worker.stop().unwrap();
    }
}
