//! Receives notifications, and runs the worker.

use std::error::Error;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use cronofy_webhook::{Background, CronofyWebhookLayer, Delivery, PublicUrl, Verifier};
use cronofy_webhook_inbox::{Inbox, Job, PutError};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower::service_fn;

use crate::accounts::Accounts;
use crate::event_sync::{EventSync, SyncError};
use crate::server;

/// What the handler uses.
#[derive(Clone)]
struct Receiver {
    inbox: Inbox,
    accounts: Accounts,
}

/// The signature does not cover the URL, so the account is looked up. If it is not there, Cronofy closes the channel after
/// 24 hours of attempts.
async fn receive(
    State(receiver): State<Receiver>,
    Path(account): Path<String>,
    delivery: Delivery,
) -> Result<StatusCode, PutError> {
    if receiver.accounts.get(&account).is_none() {
        return Ok(StatusCode::NOT_FOUND);
    }
    receiver.inbox.put(account, &delivery).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Accepts what Cronofy has signed, and has sent to `<public_url>/cronofy/<account>`.
fn router(layer: CronofyWebhookLayer, inbox: Inbox, accounts: Accounts) -> Router {
    Router::new()
        .route("/cronofy/{account}", post(receive).layer(layer))
        .with_state(Receiver { inbox, accounts })
}

/// Receives until `stop` completes. Then takes no more jobs, and ends when those that run are done.
pub(crate) async fn serve(
    listener: TcpListener,
    verifier: Verifier,
    public_url: PublicUrl,
    inbox: Inbox,
    sync: EventSync,
    stop: impl Future<Output = ()>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let background = Background::new();
    let layer = CronofyWebhookLayer::from_verifier(verifier)
        .public_url(public_url)
        .budget(server::BUDGET)
        .background(background.clone());
    let app = router(layer, inbox.clone(), sync.accounts.clone());

    let (stop_worker, stopped) = oneshot::channel::<()>();
    let handle = service_fn(move |job: Job| {
        let sync = sync.clone();
        async move { sync.handle(job).await }
    });
    let worker = inbox
        .worker(handle)
        .backoff(|attempt, error: &SyncError| error.backoff(attempt))
        .run_until(async { drop(stopped.await) });
    let worker = tokio::spawn(worker);

    // From the signal on the worker takes nothing more, also while the server still answers.
    let stop = async {
        stop.await;
        drop(stop_worker);
    };
    // In this order: no more deliveries, those under way are stored, jobs that run are done, the file is closed.
    server::serve(listener, app, stop).await;
    background.wait().await;
    worker.await??;
    inbox.close().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use cronofy_webhook_testing::{Payload, Sender};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn only_what_was_sent_for_a_known_account_is_stored() {
        let inbox = Inbox::in_memory().await.unwrap();
        let accounts = Accounts::default();
        accounts.insert("42", "token");
        let layer = CronofyWebhookLayer::new("CRN_test")
            .public_url("https://receiver.example".parse().unwrap());
        let app = router(layer, inbox.clone(), accounts);
        for (path, url, expected) in [
            ("/cronofy/42", "https://receiver.example/cronofy/42", 204),
            ("/cronofy/43", "https://receiver.example/cronofy/43", 404),
            ("/cronofy/42", "https://receiver.example/cronofy/43", 403),
        ] {
            let payload = Payload::sample("change").channel("chn_1", url);
            let request = Sender::new("CRN_test").to(path).request::<Body>(payload);
            let response = app.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), expected, "{path} for {url}");
        }
        assert_eq!(inbox.stats().await.unwrap().waiting, 1);
    }
}
