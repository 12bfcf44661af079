//! Notifies other processes that a row became due, and listens for it. Nothing depends on it: a worker looks once a second
//! as well.

use std::error::Error;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_postgres::{AsyncMessage, Client, Notification};

use super::config::Connector;
use super::pool::{Connections, answered};
use crate::error::StoreError;
use crate::events;
use crate::store::Pause;

/// How long to wait before the others are told again. A transaction that notifies waits for all others that do, in the whole
/// server.
const NOTIFY_PAUSE: Duration = Duration::from_millis(50);

/// How long to wait for a notification that was sent, which arrives within a moment, or never.
const ARRIVES_WITHIN: Duration = Duration::from_secs(2);

/// Notifies others, in a transaction of its own: within that of a put, it would have the puts of all processes wait for each
/// other.
pub(super) async fn notify(connections: Connections, became_due: Arc<Notify>) {
    loop {
        became_due.notified().await;
        if let Ok(connection) = connections.acquire().await {
            let notified = answered(connection.batch_execute("NOTIFY cronofy_inbox")).await;
            // An error: they look by themselves.
            drop(connection.put_back(notified));
        }
        sleep(NOTIFY_PAUSE).await;
    }
}

/// Listens for others, on a connection of its own.
pub(super) async fn listen(
    connector: Connector,
    connections: Connections,
    wake: watch::Sender<()>,
) {
    let mut pause = Pause::default();
    let mut longer_pause = longer_pauses();
    loop {
        match listen_once(&connector, &connections, &wake, &mut pause).await {
            Ok(true) => longer_pause = longer_pauses(),
            Ok(false) => {
                let reason: Box<dyn Error + Send + Sync> =
                    "no notification arrives, as behind a pooler in transaction mode".into();
                events::not_listening(&*reason);
                longer_pause.wait().await;
                continue;
            }
            Err(error) => events::not_listening(&error),
        }
        pause.wait().await;
    }
}

/// Before listening again where no notification arrived.
fn longer_pauses() -> Pause {
    Pause::new(Duration::from_secs(10), Duration::from_secs(10 * 60))
}

/// Until the connection ends. False: no notification arrives there.
async fn listen_once(
    connector: &Connector,
    connections: &Connections,
    wake: &watch::Sender<()>,
    pause: &mut Pause,
) -> Result<bool, StoreError> {
    let (client, mut connection) =
        answered(connector.config.connect(connector.tls.clone())).await?;
    let (sender, mut received) = mpsc::unbounded_channel();
    let receive = async {
        while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notification(notification) = message.map_err(StoreError::new)? {
                drop(sender.send(notification));
            }
        }
        Ok(true)
    };
    let listen = async {
        if !notifications_arrive(&client, connections, &mut received).await? {
            return Ok(false);
        }
        let sql = "LISTEN cronofy_inbox; UNLISTEN cronofy_inbox_probe";
        answered(client.batch_execute(sql)).await?;
        *pause = Pause::default();
        // For what was missed.
        wake.send_replace(());
        while received.recv().await.is_some() {
            wake.send_replace(());
        }
        Ok(true)
    };
    tokio::select! {
        biased;
        ended = receive => ended,
        ended = listen => ended,
    }
}

/// Whether the client receives what another connection notifies of. Behind a pooler that shares the connections to the server it
/// does not: its `LISTEN` would stay with one of these, so that other clients received each notification, and the pooler logged
/// it. The channel that is used here stays with it as well, but only workers that start to listen use that channel.
async fn notifications_arrive(
    client: &Client,
    connections: &Connections,
    received: &mut mpsc::UnboundedReceiver<Notification>,
) -> Result<bool, StoreError> {
    answered(client.batch_execute("LISTEN cronofy_inbox_probe")).await?;
    let number = fastrand::u64(..).to_string();
    let connection = connections.acquire().await?;
    let notify = format!("NOTIFY cronofy_inbox_probe, '{number}'");
    let notified = answered(connection.batch_execute(&notify)).await;
    connection.put_back(notified)?;
    let arrives = async {
        while let Some(notification) = received.recv().await {
            if notification.payload() == number {
                return true;
            }
        }
        false
    };
    Ok(timeout(ARRIVES_WITHIN, arrives).await.unwrap_or(false))
}
