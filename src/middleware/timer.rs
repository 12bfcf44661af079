use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::coop::{Unconstrained, unconstrained};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// When the clock started, and what wakes us when the budget is spent.
pub(super) struct Timer {
    started: Instant,
    // Made when there is first something to wait for, and out of the way of a request that never waits.
    // A handler that used up tokio's cooperative budget would starve a timer that is subject to it.
    sleep: Option<Pin<Box<Unconstrained<Sleep>>>>,
}

impl Timer {
    pub(super) fn start() -> Self {
        Self {
            started: Instant::now(),
            sleep: None,
        }
    }

    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// Is ready when `budget` is spent.
    pub(super) fn poll(&mut self, budget: Duration, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| {
            let sleep = match self.started.checked_add(budget) {
                Some(deadline) => sleep_until(deadline),
                // A budget beyond what the clock can express. `sleep` knows what to do with it.
                None => sleep(budget),
            };
            Box::pin(unconstrained(sleep))
        });
        sleep.as_mut().poll(cx)
    }
}
