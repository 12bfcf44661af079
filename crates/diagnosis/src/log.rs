use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use cronofy_webhook::Mismatch;
use tokio::runtime;
use tokio::time::Instant;
use tracing::{Span, info, info_span, warn};

use crate::{Diagnosis, Finding};

/// What a filter names.
const TARGET: &str = "cronofy_webhook_diagnosis";

/// An explanation costs up to a hundred times as much as a rejection, and anybody who knows the URL can ask for one.
const INTERVAL: Duration = Duration::from_secs(1);

impl Diagnosis {
    /// A function for
    /// [`CronofyWebhookLayer::on_mismatch`](cronofy_webhook::CronofyWebhookLayer::on_mismatch) that logs what explains a mismatch.
    pub fn log(&self) -> impl Fn(&Mismatch<'_>) + Send + Sync + use<> {
        info!(target: TARGET, "signature diagnosis is enabled");
        let log = Arc::new(Log {
            diagnosis: self.clone(),
            created: Instant::now(),
            next: AtomicU64::new(0),
            suppressed: AtomicU64::new(0),
            is_busy: AtomicBool::new(false),
        });
        move |mismatch| log.explain(mismatch)
    }
}

/// Explains at most one mismatch a second, and one at a time.
struct Log {
    diagnosis: Diagnosis,
    created: Instant,
    /// From when on the next one is admitted, in milliseconds since `created`.
    next: AtomicU64,
    suppressed: AtomicU64,
    is_busy: AtomicBool,
}

impl Log {
    fn explain(self: &Arc<Self>, mismatch: &Mismatch<'_>) {
        // Asked before the body is copied.
        let Some(suppressed) = self.admit() else {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let busy = Busy(Arc::clone(self));
        let span = info_span!(target: TARGET, parent: None, "cronofy_webhook.diagnosis");
        span.follows_from(Span::current());
        let headers = mismatch.headers().clone();
        let body = mismatch.body().to_vec();
        let runtime = runtime::Handle::current();
        let search = runtime.spawn_blocking(move || busy.0.diagnosis.explain(&headers, &body));
        runtime.spawn(async move {
            if let Ok(findings) = search.await {
                span.in_scope(|| log(&findings, suppressed));
            }
        });
    }

    /// How many were not explained since the last one, if this one is to be.
    fn admit(&self) -> Option<u64> {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let now = millis(self.created.elapsed());
        if now < self.next.load(Ordering::Relaxed) || self.is_busy.swap(true, Ordering::Acquire) {
            return None;
        }
        self.next
            .store(now.saturating_add(millis(INTERVAL)), Ordering::Relaxed);
        Some(self.suppressed.swap(0, Ordering::Relaxed))
    }
}

/// An explanation under way.
struct Busy(Arc<Log>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.is_busy.store(false, Ordering::Release);
    }
}

fn log(findings: &[Finding], suppressed: u64) {
    for finding in findings {
        warn!(
            target: TARGET,
            mistake = finding.mistake.as_str(),
            certainty = finding.certainty.as_str(),
            secret = finding.secret,
            suppressed,
            "signature did not match: {finding}"
        );
    }
    if findings.is_empty() {
        warn!(
            target: TARGET,
            suppressed,
            "signature did not match, and no known mistake explains it: the request may be forged"
        );
    }
}
