//! Shutdowns and panics.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Path;
use axum::routing::post;
use bytes::Bytes;
use cronofy_webhook::{Background, CronofyWebhookLayer, Delivery};
use http::Request;
use http_body_util::Full;
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tracing::Level;

use super::{PATIENCE, outcomes, send};
use crate::server::{Server, Slow, status};
use crate::support::{CHANGE, layer, signed};

/// A server with a hundred handlers in the background, and the clients that were answered 503.
async fn hundred_in_the_background(layer: CronofyWebhookLayer) -> (Slow, Vec<TcpStream>) {
    let slow = Slow::start(layer.budget(Duration::from_millis(500))).await;
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(slow.server.deliver().await);
    }
    for client in &mut clients {
        assert_eq!(status(client).await, 503);
    }
    (slow, clients)
}

#[tokio::test]
async fn graceful_shutdown_waits_for_background_handlers() {
    let (mut slow, _clients) = hundred_in_the_background(layer()).await;
    let started = Instant::now();
    timeout(PATIENCE, slow.server.stop())
        .await
        .expect("nothing is in the foreground");
    let waiting = timeout(Duration::ZERO, slow.background.wait()).await;
    assert!(waiting.is_err(), "none was released");

    slow.release(100);
    timeout(PATIENCE, slow.background.wait())
        .await
        .expect("all end");
    println!(
        "shutdown with 100 handlers in the background: {:.2?}",
        started.elapsed()
    );
    assert_eq!(outcomes(&mut slow), [true; 100]);
}

#[tokio::test]
async fn graceful_shutdown_ends_with_the_grace_and_logs_each_handler() {
    const GRACE: Duration = Duration::from_secs(1);

    let (log, _guard) = crate::log::Log::start();
    let (mut slow, _clients) = hundred_in_the_background(layer().grace(GRACE)).await;
    let started = Instant::now();
    timeout(PATIENCE, slow.server.stop())
        .await
        .expect("nothing is in the foreground");
    timeout(PATIENCE, slow.background.wait())
        .await
        .expect("all end");
    println!(
        "shutdown with 100 handlers that never complete: {:.2?}, grace {GRACE:?}",
        started.elapsed()
    );
    assert_eq!(outcomes(&mut slow), [false; 100]);
    let ended = log
        .events()
        .into_iter()
        .filter(|event| event.level == Level::ERROR);
    assert_eq!(
        ended
            .filter(|event| event.field("grace_ms") == Some("1000"))
            .count(),
        100
    );
}

/// A server whose handler panics on some paths: at once, or when it is released.
async fn panicking(layer: CronofyWebhookLayer) -> (Server, Arc<Notify>) {
    let release = Arc::new(Notify::new());
    let released = release.clone();
    let handler = post(async move |Path(what): Path<String>, _: Delivery| {
        if what == "panic-late" {
            released.notified().await;
        }
        if what.starts_with("panic") {
            // `panic!` would print a message each time.
            resume_unwind(Box::new("of the handler"));
        }
    });
    let router = Router::new().route("/cronofy/{what}", handler);
    let server = Server::serve(router, layer, mpsc::unbounded_channel().1).await;
    (server, release)
}

fn to(path: &'static str) -> Request<Full<Bytes>> {
    let mut request = signed(CHANGE, Full::from(CHANGE));
    *request.uri_mut() = http::Uri::from_static(path);
    request
}

#[tokio::test]
async fn a_panicking_handler_ends_its_own_connection_only() {
    let (server, _) = panicking(layer()).await;
    let mut other = server.http1().await;
    assert_eq!(send(&mut other, CHANGE).await, 200);
    for _ in 0..100 {
        let mut client = server.http1().await;
        let answer = client.send_request(to("/cronofy/panic")).await;
        assert!(answer.unwrap_err().is_incomplete_message());
        assert_eq!(send(&mut other, CHANGE).await, 200);
    }
    println!("100 handlers that panic: each closed its own connection, and no other");
}

#[tokio::test]
async fn a_panic_in_the_background_is_logged_and_closes_no_connection() {
    let (log, _guard) = crate::log::Log::start();
    let background = Background::new();
    let layer = layer()
        .budget(Duration::from_millis(100))
        .background(background.clone());
    let (server, release) = panicking(layer).await;
    let mut client = server.http1().await;
    let answer = client.send_request(to("/cronofy/panic-late")).await;
    assert_eq!(answer.unwrap().status(), 503);

    release.notify_one();
    timeout(PATIENCE, background.wait())
        .await
        .expect("it completes");
    assert_eq!(send(&mut client, CHANGE).await, 200);
    let mut errors = log
        .events()
        .into_iter()
        .filter(|event| event.level == Level::ERROR);
    let panicked = errors.next().unwrap();
    assert_eq!(panicked.field("background"), Some("true"));
    assert!(errors.next().is_none());
}
