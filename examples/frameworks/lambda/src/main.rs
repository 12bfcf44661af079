//! AWS Lambda behind API Gateway, an Application Load Balancer or a Function URL: an axum router, run by `lambda_http`.
//!
//! ```sh
//! cd examples/frameworks
//! cargo test -p lambda-example    # runs it against a simulated runtime API
//! cargo lambda watch -p lambda-example    # with cargo-lambda, which also builds and deploys it
//! ```
//!
//! | variable of the function | |
//! |---|---|
//! | `CRONOFY_CLIENT_SECRET` | the client secret; several, separated by commas, while rotating |
//! | `AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH` | `true`: without it, `lambda_http` puts the stage of an API Gateway in front of the path, and no route matches |

use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::post;
use cronofy_webhook::{CronofyWebhookLayer, Notification, Overrun, Verifier};

async fn receive(Path(account): Path<String>, notification: Notification) -> StatusCode {
    println!("account {account}: {}", notification.kind());
    StatusCode::NO_CONTENT
}

fn app(verifier: Verifier) -> Router {
    let layer = CronofyWebhookLayer::from_verifier(verifier)
        // Lambda freezes the process after the response: nothing can finish in the background.
        .overrun(Overrun::Cancel)
        // A cold start and the gateway take part of the 5 s that Cronofy waits.
        .budget(Duration::from_secs(3));
    Router::new().route("/cronofy/{account}", post(receive).layer(layer))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    lambda_http::run(app(Verifier::from_env("CRONOFY_CLIENT_SECRET")?)).await
}
