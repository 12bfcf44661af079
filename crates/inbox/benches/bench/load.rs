//! Notifications over HTTP on loopback, as quickly as they are answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use cronofy_webhook_testing::{Payload, Sender};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub(crate) const SECRET: &str = "CRN_test";

/// How many there were, and how long they took.
pub(crate) struct Figures {
    pub(crate) per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

/// A `change`. Its account is in the URL, which is not signed: each request can be for another one.
pub(crate) fn change() -> Bytes {
    let url = "https://receiver.example/cronofy/42";
    Payload::sample("change").channel("chn_1", url).into()
}

/// Serves the router on loopback, and sends to it from so many clients at the same time, each with a connection of its own.
/// Every request is for another account.
pub(crate) async fn load(app: Router, clients: usize, time: Duration) -> Figures {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    let accounts = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut sending = JoinSet::new();
    for _ in 0..clients {
        let accounts = Arc::clone(&accounts);
        sending.spawn(async move { send(address, &accounts, started + time).await });
    }
    let mut times: Vec<_> = sending.join_all().await.concat();
    let took = started.elapsed();
    server.abort();

    times.sort_unstable();
    let percentile = |percent: usize| times[(times.len() - 1) * percent / 100];
    Figures {
        per_second: times.len() as f64 / took.as_secs_f64(),
        p50: percentile(50),
        p99: percentile(99),
        max: percentile(100),
    }
}

/// How long each answer took.
async fn send(address: SocketAddr, accounts: &AtomicU64, end: Instant) -> Vec<Duration> {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut connection, driver) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(driver);
    let request = Sender::new(SECRET).request::<Full<Bytes>>(change());

    let mut times = Vec::new();
    while Instant::now() < end {
        let account = accounts.fetch_add(1, Ordering::Relaxed);
        let mut request = request_to(&request, address);
        *request.uri_mut() = format!("/cronofy/{account}").parse().unwrap();
        let started = Instant::now();
        connection.ready().await.unwrap();
        let response = connection.send_request(request).await.unwrap();
        times.push(started.elapsed());
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
    }
    times
}

fn request_to(request: &Request<Full<Bytes>>, address: SocketAddr) -> Request<Full<Bytes>> {
    let mut request = request.clone();
    let host = address.to_string().parse().unwrap();
    request.headers_mut().insert("host", host);
    request
}
