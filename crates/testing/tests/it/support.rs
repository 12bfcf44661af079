//! What the tests share: secrets, and a handler that counts its calls.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;

pub(crate) const SECRET: &str = "CRN_NggYusqPGLxwjw5FHOJYOqSrTPNXy8WQf14OID";
pub(crate) const OTHER_SECRET: &str = "CRN_nGlYDFXwfSXgB9rvGNBJyfE454GGPtWIbNuPwr";

/// Counts the calls of a handler.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<AtomicUsize>);

impl Calls {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Counts its calls, and responds with 200 at once.
pub(crate) fn handler(
    calls: &Calls,
) -> impl tower::Service<
    Request<Full<Bytes>>,
    Response = Response<Full<Bytes>>,
    Error = Infallible,
    Future: Send + 'static,
> + Clone
+ use<> {
    let calls = calls.clone();
    tower::service_fn(move |_: Request<Full<Bytes>>| {
        calls.add();
        async { Ok(Response::default()) }
    })
}
