use tracing::{Instrument as _, Span, info_span};

use super::{Subject, TARGET};

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
