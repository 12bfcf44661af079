use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::runtime;

use super::limiter::Slot;
use crate::diagnosis::{Diagnosis, Finding};
use crate::events::{self, RequestSpan};
use crate::rejection::{Rejection, RejectionKind};

/// Explanations cost up to a hundred times as much as a rejection, and anybody who knows the URL can ask for one.
const INTERVAL: Duration = Duration::from_secs(1);

/// Explains signatures that do not match, in the log: at most one a second, and one at a time.
#[derive(Clone, Debug)]
pub(super) struct Explainer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    diagnosis: Diagnosis,
    slot: Slot,
    is_busy: AtomicBool,
}

impl Explainer {
    pub(super) fn new(diagnosis: Diagnosis) -> Self {
        Self(Arc::new(Inner {
            diagnosis,
            slot: Slot::new(INTERVAL),
            is_busy: AtomicBool::new(false),
        }))
    }

    /// Explains the rejection of a request, on a thread for blocking work.
    pub(super) fn explain(&self, rejection: &Rejection, headers: &HeaderMap, body: &Bytes) {
        if !matches!(
            rejection.kind(),
            RejectionKind::SignatureMismatch | RejectionKind::SignatureMalformed
        ) {
            return;
        }
        // Asked before the body is kept.
        let Some(suppressed) = self.0.slot.admit() else {
            return;
        };
        if self.0.is_busy.swap(true, Ordering::Acquire) {
            self.0.slot.suppress(suppressed + 1);
            return;
        }
        let (this, span) = (Busy(self.0.clone()), RequestSpan::diagnosis());
        let (headers, body) = (headers.clone(), body.clone());
        let runtime = runtime::Handle::current();
        let search = runtime.spawn_blocking(move || this.0.diagnosis.explain(&headers, &body));
        runtime.spawn(async move {
            if let Ok(findings) = search.await {
                span.in_scope(|| log(&findings, suppressed));
            }
        });
    }
}

fn log(findings: &[Finding], suppressed: u64) {
    for finding in findings {
        events::explained(
            finding.mistake.as_str(),
            finding.certainty.as_str(),
            finding.secret,
            suppressed,
            finding,
        );
    }
    if findings.is_empty() {
        events::not_explained(suppressed);
    }
}

/// An explanation under way.
struct Busy(Arc<Inner>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.is_busy.store(false, Ordering::Release);
    }
}
