//! Tower middleware that receives [Cronofy](https://www.cronofy.com) push notifications: it checks the signature over the
//! raw body, responds before Cronofy times out, and passes the handler a typed [`Notification`].
//!
#![cfg_attr(feature = "axum", doc = "```")]
#![cfg_attr(not(feature = "axum"), doc = "```ignore")]
//! use axum::extract::Path;
//! use axum::routing::{get, post};
//! use axum::{Router, http::StatusCode};
//! use cronofy_webhook::{CronofyWebhookLayer, Notification};
//!
//! // Called only for deliveries that Cronofy has signed.
//! async fn receive(Path(account): Path<String>, notification: Notification) -> StatusCode {
//!     match notification {
//!         Notification::Change(change) => {
//!             // Read the events with this as `last_modified`.
//!             println!("{account}: changed since {}", change.changes_since);
//!         }
//!         Notification::ProfileDisconnected(_) => println!("{account}: ask the user to reconnect"),
//!         // A new type, or a body that could not be parsed.
//!         Notification::Unknown(unknown) => eprintln!("{account}: {}", unknown.reason()),
//!         _ => {}
//!     }
//!     // Acknowledge everything, or Cronofy retries it.
//!     StatusCode::NO_CONTENT
//! }
//!
//! fn app(client_secret: String) -> Router {
//!     Router::new()
//!         .route("/health", get(|| async { "ok" }))
//!         .route(
//!             "/cronofy/{account}",
//!             post(receive).layer(CronofyWebhookLayer::new(client_secret)),
//!         )
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use axum::{body::Body, http::Request};
//! # use cronofy_webhook::{Verifier, signature::HEADER};
//! # use tower::ServiceExt;
//! # let app = app("CRN_an_example".to_owned());
//! # for (path, status) in [("/health", 200), ("/unknown", 404), ("/cronofy/42", 401)] {
//! #     let request = Request::get(path).body(Body::empty())?;
//! #     assert_eq!(app.clone().oneshot(request).await?.status(), status, "{path}");
//! # }
//! # let body = r#"{
//! #     "notification": { "type": "change", "changes_since": "2026-04-19T09:24:16Z" },
//! #     "channel": { "channel_id": "chn_1", "callback_url": "https://receiver.example/cronofy/42" }
//! # }"#;
//! # for (secret, status) in [("CRN_an_example", 204), ("a guess", 401)] {
//! #     let request = Request::post("/cronofy/42")
//! #         .header(HEADER, Verifier::new([secret])?.sign(body.as_bytes()))
//! #         .body(Body::from(body))?;
//! #     assert_eq!(app.clone().oneshot(request).await?.status(), status);
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! Cronofy signs with the client secret of the application, which its dashboard shows. There is
//! [no separate webhook secret](https://docs.cronofy.com/developers/push-notifications/authentication/).
//!
//! # What happens to a request
//!
//! 1. The deadline starts, 4 seconds by default. A request without a signature, or with a declared length over the limit, is
//!    rejected before its body is read.
//! 2. The body is read, up to the limit (256 KiB by default) and within the deadline.
//! 3. The listed signatures are compared with those made with the client secrets (see [`signature`]). If none matches, the
//!    request is rejected.
//! 4. The body is parsed. One that cannot be parsed is a [`Notification::Unknown`], never rejected. With
//!    [`public_url`](CronofyWebhookLayer::public_url), a delivery that was made for another URL is rejected.
//! 5. The inner service is polled until it is ready. If it is not within the deadline, the response is 503.
//! 6. The inner service is called with the request as it came (head, extensions and body are unchanged) and the verified
//!    [`Delivery`] in its extensions. Its response is the response.
//! 7. If the deadline passes first, [`Overrun`] determines the response. By default the handler keeps running in the
//!    [`Background`], for at most 30 seconds; also if the client disconnects.
//!
//! # Responses
//!
//! | outcome | status | Cronofy then |
//! |---|---|---|
//! | the handler responded | its own response, unchanged | 2xx: considers it delivered; else retries |
//! | signature header absent, blank, or no listed signature matches | 401, `WWW-Authenticate: Cronofy-HMAC-SHA256` | retries for 24 hours, then closes the channel |
//! | body over the limit, declared or counted | 413 | same |
//! | body ended early | 400 | same |
//! | body not complete within the deadline | 408 | same |
//! | the `callback_url` of the notification is another one ([`public_url`](CronofyWebhookLayer::public_url), opt-in) | 403 | same |
//! | inner service not ready within the deadline | 503 | retries |
//! | handler not done within the deadline | 503 or 202: see [`Overrun`] | 503: retries; 202: considers it delivered |
//!
//! Each rejection is one sentence of plain text that says what to check, with a [`Rejection`] in the extensions of the response.
//!
//! The last column is what Cronofy documents for
//! [push notifications](https://docs.cronofy.com/developers/push-notifications/). For its other callbacks it does not say.
//!
//! # Caveats
//!
//! - Put the layer on the route, not on the `Router`: there it also guards other routes and unknown paths. See
//!   [Deployment](_documentation::deployment).
//! - A handler that is always late is never acknowledged under [`Overrun::Finish`], and the channel closes after 24 hours.
//!   See [Slow handlers](_documentation::slow_handlers).
//! - The signature covers neither time nor URL: a recorded delivery can be replayed. Make handlers idempotent, and see
//!   [Callback URL](_documentation::callback_url).
//! - A handler that runs in the background is lost when the process ends, unless the shutdown waits for it. See
//!   [Slow handlers](_documentation::slow_handlers#shutdown).
//!
//! The docs of [`middleware`](middleware#caveats) have those of the layer itself: bodies, inner services, tasks.
//!
//! # Where to start
//!
//! | for | see |
//! |---|---|
//! | the middleware and its settings | [`middleware`], [`CronofyWebhookLayer`] |
//! | secrets and rotation | [`signature`], [`Verifier`] |
//! | the kinds of notification | [`notification`], [`Notification`] |
//! | the raw body, the time left, which secret matched | [`Delivery`] |
//! | deliveries that get 401 | [My deliveries get 401](_documentation::unauthorized) |
//! | a handler that takes longer than Cronofy waits | [Slow handlers](_documentation::slow_handlers) |
//! | layers, TLS, proxies, Kubernetes, creating a channel | [Deployment](_documentation::deployment) |
//! | deliveries replayed to another URL | [Callback URL](_documentation::callback_url) |
//! | a concurrency limit | [Overload](_documentation::overload) |
//! | the log | [Events](_documentation::events) |
//! | metrics | [Metrics](_documentation::metrics) (feature `metrics`) |
//! | hyper, axum 0.7, actix-web, AWS Lambda, and others | [Other frameworks](_documentation::other_frameworks) |
//! | no Tower | [`Delivery::verify`] |
//!
//! # Other packages
//!
//! | package | for |
//! |---|---|
//! | [`cronofy-webhook-testing`](https://docs.rs/cronofy-webhook-testing) | the tests of a receiver: signed requests, samples, a simulated Cronofy |
//! | [`cronofy-webhook-diagnosis`](https://docs.rs/cronofy-webhook-diagnosis) | why a signature does not match |
//! | [`cronofy-webhook-inbox`](https://docs.rs/cronofy-webhook-inbox) | handlers that take longer: stores notifications before they are acknowledged |
//! | `cronofy-webhook-cli` | a command that tests a receiver in any language |
//!
//! # Features
//!
//! - `axum` (default): [`Notification`] and [`Delivery`] as extractors, [`Rejection`] as a response.
//! - `metrics`: counters, a gauge and a histogram, through the facade [`metrics`](https://docs.rs/metrics).

#![cfg_attr(docsrs, feature(doc_cfg))]

// Its examples use axum.
#[cfg(any(feature = "axum", not(doctest)))]
#[path = "documentation.rs"]
pub mod _documentation;
mod callback_url;
mod delivery;
mod events;
#[cfg(feature = "axum")]
mod extract;
pub mod middleware;
pub mod notification;
mod rejection;
mod secret;
pub mod signature;

pub use self::callback_url::{PublicUrl, PublicUrlError};
pub use self::delivery::Delivery;
#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub use self::extract::MissingDelivery;
#[doc(inline)]
pub use self::middleware::{
    Background, CronofyWebhook, CronofyWebhookLayer, MaybeBuffered, Mismatch, Overrun,
};
#[doc(inline)]
pub use self::notification::Notification;
pub use self::rejection::{Rejection, RejectionKind};
pub use self::secret::{Secret, SecretError, Suspicion};
#[doc(inline)]
pub use self::signature::Verifier;

#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;
