//! The statements of the SQLite store.

use std::time::Duration;

use rusqlite::Connection;

use crate::database::{Database, START};
use crate::entry::Entry;
use crate::inspect::{Parked, Stats};
use crate::model::{Row, Slot};
use crate::store::sqlite::{SCHEMA, reads, statements};
use crate::store::{End, Take, Token};

pub(crate) struct Sqlite {
    connection: Connection,
    now: i64,
}

impl Database for Sqlite {
    const IS_FOR_ONE_PROCESS: bool = true;
    const CASES: u32 = 512;

    fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        Self {
            connection,
            now: START,
        }
    }

    fn reset(&mut self) {
        *self = Self::new();
    }

    fn now(&self) -> i64 {
        self.now
    }

    fn advance(&mut self, micros: i64) {
        self.now += micros;
    }

    fn put_with(&self, entry: &Entry, max_rows: Option<u64>) -> bool {
        statements::put(&self.connection, entry, max_rows, self.now).unwrap()
    }

    fn take_with(&self, lease: Duration, max_attempts: Option<u32>) -> Take<Token> {
        statements::take(&self.connection, lease, max_attempts, self.now).unwrap()
    }

    fn renew_with(&self, token: Token, lease: Duration) -> bool {
        statements::renew(&self.connection, token, lease, self.now).unwrap()
    }

    fn end(&self, token: Token, end: End) -> bool {
        statements::end(&self.connection, token, end, self.now).unwrap()
    }

    fn unpark(&self, id: &[u8]) -> bool {
        statements::unpark(&self.connection, id, self.now).unwrap()
    }

    fn forget(&self, account: &str) -> u64 {
        statements::forget(&self.connection, account).unwrap()
    }

    fn crash(&self) {
        statements::recover(&self.connection, self.now).unwrap();
    }

    fn parked(&self, limit: usize) -> Vec<Parked> {
        reads::parked(&self.connection, limit).unwrap()
    }

    fn stats(&self) -> Stats {
        reads::stats(&self.connection, self.now).unwrap()
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

pub(crate) fn after_a_crash_what_was_taken_is_due_at_once() {
    let mut database = Sqlite::new();
    database.change(5, 1);
    let (token, _) = database.taken();
    database.advance(1);
    database.crash();
    assert!(!database.end(token, End::Done));
    assert_eq!(database.taken().1.attempts, 2);
}

pub(crate) fn each_statement_uses_an_index() {
    let database = Sqlite::new();
    let plan = |sql: &str| {
        let mut statement = database
            .connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let lines = statement
            .query_map([], |row| row.get::<_, String>(3))
            .unwrap();
        lines.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    };
    for (sql, index) in [
        (
            "SELECT rowid FROM cronofy_inbox WHERE parked_at IS NULL AND due <= 1 ORDER BY due LIMIT 1",
            "cronofy_inbox_due",
        ),
        (
            "SELECT min(due) FROM cronofy_inbox WHERE parked_at IS NULL",
            "cronofy_inbox_due",
        ),
        (
            "DELETE FROM cronofy_inbox WHERE token = 1 AND waiting_body IS NULL",
            "cronofy_inbox_token",
        ),
        (
            "UPDATE cronofy_inbox SET due = 1 WHERE token = 1",
            "cronofy_inbox_token",
        ),
        (
            "SELECT count(*) FROM cronofy_inbox WHERE token IS NOT NULL",
            "cronofy_inbox_token",
        ),
        (
            "SELECT count(*) FROM cronofy_inbox WHERE parked_at IS NOT NULL",
            "cronofy_inbox_parked",
        ),
        (
            "DELETE FROM cronofy_inbox WHERE account = x'00'",
            "cronofy_inbox_account",
        ),
    ] {
        let plan = plan(sql);
        assert!(plan.contains(index), "{sql}: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
}
