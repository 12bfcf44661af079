use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::coop::{Unconstrained, unconstrained};
use tokio::time::{Instant, Sleep, sleep_until};

/// The clock of tokio, which a test may have paused.
pub(super) fn now() -> std::time::Instant {
    Instant::now().into_std()
}

/// The deadline of a request.
pub(super) struct Timer {
    started: Instant,
    /// `None` if it is later than the clock can express.
    deadline: Option<Instant>,
    // Made when there is first something to wait for, which most requests never do.
    // A handler that used up tokio's cooperative budget would starve a timer that is subject to it.
    sleep: Option<Pin<Box<Unconstrained<Sleep>>>>,
}

impl Timer {
    pub(super) fn start(budget: Duration) -> Self {
        let started = Instant::now();
        Self {
            started,
            deadline: started.checked_add(budget),
            sleep: None,
        }
    }

    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// `None` if it is later than the clock can express.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// At the deadline itself there is still time: what is ready then is in time.
    pub(super) fn has_passed(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| deadline < Instant::now())
    }

    /// Is ready from the deadline on.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(unconstrained(sleep_until(deadline))));
        sleep.as_mut().poll(cx)
    }
}
