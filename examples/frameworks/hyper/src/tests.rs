use cronofy_webhook_testing::{Payload, Sender};
use hyper_util::client::legacy::Client;

use super::*;

/// Starts the receiver and returns its URL.
async fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, Verifier::new(["CRN_test"]).unwrap()));
    format!("http://{address}/cronofy/42")
}

async fn send(url: &str, mut request: Request<Full<Bytes>>) -> StatusCode {
    *request.uri_mut() = url.parse().unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    client.request(request).await.unwrap().status()
}

#[tokio::test]
async fn only_authentic_deliveries_are_accepted() {
    let url = start().await;
    let sender = Sender::new("CRN_test");
    for sample in Payload::samples() {
        let status = send(&url, sender.request(sample.payload())).await;
        assert_eq!(status, 204, "{}", sample.name());
    }
    for (near_miss, request) in sender.near_misses(Payload::sample("change")) {
        assert_eq!(send(&url, request).await, 401, "{near_miss}");
    }
}
