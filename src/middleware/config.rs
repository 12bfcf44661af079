use std::time::Duration;

use tokio_util::task::TaskTracker;

use super::Overrun;
use crate::events;
use crate::signature::Verifier;

/// Leaves one of the five seconds that Cronofy gives for the way there and back.
const BUDGET: Duration = Duration::from_secs(4);

/// Source: Cronofy's API documentation, "Push Notifications".
const CRONOFY_WAITS: Duration = Duration::from_secs(5);

/// Hundreds of times what Cronofy sends, and small enough to hold for a crowd of strangers.
const BODY_LIMIT: usize = 256 * 1024;

const GRACE: Duration = Duration::from_secs(30);

/// What the layer was told, shared by all its services.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) verifier: Verifier,
    pub(super) budget: Duration,
    pub(super) body_limit: usize,
    pub(super) overrun: Overrun,
    pub(super) grace: Duration,
    pub(super) task_tracker: TaskTracker,
}

impl Config {
    pub(super) fn new(verifier: Verifier) -> Self {
        Self {
            verifier,
            budget: BUDGET,
            body_limit: BODY_LIMIT,
            overrun: Overrun::default(),
            grace: GRACE,
            task_tracker: TaskTracker::new(),
        }
    }

    pub(super) fn set_budget(&mut self, budget: Duration) {
        assert!(
            !budget.is_zero(),
            "the budget is zero, so that no answer could leave inside it: set a duration below the 5 s that Cronofy waits",
        );
        if budget >= CRONOFY_WAITS {
            events::budget_is_long(budget);
        }
        self.budget = budget;
    }

    pub(super) fn set_body_limit(&mut self, limit: usize) {
        assert!(
            limit > 0,
            "the body limit is zero, so that every notification would be refused: set a number of bytes",
        );
        self.body_limit = limit;
    }
}
