#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod comparison;
mod operation;
mod rules;
mod writer;

use std::time::Duration;

use rusqlite::Connection;

use super::connection::SCHEMA;
use super::{reads, statements};
use crate::entry::Entry;
use crate::job::Stored;
use crate::store::model::{Row, Slot, entry};
use crate::store::{End, Take, Token};

const LEASE: Duration = Duration::from_micros(100);
const FAILED: End = End::Failed {
    backoff: Duration::from_micros(500),
};
const HOUR: i64 = 3_600_000_000;

/// The statements, at times that a test sets.
struct Database {
    connection: Connection,
    now: i64,
}

impl Database {
    fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        Self {
            connection,
            now: 1_000,
        }
    }

    fn put(&self, entry: &Entry) {
        assert!(statements::put(&self.connection, entry, None, self.now).unwrap());
    }

    /// A `change` of one channel.
    fn change(&self, since: i64, number: usize) {
        self.put(&entry(0, Some((0, since)), number));
    }

    fn take(&self) -> Take<Token> {
        statements::take(&self.connection, LEASE, None, self.now).unwrap()
    }

    #[track_caller]
    fn taken(&self) -> (Token, Stored) {
        match self.take() {
            Take::Taken(token, job) => (token, job),
            other => panic!("{other:?}"),
        }
    }

    fn end(&self, token: Token, end: End) -> bool {
        statements::end(&self.connection, token, end, self.now).unwrap()
    }

    fn renew(&self, token: Token) -> bool {
        statements::renew(&self.connection, token, LEASE, self.now).unwrap()
    }

    /// With the number of the rows, as the schema counts them.
    fn rows(&self) -> Vec<Row> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT waiting_body, waiting_since, waiting_received, waiting_count,
                   taken_body, taken_since, taken_received, taken_count,
                   account, channel, token, due, attempts, parked_at FROM cronofy_inbox",
            )
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let rows = statement.query_map([], |row| {
            Ok(Row {
                account: text(row.get(8)?),
                channel: row.get::<_, Option<Vec<u8>>>(9)?.map(text),
                waiting: slot(row, 0)?,
                taken: slot(row, 4)?,
                token: row.get::<_, Option<i64>>(10)?.map(Token),
                due: row.get(11)?,
                attempts: row.get(12)?,
                parked_at: row.get(13)?,
            })
        });
        let mut rows: Vec<_> = rows.unwrap().map(Result::unwrap).collect();
        rows.sort();
        let count = "SELECT rows FROM cronofy_inbox_schema";
        let count: i64 = self
            .connection
            .query_row(count, [], |row| row.get(0))
            .unwrap();
        assert_eq!(count.unsigned_abs(), rows.len() as u64);
        rows
    }

    fn row(&self) -> Row {
        let mut rows = self.rows();
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }

    fn unpark_all(&self) {
        for parked in reads::parked(&self.connection, 100).unwrap() {
            assert!(statements::unpark(&self.connection, &parked.id, self.now).unwrap());
            assert!(!statements::unpark(&self.connection, &parked.id, self.now).unwrap());
        }
    }
}

fn slot(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Option<Slot>> {
    let Some(body) = row.get::<_, Option<Vec<u8>>>(first)? else {
        return Ok(None);
    };
    Ok(Some(Slot {
        body: body.into(),
        since: row.get(first + 1)?,
        received: row.get(first + 2)?,
        count: row.get::<_, i64>(first + 3)?.unsigned_abs(),
    }))
}
