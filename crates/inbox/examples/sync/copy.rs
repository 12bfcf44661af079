//! The local copy of the events, in SQLite.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, params};
use tokio::task::spawn_blocking;

use crate::event::Event;
use crate::query::Window;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS events (
        account TEXT NOT NULL,
        event_uid TEXT NOT NULL,
        event TEXT NOT NULL,     -- as Cronofy sent it
        reading INTEGER NOT NULL, -- the full read that it was last seen in; 0: changed since
        PRIMARY KEY (account, event_uid)
    ) WITHOUT ROWID;
";

/// Clones share the connection.
#[derive(Clone, Debug)]
pub(crate) struct LocalCopy(Arc<Mutex<Connection>>);

/// Identifies a full read, so that what it did not see can be removed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading(i64);

impl LocalCopy {
    pub(crate) fn open(path: impl AsRef<Path>) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Applies a page of changes: what was deleted, or has left the window, is removed.
    pub(crate) async fn apply(
        &self,
        account: &str,
        window: Window,
        events: Vec<Event>,
    ) -> rusqlite::Result<()> {
        self.write(account, Reading(0), events, move |event| {
            !event.deleted && window.contains(event)
        })
        .await
    }

    /// Starts a full read of the account.
    pub(crate) async fn start_reading(&self, account: &str) -> rusqlite::Result<Reading> {
        let account = account.to_owned();
        self.with(move |connection| {
            let sql = "SELECT coalesce(max(reading), 0) + 1 FROM events WHERE account = ?1";
            connection.query_row(sql, [account], |row| row.get(0).map(Reading))
        })
        .await
    }

    /// Adds a page of a full read.
    pub(crate) async fn add(
        &self,
        account: &str,
        reading: Reading,
        events: Vec<Event>,
    ) -> rusqlite::Result<()> {
        self.write(account, reading, events, |event| !event.deleted)
            .await
    }

    /// Ends a full read: what was in none of its pages is removed. Returns how many events that were.
    pub(crate) async fn end_reading(
        &self,
        account: &str,
        reading: Reading,
    ) -> rusqlite::Result<usize> {
        let account = account.to_owned();
        self.with(move |connection| {
            let sql = "DELETE FROM events WHERE account = ?1 AND reading <> ?2";
            connection.execute(sql, params![account, reading.0])
        })
        .await
    }

    /// Removes all events of the account.
    pub(crate) async fn forget(&self, account: &str) -> rusqlite::Result<usize> {
        let account = account.to_owned();
        self.with(move |connection| {
            connection.execute("DELETE FROM events WHERE account = ?1", [account])
        })
        .await
    }

    /// All events of the account, by their `event_uid`.
    pub(crate) async fn events(&self, account: &str) -> rusqlite::Result<Vec<(String, String)>> {
        let account = account.to_owned();
        self.with(move |connection| {
            let sql = "SELECT event_uid, event FROM events WHERE account = ?1 ORDER BY event_uid";
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([account], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })
        .await
    }

    async fn write(
        &self,
        account: &str,
        reading: Reading,
        events: Vec<Event>,
        is_kept: impl Fn(&Event) -> bool + Send + 'static,
    ) -> rusqlite::Result<()> {
        let account = account.to_owned();
        self.with(move |connection| {
            let transaction = connection.transaction()?;
            for event in events {
                if is_kept(&event) {
                    let sql = "INSERT OR REPLACE INTO events VALUES (?1, ?2, ?3, ?4)";
                    let row = params![account, event.uid, event.json, reading.0];
                    transaction.prepare_cached(sql)?.execute(row)?;
                } else {
                    let sql = "DELETE FROM events WHERE account = ?1 AND event_uid = ?2";
                    transaction
                        .prepare_cached(sql)?
                        .execute(params![account, event.uid])?;
                }
            }
            transaction.commit()
        })
        .await
    }

    async fn with<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> rusqlite::Result<T> {
        let connection = Arc::clone(&self.0);
        // A transaction that a panic has ended was rolled back.
        let task = spawn_blocking(move || {
            f(&mut connection.lock().unwrap_or_else(PoisonError::into_inner))
        });
        match task.await {
            Ok(result) => result,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> Window {
        Window::around("2026-04-19T09:24:16Z".parse().unwrap())
    }

    fn event(uid: &str) -> Event {
        Event::for_test(uid, "2026-04-20", "2026-04-21")
    }

    async fn uids(copy: &LocalCopy, account: &str) -> Vec<String> {
        let events = copy.events(account).await.unwrap();
        events.into_iter().map(|(uid, _)| uid).collect()
    }

    #[tokio::test]
    async fn what_was_deleted_or_has_left_the_window_is_removed() {
        let copy = LocalCopy::open(":memory:").unwrap();
        let events = ["evt_1", "evt_2", "evt_3"].map(event).to_vec();
        copy.apply("1", window(), events.clone()).await.unwrap();
        copy.apply("2", window(), events).await.unwrap();

        let deleted = Event {
            deleted: true,
            ..event("evt_1")
        };
        let moved = Event::for_test("evt_2", "2036-04-20", "2036-04-21");
        copy.apply("1", window(), vec![deleted, moved])
            .await
            .unwrap();
        assert_eq!(uids(&copy, "1").await, ["evt_3"]);
        assert_eq!(uids(&copy, "2").await, ["evt_1", "evt_2", "evt_3"]);
    }

    #[tokio::test]
    async fn a_full_read_removes_what_it_did_not_see() {
        let copy = LocalCopy::open(":memory:").unwrap();
        for account in ["1", "2"] {
            let events = ["evt_1", "evt_2"].map(event).to_vec();
            copy.apply(account, window(), events).await.unwrap();
        }
        for removed in [1, 0] {
            let reading = copy.start_reading("1").await.unwrap();
            for page in [["evt_2"], ["evt_3"]] {
                let page = page.map(event).to_vec();
                copy.add("1", reading, page).await.unwrap();
            }
            assert_eq!(copy.end_reading("1", reading).await.unwrap(), removed);
            assert_eq!(uids(&copy, "1").await, ["evt_2", "evt_3"]);
        }
        assert_eq!(uids(&copy, "2").await, ["evt_1", "evt_2"]);
    }

    #[tokio::test]
    async fn a_full_read_that_failed_removes_nothing() {
        let copy = LocalCopy::open(":memory:").unwrap();
        copy.apply("1", window(), vec![event("evt_1")])
            .await
            .unwrap();
        let failed = copy.start_reading("1").await.unwrap();
        copy.add("1", failed, vec![event("evt_2")]).await.unwrap();
        assert_eq!(uids(&copy, "1").await, ["evt_1", "evt_2"]);

        let next = copy.start_reading("1").await.unwrap();
        copy.add("1", next, vec![event("evt_1")]).await.unwrap();
        copy.end_reading("1", next).await.unwrap();
        assert_eq!(uids(&copy, "1").await, ["evt_1"]);
    }
}
