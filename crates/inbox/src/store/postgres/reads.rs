//! What an operator sees.

use std::time::{Duration, SystemTime};

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error};

use super::statements::{Value, query, stored};
use crate::clock::since_1970;
use crate::inspect::{Parked, Stats};
use crate::job::{Job, timestamp};

pub(crate) async fn stats(client: &Client) -> Result<Stats, Error> {
    let sql = "SELECT
           (SELECT count(*) FROM cronofy_inbox),
           (SELECT count(*) FROM cronofy_inbox WHERE token IS NOT NULL),
           (SELECT count(*) FROM cronofy_inbox WHERE parked_at IS NOT NULL),
           (SELECT extract(epoch FROM statement_timestamp() - min(due))::float8
            FROM cronofy_inbox WHERE parked_at IS NULL)";
    let row = client.query_typed_one(sql, &[]).await?;
    let number = |column| row.try_get(column).map(i64::unsigned_abs);
    let (rows, taken, parked) = (number(0)?, number(1)?, number(2)?);
    let age: Option<f64> = row.try_get(3)?;
    Ok(Stats {
        waiting: rows.saturating_sub(taken + parked),
        taken,
        parked,
        oldest_due_age: age.and_then(|age| Duration::try_from_secs_f64(age).ok()),
    })
}

/// Those that were parked first.
pub(crate) async fn parked(client: &Client, limit: usize) -> Result<Vec<Parked>, Error> {
    let sql = "SELECT account,
           CASE WHEN taken_body IS NULL OR waiting_since < taken_since
           THEN waiting_body ELSE taken_body END,
           least(taken_received, waiting_received),
           coalesce(taken_count, 0) + coalesce(waiting_count, 0),
           attempts, id, parked_at
         FROM cronofy_inbox WHERE parked_at IS NOT NULL ORDER BY parked_at LIMIT $1";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values: [Value<'_>; 1] = [(&limit, Type::INT8)];
    let rows = query(client, sql, &values).await?;
    let parked = |row| {
        Ok(Parked {
            job: Job::from(stored(row)?),
            id: row.try_get(5)?,
            parked_at: timestamp(since_1970(row.try_get::<_, SystemTime>(6)?)),
        })
    };
    rows.iter().map(parked).collect()
}

/// How many rows there are.
pub(crate) async fn rows(client: &Client) -> Result<i64, Error> {
    let sql = "SELECT count(*) FROM cronofy_inbox";
    client.query_typed_one(sql, &[]).await?.try_get(0)
}

/// The age of the oldest transaction that keeps dead rows in this database, of those that the user may see: it has a snapshot,
/// has written, or is prepared. A vacuum has a snapshot, and keeps nothing.
pub(crate) async fn oldest_transaction(client: &Client) -> Result<Option<Duration>, Error> {
    let sql = "SELECT extract(epoch FROM clock_timestamp() - min(begun))::float8 FROM (
           SELECT xact_start AS begun FROM pg_stat_activity
           WHERE datname = current_database() AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
             AND backend_type = 'client backend' AND pid <> pg_backend_pid()
             AND pid NOT IN (SELECT pid FROM pg_stat_progress_vacuum)
           UNION ALL SELECT prepared FROM pg_prepared_xacts WHERE database = current_database()
         ) AS transactions";
    let age: Option<f64> = client.query_typed_one(sql, &[]).await?.try_get(0)?;
    Ok(age.and_then(|age| Duration::try_from_secs_f64(age).ok()))
}
