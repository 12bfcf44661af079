//! What `open` asks of a database: that it keeps what it acknowledges, that statements wait for each other, and that it has
//! the schema.

use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error};

use super::pool::{ANSWER_TIMEOUT, Connection, NoAnswer};
use crate::error::{OpenError, StoreError};
use crate::store::Options;

/// The schema of the PostgreSQL store, for [`Open::migrate`](crate::Open::migrate).
pub const SCHEMA: &str = include_str!("schema.sql");

/// The version of the schema that this code is written for.
const VERSION: i64 = 1;

/// Of the lock that a migration takes: one process at a time creates the schema. The number has no meaning.
const LOCK: i64 = 0x63_726f_6e6f_6679;

/// Checks the settings, creates the schema if there is none, and checks its version.
pub(super) async fn prepare(
    connection: &mut Connection,
    options: Options,
) -> Result<(), OpenError> {
    let prepared = async {
        if !options.allow_loss {
            check_durability(connection).await?;
        }
        check_isolation(connection).await?;
        match version(connection).await.map_err(open_error)? {
            Some(version) => version.check(),
            None if options.migrate => create(connection).await,
            None => Err(OpenError::NotMigrated),
        }
    };
    let no_answer = |_| OpenError::Unreachable(StoreError::new(NoAnswer));
    timeout(ANSWER_TIMEOUT, prepared).await.map_err(no_answer)?
}

/// Refuses a server that would lose commits in a power failure.
async fn check_durability(client: &Client) -> Result<(), OpenError> {
    let sql = "SELECT current_setting('fsync'), current_setting('synchronous_commit')";
    let row = client.query_typed_one(sql, &[]).await.map_err(open_error)?;
    let setting = |column| row.try_get::<_, String>(column).map_err(open_error);
    if setting(0)? == "off" {
        return Err(OpenError::NotDurable(
            "`fsync` is off in the server's configuration",
        ));
    }
    if setting(1)? == "off" {
        return Err(OpenError::NotDurable(
            "`synchronous_commit` is off for this user and database",
        ));
    }
    Ok(())
}

/// Refuses a level at which statements fail that put to the same row at the same time, instead of waiting for each other.
async fn check_isolation(client: &Client) -> Result<(), OpenError> {
    let sql = "SELECT current_setting('default_transaction_isolation')";
    let row = client.query_typed_one(sql, &[]).await.map_err(open_error)?;
    let level: String = row.try_get(0).map_err(open_error)?;
    match level.as_str() {
        // The server treats both alike.
        "read committed" | "read uncommitted" => Ok(()),
        _ => Err(OpenError::UnsupportedIsolation { level }),
    }
}

struct Version {
    version: i64,
    compatible_from: i64,
}

impl Version {
    fn check(&self) -> Result<(), OpenError> {
        let version = self.version;
        if self.compatible_from > VERSION {
            return Err(OpenError::NewerVersion { version });
        }
        Ok(())
    }
}

async fn version(client: &Client) -> Result<Option<Version>, Error> {
    // Not `to_regclass`, which may know only what was there when the transaction began.
    let sql = "SELECT EXISTS (
                 SELECT FROM pg_class WHERE relname = 'cronofy_inbox_schema' AND pg_table_is_visible(oid)
               )";
    let exists: bool = client.query_typed_one(sql, &[]).await?.try_get(0)?;
    if !exists {
        return Ok(None);
    }
    let sql = "SELECT version, compatible_from FROM cronofy_inbox_schema";
    let row = client.query_typed_one(sql, &[]).await?;
    Ok(Some(Version {
        version: row.try_get(0)?,
        compatible_from: row.try_get(1)?,
    }))
}

async fn create(connection: &mut Connection) -> Result<(), OpenError> {
    let transaction = connection.transaction().await.map_err(open_error)?;
    let lock = format!("SELECT pg_advisory_xact_lock({LOCK})");
    transaction.batch_execute(&lock).await.map_err(open_error)?;
    // Another process may have created it meanwhile.
    match version(transaction.client()).await.map_err(open_error)? {
        Some(version) => version.check()?,
        None => {
            let created = transaction.batch_execute(SCHEMA).await;
            created.map_err(open_error)?;
        }
    }
    // Also if nothing was created: the rollback of a transaction that is dropped is not waited for, and the next operation on the
    // connection would be a second request under way. Of a connection that is closed then, PgBouncer 1.18 gives an answer to
    // another client.
    transaction.commit().await.map_err(open_error)
}

fn open_error(error: Error) -> OpenError {
    open_failed(StoreError::new(error))
}

/// By what there is to set.
pub(super) fn open_failed(error: StoreError) -> OpenError {
    let cause = std::error::Error::source(&error);
    if cause.is_some_and(|cause| cause.is::<NoAnswer>()) {
        return OpenError::Unreachable(error);
    }
    let Some(cause) = cause.and_then(|cause| cause.downcast_ref::<Error>()) else {
        return OpenError::Store(error);
    };
    match cause.code() {
        Some(code) if code.code().starts_with("28") => OpenError::AccessDenied(error),
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => OpenError::NotPermitted(error),
        Some(&SqlState::INVALID_CATALOG_NAME) => OpenError::DatabaseNotFound(error),
        Some(&SqlState::TOO_MANY_CONNECTIONS) => OpenError::TooManyConnections(error),
        // It starts, or shuts down.
        Some(code) if code.code().starts_with("57P") => OpenError::Unreachable(error),
        Some(_) => OpenError::Store(error),
        None if cause.is_closed() || is_unreachable(cause) => OpenError::Unreachable(error),
        None => OpenError::Store(error),
    }
}

/// Whether an error of the network is the cause. What a certificate lacks is one of invalid data.
fn is_unreachable(error: &Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return error.kind() != std::io::ErrorKind::InvalidData;
        }
        cause = error.source();
    }
    false
}
