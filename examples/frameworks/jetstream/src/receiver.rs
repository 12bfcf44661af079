//! The HTTP side: stores each notification, then answers.

use async_nats::jetstream::Context;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use cronofy_webhook::{CronofyWebhookLayer, Notification, Verifier};

use crate::queue::Job;

pub fn app(verifier: Verifier, jetstream: Context) -> Router {
    let layer = CronofyWebhookLayer::from_verifier(verifier);
    Router::new()
        .route("/cronofy/{account}", post(receive).layer(layer))
        .with_state(jetstream)
}

/// A real service looks the account up first: Cronofy does not sign the URL.
async fn receive(
    State(jetstream): State<Context>,
    Path(account): Path<String>,
    notification: Notification,
) -> StatusCode {
    let job = Job {
        account,
        notification,
    };
    match store(&jetstream, &job).await {
        Ok(()) => StatusCode::NO_CONTENT,
        // Cronofy retries. The message may be stored nevertheless: the job runs again then.
        Err(error) => {
            eprintln!("not stored: {error}");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// Ends when the server has acknowledged the message.
pub async fn store(jetstream: &Context, job: &Job) -> Result<(), async_nats::Error> {
    let message = serde_json::to_vec(job)?;
    let sent = jetstream.publish(job.subject(), message.into()).await?;
    // So far the message is only on its way.
    sent.await?;
    Ok(())
}
