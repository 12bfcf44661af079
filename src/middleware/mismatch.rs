use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Uri};

use crate::events::{self, Limiter};
use crate::rejection::{Rejection, RejectionKind};
use crate::signature::Verifier;

/// A request that is about to be rejected, as no listed signature matches its body.
///
/// It is what the function of [`on_mismatch`](super::CronofyWebhookLayer::on_mismatch) is called with. **Nobody has authenticated
/// it**: URI, headers and body are what any client may send, and [`Debug`] prints none of them.
#[derive(Clone)]
pub struct Mismatch<'a> {
    uri: &'a Uri,
    headers: &'a HeaderMap,
    body: &'a Bytes,
    rejection: &'a Rejection,
    verifier: &'a Verifier,
}

impl<'a> Mismatch<'a> {
    /// The URI of the request. Paths may hold tokens.
    #[must_use]
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// The headers of the request.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// The body, as received: a slice of the server's buffer, so copy what you keep.
    #[must_use]
    pub fn body(&self) -> &'a Bytes {
        self.body
    }

    /// The rejection that follows: of the kind
    /// [`SignatureMismatch`](RejectionKind::SignatureMismatch) or [`SignatureMalformed`](RejectionKind::SignatureMalformed).
    #[must_use]
    pub fn rejection(&self) -> &'a Rejection {
        self.rejection
    }

    /// The verifier of the layer, with the secrets that are in use now.
    pub fn verifier(&self) -> &'a Verifier {
        self.verifier
    }
}

impl fmt::Debug for Mismatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mismatch")
            .field("rejection", &self.rejection)
            .field("verifier", &self.verifier)
            .finish_non_exhaustive()
    }
}

/// The function that is called with each [`Mismatch`].
#[derive(Clone)]
pub(super) struct OnMismatch(Arc<dyn Fn(&Mismatch<'_>) + Send + Sync>);

impl OnMismatch {
    pub(super) fn new(hook: impl Fn(&Mismatch<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    /// Calls the function if the rejection is about a signature.
    pub(super) fn call(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        body: &Bytes,
        rejection: &Rejection,
        verifier: &Verifier,
        limiter: &Limiter,
    ) {
        if !matches!(
            rejection.kind(),
            RejectionKind::SignatureMismatch | RejectionKind::SignatureMalformed
        ) {
            return;
        }
        let mismatch = Mismatch {
            uri,
            headers,
            body,
            rejection,
            verifier,
        };
        // In `poll` a panic would cost the client its response.
        if catch_unwind(AssertUnwindSafe(|| (self.0)(&mismatch))).is_err() {
            events::hook_panicked(limiter, rejection.kind().as_str());
        }
    }
}

impl fmt::Debug for OnMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnMismatch")
    }
}
