use std::time::Duration;

use tokio::time::sleep;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

/// Pauses between attempts to reach the store: from 50 ms on, each is twice as long as the one before, up to 5 seconds.
#[derive(Debug)]
pub(crate) struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Pause {
    pub(crate) async fn wait(&mut self) {
        sleep(self.0).await;
        self.0 = LONGEST.min(self.0 * 2);
    }
}
