//! Runs the example as Lambda does, against a simulated runtime API: it asks for an event and posts the response.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cronofy_webhook::Verifier;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

/// With characters that a gateway could spoil.
const BODY: &str = r#"{
  "notification": { "type": "change", "changes_since": "2026-04-19T09:24:16Z" },
  "channel": { "channel_id": "chn_1", "callback_url": "https://receiver.example/cronofy/42?name=Zo\u00eb&city=Zürich" }
}"#;

const EVENTS: [(&str, &str); 4] = [
    (
        "API Gateway, version 1",
        include_str!("events/api_gateway_v1.json"),
    ),
    (
        "API Gateway, version 2",
        include_str!("events/api_gateway_v2.json"),
    ),
    (
        "Application Load Balancer",
        include_str!("events/load_balancer.json"),
    ),
    ("Function URL", include_str!("events/function_url.json")),
];

/// How long a test waits for a response before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// The running function, and both ends of the runtime API.
struct Lambda {
    events: mpsc::Sender<Value>,
    responses: mpsc::Receiver<Value>,
    function: Child,
}

type Events = Arc<Mutex<mpsc::Receiver<Value>>>;

async fn next(State(events): State<Events>) -> impl IntoResponse {
    let event = events.lock().await.recv().await;
    let headers = [
        (
            "lambda-runtime-aws-request-id",
            "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
        ),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-west-1:123456789012:function:cronofy",
        ),
    ];
    (headers, Json(event))
}

// Without `Json`: the runtime sends no content type.
async fn respond(State(responses): State<mpsc::Sender<Value>>, response: Bytes) -> StatusCode {
    let response = serde_json::from_slice(&response).unwrap();
    responses.send(response).await.unwrap();
    StatusCode::ACCEPTED
}

impl Lambda {
    async fn start() -> Self {
        let (events, next_event) = mpsc::channel(1);
        let (responded, responses) = mpsc::channel(1);
        let next_event = Arc::new(Mutex::new(next_event));
        let api = "/2018-06-01/runtime/invocation";
        let app = Router::new()
            .route(&format!("{api}/next"), get(next).with_state(next_event))
            .route(
                &format!("{api}/{{id}}/response"),
                post(respond).with_state(responded),
            );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, app).await });
        let function = Command::new(env!("CARGO_BIN_EXE_lambda-example"))
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_NAME", "cronofy")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH", "true")
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("CRONOFY_CLIENT_SECRET", "CRN_test")
            .spawn()
            .unwrap();
        Self {
            events,
            responses,
            function,
        }
    }

    async fn response(&mut self, event: Value) -> Value {
        self.events.send(event).await.unwrap();
        let response = timeout(PATIENCE, self.responses.recv()).await;
        response.expect("the function responds").unwrap()
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        self.function.kill().unwrap();
        self.function.wait().unwrap();
    }
}

/// The event of a delivery signed with `secret`.
fn event(recorded: &str, base64: bool, secret: &str) -> Value {
    let mut event: Value = serde_json::from_str(recorded).unwrap();
    let signature = Verifier::new([secret]).unwrap().sign(BODY.as_bytes());
    let signature = Value::from(signature.to_str().unwrap());
    event["headers"]["cronofy-hmac-sha256"] = signature.clone();
    if event.get("multiValueHeaders").is_some() {
        event["multiValueHeaders"]["cronofy-hmac-sha256"] = [signature].into_iter().collect();
    }
    event["isBase64Encoded"] = base64.into();
    event["body"] = if base64 {
        STANDARD.encode(BODY).into()
    } else {
        BODY.into()
    };
    event
}

#[tokio::test]
async fn only_authentic_events_are_accepted() {
    let mut lambda = Lambda::start().await;
    for (origin, recorded) in EVENTS {
        for base64 in [false, true] {
            for (secret, status) in [("CRN_test", 204), ("a guess", 401)] {
                let response = lambda.response(event(recorded, base64, secret)).await;
                assert_eq!(
                    response["statusCode"], status,
                    "{origin}, {base64}: {response}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_body_that_the_gateway_changed_is_refused() {
    let mut lambda = Lambda::start().await;
    for (origin, recorded) in EVENTS {
        let mut event = event(recorded, false, "CRN_test");
        event["body"] = BODY.replace("\\u00eb", "ë").into();
        let response = lambda.response(event).await;
        assert_eq!(response["statusCode"], 401, "{origin}: {response}");
        assert!(
            response["body"].as_str().unwrap().contains("match"),
            "{response}"
        );
    }
}
