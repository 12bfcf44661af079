//! The middleware: passes only authentic deliveries to the inner service, and responds within the deadline.
//!
//! The crate docs have [what happens to a request](crate#what-happens-to-a-request), step by step.
//!
//! Rejections are responses, with the [`Rejection`](crate::Rejection) in their extensions; errors of the inner service are
//! passed through. The [table of responses](crate#responses) lists the statuses.
//!
//! # Caveats
//!
//! - The body is buffered, and the request is passed on with the body type that it came with. Both the request body and
//!   the response body of the inner service must implement [`FromBytes`], as axum's `Body` and `http_body_util::Full` do. Others,
//!   such as hyper's `Incoming` and those of some of tower-http's layers, are wrapped in a [`MaybeBuffered`]: one line
//!   before the layer, one after it. With axum, a `.layer(…)` for each layer converts bodies as well.
//! - The inner service must be `Clone`: each delivery is handled by a clone, which is polled ready and then called.
//! - The layer must see the body as it was sent. Layers that rewrite it (decompression, normalisation) belong inside this
//!   layer.
//! - `poll_ready` is always ready, so that an unauthenticated client takes no permit of a concurrency limit inside this
//!   layer. A permit is taken once the delivery is verified, and held while the handler runs, in the background too. To shed
//!   load, put `load_shed` around the limit, both inside this layer.
//! - In the background a handler runs in another task: task-locals set by an outer layer are absent, and
//!   `tokio::task::spawn_local` panics, as it is not in the `LocalSet` any more. Its span is a root span that follows from that
//!   of the request.
//! - A handler that blocks its thread delays the response: use `spawn_blocking`.
//! - Trailers of the body are dropped: the signature does not cover them.
//! - The future of the inner service must be `Send + 'static`, as it may be moved to a task, and its error convertible to a
//!   boxed one, which is logged there.
//! - The deadline ends with the head of the response. Streaming the response body is not covered.
//! - The future must be polled within a tokio runtime with time enabled: it panics as soon as it has to wait otherwise.
//!
//! # Example
//!
//! ```
//! use std::convert::Infallible;
//!
//! use bytes::Bytes;
//! use cronofy_webhook::signature::HEADER;
//! use cronofy_webhook::{CronofyWebhookLayer, Delivery, Verifier};
//! use http::{Request, Response, StatusCode};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! async fn handle(request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
//!     let delivery: &Delivery = request.extensions().get().expect("behind the layer");
//!     assert_eq!(delivery.notification().kind(), "verification");
//!     Ok(Response::new(Full::default()))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let verifier = Verifier::new(["CRN_an_example"])?;
//! let service = ServiceBuilder::new()
//!     .layer(CronofyWebhookLayer::from_verifier(verifier.clone()))
//!     .service(service_fn(handle));
//!
//! let body = Bytes::from_static(
//!     br#"{"notification":{"type":"verification"},"channel":{"channel_id":"chn_1","callback_url":"https://receiver.example/"}}"#,
//! );
//!
//! // Signed with the secret: the handler is called, and its response is the response.
//! let genuine = Request::post("/").header(HEADER, verifier.sign(&body)).body(Full::new(body.clone()))?;
//! assert_eq!(service.clone().oneshot(genuine).await?.status(), StatusCode::OK);
//!
//! // Signed with another secret: the handler is not called.
//! let forger = Verifier::new(["a guess"])?;
//! let forged = Request::post("/").header(HEADER, forger.sign(&body)).body(Full::new(body))?;
//! assert_eq!(service.oneshot(forged).await?.status(), StatusCode::UNAUTHORIZED);
//! # Ok(())
//! # }
//! ```

mod background;
mod body;
mod config;
mod from_bytes;
mod future;
mod handler;
mod layer;
mod mismatch;
mod overrun;
mod report;
mod service;
mod timer;

pub use self::background::Background;
pub use self::from_bytes::{FromBytes, MaybeBuffered};
pub use self::future::ResponseFuture;
pub use self::layer::CronofyWebhookLayer;
pub use self::mismatch::Mismatch;
pub use self::overrun::Overrun;
pub use self::service::CronofyWebhook;

/// What a future that completed, or that panicked, panics with.
const POLLED_AFTER_COMPLETION: &str = "`ResponseFuture` polled after completion";
