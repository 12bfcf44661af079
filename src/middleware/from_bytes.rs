use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use pin_project_lite::pin_project;

/// What [`CronofyWebhookLayer`](super::CronofyWebhookLayer) needs of the body of a request and of the inner service's
/// response: that it can be made from [`Bytes`].
///
/// The layer reads the body of a request and passes on the same type, made from the bytes that it read. A rejection is a body of
/// the type that the inner service responds with.
///
/// Implemented for everything that is `From<Bytes>`: axum's `Body`, `http_body_util::Full`. For other bodies there is
/// [`MaybeBuffered`].
#[diagnostic::on_unimplemented(
    message = "`CronofyWebhookLayer` needs a body that can be made from `Bytes`, which `{Self}` cannot",
    label = "cannot be made from `Bytes`",
    note = "if it is the body of the request, add `.map_request_body(cronofy_webhook::MaybeBuffered::new)` before the layer",
    note = "if it is the body of the response, add `.map_response_body(cronofy_webhook::MaybeBuffered::new)` after the layer",
    note = "both are methods of `tower_http::ServiceBuilderExt`"
)]
pub trait FromBytes: From<Bytes> {}

// Otherwise the compiler names the missing `From` in place of the message above.
#[diagnostic::do_not_recommend]
impl<B: From<Bytes>> FromBytes for B {}

pin_project! {
    /// A body that is passed on as it is, or made from [`Bytes`].
    ///
    /// It wraps a body that [cannot be made from `Bytes`](FromBytes), on either side of the layer: hyper's `Incoming`, the
    /// `BoxBody` of `http_body_util`, the bodies of tower-http's layers. Data is not copied, and its frames, trailers and size
    /// hint are those of the body in it.
    ///
    /// In a `ServiceBuilder`, with tower-http's `ServiceBuilderExt` (features `util`, `map-request-body` and `map-response-body`):
    ///
    /// ```
    /// use std::convert::Infallible;
    ///
    /// use bytes::Bytes;
    /// use cronofy_webhook::{CronofyWebhookLayer, MaybeBuffered};
    /// use http::{Request, Response};
    /// use http_body_util::{BodyExt as _, Empty, combinators::BoxBody};
    /// use tower::{ServiceBuilder, ServiceExt as _, service_fn};
    /// use tower_http::ServiceBuilderExt as _;
    ///
    /// type Boxed = BoxBody<Bytes, Infallible>;
    ///
    /// async fn handle(_: Request<MaybeBuffered<Boxed>>) -> Result<Response<Boxed>, Infallible> {
    ///     Ok(Response::new(Empty::new().boxed()))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let service = ServiceBuilder::new()
    ///     .map_request_body(MaybeBuffered::new)
    ///     .layer(CronofyWebhookLayer::new("CRN_an_example"))
    ///     .map_response_body(MaybeBuffered::new)
    ///     .service_fn(handle);
    ///
    /// let unsigned = Request::post("/").body(Empty::new().boxed())?;
    /// assert_eq!(service.oneshot(unsigned).await?.status(), 401);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// With tower alone the first line is `.map_request(|request: Request<_>| request.map(MaybeBuffered::new))`.
    #[derive(Debug)]
    #[must_use]
    pub struct MaybeBuffered<B> {
        #[pin]
        inner: Inner<B>,
    }
}

pin_project! {
    #[project = InnerProj]
    #[derive(Debug)]
    enum Inner<B> {
        Body {
            #[pin]
            body: B,
        },
        Full {
            body: Full<Bytes>,
        },
    }
}

impl<B> MaybeBuffered<B> {
    /// A body that is `body`.
    pub fn new(body: B) -> Self {
        Self {
            inner: Inner::Body { body },
        }
    }
}

impl<B> From<Bytes> for MaybeBuffered<B> {
    fn from(bytes: Bytes) -> Self {
        let body = Full::new(bytes);
        Self {
            inner: Inner::Full { body },
        }
    }
}

impl<B: Body<Data = Bytes>> Body for MaybeBuffered<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().inner.project() {
            InnerProj::Body { body } => body.poll_frame(cx),
            InnerProj::Full { body } => Pin::new(body)
                .poll_frame(cx)
                .map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Body { body } => body.is_end_stream(),
            Inner::Full { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Body { body } => body.size_hint(),
            Inner::Full { body } => body.size_hint(),
        }
    }
}
