//! The only writer. One transaction for all commands that wait, and the answers after its commit.

use std::error::Error;
use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::spawn_blocking;

use super::connection;
use super::file::{File, Lock};
use crate::clock::Clock;
use crate::error::StoreError;
use crate::events;
use crate::limiter::Limiter;

/// How many commands one transaction takes at most.
const BATCH: usize = 1_024;

/// An operation that waits to be written, and who waits for its answer.
pub(super) trait Command: Send {
    /// Runs within the transaction.
    fn run(&mut self, connection: &Connection, now: i64) -> Result<(), StoreError>;

    /// Called after the transaction, or if there was none.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// The operation, and what to do with its result.
pub(super) struct Request<O, R, A> {
    operation: Option<O>,
    result: Option<Result<R, StoreError>>,
    answer: A,
}

impl<O, R, A> Request<O, R, A>
where
    O: FnOnce(&Connection, i64) -> rusqlite::Result<R> + Send,
    R: Send,
    A: FnOnce(Result<R, StoreError>) + Send,
{
    pub(super) fn new(operation: O, answer: A) -> Self {
        Self {
            operation: Some(operation),
            result: None,
            answer,
        }
    }
}

impl<O, R, A> Command for Request<O, R, A>
where
    O: FnOnce(&Connection, i64) -> rusqlite::Result<R> + Send,
    R: Send,
    A: FnOnce(Result<R, StoreError>) + Send,
{
    fn run(&mut self, connection: &Connection, now: i64) -> Result<(), StoreError> {
        let Some(operation) = self.operation.take() else {
            return Ok(());
        };
        let result = operation(connection, now).map_err(StoreError::new);
        let outcome = result.as_ref().map(|_| ()).map_err(StoreError::clone);
        self.result = Some(result);
        outcome
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        match (committed, self.result) {
            (Ok(()), Some(result)) => (self.answer)(result),
            (Err(error), _) => (self.answer)(Err(error)),
            (Ok(()), None) => {}
        }
    }
}

/// What the store's handles and the writer share.
pub(super) struct Queue {
    pub(super) commands: mpsc::UnboundedReceiver<Box<dyn Command>>,
    pub(super) closing: Arc<Notify>,
    /// Dropped when the writer has closed the database.
    pub(super) ended: watch::Sender<()>,
}

pub(super) struct Writer {
    // `None` after an error that a new connection may not have.
    connection: Option<Connection>,
    file: File,
    allow_loss: bool,
    clock: Clock,
    // Last: dropped after the connection.
    _lock: Lock,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        lock: Lock,
        file: File,
        allow_loss: bool,
        clock: Clock,
    ) -> Self {
        Self {
            connection: Some(connection),
            file,
            allow_loss,
            clock,
            _lock: lock,
        }
    }

    /// Writes until the store is closed, or its last handle is dropped. Each batch is a task of its own, so that a paused
    /// clock stands still only while one is written.
    pub(super) async fn run(mut self, mut queue: Queue) {
        let mut batch = Vec::new();
        let failures = Limiter::default();
        loop {
            let received = tokio::select! {
                biased;
                () = queue.closing.notified() => {
                    // What was sent before is still received.
                    queue.commands.close();
                    continue;
                }
                received = queue.commands.recv_many(&mut batch, BATCH) => received,
            };
            if received == 0 {
                break;
            }
            let commands = std::mem::take(&mut batch);
            let count = commands.len();
            let written = spawn_blocking(move || {
                let committed = self.write(commands);
                (self, committed)
            });
            self = match written.await {
                Ok((writer, committed)) => {
                    if let Err(error) = committed
                        && let Some(suppressed) = failures.admit()
                    {
                        events::batch_failed(count, &error, suppressed);
                    }
                    writer
                }
                Err(error) => {
                    // Otherwise, the runtime shuts down.
                    if error.is_panic() {
                        events::writer_panicked();
                    }
                    return;
                }
            };
        }
        // To close a connection is to copy the log into the file.
        if spawn_blocking(move || drop(self)).await.is_ok() {
            drop(queue.ended);
        }
    }

    pub(super) fn write(&mut self, mut batch: Vec<Box<dyn Command>>) -> Result<(), StoreError> {
        let committed = self.commit(&mut batch);
        // In memory, all would be lost.
        if let Err(error) = &committed
            && !is_busy(error)
            && !self.file.is_in_memory()
        {
            self.connection = None;
        }
        for command in batch {
            command.answer(committed.clone());
        }
        committed
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    fn commit(&mut self, batch: &mut [Box<dyn Command>]) -> Result<(), StoreError> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => self.connection.insert(reopen(&self.file, self.allow_loss)?),
        };
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StoreError::new)?;
        // Only now: another process may have kept the lock for long.
        let now = self.clock.now();
        for command in batch {
            let outcome = command.run(&transaction, now);
            // A failed statement leaves the others alone, unless SQLite gave up the whole transaction.
            if transaction.is_autocommit() {
                return outcome;
            }
        }
        transaction.commit().map_err(StoreError::new)
    }
}

/// After an I/O error. What is in the log may not be on the disk, although the system says so from the second attempt on:
/// all of it is copied into the file before anything is added.
fn reopen(file: &File, allow_loss: bool) -> Result<Connection, StoreError> {
    let connection = connection::open(file, allow_loss).map_err(StoreError::new)?;
    if connection::checkpoint(&connection).map_err(StoreError::new)? {
        Ok(connection)
    } else {
        Err(StoreError::new(
            "the write-ahead log could not be copied into the file, which is in use by another connection",
        ))
    }
}

/// Whether another process writes: there is nothing wrong with the connection.
fn is_busy(error: &StoreError) -> bool {
    let cause = error.source();
    let error = cause.and_then(|cause| cause.downcast_ref::<rusqlite::Error>());
    let code = error.and_then(rusqlite::Error::sqlite_error_code);
    matches!(
        code,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}
