//! Cloudflare Workers: the check alone, as the layer needs tokio's clock.
//!
//! ```sh
//! cd examples/frameworks
//! cargo check -p worker-example --target wasm32-unknown-unknown
//! ```
//!
//! `wrangler secret put CRONOFY_CLIENT_SECRET` gives it the client secret, and `worker-build` builds it.

use cronofy_webhook::{Delivery, Verifier};
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use worker::{Body, Context, Env, HttpRequest, console_log, console_warn, event};

/// Notifications have a few hundred bytes.
const BODY_LIMIT: usize = 256 * 1024;

#[event(fetch)]
async fn fetch(
    request: HttpRequest,
    env: Env,
    _context: Context,
) -> worker::Result<Response<Body>> {
    let secret = env.secret("CRONOFY_CLIENT_SECRET")?.to_string();
    let verifier = Verifier::new([secret]).map_err(|error| error.to_string())?;
    respond(receive(&verifier, request).await)
}

async fn receive(verifier: &Verifier, request: HttpRequest) -> StatusCode {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            console_warn!("the body could not be read: {error}");
            return match error.is::<LengthLimitError>() {
                true => StatusCode::PAYLOAD_TOO_LARGE,
                false => StatusCode::BAD_REQUEST,
            };
        }
    };
    let delivery = Delivery::verify(verifier, &head.headers, body);
    match delivery {
        Ok(delivery) => {
            console_log!("{}: {}", head.uri.path(), delivery.notification().kind());
            StatusCode::NO_CONTENT
        }
        Err(rejection) => {
            console_warn!("{rejection}");
            rejection.status()
        }
    }
}

fn respond(status: StatusCode) -> worker::Result<Response<Body>> {
    Ok(Response::builder().status(status).body(Body::empty())?)
}
