//! Events about requests that are not known to be authentic.

use std::error::Error;
use std::time::Duration;

use http::StatusCode;
use tracing::{debug, error, warn};

#[cfg(feature = "metrics")]
use super::metrics;
use super::{RequestBody, TARGET, chain, millis};

/// A rejection of a request that is not known to be authentic. `suppressed`: how many were at debug level since the last
/// one at warn level; `None` if this one is at debug level too.
pub(crate) fn rejected(
    reason: &'static str,
    status: StatusCode,
    cause: &(dyn Error + 'static),
    body: RequestBody<'_>,
    suppressed: Option<u64>,
) {
    #[cfg(feature = "metrics")]
    metrics::rejection(reason);
    limited!(
        suppressed,
        reason,
        status = status.as_u16(),
        error = chain(cause),
        body_length = body.read,
        content_length = body.content_length,
        content_encoding = body.content_encoding,
        "request rejected"
    );
}

/// `suppressed` as for [`rejected`].
pub(crate) fn dropped_while_reading(
    body: RequestBody<'_>,
    elapsed: Duration,
    suppressed: Option<u64>,
) {
    limited!(
        suppressed,
        body_length = body.read,
        content_length = body.content_length,
        content_encoding = body.content_encoding,
        elapsed_ms = millis(elapsed),
        "request was dropped before its body was complete (client disconnect, or timeout of an outer layer)"
    );
}

/// A panic in the function of `on_mismatch`.
pub(crate) fn hook_panicked() {
    error!(target: TARGET, "on_mismatch panicked");
}
