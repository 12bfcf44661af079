//! The span of a request, and the events about requests that are not known to be authentic.

use std::error::Error;
use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderName};
use http::{HeaderMap, StatusCode};
use tracing::{Instrument as _, Span, debug, error, info_span, warn};

use super::{Limiter, Subject, TARGET, chain, metrics, millis};

/// How many characters are logged of a text that anybody may have sent.
const LOGGED: usize = 64;

/// The request that an event is about, of which nothing is known to be authentic.
#[derive(Clone, Copy)]
pub(crate) struct RequestBody<'a> {
    pub(crate) headers: &'a HeaderMap,
    /// How many bytes were read.
    pub(crate) read: usize,
}

impl<'a> RequestBody<'a> {
    fn content_length(self) -> Option<u64> {
        self.header(&CONTENT_LENGTH)?.parse().ok()
    }

    fn content_encoding(self) -> Option<&'a str> {
        self.header(&CONTENT_ENCODING)
    }

    /// If it is visible ASCII.
    fn header(self, name: &HeaderName) -> Option<&'a str> {
        let text = self.headers.get(name)?.to_str().ok()?;
        Some(&text[..text.len().min(LOGGED)])
    }
}

/// A rejection of a request that has no signature, at debug level: scanners of the internet would write the log otherwise.
pub(crate) fn unsigned(
    reason: &'static str,
    status: StatusCode,
    cause: &(dyn Error + 'static),
    body: RequestBody<'_>,
) {
    metrics::rejection(reason);
    debug!(
        target: TARGET,
        reason,
        status = status.as_u16(),
        error = chain(cause),
        body_length = body.read,
        content_length = body.content_length(),
        content_encoding = body.content_encoding(),
        "unsigned request rejected"
    );
}

pub(crate) fn rejected(
    limiter: &Limiter,
    reason: &'static str,
    status: StatusCode,
    cause: &(dyn Error + 'static),
    body: RequestBody<'_>,
) {
    metrics::rejection(reason);
    limited!(
        limiter,
        reason,
        warn,
        "request rejected",
        reason,
        status = status.as_u16(),
        error = chain(cause),
        body_length = body.read,
        content_length = body.content_length(),
        content_encoding = body.content_encoding()
    );
}

pub(crate) fn dropped_while_reading(limiter: &Limiter, body: RequestBody<'_>, elapsed: Duration) {
    limited!(
        limiter,
        "",
        warn,
        "request dropped before its body was complete",
        body_length = body.read,
        content_length = body.content_length(),
        content_encoding = body.content_encoding(),
        elapsed_ms = millis(elapsed)
    );
}

/// A panic in the function of `on_mismatch`.
pub(crate) fn hook_panicked(limiter: &Limiter, reason: &'static str) {
    limited!(limiter, "", error, "on_mismatch panicked", reason);
}

/// The span of a request, kept for when it is not entered: a drop, and a move to the background.
pub(crate) struct RequestSpan(Span);

impl RequestSpan {
    pub(crate) fn current() -> Self {
        Self(Span::current())
    }

    pub(crate) fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        self.0.in_scope(f)
    }

    /// Gives the future a root span that follows from this one. As a child it would keep this one open.
    pub(crate) fn detach<F: Future>(
        &self,
        subject: Subject<'_>,
        future: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        let span = info_span!(
            target: TARGET,
            parent: None,
            "cronofy_webhook.background",
            kind = subject.kind,
            channel = subject.channel,
        );
        span.follows_from(&self.0);
        future.instrument(span)
    }
}
