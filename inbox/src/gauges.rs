//! Measures a store from time to time, so that a dashboard shows it where nobody asks for its statistics, and no worker runs.

use std::time::Duration;

use tokio::time::sleep;

use crate::error::StoreError;
use crate::events;
use crate::inspect::Stats;

const INTERVAL: Duration = Duration::from_secs(15);

/// Until it is dropped.
pub(crate) async fn measure<F>(stats: impl Fn() -> F)
where
    F: Future<Output = Result<Stats, StoreError>>,
{
    loop {
        // An error: the gauges stay as they are. What cannot be stored or taken is logged.
        if let Ok(stats) = stats().await {
            events::measured(&stats);
        }
        sleep(INTERVAL).await;
    }
}
