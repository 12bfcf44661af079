//! What the tests of both sides need.

use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::{PullConsumer, pull};
use async_nats::jetstream::stream::Stream;
use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use cronofy_webhook::Verifier;
use cronofy_webhook_testing::{Payload, Sender};
use jetstream_example::queue::{self, Job};
use jetstream_example::{consumer, receiver};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

use crate::server::Server;

/// How long a test waits for what has to happen before it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn block_on(test: impl Future<Output = ()>) {
    Runtime::new().unwrap().block_on(test);
}

/// A server with a stream, and the receiver that stores into it.
pub(crate) struct Queue {
    pub(crate) server: Server,
    pub(crate) jetstream: Context,
    pub(crate) app: Router,
    pub(crate) stream: Stream,
}

impl Queue {
    pub(crate) async fn start() -> Self {
        let server = Server::start();
        let client = async_nats::connect(server.url()).await.unwrap();
        let jetstream = queue::jetstream(client);
        let verifier = Verifier::new(["CRN_test"]).unwrap();
        Self {
            app: receiver::app(verifier, jetstream.clone()),
            stream: queue::stream(&jetstream).await.unwrap(),
            jetstream,
            server,
        }
    }

    /// The answer to a delivery for the account 42.
    pub(crate) async fn send(&self, payload: Payload) -> StatusCode {
        let request = Sender::new("CRN_test")
            .to("/cronofy/42")
            .request::<Body>(payload);
        self.app.clone().oneshot(request).await.unwrap().status()
    }

    /// How many messages the stream has.
    pub(crate) async fn stored(&self) -> u64 {
        self.stream.get_info().await.unwrap().state.messages
    }

    /// Waits until no more messages than these are left.
    pub(crate) async fn has_left(&self, messages: u64) {
        let acknowledged = async {
            while self.stored().await > messages {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let acknowledged = timeout(PATIENCE, acknowledged).await;
        acknowledged.expect("the others are acknowledged");
        assert_eq!(self.stored().await, messages);
    }

    /// The consumer, to which the server redelivers what is not acknowledged within this time.
    pub(crate) async fn consumer(&self, ack_wait: Duration) -> PullConsumer {
        let config = pull::Config {
            ack_wait,
            ..queue::consumer_config()
        };
        self.stream.create_consumer(config).await.unwrap()
    }

    /// The consumer as it is.
    pub(crate) async fn worker(&self) -> Worker {
        Worker::start(queue::consumer(&self.stream).await.unwrap())
    }
}

/// A run that has begun, and how it ends. Dropped, it fails.
pub(crate) struct Run {
    pub(crate) job: Job,
    end: oneshot::Sender<()>,
}

impl Run {
    pub(crate) fn done(self) -> Job {
        self.end.send(()).expect("the run waits for it");
        self.job
    }
}

/// A running consumer.
pub(crate) struct Worker {
    runs: mpsc::UnboundedReceiver<Run>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Worker {
    pub(crate) fn start(consumer: PullConsumer) -> Self {
        let (began, runs) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let work = move |job| {
            let (end, ended) = oneshot::channel();
            let began = began.send(Run { job, end });
            async move {
                began.map_err(|_| "the test has ended")?;
                Ok(ended.await?)
            }
        };
        let stopped = async { drop(stopped.await) };
        let task = tokio::spawn(consumer::run(consumer, work, stopped));
        Self { runs, stop, task }
    }

    pub(crate) async fn next(&mut self) -> Run {
        let run = timeout(PATIENCE, self.runs.recv()).await;
        run.expect("a run begins").unwrap()
    }

    /// Ends as a process that is killed.
    pub(crate) async fn kill(self) {
        self.task.abort();
        drop(self.task.await);
    }

    /// What had begun and was not looked at yet.
    pub(crate) async fn stop(mut self) -> Vec<Job> {
        drop(self.stop);
        timeout(PATIENCE, self.task).await.unwrap().unwrap();
        let mut rest = Vec::new();
        while let Some(run) = self.runs.recv().await {
            rest.push(run.job);
        }
        rest
    }
}
