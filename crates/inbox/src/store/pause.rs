use std::time::Duration;

use tokio::time::sleep;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

/// Pauses between attempts: each is twice as long as the one before, up to the longest. By default from 50 ms to 5 seconds.
#[derive(Debug)]
pub(crate) struct Pause {
    next: Duration,
    longest: Duration,
}

impl Default for Pause {
    fn default() -> Self {
        Self::new(FIRST, LONGEST)
    }
}

impl Pause {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self {
            next: first,
            longest,
        }
    }

    pub(crate) async fn wait(&mut self) {
        sleep(self.next).await;
        self.next = self.longest.min(self.next * 2);
    }
}
