use std::process::Stdio;
use std::time::Instant;

use async_nats::ConnectOptions;
use axum::body::{Body, Bytes};
use cronofy_webhook_testing::{Payload, Sender};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tower::ServiceExt as _;

use super::*;

const PATIENCE: Duration = Duration::from_secs(30);

/// A server whose client connects once it is ready.
fn server(folder: &TempDir, port: u16) -> Child {
    Command::new("nats-server")
        // Debian's folder is not in everybody's `PATH`.
        .env("PATH", env::var("PATH").unwrap() + ":/usr/sbin")
        .args(["--addr", "127.0.0.1", "--port", &port.to_string()])
        .args(["--jetstream", "--store_dir"])
        .arg(folder.path())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("can start nats-server")
}

struct Receiver {
    server: Child,
    folder: TempDir,
    port: u16,
    app: Router,
    stream: Stream,
    consumer: PullConsumer,
}

/// A run: the notification, and what ends it. Dropped, the run fails.
type Run = (Notification, oneshot::Sender<()>);

impl Receiver {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let server = server(&folder, port);
        let client = ConnectOptions::new().retry_on_initial_connect();
        let client = client.connect(format!("127.0.0.1:{port}")).await.unwrap();
        let (jetstream, stream, consumer) = queue(client).await.unwrap();
        let app = app(Verifier::new(["CRN_test"]).unwrap(), jetstream);
        Self {
            server,
            folder,
            port,
            app,
            stream,
            consumer,
        }
    }

    async fn send(&self, body: impl Into<Bytes>) -> u16 {
        let sender = Sender::new("CRN_test").to("/cronofy/42");
        let request = sender.request::<Body>(body);
        let response = self.app.clone().oneshot(request).await.unwrap();
        response.status().as_u16()
    }

    async fn stored(&self) -> u64 {
        self.stream.get_info().await.unwrap().state.messages
    }

    fn runs(&self) -> mpsc::UnboundedReceiver<Run> {
        let (began, runs) = mpsc::unbounded_channel();
        let work = async move |account, notification| {
            assert_eq!(account, "42");
            let (end, ended) = oneshot::channel();
            began.send((notification, end))?;
            Ok(ended.await?)
        };
        tokio::spawn(consume(self.consumer.clone(), work));
        runs
    }
}

async fn next(runs: &mut mpsc::UnboundedReceiver<Run>) -> Run {
    timeout(PATIENCE, runs.recv()).await.unwrap().unwrap()
}

#[tokio::test]
#[cfg_attr(not(nats_server), ignore = "nats-server is not installed")]
async fn each_notification_is_stored_before_the_response_and_until_its_run_ends() {
    let receiver = Receiver::start().await;
    let mut sent = Vec::new();
    for (stored, sample) in (1..).zip(Payload::samples()) {
        let payload = sample.payload();
        sent.push(Notification::from_slice(payload.as_str().as_bytes()));
        assert_eq!(receiver.send(payload).await, 204, "{}", sample.name());
        assert_eq!(receiver.stored().await, stored, "{}", sample.name());
    }
    let mut runs = receiver.runs();
    for stored in (1..=sent.len() as u64).rev() {
        let (notification, end) = next(&mut runs).await;
        assert!(sent.contains(&notification), "{notification:?}");
        assert!(receiver.stored().await >= stored);
        end.send(()).unwrap();
    }
    let acknowledged = async { while receiver.stored().await > 0 {} };
    timeout(PATIENCE, acknowledged).await.unwrap();
}

#[tokio::test]
#[cfg_attr(not(nats_server), ignore = "nats-server is not installed")]
async fn a_notification_survives_a_killed_server_and_a_failed_run() {
    let mut receiver = Receiver::start().await;
    assert_eq!(receiver.send(Payload::sample("change")).await, 204);
    receiver.server.kill().await.unwrap();
    let sent = Instant::now();
    assert_eq!(receiver.send(Payload::sample("verification")).await, 503);
    assert!(sent.elapsed() < Duration::from_secs(5));

    receiver.server = server(&receiver.folder, receiver.port);
    let mut runs = receiver.runs();
    while next(&mut runs).await.0.kind() != "change" {}
    while next(&mut runs).await.0.kind() != "change" {}
}

#[tokio::test]
#[cfg_attr(not(nats_server), ignore = "nats-server is not installed")]
async fn a_body_that_is_not_utf_8_is_acknowledged_and_not_stored() {
    let receiver = Receiver::start().await;
    assert_eq!(receiver.send(&b"\xff"[..]).await, 204);
    assert_eq!(receiver.stored().await, 0);
}
