//! What the page "Overload" recommends, over several connections to axum's server.

use std::sync::Arc;
use std::time::Duration;

use axum::error_handling::HandleErrorLayer;
use axum::routing::{MethodRouter, post};
use axum::{BoxError, Router};
use cronofy_webhook::Delivery;
use http::StatusCode;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceBuilder;
use tower::limit::{ConcurrencyLimitLayer, GlobalConcurrencyLimitLayer};

use crate::server::{head, status};
use crate::support::{CHANGE, layer};

const LIMIT: usize = 2;

/// A handler that reports that it has started, and waits to be released.
struct Waiting {
    started: Arc<Semaphore>,
    release: Arc<Semaphore>,
}

impl Waiting {
    fn new() -> (Self, MethodRouter) {
        let (started, release) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (starts, released) = (started.clone(), release.clone());
        let handler = async move |_: Delivery| {
            starts.add_permits(1);
            released.acquire().await.unwrap().forget();
        };
        (Self { started, release }, post(handler))
    }

    async fn started(&self, handlers: usize) {
        let handlers = handlers.try_into().unwrap();
        let started = self.started.acquire_many(handlers);
        let started = tokio::time::timeout(Duration::from_secs(10), started).await;
        started.expect("handlers have started").unwrap().forget();
    }
}

/// Serves the route behind our layer; returns connections that have each sent a `change`.
async fn deliver(route: MethodRouter, connections: usize) -> Vec<TcpStream> {
    let router = Router::new().route("/cronofy/{account}", route.layer(layer()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });

    let head = head(&format!("content-length: {}\r\n", CHANGE.len()));
    let mut streams = Vec::new();
    for _ in 0..connections {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = [head.as_bytes(), CHANGE].concat();
        stream.write_all(&request).await.unwrap();
        streams.push(stream);
    }
    streams
}

async fn shed(_: BoxError) -> StatusCode {
    StatusCode::SERVICE_UNAVAILABLE
}

#[tokio::test]
async fn a_global_limit_holds_across_connections_and_sheds_the_rest() {
    let (waiting, route) = Waiting::new();
    let limit = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(shed))
        .load_shed()
        .layer(GlobalConcurrencyLimitLayer::new(LIMIT));
    let connections = deliver(route.layer(limit), 3 * LIMIT).await;

    // While all permits are held: nothing has been released.
    waiting.started(LIMIT).await;
    let (answers, mut answered) = tokio::sync::mpsc::unbounded_channel();
    for mut connection in connections {
        let answers = answers.clone();
        tokio::spawn(async move { answers.send(status(&mut connection).await) });
    }
    for _ in 0..2 * LIMIT {
        assert_eq!(answered.recv().await, Some(503));
    }
    assert_eq!(
        waiting.started.available_permits(),
        0,
        "no further handler started"
    );

    waiting.release.add_permits(LIMIT);
    for _ in 0..LIMIT {
        assert_eq!(answered.recv().await, Some(200));
    }
}

#[tokio::test]
async fn a_limit_per_service_does_not_hold_across_connections() {
    let (waiting, route) = Waiting::new();
    let limit = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(shed))
        .load_shed()
        .layer(ConcurrencyLimitLayer::new(LIMIT));
    let connections = deliver(route.layer(limit), 3 * LIMIT).await;

    waiting.started(3 * LIMIT).await;
    waiting.release.add_permits(3 * LIMIT);
    for mut connection in connections {
        assert_eq!(status(&mut connection).await, 200);
    }
}
