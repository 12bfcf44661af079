//! What the store does to its rows, one function for each operation. Each is one statement, and thus one transaction. None
//! depends on the session, which may be another one each time behind a pooler: nothing is prepared.
//!
//! The clock is the database's: `statement_timestamp` is compared with, as an index can be searched for it, and
//! `clock_timestamp` is stored.

use std::time::{Duration, SystemTime};

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use super::batch::Batch;
use crate::clock::{micros, since_1970};
use crate::job::Stored;
use crate::store::{End, MAX_DELAY, Take, Token};

/// A row that was put.
#[derive(Debug)]
pub(crate) struct Put {
    pub(crate) id: Vec<u8>,
    /// Whether it was not before.
    pub(crate) became_due: bool,
}

/// Merges each entry into the row with its id, or adds a row. The older of two with one time is kept. What is taken, and
/// when the row is due, stay as they are, unless the row was parked. `room`: how many rows may be added.
///
/// In order of the id: two batches that have rows in common would wait for each other otherwise.
pub(crate) async fn put(
    client: &Client,
    batch: &Batch,
    room: Option<i64>,
) -> Result<Vec<Put>, Error> {
    let columns = batch.columns();
    let rows = query(
        client,
        "WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS now),
         new AS (
           SELECT *, $7 IS NOT NULL AND EXISTS (SELECT FROM cronofy_inbox WHERE id = new.id) AS is_known
           FROM unnest($1, $2, $3, $4, $5, $6) AS new (id, account, channel, body, since, count)
         ),
         numbered AS (SELECT *, row_number() OVER (PARTITION BY is_known ORDER BY id) AS number FROM new)
         INSERT INTO cronofy_inbox AS row
           (id, account, channel, waiting_body, waiting_since, waiting_received, waiting_count, due)
         SELECT id, account, channel, body, since, now, count, now FROM numbered, clock
         WHERE $7 IS NULL OR is_known OR number <= $7
         ORDER BY id
         ON CONFLICT (id) DO UPDATE SET
           waiting_body = CASE WHEN row.waiting_body IS NULL OR excluded.waiting_since < row.waiting_since
                          THEN excluded.waiting_body ELSE row.waiting_body END,
           waiting_since = least(row.waiting_since, excluded.waiting_since),
           waiting_received = least(row.waiting_received, excluded.waiting_received),
           waiting_count = coalesce(row.waiting_count, 0) + excluded.waiting_count,
           due = CASE WHEN row.parked_at IS NULL THEN row.due ELSE excluded.due END,
           attempts = CASE WHEN row.parked_at IS NULL THEN row.attempts ELSE 0 END,
           parked_at = NULL
         RETURNING id, due = (SELECT now FROM clock)",
        &[
            (&columns.ids, Type::BYTEA_ARRAY),
            (&columns.accounts, Type::BYTEA_ARRAY),
            (&columns.channels, Type::BYTEA_ARRAY),
            (&columns.bodies, Type::BYTEA_ARRAY),
            (&columns.sinces, Type::INT8_ARRAY),
            (&columns.counts, Type::INT8_ARRAY),
            (&room, Type::INT8),
        ],
    )
    .await?;
    let put = |row: &Row| {
        Ok(Put {
            id: row.try_get(0)?,
            became_due: row.try_get(1)?,
        })
    };
    rows.iter().map(put).collect()
}

/// The time until a row is due; `None` if there is none to wait for.
pub(crate) async fn due_in(client: &Client) -> Result<Option<Duration>, Error> {
    let sql = "SELECT extract(epoch FROM min(due) - statement_timestamp())::float8
               FROM cronofy_inbox WHERE parked_at IS NULL";
    let seconds: Option<f64> = query_one(client, sql, &[]).await?;
    Ok(seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default()))
}

/// Takes the row that is due first, or parks it if it had its attempts. Passes rows that another transaction has locked.
pub(crate) async fn take(
    client: &Client,
    token: Token,
    lease: Duration,
    max_attempts: Option<u32>,
) -> Result<Take<Token>, Error> {
    // Both see the row as it is once it is locked, not as it was when it was found.
    let sql = "WITH first AS MATERIALIZED (
           SELECT id, attempts FROM cronofy_inbox
           WHERE parked_at IS NULL AND due <= statement_timestamp()
           ORDER BY due LIMIT 1 FOR UPDATE SKIP LOCKED
         ),
         taken AS (
           UPDATE cronofy_inbox AS row SET
             taken_body = CASE WHEN taken_body IS NULL OR waiting_since < taken_since
                          THEN waiting_body ELSE taken_body END,
             taken_since = CASE WHEN taken_body IS NULL OR waiting_since < taken_since
                           THEN waiting_since ELSE taken_since END,
             taken_received = least(taken_received, waiting_received),
             taken_count = coalesce(taken_count, 0) + coalesce(waiting_count, 0),
             waiting_body = NULL, waiting_since = NULL, waiting_received = NULL, waiting_count = NULL,
             attempts = row.attempts + 1, token = $3,
             due = clock_timestamp() + $1 * interval '1 microsecond'
           FROM first WHERE row.id = first.id AND ($2 IS NULL OR first.attempts < $2)
           RETURNING account, taken_body, taken_received, taken_count, row.attempts, token
         ),
         parked AS (
           UPDATE cronofy_inbox AS row SET parked_at = clock_timestamp(), token = NULL
           FROM first WHERE row.id = first.id AND first.attempts >= $2
           RETURNING account,
             CASE WHEN taken_body IS NULL OR waiting_since < taken_since
             THEN waiting_body ELSE taken_body END,
             least(taken_received, waiting_received),
             coalesce(taken_count, 0) + coalesce(waiting_count, 0),
             row.attempts, token
         )
         SELECT * FROM taken UNION ALL SELECT * FROM parked";
    let lease = delay(lease);
    let max_attempts = max_attempts.map(|max| i32::try_from(max).unwrap_or(i32::MAX));
    let values: [Value<'_>; 3] = [
        (&lease, Type::FLOAT8),
        (&max_attempts, Type::INT4),
        (&token.0, Type::INT8),
    ];
    let rows = query(client, sql, &values).await?;
    let Some(row) = rows.first() else {
        return Ok(Take::Nothing);
    };
    let job = stored(row)?;
    let token: Option<i64> = row.try_get(5)?;
    Ok(match token {
        Some(token) => Take::Taken(Token(token), job),
        None => Take::Parked(job),
    })
}

/// Starts the lease anew. Like [`end`]: whether the token was current.
pub(crate) async fn renew(client: &Client, token: Token, lease: Duration) -> Result<bool, Error> {
    let sql = "UPDATE cronofy_inbox SET due = clock_timestamp() + $2 * interval '1 microsecond'
               WHERE token = $1";
    let values: [Value<'_>; 2] = [(&token.0, Type::INT8), (&delay(lease), Type::FLOAT8)];
    Ok(execute(client, sql, &values).await? == 1)
}

pub(crate) async fn end(client: &Client, token: Token, end: End) -> Result<bool, Error> {
    match end {
        End::Done => done(client, token).await,
        End::Failed { backoff } => {
            let sql = "UPDATE cronofy_inbox SET token = NULL,
                         due = clock_timestamp() + $2 * interval '1 microsecond'
                       WHERE token = $1";
            let values: [Value<'_>; 2] = [(&token.0, Type::INT8), (&delay(backoff), Type::FLOAT8)];
            Ok(execute(client, sql, &values).await? == 1)
        }
        End::Released => {
            let sql = "UPDATE cronofy_inbox SET token = NULL, due = clock_timestamp(), attempts = attempts - 1
                       WHERE token = $1";
            Ok(execute(client, sql, &[(&token.0, Type::INT8)]).await? == 1)
        }
    }
}

/// Deletes the row, or puts it at the back of the line if something came in during the run.
async fn done(client: &Client, token: Token) -> Result<bool, Error> {
    let sql = "WITH gone AS (
           DELETE FROM cronofy_inbox WHERE token = $1 AND waiting_body IS NULL RETURNING 1
         ),
         freed AS (
           UPDATE cronofy_inbox SET
             taken_body = NULL, taken_since = NULL, taken_received = NULL, taken_count = NULL,
             token = NULL, attempts = 0, due = clock_timestamp()
           WHERE token = $1 AND NOT EXISTS (SELECT FROM gone) RETURNING 1
         )
         SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM freed)";
    let rows: i64 = query_one(client, sql, &[(&token.0, Type::INT8)]).await?;
    Ok(rows == 1)
}

/// Whether the row was there and parked.
pub(crate) async fn unpark(client: &Client, id: &[u8]) -> Result<bool, Error> {
    let sql = "UPDATE cronofy_inbox SET parked_at = NULL, attempts = 0, due = clock_timestamp()
               WHERE id = $1 AND parked_at IS NOT NULL";
    Ok(execute(client, sql, &[(&id, Type::BYTEA)]).await? == 1)
}

/// Deletes all rows of the account; their number. Locks them in the order in which they are put.
pub(crate) async fn forget(client: &Client, account: &str) -> Result<u64, Error> {
    let sql = "WITH gone AS MATERIALIZED (
           SELECT id FROM cronofy_inbox WHERE sha256(account) = sha256($1) AND account = $1
           ORDER BY id FOR UPDATE
         )
         DELETE FROM cronofy_inbox AS row USING gone WHERE row.id = gone.id";
    execute(client, sql, &[(&account.as_bytes(), Type::BYTEA)]).await
}

/// Makes rows due whose time no lease and no backoff explains: the clock was ahead then, or it was another server's.
pub(crate) async fn pull_back(client: &Client) -> Result<u64, Error> {
    let sql = "WITH late AS MATERIALIZED (
           SELECT id FROM cronofy_inbox
           WHERE parked_at IS NULL AND due > statement_timestamp() + $1 * interval '1 microsecond'
           FOR UPDATE SKIP LOCKED
         )
         UPDATE cronofy_inbox AS row SET due = clock_timestamp() FROM late WHERE row.id = late.id";
    execute(client, sql, &[(&delay(MAX_DELAY), Type::FLOAT8)]).await
}

/// The columns of a job: account, body, received, count, attempts.
pub(crate) fn stored(row: &Row) -> Result<Stored, Error> {
    let account: &[u8] = row.try_get(0)?;
    let body: Vec<u8> = row.try_get(1)?;
    let received: SystemTime = row.try_get(2)?;
    Ok(Stored {
        account: String::from_utf8_lossy(account).into_owned(),
        body: body.into(),
        received: since_1970(received),
        count: row.try_get::<_, i64>(3)?.unsigned_abs(),
        attempts: row.try_get::<_, i32>(4)?.unsigned_abs(),
    })
}

/// In microseconds.
#[expect(clippy::cast_precision_loss, reason = "an hour at most")]
fn delay(duration: Duration) -> f64 {
    micros(duration.min(MAX_DELAY)) as f64
}

pub(crate) type Value<'a> = (&'a (dyn ToSql + Sync), Type);

pub(crate) async fn query(
    client: &Client,
    sql: &str,
    values: &[Value<'_>],
) -> Result<Vec<Row>, Error> {
    #[cfg(inbox_faults)]
    let sql = &crate::store::faults::seeded(sql, "$1", "greatest");
    client.query_typed(sql, values).await
}

/// The first column of the only row.
async fn query_one<T>(client: &Client, sql: &str, values: &[Value<'_>]) -> Result<T, Error>
where
    T: for<'a> tokio_postgres::types::FromSql<'a>,
{
    client.query_typed_one(sql, values).await?.try_get(0)
}

/// How many rows it changed.
async fn execute(client: &Client, sql: &str, values: &[Value<'_>]) -> Result<u64, Error> {
    #[cfg(inbox_faults)]
    let sql = &crate::store::faults::seeded(sql, "$1", "greatest");
    client.execute_typed(sql, values).await
}
