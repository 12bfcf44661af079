//! What a process with a worker does periodically.

use std::time::Duration;

use tokio::time::sleep;

use super::pool::{Connections, answered};
use super::{reads, statements};
use crate::error::StoreError;
use crate::events;

const INTERVAL: Duration = Duration::from_secs(60);

/// How many intervals there are from one look at the transactions to the next.
const LOOK_INTERVALS: u32 = 5;

/// The dead rows that a transaction this old keeps become what each take has to pass.
const OLD_TRANSACTION: Duration = Duration::from_secs(5 * 60);

/// Until it is dropped.
pub(super) async fn run(connections: Connections) {
    loop {
        // An error: the next time.
        drop(look_for_old_transaction(&connections).await);
        for _ in 0..LOOK_INTERVALS {
            drop(pull_back(&connections).await);
            sleep(INTERVAL).await;
        }
    }
}

async fn pull_back(connections: &Connections) -> Result<(), StoreError> {
    let connection = connections.acquire().await?;
    let rows = answered(statements::pull_back(&connection)).await;
    let rows = connection.put_back(rows)?;
    if rows > 0 {
        events::pulled_back(rows);
    }
    Ok(())
}

async fn look_for_old_transaction(connections: &Connections) -> Result<(), StoreError> {
    let connection = connections.acquire().await?;
    let age = answered(reads::oldest_transaction(&connection)).await;
    match connection.put_back(age)? {
        Some(age) if age > OLD_TRANSACTION => events::transaction_is_old(age),
        _ => {}
    }
    Ok(())
}
