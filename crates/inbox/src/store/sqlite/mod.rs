//! The store in a SQLite file: one process, one writer, group commit.

mod connection;
#[cfg(inbox_faults)]
mod faults;
mod file;
pub(crate) mod reads;
pub(crate) mod statements;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};
use tokio::task::spawn_blocking;

pub use self::connection::SCHEMA;
use self::file::File;
use self::writer::{Command, Queue, Request, Writer};
use super::{End, Held, Options, ROOM, Store, Take, Token};
use crate::clock::Clock;
use crate::entry::Entry;
use crate::error::{OpenError, PutError, StoreError};
use crate::inspect::{Parked, ParkedId, Stats};

#[derive(Clone)]
pub(crate) struct Sqlite {
    shared: Arc<Shared>,
}

struct Shared {
    commands: mpsc::UnboundedSender<Box<dyn Command>>,
    room: Arc<Semaphore>,
    wake: watch::Sender<()>,
    closing: Arc<Notify>,
    ended: watch::Receiver<()>,
    file: File,
    clock: Clock,
    max_rows: Option<u64>,
}

impl Sqlite {
    /// `None`: in memory.
    pub(crate) async fn open(path: Option<&Path>, options: Options) -> Result<Self, OpenError> {
        let (file, lock) = match path {
            Some(path) => File::lock(path).await?,
            None => File::in_memory(),
        };
        let clock = Clock::start();
        let opening = file.clone();
        // With the lock, which must not be released before: this may be given up.
        let opened = spawn_blocking(move || {
            prepared(&opening, options, clock.now()).map(|connection| (connection, lock))
        });
        let (connection, lock) = opened
            .await
            .map_err(|error| OpenError::Store(StoreError::new(error)))??;

        let (commands, receiver) = mpsc::unbounded_channel();
        let (ended_sender, ended) = watch::channel(());
        let closing = Arc::new(Notify::new());
        let queue = Queue {
            commands: receiver,
            closing: Arc::clone(&closing),
            ended: ended_sender,
        };
        let writer = Writer::new(connection, lock, file.clone(), options.allow_loss, clock);
        tokio::spawn(writer.run(queue));
        let shared = Shared {
            commands,
            room: Arc::new(Semaphore::new(ROOM)),
            wake: watch::Sender::new(()),
            closing,
            ended,
            file,
            clock,
            max_rows: options.max_rows,
        };
        let store = Self {
            shared: Arc::new(shared),
        };
        #[cfg(feature = "metrics")]
        crate::gauges::measure({
            let shared = Arc::downgrade(&store.shared);
            move || {
                let shared = shared.upgrade()?;
                // By the writer: another connection could be open while the store is closed.
                Some(async move { Self { shared }.write(false, reads::stats).await })
            }
        });
        Ok(store)
    }

    pub(crate) async fn put(&self, entry: Entry) -> Result<(), PutError> {
        let Ok(permit) = Arc::clone(&self.shared.room).try_acquire_owned() else {
            return Err(PutError::Full);
        };
        let max_rows = self.shared.max_rows;
        let stored = self.write(true, move |connection, now| {
            let _permit = permit;
            statements::put(connection, &entry, max_rows, now)
        });
        if stored.await? {
            Ok(())
        } else {
            Err(PutError::Full)
        }
    }

    pub(crate) async fn due_in(&self) -> Result<Option<Duration>, StoreError> {
        self.write(false, statements::due_in).await
    }

    pub(crate) async fn take(
        &self,
        lease: Duration,
        max_attempts: Option<u32>,
    ) -> Result<Take<Held>, StoreError> {
        let store = self.clone();
        // A task: if this is dropped, what is taken is released, and what is parked is logged.
        let taken = tokio::spawn(async move {
            let take = store.write(false, move |connection, now| {
                statements::take(connection, lease, max_attempts, now)
            });
            Ok(take.await?.held(Store::Sqlite(store)))
        });
        taken
            .await
            .unwrap_or_else(|error| Err(StoreError::new(error)))
    }

    pub(crate) async fn renew(&self, token: Token, lease: Duration) -> Result<bool, StoreError> {
        self.write(false, move |connection, now| {
            statements::renew(connection, token, lease, now)
        })
        .await
    }

    pub(crate) async fn end(&self, token: Token, end: End) -> Result<bool, StoreError> {
        self.write(true, move |connection, now| {
            statements::end(connection, token, end, now)
        })
        .await
    }

    pub(crate) fn release(&self, token: Token) {
        let wake = self.shared.wake.clone();
        // An error: the store is closed, and every token is void when it is opened again.
        drop(self.send(Request::new(
            move |connection: &Connection, now| {
                statements::end(connection, token, End::Released, now)
            },
            move |_: Result<bool, StoreError>| {
                wake.send_replace(());
            },
        )));
    }

    /// Waits for what is being released.
    pub(crate) async fn settled(&self) {
        // Answered after it.
        drop(self.due_in().await);
    }

    pub(crate) fn wakes(&self) -> watch::Receiver<()> {
        self.shared.wake.subscribe()
    }

    pub(crate) async fn stats(&self) -> Result<Stats, StoreError> {
        let now = self.shared.clock.now();
        self.read(move |connection| reads::stats(connection, now))
            .await
    }

    pub(crate) async fn parked(&self, limit: usize) -> Result<Vec<Parked>, StoreError> {
        self.read(move |connection| reads::parked(connection, limit))
            .await
    }

    pub(crate) async fn unpark(&self, id: ParkedId) -> Result<bool, StoreError> {
        self.write(true, move |connection, now| {
            statements::unpark(connection, &id, now)
        })
        .await
    }

    pub(crate) async fn forget(&self, account: String) -> Result<u64, StoreError> {
        self.write(false, move |connection, _| {
            statements::forget(connection, &account)
        })
        .await
    }

    /// Writes what waits, and closes the file.
    pub(crate) async fn close(&self) {
        self.shared.closing.notify_one();
        let mut ended = self.shared.ended.clone();
        // Nothing is ever sent: an error says that the writer has ended.
        while ended.changed().await.is_ok() {}
        self.shared.wake.send_replace(());
    }

    /// Runs the operation in the next transaction. `wakes`: the workers look for a row that is due.
    async fn write<R: Send + 'static>(
        &self,
        wakes: bool,
        operation: impl FnOnce(&Connection, i64) -> rusqlite::Result<R> + Send + 'static,
    ) -> Result<R, StoreError> {
        let (sender, answer) = oneshot::channel();
        let wake = wakes.then(|| self.shared.wake.clone());
        self.send(Request::new(operation, move |result| {
            drop(sender.send(result));
            if let Some(wake) = wake {
                wake.send_replace(());
            }
        }))?;
        answer.await.unwrap_or_else(|_| Err(StoreError::closed()))
    }

    fn send(&self, command: impl Command + 'static) -> Result<(), StoreError> {
        let sent = self.shared.commands.send(Box::new(command));
        sent.map_err(|_| StoreError::closed())
    }

    /// Reads on a connection of its own: a long read holds up no put.
    async fn read<R: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    ) -> Result<R, StoreError> {
        if self.shared.commands.is_closed() {
            return Err(StoreError::closed());
        }
        let file = self.shared.file.clone();
        let read = spawn_blocking(move || operation(&connection::open_reader(&file)?));
        read.await
            .map_err(StoreError::new)?
            .map_err(StoreError::new)
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite")
            .field("file", &self.shared.file.name())
            .finish_non_exhaustive()
    }
}

fn prepared(file: &File, options: Options, now: i64) -> Result<Connection, OpenError> {
    let mut connection = connection::open(file, options.allow_loss)?;
    connection::prepare(&mut connection, options.migrate)?;
    #[cfg(inbox_faults)]
    faults::prepare(&connection).map_err(|error| OpenError::Store(StoreError::new(error)))?;
    statements::recover(&connection, now)
        .map_err(|error| OpenError::Store(StoreError::new(error)))?;
    Ok(connection)
}
