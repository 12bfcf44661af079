use std::fmt::Display;
use std::pin::pin;
use std::time::Duration;

use tokio::select;
use tokio::time::{Instant, interval_at};

use crate::output::note;

/// Says on standard error how far it is, after a second and every five from then on.
pub(crate) async fn with_progress<T, D: Display>(
    work: impl Future<Output = T>,
    state: impl Fn() -> D,
) -> T {
    let mut work = pin!(work);
    let mut ticks = interval_at(
        Instant::now() + Duration::from_secs(1),
        Duration::from_secs(5),
    );
    loop {
        select! {
            biased;
            output = &mut work => return output,
            _ = ticks.tick() => note(state()),
        }
    }
}
