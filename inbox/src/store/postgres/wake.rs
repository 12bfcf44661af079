//! Tells other processes that a row became due, and hears it from them. Nothing depends on it: a worker looks once a second
//! as well.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::sleep;
use tokio_postgres::{AsyncMessage, Error};

use super::config::Connector;
use super::pool::{Connections, answered};
use crate::events;
use crate::store::Pause;

/// How long to wait before the others are told again. A transaction that notifies waits for all others that do, in the whole
/// server.
const NOTIFY_PAUSE: Duration = Duration::from_millis(50);

/// Tells others, in a transaction of its own: within that of a put, it would have the puts of all processes wait for each
/// other.
pub(super) async fn notify(connections: Connections, became_due: Arc<Notify>) {
    loop {
        became_due.notified().await;
        if let Ok(connection) = connections.lend().await {
            let told = answered(connection.batch_execute("NOTIFY cronofy_inbox")).await;
            // An error: they look by themselves.
            drop(connection.put_back(told));
        }
        sleep(NOTIFY_PAUSE).await;
    }
}

/// Hears from others, on a connection of its own.
pub(super) async fn listen(connector: Connector, wake: watch::Sender<()>) {
    let mut pause = Pause::default();
    loop {
        if let Err(error) = listen_once(&connector, &wake, &mut pause).await {
            events::not_listening(&error);
        }
        pause.wait().await;
    }
}

/// Until the connection ends.
async fn listen_once(
    connector: &Connector,
    wake: &watch::Sender<()>,
    pause: &mut Pause,
) -> Result<(), Error> {
    let (client, mut connection) = connector.config.connect(connector.tls.clone()).await?;
    let mut listen = pin!(client.batch_execute("LISTEN cronofy_inbox"));
    let mut is_listening = false;
    loop {
        tokio::select! {
            listens = &mut listen, if !is_listening => {
                listens?;
                is_listening = true;
                *pause = Pause::default();
                // For what was missed.
                wake.send_replace(());
            }
            message = poll_fn(|cx| connection.poll_message(cx)) => match message {
                None => return Ok(()),
                Some(Ok(AsyncMessage::Notification(_))) => {
                    wake.send_replace(());
                }
                Some(message) => {
                    message?;
                }
            },
        }
    }
}
