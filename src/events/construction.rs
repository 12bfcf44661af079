//! Events about settings.

use std::time::Duration;

use tracing::warn;

use super::{TARGET, millis};

pub(crate) fn suspicious_secret(index: usize, label: Option<&str>, what: &str, remedy: &str) {
    warn!(
        target: TARGET,
        index,
        label,
        "client secret {what}, and is used as it is: if signatures do not match, {remedy}"
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
