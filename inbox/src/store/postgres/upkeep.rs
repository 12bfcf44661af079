//! What a process with a worker does now and then.

use std::time::Duration;

use tokio::time::sleep;

use super::pool::{Connections, answered};
use super::{reads, statements};
use crate::events;

const INTERVAL: Duration = Duration::from_secs(60);

/// How many intervals there are from one look at the snapshots to the next.
const SNAPSHOT_INTERVALS: u32 = 5;

/// What nobody can vacuum while a snapshot is this old becomes what each take has to pass.
const OLD_SNAPSHOT: Duration = Duration::from_secs(5 * 60);

/// Until it is dropped.
pub(super) async fn run(connections: Connections) {
    loop {
        for number in 0..SNAPSHOT_INTERVALS {
            // An error: the next time.
            drop(pull_back(&connections).await);
            if number == 0 {
                drop(look_for_old_snapshot(&connections).await);
            }
            sleep(INTERVAL).await;
        }
    }
}

async fn pull_back(connections: &Connections) -> Result<(), crate::error::StoreError> {
    let connection = connections.lend().await?;
    let rows = answered(statements::pull_back(&connection)).await;
    let rows = connection.put_back(rows)?;
    if rows > 0 {
        events::pulled_back(rows);
    }
    Ok(())
}

async fn look_for_old_snapshot(connections: &Connections) -> Result<(), crate::error::StoreError> {
    let connection = connections.lend().await?;
    let age = answered(reads::oldest_snapshot(&connection)).await;
    match connection.put_back(age)? {
        Some(age) if age > OLD_SNAPSHOT => events::snapshot_is_old(age),
        _ => {}
    }
    Ok(())
}
