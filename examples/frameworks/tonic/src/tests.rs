use axum::body::{Body, Bytes};
use axum::http::Request;
use cronofy_webhook_testing::{Payload, Sender};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tower::ServiceExt as _;

use super::*;

/// Starts the server and returns its URL.
async fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app(Verifier::new(["CRN_test"]).unwrap());
    tokio::spawn(async { axum::serve(listener, app).await });
    format!("http://{address}")
}

#[tokio::test]
async fn only_authentic_deliveries_are_accepted() {
    let url = start().await;
    let sender = Sender::new("CRN_test");
    let client = Client::builder(TokioExecutor::new()).build_http();
    let send = |mut request: Request<Full<Bytes>>| {
        *request.uri_mut() = format!("{url}/cronofy/42").parse().unwrap();
        client.request(request)
    };
    for sample in Payload::samples() {
        let response = send(sender.request(sample.payload())).await.unwrap();
        assert_eq!(response.status(), 204, "{}", sample.name());
    }
    for (near_miss, request) in sender.near_misses(Payload::sample("change")) {
        assert_eq!(send(request).await.unwrap().status(), 401, "{near_miss}");
    }
}

#[tokio::test]
async fn grpc_is_answered_on_the_same_port() {
    let url = start().await;
    let channel = Channel::from_shared(url).unwrap().connect().await.unwrap();
    let mut client = HealthClient::new(channel);
    let whole_server = HealthCheckRequest::default();
    let response = client.check(whole_server).await.unwrap().into_inner();
    assert_eq!(response.status(), ServingStatus::Serving);
}

#[tokio::test]
async fn an_unknown_grpc_method_does_not_pass_the_layer() {
    let call = Request::post("/another.Service/Method").header("content-type", "application/grpc");
    let call = call.body(Body::empty()).unwrap();
    let app = app(Verifier::new(["CRN_test"]).unwrap());
    let response = app.oneshot(call).await.unwrap();
    assert_eq!(response.status(), 200);
    let status = tonic::Status::from_header_map(response.headers()).unwrap();
    assert_eq!(status.code(), Code::Unimplemented);
}
