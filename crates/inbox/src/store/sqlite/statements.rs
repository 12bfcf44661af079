//! What the store does to its rows, one function for each operation. Within a transaction of the caller.

use std::time::Duration;

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Result, Row, named_params};

use crate::clock::micros;
use crate::entry::Entry;
use crate::job::Stored;
use crate::store::{End, MAX_DELAY, Take, Token};

/// Merges the entry into the row with its id, or adds a row. The older of two with one time is kept. What is taken, and
/// when the row is due, stay as they are, unless the row was parked. False: it would have been one row too many.
pub(crate) fn put(
    connection: &Connection,
    entry: &Entry,
    max_rows: Option<u64>,
    now: i64,
) -> Result<bool> {
    let mut statement = prepare(
        connection,
        "INSERT INTO cronofy_inbox
           (id, account, channel, waiting_body, waiting_since, waiting_received, waiting_count, due)
         SELECT ifnull(:id, randomblob(16)), :account, :channel, :body, :since, :now, 1, :now
         WHERE :max_rows IS NULL OR (SELECT rows FROM cronofy_inbox_schema) < :max_rows
           OR EXISTS (SELECT 1 FROM cronofy_inbox WHERE id = :id)
         ON CONFLICT (id) DO UPDATE SET
           waiting_body = CASE WHEN waiting_body IS NULL OR excluded.waiting_since < waiting_since
                          THEN excluded.waiting_body ELSE waiting_body END,
           waiting_since = min(excluded.waiting_since, ifnull(waiting_since, excluded.waiting_since)),
           waiting_received =
             min(excluded.waiting_received, ifnull(waiting_received, excluded.waiting_received)),
           waiting_count = ifnull(waiting_count, 0) + 1,
           due = CASE WHEN parked_at IS NULL THEN due ELSE excluded.due END,
           attempts = CASE WHEN parked_at IS NULL THEN attempts ELSE 0 END,
           parked_at = NULL",
    )?;
    let rows = statement.execute(named_params! {
        ":id": entry.key.as_ref().map(|key| &key.id[..]),
        ":account": entry.account.as_bytes(),
        ":channel": entry.channel.as_ref().map(|channel| channel.as_bytes()),
        ":body": &entry.body[..],
        ":since": entry.key.map(|key| key.since),
        ":max_rows": max_rows.map(|max| i64::try_from(max).unwrap_or(i64::MAX)),
        ":now": now,
    })?;
    Ok(rows == 1)
}

/// The time until a row is due; `None` if there is none to wait for.
pub(crate) fn due_in(connection: &Connection, now: i64) -> Result<Option<Duration>> {
    let mut statement = prepare(
        connection,
        "SELECT min(due) FROM cronofy_inbox WHERE parked_at IS NULL",
    )?;
    let due: Option<i64> = statement.query_row([], |row| row.get(0))?;
    Ok(due.map(|due| Duration::from_micros(due.saturating_sub(now).try_into().unwrap_or(0))))
}

/// Takes the row that is due first, or parks it if it had its attempts.
pub(crate) fn take(
    connection: &Connection,
    lease: Duration,
    max_attempts: Option<u32>,
    now: i64,
) -> Result<Take<Token>> {
    let mut statement = prepare(
        connection,
        "SELECT rowid, attempts FROM cronofy_inbox
         WHERE parked_at IS NULL AND due <= ?1 ORDER BY due LIMIT 1",
    )?;
    let first = statement.query_row([now], |row| Ok((row.get(0)?, row.get(1)?)));
    let Some((rowid, attempts)): Option<(i64, u32)> = first.optional()? else {
        return Ok(Take::Nothing);
    };
    if max_attempts.is_some_and(|max| attempts >= max) {
        return park(connection, rowid, now).map(Take::Parked);
    }
    let token = prepare(
        connection,
        "UPDATE cronofy_inbox_schema SET last_token = last_token + 1 RETURNING last_token",
    )?
    .query_row([], |row| row.get(0))?;
    let mut statement = prepare(
        connection,
        "UPDATE cronofy_inbox SET
           taken_body = CASE WHEN taken_body IS NULL OR waiting_since < taken_since
                        THEN waiting_body ELSE taken_body END,
           taken_since = CASE WHEN taken_body IS NULL OR waiting_since < taken_since
                         THEN waiting_since ELSE taken_since END,
           taken_received =
             min(ifnull(taken_received, waiting_received), ifnull(waiting_received, taken_received)),
           taken_count = ifnull(taken_count, 0) + ifnull(waiting_count, 0),
           waiting_body = NULL, waiting_since = NULL, waiting_received = NULL, waiting_count = NULL,
           attempts = attempts + 1, due = :due, token = :token
         WHERE rowid = :rowid
         RETURNING account, taken_body, taken_received, taken_count, attempts",
    )?;
    let due = now.saturating_add(micros(lease.min(MAX_DELAY)));
    let values = named_params! { ":due": due, ":token": token, ":rowid": rowid };
    let job = statement.query_row(values, stored)?;
    Ok(Take::Taken(Token(token), job))
}

fn park(connection: &Connection, rowid: i64, now: i64) -> Result<Stored> {
    let mut statement = prepare(
        connection,
        "UPDATE cronofy_inbox SET parked_at = :now, token = NULL WHERE rowid = :rowid
         RETURNING account,
           CASE WHEN taken_body IS NULL OR waiting_since < taken_since
           THEN waiting_body ELSE taken_body END,
           min(ifnull(taken_received, waiting_received), ifnull(waiting_received, taken_received)),
           ifnull(taken_count, 0) + ifnull(waiting_count, 0),
           attempts",
    )?;
    statement.query_row(named_params! { ":now": now, ":rowid": rowid }, stored)
}

/// Starts the lease anew. Like [`end`]: whether the token was current.
pub(crate) fn renew(
    connection: &Connection,
    token: Token,
    lease: Duration,
    now: i64,
) -> Result<bool> {
    let due = now.saturating_add(micros(lease.min(MAX_DELAY)));
    let mut statement = prepare(
        connection,
        "UPDATE cronofy_inbox SET due = ?2 WHERE token = ?1",
    )?;
    Ok(statement.execute((token.0, due))? == 1)
}

pub(crate) fn end(connection: &Connection, token: Token, end: End, now: i64) -> Result<bool> {
    match end {
        End::Done => done(connection, token, now),
        End::Failed { backoff } => {
            let due = now.saturating_add(micros(backoff.min(MAX_DELAY)));
            let mut statement = prepare(
                connection,
                "UPDATE cronofy_inbox SET token = NULL, due = ?2 WHERE token = ?1",
            )?;
            Ok(statement.execute((token.0, due))? == 1)
        }
        End::Released => {
            let mut statement = prepare(
                connection,
                "UPDATE cronofy_inbox SET token = NULL, due = ?2, attempts = attempts - 1
                 WHERE token = ?1",
            )?;
            Ok(statement.execute((token.0, now))? == 1)
        }
    }
}

/// Deletes the row, or puts it at the back of the line if something came in during the run.
fn done(connection: &Connection, token: Token, now: i64) -> Result<bool> {
    let mut gone = prepare(
        connection,
        "DELETE FROM cronofy_inbox WHERE token = ?1 AND waiting_body IS NULL",
    )?;
    if gone.execute([token.0])? == 1 {
        return Ok(true);
    }
    let mut freed = prepare(
        connection,
        "UPDATE cronofy_inbox SET
           taken_body = NULL, taken_since = NULL, taken_received = NULL, taken_count = NULL,
           token = NULL, attempts = 0, due = ?2
         WHERE token = ?1",
    )?;
    Ok(freed.execute((token.0, now))? == 1)
}

/// Whether the row was there and parked.
pub(crate) fn unpark(connection: &Connection, id: &[u8], now: i64) -> Result<bool> {
    let mut statement = prepare(
        connection,
        "UPDATE cronofy_inbox SET parked_at = NULL, attempts = 0, due = ?2
         WHERE id = ?1 AND parked_at IS NOT NULL",
    )?;
    Ok(statement.execute((id, now))? == 1)
}

/// Deletes all rows of the account; their number.
pub(crate) fn forget(connection: &Connection, account: &str) -> Result<u64> {
    let mut statement = prepare(connection, "DELETE FROM cronofy_inbox WHERE account = ?1")?;
    let rows = statement.execute([account.as_bytes()])?;
    Ok(rows as u64)
}

/// For when no run can be under way: every token is void, and its row due. A time that no lease and no backoff explains is
/// from before the clock was set back.
pub(crate) fn recover(connection: &Connection, now: i64) -> Result<()> {
    connection.execute(
        "UPDATE cronofy_inbox SET token = NULL, due = ?1 WHERE token IS NOT NULL",
        [now],
    )?;
    connection.execute(
        "UPDATE cronofy_inbox SET due = ?1 WHERE due > ?2 AND parked_at IS NULL",
        [now, now.saturating_add(micros(MAX_DELAY))],
    )?;
    Ok(())
}

/// The columns of a job: account, body, received, count, attempts.
pub(crate) fn stored(row: &Row<'_>) -> Result<Stored> {
    let account: Vec<u8> = row.get(0)?;
    let body: Vec<u8> = row.get(1)?;
    Ok(Stored {
        account: String::from_utf8_lossy(&account).into_owned(),
        body: body.into(),
        received: row.get(2)?,
        count: unsigned(row, 3)?,
        attempts: row.get(4)?,
    })
}

/// A number of rows or of notifications.
pub(crate) fn unsigned(row: &Row<'_>, column: usize) -> Result<u64> {
    let number: i64 = row.get(column)?;
    Ok(number.unsigned_abs())
}

fn prepare<'a>(connection: &'a Connection, sql: &str) -> Result<CachedStatement<'a>> {
    #[cfg(inbox_faults)]
    let sql = &crate::store::faults::seeded(sql, "?1", "max");
    connection.prepare_cached(sql)
}
