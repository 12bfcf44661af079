//! Signed requests, sample bodies and a simulated Cronofy, for the tests of a receiver of
//! [Cronofy's push notifications](https://docs.cronofy.com/developers/push-notifications/) that uses [`cronofy_webhook`].
//!
//! ```toml
//! [dev-dependencies]
//! cronofy-webhook-testing = "0.1"
//! tokio = { version = "1", features = ["macros", "rt", "test-util"] }
//! tower = { version = "0.5", features = ["util"] }
//! ```
//!
//! - [`Sender`] signs a body: as a request, as a verified [`Delivery`](cronofy_webhook::Delivery), or almost right.
//! - [`Payload`] is a body: one of the samples, or changed as a test needs it.
//! - [`Cronofy`] delivers to a service, and retries as Cronofy does.
//!
//! The signatures and bodies are those of Cronofy's documentation as far as it goes; [`Sample::provenance`] says how far that
//! is.
//!
//! # A handler's unit test
//!
//! The handler is called with a verified delivery.
//!
//! ```
//! use cronofy_webhook::{Delivery, Notification};
//! use cronofy_webhook_testing::{Payload, Sender};
//!
//! async fn receive(delivery: Delivery) -> u16 {
//!     if let Notification::Change(_) = delivery.notification() { 204 } else { 200 }
//! }
//!
//! # /*
//! #[tokio::test]
//! # */
//! async fn a_change_is_handled() {
//!     let delivery = Sender::new("CRN_test").delivery(Payload::sample("change"));
//!     assert_eq!(receive(delivery).await, 204);
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { a_change_is_handled().await }
//! ```
//!
//! # Samples and near misses through a router
//!
//! What is authentic is accepted, whatever its kind, and what is almost authentic is refused.
//!
//! ```
//! use axum::{Router, body::Body, routing::post};
//! use cronofy_webhook::{CronofyWebhookLayer, Notification};
//! use cronofy_webhook_testing::{Payload, Sender};
//! use tower::ServiceExt;
//!
//! async fn receive(_: Notification) {}
//!
//! fn app() -> Router {
//!     Router::new().route("/cronofy", post(receive).layer(CronofyWebhookLayer::new("CRN_test")))
//! }
//!
//! # /*
//! #[tokio::test]
//! # */
//! async fn only_authentic_deliveries_are_accepted() {
//!     let sender = Sender::new("CRN_test").to("/cronofy");
//!     for sample in Payload::samples() {
//!         let response = app().oneshot(sender.request::<Body>(sample.payload())).await.unwrap();
//!         assert_eq!(response.status(), 200, "{}", sample.name());
//!     }
//!     for (near_miss, request) in sender.near_misses::<Body>(Payload::sample("change")) {
//!         assert_eq!(app().oneshot(request).await.unwrap().status(), 401, "{near_miss}");
//!     }
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { only_authentic_deliveries_are_accepted().await }
//! ```
//!
//! # A day of retries
//!
//! It takes milliseconds, as the clock is paused: see [`Cronofy`] for what is simulated and what a paused clock is for.
//!
//! ```
//! use axum::{Router, body::Body, http::StatusCode, routing::post};
//! use cronofy_webhook::CronofyWebhookLayer;
//! use cronofy_webhook_testing::{Cronofy, Outcome, Payload, Sender};
//!
//! # /*
//! #[tokio::test(start_paused = true)]
//! # */
//! async fn a_day_of_failures_closes_the_channel() {
//!     let failing = post(async || StatusCode::BAD_GATEWAY); // the database is down
//!     let app = Router::new().route("/cronofy", failing.layer(CronofyWebhookLayer::new("CRN_test")));
//!     let cronofy = Cronofy::<_, Body>::new(Sender::new("CRN_test"), app);
//!     let channel = cronofy.open_channel("https://receiver.example/cronofy").await;
//!     let outcome = channel.notify(Payload::sample("change")).await;
//!     assert!(matches!(outcome, Outcome::ChannelClosed { .. }));
//! }
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() { a_day_of_failures_closes_the_channel().await }
//! ```

mod cronofy;
mod outcome;
mod payload;
mod pointer;
mod sample;
mod schedule;
mod sender;

pub use self::cronofy::{Cronofy, OpenChannel, time_limit};
pub use self::outcome::{Attempt, AttemptResult, Outcome};
pub use self::payload::Payload;
pub use self::pointer::SetError;
pub use self::sample::{Provenance, Sample};
pub use self::schedule::Schedule;
pub use self::sender::{NearMiss, Sender};

/// The example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
