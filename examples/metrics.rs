//! A receiver whose metrics Prometheus reads, from a port of their own.
//!
//! ```sh
//! CRONOFY_CLIENT_SECRET=CRN_test cargo run --example metrics --features metrics
//! ```
//!
//! | variable | |
//! |---|---|
//! | `CRONOFY_CLIENT_SECRET` | the client secret; several, separated by commas, while rotating |
//! | `LISTEN` | the address of the receiver; `127.0.0.1:3000` if absent |
//! | `LISTEN_METRICS` | the address of `/metrics`; `127.0.0.1:9100` if absent |

use std::env;
use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use cronofy_webhook::{CronofyWebhookLayer, Notification, Verifier};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::time::interval;

/// Upper bounds in seconds: at 4 is the deadline, at 5 Cronofy gives up, and after 34 the grace period has ended.
const BUCKETS: [f64; 9] = [0.01, 0.05, 0.25, 1.0, 2.0, 4.0, 5.0, 10.0, 34.0];

/// Installs the recorder. Before the layer is made, which describes its metrics to it.
fn install_recorder() -> Result<PrometheusHandle, Box<dyn Error>> {
    let duration = Matcher::Full("cronofy_webhook.handler.duration".to_owned());
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(duration, &BUCKETS)?
        .install_recorder()?;
    Ok(handle)
}

async fn receive(_: Notification) -> StatusCode {
    StatusCode::NO_CONTENT
}

fn receiver(verifier: Verifier) -> Router {
    let layer = CronofyWebhookLayer::from_verifier(verifier);
    Router::new().route("/cronofy/{account}", post(receive).layer(layer))
}

fn metrics(handle: PrometheusHandle) -> Router {
    Router::new().route("/metrics", get(async move || handle.render()))
}

async fn listen(variable: &str, default: &str) -> Result<TcpListener, Box<dyn Error>> {
    let address = env::var(variable).unwrap_or_else(|_| default.to_owned());
    let listener = TcpListener::bind(&address).await;
    Ok(listener.map_err(|error| format!("{variable}={address}: {error}"))?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let verifier = Verifier::from_env("CRONOFY_CLIENT_SECRET")?;
    let handle = install_recorder()?;
    let receiver = receiver(verifier);
    let listener = listen("LISTEN", "127.0.0.1:3000").await?;
    let metrics_listener = listen("LISTEN_METRICS", "127.0.0.1:9100").await?;
    println!(
        "listening on http://{}/cronofy/{{account}}, metrics on http://{}/metrics",
        listener.local_addr()?,
        metrics_listener.local_addr()?
    );

    let upkeep = handle.clone();
    tokio::spawn(async move {
        // Without it the recorder's buffers grow until `/metrics` is read.
        let mut every_five_seconds = interval(Duration::from_secs(5));
        loop {
            every_five_seconds.tick().await;
            upkeep.run_upkeep();
        }
    });
    tokio::try_join!(async { axum::serve(listener, receiver).await }, async {
        axum::serve(metrics_listener, metrics(handle)).await
    },)?;
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use cronofy_webhook_testing::{Payload, Sender};
    use http_body_util::BodyExt as _;
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;

    use super::*;

    async fn serve(app: Router) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, app).await });
        format!("http://{address}")
    }

    async fn send(request: Request<Body>) -> String {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let response = client.request(request).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn prometheus_reads_what_was_received() {
        let handle = install_recorder().unwrap();
        let receiver = serve(receiver(Verifier::new(["CRN_test"]).unwrap())).await;
        let metrics = serve(metrics(handle)).await;

        let url = format!("{receiver}/cronofy/42");
        for (secret, times) in [("CRN_test", 3), ("a guess", 2)] {
            for _ in 0..times {
                let mut request = Sender::new(secret).request(Payload::sample("change"));
                *request.uri_mut() = url.parse().unwrap();
                send(request).await;
            }
        }

        let request = Request::get(format!("{metrics}/metrics"));
        let text = send(request.body(Body::empty()).unwrap()).await;
        for line in [
            "# TYPE cronofy_webhook_deliveries counter",
            r#"cronofy_webhook_deliveries{kind="change",outcome="handled"} 3"#,
            r#"cronofy_webhook_rejections{reason="signature_mismatch"} 2"#,
            r#"cronofy_webhook_handler_duration_bucket{kind="change",le="4"} 3"#,
            r#"cronofy_webhook_handler_duration_count{kind="change"} 3"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n\n{text}");
        }
    }
}
