//! The server, which ends within a limit.

use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long the response to a delivery may take.
pub(crate) const BUDGET: Duration = Duration::from_secs(4);
/// How long the server may take to end: requests that had begun are answered.
const LIMIT: Duration = BUDGET.saturating_add(Duration::from_secs(1));
/// How long a client may take for the head of a request. It includes the time that a connection is idle, so it is longer than
/// proxies keep one: 60 s for nginx and AWS.
pub(crate) const HEAD: Duration = Duration::from_secs(75);

/// Serves until `stop` completes, and then for at most the budget and a second the requests that had begun.
///
/// `axum::serve` has no limit for the head of a request, nor for its graceful shutdown: a client that sends half a head holds it
/// up for as long as it likes.
pub(crate) async fn serve(mut listener: TcpListener, app: Router, stop: impl Future) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            biased;
            _ = &mut stop => break,
            Some(_) = connections.join_next() => {}
            (stream, _) = Listener::accept(&mut listener) => {
                let service = TowerToHyperService::new(app.clone());
                let connection = http.serve_connection(TokioIo::new(stream), service);
                connections.spawn(graceful.watch(connection));
            }
        }
    }
    drop(listener);
    // What is left then is dropped, as if the client had disconnected.
    let _ = timeout(LIMIT, graceful.shutdown()).await;
    connections.shutdown().await;
}

/// Waits for SIGINT (Ctrl-C) or SIGTERM.
pub(crate) async fn signalled() {
    #[cfg(unix)]
    let terminate = async {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate())
            .expect("can listen for SIGTERM")
            .recv()
            .await;
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<Option<()>>();

    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt.expect("can listen for SIGINT"),
        _ = terminate => {}
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::time::{Instant, pause};

    use super::*;

    async fn client(address: SocketAddr, text: &str) -> TcpStream {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(text.as_bytes()).await.unwrap();
        client
    }

    #[tokio::test]
    async fn half_a_head_has_a_time_limit() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, Router::new(), pending::<()>()));
        let mut half = client(address, "POST / HTTP/1.1\r\nHo").await;
        // By the response to a later client, the server has the half.
        let request = "GET / HTTP/1.1\r\nHost: receiver\r\nConnection: close\r\n\r\n";
        let mut later = client(address, request).await;
        later.read_to_end(&mut Vec::new()).await.unwrap();
        pause();
        let started = Instant::now();
        let mut text = Vec::new();
        let closed = timeout(2 * HEAD, half.read_to_end(&mut text)).await;
        closed.unwrap().unwrap();
        let seconds = started.elapsed().as_secs_f64().round();
        assert_eq!(seconds, HEAD.as_secs_f64());
    }
}
