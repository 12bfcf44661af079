//! Connections, acquired for an operation.

use std::error::Error;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod};
use tokio::time::timeout;

use super::config::Connector;
use crate::error::StoreError;

/// How many connections a process opens at most, besides the one that listens.
pub(super) const SIZE: usize = 8;

/// How long the server has for an answer. No statement is expected to take long.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub(super) struct Connections {
    pool: Pool,
    is_own: bool,
}

impl Connections {
    pub(super) fn own(connector: &Connector) -> Result<Self, deadpool_postgres::BuildError> {
        let config = ManagerConfig {
            // Closed or not: a query would cost as much as the operation.
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(connector.config.clone(), connector.tls.clone(), config);
        let pool = Pool::builder(manager).max_size(SIZE).build()?;
        Ok(Self { pool, is_own: true })
    }

    pub(super) fn of(pool: Pool) -> Self {
        Self {
            pool,
            is_own: false,
        }
    }

    pub(super) async fn acquire(&self) -> Result<Connection, StoreError> {
        let object = timeout(ANSWER_TIMEOUT, self.pool.get())
            .await
            .map_err(|_| self.none_free())?
            .map_err(failed)?;
        Ok(Connection {
            object: Some(object),
            pool: self.pool.clone(),
            is_own: self.is_own,
        })
    }

    /// Why there was none within the time.
    fn none_free(&self) -> StoreError {
        if self.is_own {
            // To make one takes less, or fails, if the server answers.
            StoreError::new(NoAnswer)
        } else {
            let timeout = ANSWER_TIMEOUT.as_secs();
            StoreError::new(format!(
                "the pool had no connection free within {timeout} s"
            ))
        }
    }

    pub(super) fn close(&self) {
        if self.is_own {
            self.pool.close();
        }
    }
}

/// A connection that is closed when it is dropped, as its answer may still come. Closed, and not cancelled: a commit that
/// waits for a standby reports success when it is cancelled.
pub(super) struct Connection {
    // `None` once `put_back` or `drop` has it.
    object: Option<Object>,
    pool: Pool,
    is_own: bool,
}

impl Connection {
    /// Puts the connection back if there was an answer. After an error it is closed: it may lead to a server that was
    /// replaced, or takes no writes any more.
    pub(super) fn put_back<T>(mut self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        if answer.is_ok() {
            self.object = None;
        }
        answer
    }
}

impl Deref for Connection {
    type Target = Object;

    fn deref(&self) -> &Object {
        self.object
            .as_ref()
            .expect("`put_back` takes the connection")
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut Object {
        self.object
            .as_mut()
            .expect("`put_back` takes the connection")
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
            // The others lead to the same server. What an application does with its own is not ours to end.
            if self.is_own {
                self.pool.retain(|_, _| false);
            }
        }
    }
}

/// Gives up after a while.
pub(super) async fn answered<T>(
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, StoreError> {
    match timeout(ANSWER_TIMEOUT, answer).await {
        Ok(answer) => answer.map_err(StoreError::new),
        Err(_) => Err(StoreError::new(NoAnswer)),
    }
}

#[derive(Debug)]
pub(super) struct NoAnswer;

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the server did not answer within {} s",
            ANSWER_TIMEOUT.as_secs()
        )
    }
}

impl Error for NoAnswer {}

fn failed(error: PoolError) -> StoreError {
    match error {
        PoolError::Closed => StoreError::closed(),
        PoolError::Backend(error) => StoreError::new(error),
        error => StoreError::new(error),
    }
}
