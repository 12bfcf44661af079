//! What an operator sees. On a connection of its own, but for the gauges.

use std::time::Duration;

use rusqlite::{Connection, Result};

use super::statements::{stored, unsigned};
use crate::inspect::{Parked, Stats};
use crate::job::{Job, timestamp};

pub(crate) fn stats(connection: &Connection, now: i64) -> Result<Stats> {
    // Each count is the size of an index, or of the table.
    connection.query_row(
        "SELECT
           (SELECT rows FROM cronofy_inbox_schema),
           (SELECT count(*) FROM cronofy_inbox WHERE token IS NOT NULL),
           (SELECT count(*) FROM cronofy_inbox WHERE parked_at IS NOT NULL),
           (SELECT min(due) FROM cronofy_inbox WHERE parked_at IS NULL)",
        [],
        |row| {
            let (rows, taken, parked) = (unsigned(row, 0)?, unsigned(row, 1)?, unsigned(row, 2)?);
            let age = row.get::<_, Option<i64>>(3)?.map(|due| now - due);
            Ok(Stats {
                waiting: rows.saturating_sub(taken + parked),
                taken,
                parked,
                oldest_due_age: age
                    .and_then(|age| u64::try_from(age).ok())
                    .map(Duration::from_micros),
            })
        },
    )
}

/// Those that were parked first.
pub(crate) fn parked(connection: &Connection, limit: usize) -> Result<Vec<Parked>> {
    let mut statement = connection.prepare(
        "SELECT account,
           CASE WHEN taken_body IS NULL OR waiting_since < taken_since
           THEN waiting_body ELSE taken_body END,
           min(ifnull(taken_received, waiting_received), ifnull(waiting_received, taken_received)),
           ifnull(taken_count, 0) + ifnull(waiting_count, 0),
           attempts, id, parked_at
         FROM cronofy_inbox WHERE parked_at IS NOT NULL ORDER BY parked_at LIMIT ?1",
    )?;
    let rows = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
        Ok(Parked {
            job: Job::from(stored(row)?),
            id: row.get(5)?,
            parked_at: timestamp(row.get(6)?),
        })
    })?;
    rows.collect()
}
