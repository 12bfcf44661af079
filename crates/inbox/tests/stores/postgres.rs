//! The statements of the PostgreSQL store.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use tokio::runtime::{self, Runtime};
use tokio_postgres::{Client, NoTls};

use crate::clock::since_1970;
use crate::database::{Database, START};
use crate::entry::Entry;
use crate::inspect::{Parked, Stats};
use crate::model::{Row, Slot};
use crate::server;
use crate::store::postgres::batch::Batch;
use crate::store::postgres::{SCHEMA, reads, statements};
use crate::store::{End, Take, Token};

/// A schema, in which the clock of the database is the test's.
pub(crate) struct Postgres {
    client: Client,
    runtime: Runtime,
    now: i64,
    last_token: Cell<i64>,
    schema: String,
}

/// These functions come before those of the server, which are named second.
const CLOCK: &str = "
    CREATE TABLE test_clock (now bigint);
    INSERT INTO test_clock VALUES (0);
    CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS
      $$ SELECT 'epoch'::timestamptz + now * interval '1 microsecond' FROM test_clock $$;
    CREATE FUNCTION statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS
      $$ SELECT 'epoch'::timestamptz + now * interval '1 microsecond' FROM test_clock $$;";

impl Postgres {
    fn execute(&self, sql: &str) {
        self.runtime
            .block_on(self.client.batch_execute(sql))
            .unwrap();
    }

    pub(crate) fn put_batch(&self, batch: &Batch) {
        let put = statements::put(&self.client, batch, None);
        self.runtime.block_on(put).unwrap();
    }
}

impl Database for Postgres {
    const IS_FOR_ONE_PROCESS: bool = false;
    const CASES: u32 = 48;

    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let schema = format!("rules_{}_{number}", std::process::id());
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(server::url(), NoTls).await.unwrap();
            tokio::spawn(connection);
            client
        });
        let mut database = Self {
            client,
            runtime,
            now: 0,
            last_token: Cell::new(0),
            schema,
        };
        let schema = &database.schema;
        database.execute(&format!(
            "CREATE SCHEMA {schema}; SET search_path = {schema}, pg_catalog; SET synchronous_commit = off;"
        ));
        database.execute(CLOCK);
        database.execute(SCHEMA);
        database.reset();
        database
    }

    fn reset(&mut self) {
        self.execute("DELETE FROM cronofy_inbox");
        self.last_token.set(0);
        self.advance(START - self.now);
    }

    fn now(&self) -> i64 {
        self.now
    }

    fn advance(&mut self, micros: i64) {
        self.now += micros;
        self.execute(&format!("UPDATE test_clock SET now = {}", self.now));
    }

    fn put_with(&self, entry: &Entry, max_rows: Option<u64>) -> bool {
        let mut batch = Batch::default();
        batch.add(entry.clone()).unwrap();
        let put = async {
            let room = match max_rows {
                Some(max) => Some(i64::try_from(max).unwrap() - reads::rows(&self.client).await?),
                None => None,
            };
            statements::put(&self.client, &batch, room).await
        };
        self.runtime.block_on(put).unwrap().len() == 1
    }

    fn take_with(&self, lease: Duration, max_attempts: Option<u32>) -> Take<Token> {
        let token = Token(self.last_token.get() + 1);
        let take = statements::take(&self.client, token, lease, max_attempts);
        let take = self.runtime.block_on(take).unwrap();
        if let Take::Taken(token, _) = &take {
            self.last_token.set(token.0);
        }
        take
    }

    fn renew_with(&self, token: Token, lease: Duration) -> bool {
        let renew = statements::renew(&self.client, token, lease);
        self.runtime.block_on(renew).unwrap()
    }

    fn end(&self, token: Token, end: End) -> bool {
        let end = statements::end(&self.client, token, end);
        self.runtime.block_on(end).unwrap()
    }

    fn unpark(&self, id: &[u8]) -> bool {
        let unpark = statements::unpark(&self.client, id);
        self.runtime.block_on(unpark).unwrap()
    }

    fn forget(&self, account: &str) -> u64 {
        let forget = statements::forget(&self.client, account);
        self.runtime.block_on(forget).unwrap()
    }

    fn crash(&self) {
        let pull_back = statements::pull_back(&self.client);
        self.runtime.block_on(pull_back).unwrap();
    }

    fn parked(&self, limit: usize) -> Vec<Parked> {
        let parked = reads::parked(&self.client, limit);
        self.runtime.block_on(parked).unwrap()
    }

    fn stats(&self) -> Stats {
        self.runtime.block_on(reads::stats(&self.client)).unwrap()
    }

    fn rows(&self) -> Vec<Row> {
        let sql = "SELECT waiting_body, waiting_since, waiting_received, waiting_count,
                     taken_body, taken_since, taken_received, taken_count,
                     account, channel, token, due, attempts, parked_at FROM cronofy_inbox";
        let rows = self.client.query_typed(sql, &[]);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let row = |row: &tokio_postgres::Row| Row {
            account: text(row.get(8)),
            channel: row.get::<_, Option<Vec<u8>>>(9).map(text),
            waiting: slot(row, 0),
            taken: slot(row, 4),
            token: row.get::<_, Option<i64>>(10).map(Token),
            due: since_1970(row.get(11)),
            attempts: row.get::<_, i32>(12).unsigned_abs(),
            parked_at: row.get::<_, Option<SystemTime>>(13).map(since_1970),
        };
        let mut rows: Vec<_> = self
            .runtime
            .block_on(rows)
            .unwrap()
            .iter()
            .map(row)
            .collect();
        rows.sort();
        rows
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let sql = format!("DROP SCHEMA {} CASCADE", self.schema);
        drop(self.runtime.block_on(self.client.batch_execute(&sql)));
    }
}

fn slot(row: &tokio_postgres::Row, first: usize) -> Option<Slot> {
    let body: Vec<u8> = row.get::<_, Option<_>>(first)?;
    Some(Slot {
        body: body.into(),
        since: row.get(first + 1),
        received: since_1970(row.get(first + 2)),
        count: row.get::<_, i64>(first + 3).unsigned_abs(),
    })
}

pub(crate) fn a_run_outlives_another_process() {
    let mut database = Postgres::new();
    database.change(5, 1);
    let (token, _) = database.taken();
    database.advance(1);
    database.crash();
    assert_eq!(database.take(), Take::Nothing);
    assert!(database.end(token, End::Done));
}

pub(crate) fn each_statement_uses_an_index() {
    let database = Postgres::new();
    // A table this small is read as a whole otherwise.
    database
        .execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off");
    let plan = |sql: &str| {
        let explain = format!("EXPLAIN {sql}");
        let rows = database.client.query_typed(&explain, &[]);
        let rows = database.runtime.block_on(rows).unwrap();
        let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        lines.join("\n")
    };
    for (sql, index) in [
        (
            "SELECT id FROM cronofy_inbox WHERE parked_at IS NULL AND due <= statement_timestamp()
             ORDER BY due LIMIT 1 FOR UPDATE SKIP LOCKED",
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
            "SELECT count(*) FROM cronofy_inbox WHERE parked_at IS NOT NULL",
            "cronofy_inbox_parked",
        ),
        (
            "SELECT id FROM cronofy_inbox WHERE sha256(account) = sha256('a') AND account = 'a'",
            "cronofy_inbox_account",
        ),
    ] {
        let plan = plan(sql);
        assert!(plan.contains(index), "{sql}: {plan}");
        assert!(!plan.contains("Sort"), "{sql}: {plan}");
    }
}
