//! Measures a store from time to time, so that a dashboard shows it where nobody asks for its statistics, and no worker runs.

use std::time::Duration;

use tokio::time::sleep;

use crate::error::StoreError;
use crate::events;
use crate::inspect::Stats;

const INTERVAL: Duration = Duration::from_secs(15);

/// Measures until the store is closed, or `stats` has none any more.
pub(crate) fn measure<F>(stats: impl Fn() -> Option<F> + Send + 'static)
where
    F: Future<Output = Result<Stats, StoreError>> + Send + 'static,
{
    tokio::spawn(async move {
        while let Some(stats) = stats() {
            match stats.await {
                Ok(stats) => events::measured(&stats),
                Err(error) if error.is_closed() => return,
                Err(error) => events::not_measured(&error),
            }
            sleep(INTERVAL).await;
        }
    });
}
