//! NATS JetStream: an axum receiver that stores each notification in a stream before it answers, and a consumer that
//! processes them.
//!
//! ```sh
//! nats-server -js &    # of Debian's package `nats-server`, for example
//! cd examples/frameworks
//! CRONOFY_CLIENT_SECRET=CRN_test cargo run -p jetstream-example
//! ```
//!
//! In another terminal, in the root of the repository:
//!
//! ```sh
//! CRONOFY_CLIENT_SECRET=CRN_test cargo run -p cronofy-webhook-cli -- trigger change --to 3000/cronofy/42
//! ```
//!
//! | variable | |
//! |---|---|
//! | `CRONOFY_CLIENT_SECRET` | the client secret; several, separated by commas, while rotating |
//! | `LISTEN` | the address to listen on; `127.0.0.1:3000` if absent |
//! | `NATS_URL` | the server; `nats://127.0.0.1:4222` if absent |
//!
//! # When a notification is stored
//!
//! The handler answers 204 when the server has acknowledged the message, and 503 if it has not: Cronofy retries then. An
//! acknowledged message has been written to a file, which the server
//! [syncs to the disk](https://docs.nats.io/nats-concepts/jetstream) every 2 minutes by default: the message survives a crash of
//! the server, and is lost if the machine loses its power before. Either of these prevents that:
//!
//! - `sync_interval: always`, in the block `jetstream` of the configuration (nats-server 2.10 or later; Debian 12 has 2.9):
//!   each message is on the disk before it is acknowledged.
//! - a cluster of three servers and a stream with three replicas, on machines that do not lose their power together.
//!
//! Set `store_dir` as well: by default it is below `/tmp`.
//!
//! The stream is created if it is absent. One that exists is used as it is: create it with the replicas that you want, and with
//! `discard: new`, as otherwise a full stream deletes what was acknowledged.
//!
//! # What runs
//!
//! Of the `change`s that wait, one run for each channel, with the earliest `changes_since`; any other kind runs once for each
//! message. Messages are acknowledged after their run. What fails is delivered again, later each time; what a consumer had
//! taken when it died, after 30 seconds. So a job can run twice.

use std::env;

use async_nats::Error;
use cronofy_webhook::{Notification, Verifier};
use jetstream_example::queue::{self, Job};
use jetstream_example::{consumer, receiver};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Stands for the real work: for a `change`, to read the account's events with `changes_since` as `last_modified`.
async fn work(job: Job) -> Result<(), Error> {
    let account = &job.account;
    match &job.notification {
        Notification::Change(change) => {
            println!("account {account}: change since {}", change.changes_since);
        }
        other => println!("account {account}: {}", other.kind()),
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let verifier = Verifier::from_env("CRONOFY_CLIENT_SECRET")?;
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let server = env::var("NATS_URL").unwrap_or_else(|_| "nats://127.0.0.1:4222".to_owned());

    let client = async_nats::connect(&server)
        .await
        .map_err(|error| format!("NATS_URL={server}: {error}"))?;
    let jetstream = queue::jetstream(client.clone());
    let stream = queue::stream(&jetstream).await?;
    let consumer = queue::consumer(&stream).await?;
    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("LISTEN={address}: {error}"))?;
    println!(
        "listening on http://{}/cronofy/{{account}} until Ctrl-C",
        listener.local_addr()?
    );

    let (stop_consumer, stopped) = oneshot::channel::<()>();
    let serve = async {
        let app = receiver::app(verifier, jetstream);
        let served = axum::serve(listener, app)
            .with_graceful_shutdown(stop())
            .await;
        drop(stop_consumer);
        served
    };
    let consume = consumer::run(consumer, work, async { drop(stopped.await) });
    let (served, ()) = tokio::join!(serve, consume);
    // The last acknowledgements may still be in a buffer.
    client.flush().await?;
    Ok(served?)
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
        _ = terminate => {}
    }
}
