//! Jobs that are stored and run without HTTP.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cronofy_webhook_inbox::{Inbox, Job};
use cronofy_webhook_testing::Sender;
use tokio::task::JoinSet;
use tower::service_fn;

use crate::load::{SECRET, change};

/// Stores jobs of so many accounts.
pub(crate) async fn put(inbox: &Inbox, jobs: u64) {
    let delivery = Sender::new(SECRET).delivery(change());
    let mut putting = JoinSet::new();
    for account in 0..jobs {
        let (inbox, delivery) = (inbox.clone(), delivery.clone());
        putting.spawn(async move { inbox.put(account.to_string(), &delivery).await.unwrap() });
        if putting.len() >= 256 {
            putting.join_next().await.unwrap().unwrap();
        }
    }
    putting.join_all().await;
}

/// How many jobs a worker with its defaults takes and completes in a second, while there are any.
pub(crate) async fn runs(inbox: &Inbox, time: Duration) -> f64 {
    let runs = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&runs);
    let service = service_fn(move |_: Job| {
        counted.fetch_add(1, Ordering::Relaxed);
        ready(Ok::<_, Infallible>(()))
    });
    let started = Instant::now();
    let worker = inbox.worker(service).run_until_idle();
    // What a timeout drops is released.
    let _ = tokio::time::timeout(time, worker).await;
    runs.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
}
