use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use cronofy_webhook::{CronofyWebhookLayer, Delivery};
use cronofy_webhook_inbox::{Inbox, PutError};

use super::SECRET;

async fn receive(
    State(inbox): State<Inbox>,
    Path(account): Path<String>,
    delivery: Delivery,
) -> Result<StatusCode, PutError> {
    inbox.put(account, &delivery).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A receiver with this time for an answer.
pub(crate) fn app(inbox: &Inbox, budget: Duration) -> Router {
    let layer = CronofyWebhookLayer::new(SECRET).budget(budget);
    Router::new()
        .route("/cronofy/{account}", post(receive).layer(layer))
        .with_state(inbox.clone())
}
