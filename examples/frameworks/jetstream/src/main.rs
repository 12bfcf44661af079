//! A receiver that stores each notification in NATS JetStream before it responds, and a consumer that processes them. The
//! README beside it says how to run it, and what JetStream needs to keep what it has acknowledged.

use std::env;
use std::time::Duration;

use async_nats::jetstream::consumer::{PullConsumer, pull};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, Stream};
use async_nats::jetstream::{AckKind, Context, ContextBuilder, Message};
use async_nats::{Client, Error};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use cronofy_webhook::{CronofyWebhookLayer, Delivery, Notification, Verifier};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

/// How long the receiver waits for the acknowledgement of a message: less than the layer's budget of 4 s.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(3);
/// When the server delivers a message again that was not acknowledged.
const ACK_WAIT: Duration = Duration::from_secs(60);
/// How long a run may take. A message can wait for the run before it: both take less than `ACK_WAIT`.
const RUN_TIMEOUT: Duration = Duration::from_secs(25);
const CONCURRENCY: usize = 8;

/// What a message holds: the account that the notification was sent for, and the request's body.
#[derive(Deserialize, Serialize)]
struct Job {
    account: String,
    body: String,
}

/// The stream and its consumer, created if they are absent.
async fn queue(client: Client) -> Result<(Context, Stream, PullConsumer), Error> {
    let jetstream = ContextBuilder::new().timeout(PUBLISH_TIMEOUT).build(client);
    let stream = Config {
        name: "CRONOFY".to_owned(),
        subjects: vec!["cronofy".to_owned()],
        retention: RetentionPolicy::WorkQueue,
        max_bytes: 1 << 30,
        discard: DiscardPolicy::New,
        ..Config::default()
    };
    let stream = jetstream.get_or_create_stream(stream).await?;
    let worker = pull::Config {
        durable_name: Some("worker".to_owned()),
        ack_wait: ACK_WAIT,
        max_ack_pending: 100_000,
        ..pull::Config::default()
    };
    let consumer = stream.get_or_create_consumer("worker", worker).await?;
    Ok((jetstream, stream, consumer))
}

fn app(verifier: Verifier, jetstream: Context) -> Router {
    let layer = CronofyWebhookLayer::from_verifier(verifier);
    Router::new()
        .route("/cronofy/{account}", post(receive).layer(layer))
        .with_state(jetstream)
}

/// A real service looks the account up first: Cronofy does not sign the URL.
async fn receive(
    State(jetstream): State<Context>,
    Path(account): Path<String>,
    delivery: Delivery,
) -> StatusCode {
    let Ok(body) = str::from_utf8(delivery.body()).map(str::to_owned) else {
        eprintln!("account {account}: no notification: the body is not UTF-8");
        return StatusCode::NO_CONTENT;
    };
    match store(&jetstream, &Job { account, body }).await {
        Ok(()) => StatusCode::NO_CONTENT,
        // Cronofy retries. The message may be stored all the same, and is processed twice then.
        Err(error) => {
            eprintln!("not stored: {error}");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

async fn store(jetstream: &Context, job: &Job) -> Result<(), Error> {
    let message = serde_json::to_vec(job)?;
    let published = jetstream.publish("cronofy", message.into()).await?;
    // So far the message is in a buffer of the client.
    published.await?;
    Ok(())
}

/// Processes messages until it is dropped. What was running then is delivered again.
async fn consume<W>(consumer: PullConsumer, work: W) -> Result<(), Error>
where
    W: AsyncFn(String, Notification) -> Result<(), Error>,
{
    // Not more than one ahead: `ACK_WAIT` counts from the delivery.
    let stream = consumer.stream().max_messages_per_batch(1);
    let messages = stream.messages().await?;
    messages
        .for_each_concurrent(CONCURRENCY, |message| async {
            match message {
                Ok(message) => process(&message, &work).await,
                Err(error) => eprintln!("no messages: {error}"),
            }
        })
        .await;
    Ok(())
}

/// Acknowledges a message after its run. One that fails is delivered again, a second later for each attempt.
async fn process<W>(message: &Message, work: &W)
where
    W: AsyncFn(String, Notification) -> Result<(), Error>,
{
    let run = async {
        let job: Job = serde_json::from_slice(&message.payload)?;
        let notification = Notification::from_slice(job.body.as_bytes());
        timeout(RUN_TIMEOUT, work(job.account, notification)).await?
    };
    let ack = match run.await {
        Ok(()) => AckKind::Ack,
        Err(error) => {
            eprintln!("failed: {error}");
            let attempt = message.info().map_or(1, |info| info.delivered);
            AckKind::Nak(Some(Duration::from_secs(attempt.clamp(1, 600) as u64)))
        }
    };
    if let Err(error) = message.ack_with(ack).await {
        eprintln!("not acknowledged, so delivered again: {error}");
    }
}

/// Stands for the work: for a `change`, to read the account's events with `changes_since` as `last_modified`.
async fn work(account: String, notification: Notification) -> Result<(), Error> {
    println!("account {account}: {}", notification.kind());
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let variable = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let verifier = Verifier::from_env("CRONOFY_CLIENT_SECRET")?;
    let client = async_nats::connect(variable("NATS_URL", "nats://127.0.0.1:4222")).await?;
    let (jetstream, _, consumer) = queue(client.clone()).await?;
    let listener = TcpListener::bind(variable("LISTEN", "127.0.0.1:3000")).await?;
    println!("listening on {}", listener.local_addr()?);

    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        served = axum::serve(listener, app(verifier, jetstream)) => served?,
        consumed = consume(consumer, work) => consumed?,
        interrupt = tokio::signal::ctrl_c() => interrupt?,
        _ = terminate.recv() => {}
    }
    // What was not acknowledged is sent again, by Cronofy or by the server. The last acknowledgements may be in a buffer.
    client.flush().await?;
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;
