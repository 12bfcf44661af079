use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::coop::{Unconstrained, unconstrained};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// The deadline of a request.
pub(super) struct Timer {
    started: Instant,
    budget: Duration,
    // Made when there is first something to wait for, which most requests never do.
    // A handler that used up tokio's cooperative budget would starve a timer that is subject to it.
    sleep: Option<Pin<Box<Unconstrained<Sleep>>>>,
}

impl Timer {
    pub(super) fn start(budget: Duration) -> Self {
        Self {
            started: Instant::now(),
            budget,
            sleep: None,
        }
    }

    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// `None` if it is later than the clock can express.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.started.checked_add(self.budget)
    }

    /// At the deadline itself there is still time: what is ready then is in time.
    pub(super) fn has_passed(&self) -> bool {
        self.deadline()
            .is_some_and(|deadline| deadline < Instant::now())
    }

    /// Is ready from the deadline on.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline();
        let budget = self.budget;
        let sleep = self.sleep.get_or_insert_with(|| {
            let sleep = match deadline {
                Some(deadline) => sleep_until(deadline),
                // Accepts any duration, and sleeps for as long as the clock can express.
                None => sleep(budget),
            };
            Box::pin(unconstrained(sleep))
        });
        sleep.as_mut().poll(cx)
    }
}
