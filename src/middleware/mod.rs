//! The middleware: lets only what Cronofy has signed reach the inner service, and answers in time.
//!
//! What happens to a request, in this order:
//!
//! 1. The clock starts. No signature header, or a declared length over the limit: refused, and none of the body is read.
//! 2. The body is read, up to the limit. Larger, broken off, or not complete inside the budget: refused.
//! 3. The signatures are checked against the body (see [`signature`](crate::signature)). None matches: refused.
//! 4. The inner service is called, with the request as it came: head, extensions and body unchanged. The verified
//!    [`Delivery`](crate::Delivery) is in the extensions. Its answer is the answer.
//! 5. It is not done when the budget is spent: [`Overrun`] says what the answer is, and that the work goes on in the
//!    background. It goes on as well when the sender hangs up.
//!
//! A refusal is a response, with the [`Rejection`](crate::Rejection) in its extensions; errors of the inner service pass
//! through. Statuses are listed in the [crate docs](crate#answers).
//!
//! What to know:
//!
//! - The body is buffered, and the request is passed on with the body type that it came with. The type must be one
//!   that can be made from [`Bytes`](bytes::Bytes): axum's is, and `http_body_util::Full`. With plain hyper, wrap its
//!   `Incoming`, as the example `hyper` does.
//! - The layer must see the body as it was sent. Layers that rewrite it (decompression, normalisation) belong inside of
//!   this one, not around it.
//! - A concurrency limit holds its permit while the body is read, on either side of this layer, and that before it is known
//!   who sends. Inside, it also counts the handlers in the background; around, it does not.
//! - In the background a handler is another task: task-locals that a layer outside has set are gone. Set them inside.
//! - A handler that blocks its thread holds up the answer as well. Let it use `spawn_blocking`.
//! - Trailers of the body are dropped: the signature does not cover them.
//! - The inner service's future must be `Send + 'static`, to be moved into a task, and its error convertible into a boxed
//!   one, to be logged from there.
//! - The budget covers the time until the inner service has answered with a head. Streaming a body afterwards is not
//!   covered, and has nothing to say to Cronofy.
//! - The future must be polled inside of a tokio runtime, with time enabled. Outside of one it panics as soon as it has to wait.
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
//!     .layer(CronofyWebhookLayer::with_verifier(verifier.clone()))
//!     .service(service_fn(handle));
//!
//! let body = Bytes::from_static(
//!     br#"{"notification":{"type":"verification"},"channel":{"channel_id":"chn_1","callback_url":"https://receiver.example/"}}"#,
//! );
//!
//! // Signed with the secret: the handler is called, and its answer is the answer.
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

mod config;
mod future;
mod layer;
mod overrun;
mod read;
mod service;
mod timer;

pub use self::future::ResponseFuture;
pub use self::layer::CronofyWebhookLayer;
pub use self::overrun::Overrun;
pub use self::service::CronofyWebhook;
