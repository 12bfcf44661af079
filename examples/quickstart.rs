//! Starts a receiver, sends it over HTTP what Cronofy would send and what must be refused, and prints each response. Then
//! it keeps listening, for you to try.
//!
//! ```sh
//! cargo run --example quickstart            # keeps listening until Ctrl-C
//! cargo run --example quickstart -- --once  # exits after its deliveries: 0 if all responses were as expected
//! ```

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use axum::extract::Path;
use axum::http::{Request, StatusCode};
use axum::routing::post;
use axum::{Router, serve};
use bytes::Bytes;
use cronofy_webhook::signature::HEADER;
use cronofy_webhook::{CronofyWebhookLayer, Notification, Secret, Verifier};
use cronofy_webhook_testing::{Payload, Sender};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;

const SECRET: &str = "CRN_the_client_secret_of_your_application";
const NEXT_SECRET: &str = "CRN_the_secret_that_replaces_it";

/// Called only for authentic deliveries.
async fn receive(Path(account): Path<String>, notification: Notification) -> StatusCode {
    match &notification {
        Notification::Change(change) => {
            println!(
                "  account {account}: changed since {}",
                change.changes_since
            );
        }
        Notification::Unknown(unknown) => {
            println!("  account {account}: unknown: {}", unknown.reason());
        }
        other => println!("  account {account}: {}", other.kind()),
    }
    if account == "slow" {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        println!("  account {account}: finished, in the background");
    }
    StatusCode::NO_CONTENT
}

/// A request to the receiver, and the expected status.
struct Attempt {
    what: String,
    account: &'static str,
    signed_with: &'static [&'static str],
    body: String,
    expected: u16,
}

fn attempts() -> Vec<Attempt> {
    let attempt = |what: &str, signed_with, body: &str, expected| Attempt {
        what: what.to_owned(),
        account: "42",
        signed_with,
        body: body.to_owned(),
        expected,
    };
    let change = Payload::sample("change");
    let change = change.as_str();
    let oversized = format!("{change}{}", " ".repeat(300 * 1024));
    let mut attempts: Vec<Attempt> = Payload::samples()
        .map(|sample| {
            let what = format!("signed: {}", sample.name());
            attempt(&what, &[SECRET], sample.payload().as_str(), 204)
        })
        .collect();
    attempts.extend([
        attempt("signed, but not JSON", &[SECRET], "bonjour", 204),
        attempt(
            "signed with two secrets, as during a rotation",
            &[NEXT_SECRET, SECRET],
            change,
            204,
        ),
        attempt("forged", &["a guess"], change, 401),
        attempt("not signed", &[], change, 401),
        attempt("over the limit", &[SECRET], &oversized, 413),
        Attempt {
            account: "slow",
            ..attempt("handler slower than the deadline", &[SECRET], change, 503)
        },
    ]);
    attempts
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let layer = CronofyWebhookLayer::new(Secret::new(SECRET).with_label("current"))
        // The default is 4 seconds.
        .budget(Duration::from_secs(1));
    let app = Router::new().route("/cronofy/{account}", post(receive).layer(layer));

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/cronofy", listener.local_addr()?);
    let server = tokio::spawn(async { serve(listener, app).await });
    println!("Listening on {url}/{{account}}\n");

    // A server may close a connection after refusing a body without reading it: each attempt has its own.
    let client = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .build_http();
    let mut unexpected = 0;
    for attempt in attempts() {
        let url = format!("{url}/{}", attempt.account);
        let request: Request<Full<Bytes>> = if attempt.signed_with.is_empty() {
            Request::post(url).body(attempt.body.into())?
        } else {
            let cronofy = Verifier::new(attempt.signed_with.iter().copied())?;
            let mut request = Sender::from_verifier(cronofy).request(attempt.body);
            *request.uri_mut() = url.parse()?;
            request
        };

        println!("{}", attempt.what);
        let started = Instant::now();
        let response = client.request(request).await?;
        let took = started.elapsed();

        let status = response.status().as_u16();
        let text = response.into_body().collect().await?.to_bytes();
        let verdict = if status == attempt.expected {
            "as expected"
        } else {
            "NOT AS EXPECTED"
        };
        unexpected += usize::from(status != attempt.expected);
        println!(
            "  response: {status}, {verdict}, after {:.1} ms",
            took.as_secs_f64() * 1e3
        );
        if !text.is_empty() {
            println!("  {}", String::from_utf8_lossy(&text));
        }
    }
    // Wait for the slow handler in the background.
    tokio::time::sleep(Duration::from_secs(1)).await;

    if std::env::args().any(|argument| argument == "--once") {
        println!("\n{unexpected} not as expected");
        return Ok(if unexpected == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    let body = r#"{"notification":{"type":"verification"},"channel":{"channel_id":"chn_1","callback_url":"https://receiver.example/"}}"#;
    let signature = Verifier::new([SECRET])?.sign(body.as_bytes());
    println!(
        "\nStill listening, until Ctrl-C (`--once` exits here). In another terminal:\n\ncurl -i {url}/42 -H '{HEADER}: {}' -d '{body}'",
        signature.to_str()?
    );
    server.await??;
    Ok(ExitCode::SUCCESS)
}
