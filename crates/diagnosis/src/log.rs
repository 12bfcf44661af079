use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use cronofy_webhook::{Mismatch, Verifier};
use http::HeaderMap;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tracing::dispatcher::{self, Dispatch};
use tracing::{Span, info, info_span, warn};

use crate::Diagnosis;

/// What a filter names.
const TARGET: &str = "cronofy_webhook_diagnosis";

/// An explanation costs over a hundred times as much as a rejection, and anybody who knows the URL can ask for one.
const INTERVAL: Duration = Duration::from_secs(1);

impl Diagnosis {
    /// A function for [`CronofyWebhookLayer::on_mismatch`](cronofy_webhook::CronofyWebhookLayer::on_mismatch) that logs
    /// what explains a mismatch. That it is on is logged at info level when it is made.
    ///
    /// At most one mismatch a second is explained, and one at a time, on a thread for blocking work of the runtime that
    /// calls it (outside tokio it does nothing). On the path of the request only headers and body are copied.
    ///
    /// The events are at warn level, under the target `cronofy_webhook_diagnosis`, in a span `cronofy_webhook.diagnosis`
    /// that follows from that of the request:
    ///
    /// | message | fields | what to do |
    /// |---|---|---|
    /// | `signature did not match` | `mistake`, `certainty`, `secret` (from 0, in the order of [`new`](Self::new)), `remedy`, `suppressed` | what `remedy` says; there is one event for each [`Finding`](crate::Finding) |
    /// | `signature mismatch is unexplained` | `suppressed` | the client secret may be another application's, or the request forged |
    /// | `diagnosis has other secrets` | `suppressed` | after [`Verifier::replace`], or where the layer got others, make a new [`Diagnosis`] and a new layer |
    ///
    /// `suppressed` is how many mismatches were not explained since the last event.
    ///
    /// The secrets are compared with those of [`Mismatch::verifier`]: with others an explanation would be a guess. Their
    /// order does not matter.
    ///
    /// ```
    /// use cronofy_webhook::CronofyWebhookLayer;
    /// use cronofy_webhook_diagnosis::Diagnosis;
    ///
    /// let secret = "CRN_an_example";
    /// let layer = CronofyWebhookLayer::new(secret).on_mismatch(Diagnosis::new([secret])?.log());
    /// # let _ = layer;
    /// # Ok::<_, cronofy_webhook::SecretError>(())
    /// ```
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
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        // Asked before the body is copied.
        let Some(suppressed) = self.admit() else {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let busy = Busy(Arc::clone(self));
        let span = info_span!(target: TARGET, parent: None, "cronofy_webhook.diagnosis");
        span.follows_from(Span::current());
        let subscriber = dispatcher::get_default(Dispatch::clone);
        let verifier = mismatch.verifier().clone();
        let headers = mismatch.headers().clone();
        let body = mismatch.body().to_vec();
        runtime.spawn_blocking(move || {
            // That of the request, which may be the subscriber of its thread alone.
            let _subscriber = dispatcher::set_default(&subscriber);
            span.in_scope(|| log(&busy.0.diagnosis, &verifier, &headers, &body, suppressed));
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

fn log(
    diagnosis: &Diagnosis,
    verifier: &Verifier,
    headers: &HeaderMap,
    body: &[u8],
    suppressed: u64,
) {
    if !diagnosis.has_secrets_of(verifier) {
        warn!(target: TARGET, suppressed, "diagnosis has other secrets");
        return;
    }
    let findings = diagnosis.explain(headers, body);
    for finding in &findings {
        warn!(
            target: TARGET,
            mistake = finding.mistake.as_str(),
            certainty = finding.certainty.as_str(),
            secret = finding.secret,
            remedy = finding.mistake.sentence(),
            suppressed,
            "signature did not match"
        );
    }
    if findings.is_empty() {
        warn!(target: TARGET, suppressed, "signature mismatch is unexplained");
    }
}
