//! The store in a PostgreSQL database: for any number of processes.

pub(crate) mod batch;
mod config;
#[cfg(inbox_faults)]
mod faults;
mod pool;
mod puts;
pub(crate) mod reads;
mod schema;
pub(crate) mod statements;
mod tls;
mod upkeep;
mod wake;

use std::fmt;
use std::sync::{Arc, Once};
use std::time::Duration;

use deadpool_postgres::Pool;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use self::config::Connector;
use self::pool::{Connections, answered};
use self::puts::{Limit, Put, Writer};
pub use self::schema::SCHEMA;
use super::{End, Held, Options, ROOM, Store, Take, Token};
use crate::entry::Entry;
use crate::error::{OpenError, PutError, StoreError};
use crate::inspect::{Parked, ParkedId, Stats};

/// How often a worker looks for what nobody has told it, more or less: not all at once.
const POLL: Duration = Duration::from_secs(1);

/// How long to wait for rows that are released.
const SETTLE: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(crate) struct Postgres {
    shared: Arc<Shared>,
}

struct Shared {
    connections: Connections,
    puts: mpsc::UnboundedSender<Put>,
    room: Arc<Semaphore>,
    wake: watch::Sender<()>,
    became_due: Arc<Notify>,
    /// Takes and releases under way.
    tracker: TaskTracker,
    runtime: Handle,
    /// `None`: the pool is the application's, and there is nothing to listen with.
    connector: Option<Connector>,
    has_worker: Once,
    closing: watch::Sender<bool>,
    writer: watch::Receiver<()>,
}

impl Postgres {
    pub(crate) async fn open(url: &str, options: Options) -> Result<Self, OpenError> {
        let connector = Connector::from_url(url)?;
        let connections = Connections::own(&connector)
            .map_err(|error| OpenError::Store(StoreError::new(error)))?;
        Self::start(connections, Some(connector), options).await
    }

    pub(crate) async fn from_pool(pool: Pool, options: Options) -> Result<Self, OpenError> {
        Self::start(Connections::of(pool), None, options).await
    }

    async fn start(
        connections: Connections,
        connector: Option<Connector>,
        options: Options,
    ) -> Result<Self, OpenError> {
        let connection = connections.acquire().await;
        let mut connection = connection.map_err(schema::open_failed)?;
        schema::prepare(&mut connection, options).await?;
        #[cfg(inbox_faults)]
        faults::prepare(&connection)
            .await
            .map_err(|error| OpenError::Store(StoreError::new(error)))?;
        let kept = connection.put_back(Ok(()));
        kept.map_err(schema::open_failed)?;

        let (puts, receiver) = mpsc::unbounded_channel();
        let (wake, became_due) = (watch::Sender::new(()), Arc::new(Notify::new()));
        let (ended, writer) = watch::channel(());
        let closing = watch::Sender::new(false);
        let tracker = TaskTracker::new();
        // It can be waited for whenever nothing is under way.
        tracker.close();
        let writing = Writer {
            connections: connections.clone(),
            wake: wake.clone(),
            became_due: Arc::clone(&became_due),
            limit: options.max_rows.map(Limit::new),
            closing: closing.subscribe(),
        };
        tokio::spawn(async move {
            writing.run(receiver).await;
            drop(ended);
        });
        let store = Self {
            shared: Arc::new(Shared {
                connections: connections.clone(),
                puts,
                room: Arc::new(Semaphore::new(ROOM)),
                wake: wake.clone(),
                became_due: Arc::clone(&became_due),
                tracker,
                runtime: Handle::current(),
                connector,
                has_worker: Once::new(),
                closing,
                writer,
            }),
        };
        #[cfg(feature = "metrics")]
        crate::gauges::measure({
            let shared = Arc::downgrade(&store.shared);
            move || {
                let shared = shared.upgrade()?;
                Some(async move { Self { shared }.stats().await })
            }
        });
        store.spawn(wake::notify(connections, became_due));
        Ok(store)
    }

    pub(crate) async fn put(&self, entry: Entry) -> Result<(), PutError> {
        if self.is_closed() {
            return Err(PutError::Closed);
        }
        let Ok(permit) = Arc::clone(&self.shared.room).try_acquire_owned() else {
            return Err(PutError::Full);
        };
        let (answer, stored) = oneshot::channel();
        let put = Put {
            entry,
            answer,
            permit,
        };
        self.shared.puts.send(put).map_err(|_| PutError::Closed)?;
        stored.await.unwrap_or(Err(PutError::Closed))
    }

    /// Not longer than the time after which a worker looks again.
    pub(crate) async fn due_in(&self) -> Result<Option<Duration>, StoreError> {
        let connection = self.acquire().await?;
        let due_in = answered(statements::due_in(&connection)).await;
        let due_in = connection.put_back(due_in)?;
        let poll = POLL.mul_f64(0.8 + 0.4 * fastrand::f64());
        Ok(Some(due_in.map_or(poll, |due_in| due_in.min(poll))))
    }

    /// Released if nobody waits for it any more.
    pub(crate) async fn take(
        &self,
        lease: Duration,
        max_attempts: Option<u32>,
    ) -> Result<Take<Held>, StoreError> {
        let store = self.clone();
        let taken = self.shared.tracker.spawn(async move {
            let token = Token::random().map_err(StoreError::new)?;
            let connection = store.acquire().await?;
            let take = answered(statements::take(&connection, token, lease, max_attempts)).await;
            Ok(connection.put_back(take)?.held(Store::Postgres(store)))
        });
        taken
            .await
            .unwrap_or_else(|error| Err(StoreError::new(error)))
    }

    pub(crate) async fn renew(&self, token: Token, lease: Duration) -> Result<bool, StoreError> {
        let connection = self.acquire().await?;
        let renewed = answered(statements::renew(&connection, token, lease)).await;
        connection.put_back(renewed)
    }

    pub(crate) async fn end(&self, token: Token, end: End) -> Result<bool, StoreError> {
        let connection = self.acquire().await?;
        let ended = answered(statements::end(&connection, token, end)).await;
        let is_current = connection.put_back(ended)?;
        self.shared.wake.send_replace(());
        Ok(is_current)
    }

    pub(crate) fn release(&self, token: Token) {
        let store = self.clone();
        let release = async move {
            // An error: the lease ends.
            if let Ok(true) = store.end(token, End::Released).await {
                // This process may be ending.
                store.shared.became_due.notify_one();
            }
        };
        self.shared.tracker.spawn_on(release, &self.shared.runtime);
    }

    /// Waits for what is being released.
    pub(crate) async fn settled(&self) {
        // Too long: the leases end.
        drop(timeout(SETTLE, self.shared.tracker.wait()).await);
    }

    /// The first time, starts what a worker needs.
    pub(crate) fn wakes(&self) -> watch::Receiver<()> {
        let shared = &self.shared;
        shared.has_worker.call_once(|| {
            self.spawn(upkeep::run(shared.connections.clone()));
            if let Some(connector) = &shared.connector {
                self.spawn(wake::listen(
                    connector.clone(),
                    shared.connections.clone(),
                    shared.wake.clone(),
                ));
            }
        });
        shared.wake.subscribe()
    }

    pub(crate) async fn stats(&self) -> Result<Stats, StoreError> {
        let connection = self.acquire().await?;
        let stats = answered(reads::stats(&connection)).await;
        connection.put_back(stats)
    }

    pub(crate) async fn parked(&self, limit: usize) -> Result<Vec<Parked>, StoreError> {
        let connection = self.acquire().await?;
        let parked = answered(reads::parked(&connection, limit)).await;
        connection.put_back(parked)
    }

    pub(crate) async fn unpark(&self, id: ParkedId) -> Result<bool, StoreError> {
        let connection = self.acquire().await?;
        let unparked = answered(statements::unpark(&connection, &id)).await;
        let was_parked = connection.put_back(unparked)?;
        self.shared.wake.send_replace(());
        self.shared.became_due.notify_one();
        Ok(was_parked)
    }

    pub(crate) async fn forget(&self, account: String) -> Result<u64, StoreError> {
        let connection = self.acquire().await?;
        let forgotten = answered(statements::forget(&connection, &account)).await;
        connection.put_back(forgotten)
    }

    /// Writes what waits, and closes the connections, if they are not the application's.
    pub(crate) async fn close(&self) {
        let shared = &self.shared;
        self.settled().await;
        shared.closing.send_replace(true);
        let mut writer = shared.writer.clone();
        // Nothing is ever sent: an error says that the writer has ended.
        while writer.changed().await.is_ok() {}
        shared.connections.close();
        shared.wake.send_replace(());
    }

    /// Runs a task until the store is closed, or its last handle is dropped.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut closing = self.shared.closing.subscribe();
        tokio::spawn(async move {
            tokio::select! {
                () = task => {}
                _ = closing.wait_for(|is_closing| *is_closing) => {}
            }
        });
    }

    async fn acquire(&self) -> Result<pool::Connection, StoreError> {
        if self.is_closed() {
            return Err(StoreError::closed());
        }
        self.shared.connections.acquire().await
    }

    fn is_closed(&self) -> bool {
        *self.shared.closing.borrow()
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}
