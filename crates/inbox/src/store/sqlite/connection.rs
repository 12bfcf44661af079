//! A connection to the database, with its settings and its schema.

use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, Result};

use super::file::File;
use crate::error::{OpenError, StoreError};

/// The schema of the SQLite store, for [`Open::migrate`](crate::Open::migrate).
pub const SCHEMA: &str = include_str!("schema.sql");

/// The version of the schema that this code is written for.
const VERSION: i64 = 1;

/// How long to wait for another process that writes to the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How large the log stays after a checkpoint, in bytes.
const LOG_LIMIT: i64 = 64 * 1024 * 1024;

/// Opens a connection that writes. `allow_loss`: commits are not flushed one by one.
pub(super) fn open(file: &File, allow_loss: bool) -> Result<Connection, OpenError> {
    let (connection, journal_mode) =
        open_writer(file, allow_loss).map_err(|error| open_error(error, file))?;
    if connection
        .is_readonly("main")
        .is_ok_and(|readonly| readonly)
    {
        return Err(OpenError::ReadOnly(file.name().to_owned()));
    }
    // In other modes, `FULL` does not flush the last step of a commit.
    if journal_mode != "wal" && !file.is_in_memory() && !allow_loss {
        return Err(OpenError::NotDurable(
            "SQLite cannot keep a write-ahead log on this file system",
        ));
    }
    Ok(connection)
}

fn open_writer(file: &File, allow_loss: bool) -> Result<(Connection, String)> {
    let connection = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let journal_mode =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    let synchronous = if allow_loss { "NORMAL" } else { "FULL" };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // On macOS, `fsync` alone does not reach the disk.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update(None, "journal_size_limit", LOG_LIMIT)?;
    connection.pragma_update(None, "secure_delete", "FAST")?;
    Ok((connection, journal_mode))
}

/// Opens a connection that only reads.
pub(super) fn open_reader(file: &File) -> Result<Connection> {
    connect(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn connect(file: &File, access: OpenFlags) -> Result<Connection> {
    let mut flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_URI, file.is_in_memory());
    let connection = Connection::open_with_flags(file.name(), flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Copies the log into the file. False: another connection uses it. That is not waited for.
pub(super) fn checkpoint(connection: &Connection) -> Result<bool> {
    connection.busy_timeout(Duration::ZERO)?;
    let is_busy: bool =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(!is_busy)
}

/// Creates the schema if there is none and `migrate` is true, and checks its version.
pub(super) fn prepare(connection: &mut Connection, migrate: bool) -> Result<(), OpenError> {
    let store = |error| OpenError::Store(StoreError::new(error));
    match version(connection).map_err(store)? {
        Some((version, compatible_from)) if compatible_from > VERSION => {
            Err(OpenError::NewerVersion { version })
        }
        Some(_) => Ok(()),
        None if migrate => create(connection).map_err(store),
        None => Err(OpenError::NotMigrated),
    }
}

/// `version` and `compatible_from`.
fn version(connection: &Connection) -> Result<Option<(i64, i64)>> {
    if !connection.table_exists(None, "cronofy_inbox_schema")? {
        return Ok(None);
    }
    let sql = "SELECT version, compatible_from FROM cronofy_inbox_schema";
    let version = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
    version.optional()
}

fn create(connection: &mut Connection) -> Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    transaction.commit()
}

fn open_error(error: rusqlite::Error, file: &File) -> OpenError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotADatabase(file.name().to_owned()),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            OpenError::ReadOnly(file.name().to_owned())
        }
        _ => OpenError::Store(StoreError::new(error)),
    }
}
