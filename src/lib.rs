//! Tower middleware that receives [Cronofy](https://www.cronofy.com) push notifications: checks the signature over the raw
//! body, answers before Cronofy gives up, and hands the handler a typed [`Notification`].
//!
#![cfg_attr(feature = "axum", doc = "```")]
#![cfg_attr(not(feature = "axum"), doc = "```ignore")]
//! use axum::{Router, http::StatusCode, routing::post};
//! use cronofy_webhook::{CronofyWebhookLayer, Notification};
//!
//! // Called for what Cronofy has signed, and for nothing else.
//! async fn receive(notification: Notification) -> StatusCode {
//!     if let Notification::Change(change) = notification {
//!         println!("{} changed since {}", change.channel.channel_id, change.changes_since);
//!     }
//!     StatusCode::NO_CONTENT
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use axum::{body::Body, http::Request};
//! # use cronofy_webhook::{Verifier, signature::HEADER};
//! # use tower::ServiceExt;
//! # let client_secret = "CRN_an_example";
//! let app: Router = Router::new()
//!     .route("/cronofy/{account}", post(receive))
//!     .layer(CronofyWebhookLayer::new(client_secret));
//!
//! // What Cronofy sends is accepted, and what anybody else sends is not.
//! let body = r#"{
//!     "notification": { "type": "change", "changes_since": "2026-04-19T09:24:16Z" },
//!     "channel": { "channel_id": "chn_1", "callback_url": "https://receiver.example/cronofy/42" }
//! }"#;
//! for (secret, status) in [(client_secret, 204), ("a guess", 401)] {
//!     let request = Request::post("/cronofy/42")
//!         .header(HEADER, Verifier::new([secret])?.sign(body.as_bytes()))
//!         .body(Body::from(body))?;
//!     assert_eq!(app.clone().oneshot(request).await?.status(), status);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Where to start
//!
//! | for | see |
//! |---|---|
//! | the middleware, and what it does to a request | [`middleware`], [`CronofyWebhookLayer`] |
//! | several secrets, and their rotation | [`Verifier`], [`signature`] |
//! | the kinds of notification | [`notification`], [`Notification`] |
//! | the raw body, the time left, which secret matched | [`Delivery`] |
//! | a handler that takes longer than Cronofy waits | [`Overrun`] |
//! | no axum | the example `hyper` |
//! | no tower | [`Delivery::verify`] |
//!
//! # Answers
//!
//! | outcome | status | Cronofy then |
//! |---|---|---|
//! | the handler answered | its own answer, untouched | 2xx: done; else delivers again |
//! | signature header absent, blank, or no listed signature matches | 401, `WWW-Authenticate: Cronofy-HMAC-SHA256` | delivers again for 24 hours, then closes the channel |
//! | body over the limit, declared or counted | 413 | the same |
//! | body broken off | 400 | the same |
//! | body not complete inside the budget | 408 | the same |
//! | handler not done inside the budget: [`Overrun::Finish`], [`Overrun::Cancel`] | 503 | delivers again |
//! | handler not done inside the budget: [`Overrun::Accept`] | 202 | done |
//!
//! Each refusal carries one sentence of plain text for the sender, and a [`Rejection`] in the extensions of the response.
//!
//! What Cronofy does with an answer is what its documentation says of push notifications. For its other callbacks it does
//! not say.
//!
//! # Features
//!
//! - `axum` (default): [`Notification`] and [`Delivery`] as extractors, [`Rejection`] as a response.
//! - `testing`: signed requests, sample bodies and a simulated Cronofy for tests of a handler; see the module `testing`.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod delivery;
mod events;
#[cfg(feature = "axum")]
mod extract;
pub mod middleware;
pub mod notification;
mod rejection;
mod secret;
pub mod signature;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;

pub use self::delivery::Delivery;
#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub use self::extract::MissingDelivery;
pub use self::middleware::{CronofyWebhook, CronofyWebhookLayer, Overrun};
pub use self::notification::Notification;
pub use self::rejection::{Rejection, RejectionKind};
pub use self::secret::{Secret, SecretError};
pub use self::signature::Verifier;

#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;
