//! The daily full read of all accounts.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::warn;

use crate::event_sync::EventSync;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How often an account is tried. Then, it has to wait for the next day.
const ATTEMPTS: u32 = 8;

/// Runs `read` now, and then every day.
pub(crate) async fn every_day(mut read: impl AsyncFnMut()) {
    let mut days = interval(DAY);
    days.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        days.tick().await;
        read().await;
    }
}

/// Reads all events of all accounts, one account after the other: there is no hurry.
pub(crate) async fn read_all_accounts(sync: &EventSync) {
    for account in sync.accounts.all() {
        for attempt in 1..=ATTEMPTS {
            let Err(error) = sync.read_all(&account).await else {
                break;
            };
            let backoff = error.backoff(attempt);
            warn!(account = account.id, attempt, %error, ?backoff, "full read failed");
            if attempt < ATTEMPTS {
                sleep(backoff).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn reads_now_and_every_day() {
        let start = Instant::now();
        let mut hours = Vec::new();
        let reads = every_day(async || {
            hours.push(start.elapsed().as_secs() / 3_600);
            sleep(Duration::from_secs(3_600)).await;
        });
        let days = timeout(DAY * 5 / 2, reads).await;
        assert!(days.is_err());
        assert_eq!(hours, [0, 24, 48]);
    }
}
