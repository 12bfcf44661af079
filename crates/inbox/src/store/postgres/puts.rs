//! Writes what is put. One statement for all that wait, and the answers after its commit.

use std::collections::HashSet;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_postgres::{Client, Error};

use super::batch::Batch;
use super::pool::{Connections, answered};
use super::{reads, statements};
use crate::entry::Entry;
use crate::error::{PutError, StoreError};
use crate::store::ROOM;

/// How many bytes of bodies a statement has, or one body more.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// How old the number of rows may be that `max_rows` is compared with.
const COUNT_AGE: Duration = Duration::from_secs(1);

/// A notification that waits to be written, and who waits for the answer.
pub(super) struct Put {
    pub(super) entry: Entry,
    pub(super) answer: oneshot::Sender<Result<(), PutError>>,
    pub(super) permit: OwnedSemaphorePermit,
}

pub(super) struct Writer {
    pub(super) connections: Connections,
    pub(super) wake: watch::Sender<()>,
    /// Told when a row became due.
    pub(super) became_due: Arc<Notify>,
    pub(super) limit: Option<Limit>,
    pub(super) closing: watch::Receiver<bool>,
}

impl Writer {
    /// Writes until the store is closed, or its last handle is dropped.
    pub(super) async fn run(mut self, mut puts: mpsc::UnboundedReceiver<Put>) {
        let mut waiting = Vec::new();
        loop {
            let received = tokio::select! {
                biased;
                _ = self.closing.wait_for(|is_closing| *is_closing), if !puts.is_closed() => {
                    // What was sent before is still received.
                    puts.close();
                    continue;
                }
                received = puts.recv_many(&mut waiting, ROOM) => received,
            };
            if received == 0 {
                break;
            }
            let (mut batch, mut bytes) = (Vec::new(), 0);
            for put in waiting.drain(..) {
                bytes += put.entry.body.len();
                batch.push(put);
                if bytes > BATCH_BYTES {
                    self.write(mem::take(&mut batch)).await;
                    bytes = 0;
                }
            }
            self.write(batch).await;
        }
    }

    async fn write(&mut self, puts: Vec<Put>) {
        let mut batch = Batch::default();
        let mut answers = Vec::new();
        for put in puts {
            // Given up while it waited.
            if put.answer.is_closed() {
                continue;
            }
            match batch.add(put.entry) {
                Ok(id) => answers.push((id, put.answer, put.permit)),
                Err(error) => {
                    drop(put.answer.send(Err(StoreError::new(error).into())));
                }
            }
        }
        if answers.is_empty() {
            return;
        }
        let stored = tokio::select! {
            biased;
            stored = self.stored(&batch) => stored,
            // All were given up: the connection is closed, and the next batch has another one.
            () = async { for (_, answer, _) in &mut answers { answer.closed().await } } => return,
        };
        for (id, answer, _permit) in answers {
            let result = match &stored {
                Ok(stored) if stored.contains(&id) => Ok(()),
                Ok(_) => Err(PutError::Full),
                Err(error) => Err(error.clone().into()),
            };
            drop(answer.send(result));
        }
    }

    /// The ids of what was stored.
    async fn stored(&mut self, batch: &Batch) -> Result<HashSet<Vec<u8>>, StoreError> {
        let connection = self.connections.acquire().await?;
        let put = answered(async {
            let room = match &mut self.limit {
                Some(limit) => Some(limit.room(&connection, batch.len()).await?),
                None => None,
            };
            statements::put(&connection, batch, room).await
        });
        let put = put.await;
        let rows = connection.put_back(put)?;
        if rows.iter().any(|row| row.became_due) {
            self.wake.send_replace(());
            self.became_due.notify_one();
        }
        Ok(rows.into_iter().map(|row| row.id).collect())
    }
}

/// How many rows there may be. They are counted now and then: a counter in the database would be what all puts wait for.
pub(super) struct Limit {
    max_rows: i64,
    rows: i64,
    counted: Option<Instant>,
}

impl Limit {
    pub(super) fn new(max_rows: u64) -> Self {
        Self {
            max_rows: i64::try_from(max_rows).unwrap_or(i64::MAX),
            rows: 0,
            counted: None,
        }
    }

    /// How many rows a batch may add, which has so many.
    async fn room(&mut self, client: &Client, rows: i64) -> Result<i64, Error> {
        let is_recent = self.counted.is_some_and(|at| at.elapsed() < COUNT_AGE);
        if !is_recent || self.rows + rows > self.max_rows {
            self.rows = reads::rows(client).await?;
            self.counted = Some(Instant::now());
        }
        let room = (self.max_rows - self.rows).max(0);
        self.rows += rows;
        Ok(room)
    }
}
