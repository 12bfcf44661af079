//! Events about settings.

use std::time::Duration;

use tracing::warn;

use super::{TARGET, millis};

pub(crate) fn suspicious_secret(index: usize, label: Option<&str>, suspicion: &str, remedy: &str) {
    warn!(
        target: TARGET,
        index, label, suspicion, remedy, "client secret looks wrong"
    );
}

pub(crate) fn budget_is_long(budget: Duration) {
    warn!(
        target: TARGET,
        budget_ms = millis(budget),
        "budget is not below the 5 s that Cronofy waits for the answer to a push notification: \
         Cronofy takes late answers for failures"
    );
}
