use std::net::SocketAddr;

use cronofy_webhook_testing::{Payload, Sender};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;

/// Starts the receiver and returns its address.
async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, Verifier::new(["CRN_test"]).unwrap()));
    address
}

async fn send(address: SocketAddr, mut request: Request<Full<Bytes>>) -> StatusCode {
    *request.uri_mut() = format!("http://{address}/cronofy/42").parse().unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    client.request(request).await.unwrap().status()
}

#[tokio::test]
async fn only_authentic_deliveries_are_accepted() {
    let address = start().await;
    let sender = Sender::new("CRN_test");
    for sample in Payload::samples() {
        let status = send(address, sender.request(sample.payload())).await;
        assert_eq!(status, 204, "{}", sample.name());
    }
    for (near_miss, request) in sender.near_misses(Payload::sample("change")) {
        assert_eq!(send(address, request).await, 401, "{near_miss}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_without_a_complete_head_is_disconnected() {
    let address = start().await;
    for head in ["", "P", "POST /cronofy/42 HTTP/1.1\r\nhost: "] {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(head.as_bytes()).await.unwrap();
        let mut response = Vec::new();
        let closed = client.read_to_end(&mut response);
        let closed = timeout(2 * HEADER_READ_TIMEOUT, closed).await;
        assert!(closed.is_ok(), "after {head:?}");
    }
}
