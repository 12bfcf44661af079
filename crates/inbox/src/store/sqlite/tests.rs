#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rusqlite::Connection;

use super::file::File;
use super::writer::{Command, Request, Writer};
use super::{connection, statements};
use crate::clock::Clock;
use crate::entry::Entry;
use crate::error::StoreError;

/// A writer of a file, and another connection to it.
struct Fixture {
    writer: Writer,
    other: Connection,
    _directory: tempfile::TempDir,
}

type Answer = Receiver<Result<bool, StoreError>>;

async fn fixture() -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let (file, lock) = File::lock(&directory.path().join("inbox.db"))
        .await
        .unwrap();
    let mut connection = connection::open(&file, false).unwrap();
    connection::prepare(&mut connection, true).unwrap();
    connection.busy_timeout(Duration::ZERO).unwrap();
    let other = Connection::open(file.name()).unwrap();
    other.busy_timeout(Duration::ZERO).unwrap();
    Fixture {
        writer: Writer::new(connection, lock, file, false, Clock::start()),
        other,
        _directory: directory,
    }
}

impl Fixture {
    /// Puts jobs of these accounts in one batch.
    fn put(&mut self, accounts: &[u8]) -> Vec<Result<bool, StoreError>> {
        let (batch, answers): (Vec<_>, Vec<_>) =
            accounts.iter().map(|account| put(*account)).unzip();
        // The answers have the error, too.
        drop(self.writer.write(batch));
        answers
            .iter()
            .map(|answer| answer.try_recv().unwrap())
            .collect()
    }

    fn stored(&self) -> i64 {
        let count = "SELECT count(*) FROM cronofy_inbox";
        self.other.query_row(count, [], |row| row.get(0)).unwrap()
    }

    /// Fails an insertion for account 1, in a way that SQLite knows.
    fn fail_account_1(&self, how: &str) {
        let account: String = "account 1"
            .bytes()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let trigger = format!(
            "CREATE TRIGGER fail BEFORE INSERT ON cronofy_inbox WHEN NEW.account = x'{account}'
             BEGIN SELECT RAISE({how}, 'no account 1'); END"
        );
        self.other.execute_batch(&trigger).unwrap();
    }
}

fn entry(account: u8) -> Entry {
    Entry {
        key: None,
        account: format!("account {account}"),
        channel: None,
        body: "body".into(),
    }
}

fn put(account: u8) -> (Box<dyn Command>, Answer) {
    let (sender, answer) = channel();
    let request = Request::new(
        move |connection: &Connection, now| statements::put(connection, &entry(account), None, now),
        move |result| sender.send(result).unwrap(),
    );
    (Box::new(request), answer)
}

fn causes(error: &StoreError) -> String {
    std::error::Error::source(error).unwrap().to_string()
}

#[tokio::test]
async fn a_failing_statement_leaves_the_others_of_its_batch_alone() {
    let mut fixture = fixture().await;
    fixture.fail_account_1("ABORT");
    let answers = fixture.put(&[0, 1, 2]);
    assert!(answers[0].is_ok() && answers[2].is_ok());
    assert_eq!(causes(answers[1].as_ref().unwrap_err()), "no account 1");
    assert_eq!(fixture.stored(), 2);
}

#[tokio::test]
async fn everybody_gets_the_error_of_a_transaction_that_was_rolled_back() {
    let mut fixture = fixture().await;
    fixture.fail_account_1("ROLLBACK");
    for answer in fixture.put(&[0, 1, 2]) {
        assert_eq!(causes(&answer.unwrap_err()), "no account 1");
    }
    assert_eq!(fixture.stored(), 0);
    // With a new connection.
    assert!(fixture.put(&[0, 2]).iter().all(Result::is_ok));
    assert_eq!(fixture.stored(), 2);
}

/// What is in the log may not be on the disk then: it is copied first, which a reader prevents.
#[tokio::test]
async fn after_a_failure_nothing_is_added_to_a_log_that_is_in_use() {
    let mut fixture = fixture().await;
    assert!(fixture.put(&[0]).remove(0).is_ok());
    fixture.fail_account_1("ROLLBACK");
    assert!(fixture.put(&[1]).remove(0).is_err());
    fixture.other.execute_batch("BEGIN").unwrap();
    assert_eq!(fixture.stored(), 1);
    let error = fixture.put(&[2]).remove(0).unwrap_err();
    assert!(causes(&error).contains("in use by another connection"));
    fixture.other.execute_batch("COMMIT").unwrap();
    assert!(fixture.put(&[2]).remove(0).is_ok());
    assert_eq!(fixture.stored(), 2);
}

#[tokio::test]
async fn everybody_gets_the_error_if_the_transaction_cannot_begin() {
    let mut fixture = fixture().await;
    fixture.other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for answer in fixture.put(&[0, 2]) {
        assert!(causes(&answer.unwrap_err()).contains("locked"));
    }
    fixture.other.execute_batch("COMMIT").unwrap();
    assert!(fixture.put(&[0, 2]).iter().all(Result::is_ok));
    assert_eq!(fixture.stored(), 2);
}

/// There is nothing wrong with the connection, and the log need not be copied first.
#[tokio::test]
async fn a_database_that_was_busy_is_written_to_while_another_connection_reads() {
    let mut fixture = fixture().await;
    assert!(fixture.put(&[0]).remove(0).is_ok());
    fixture.other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(fixture.put(&[1]).remove(0).is_err());
    assert_eq!(fixture.stored(), 1);
    let reader = Connection::open(fixture._directory.path().join("inbox.db")).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let count = "SELECT count(*) FROM cronofy_inbox";
    let _: i64 = reader.query_row(count, [], |row| row.get(0)).unwrap();
    fixture.other.execute_batch("COMMIT").unwrap();
    assert!(fixture.put(&[1]).remove(0).is_ok());
}

#[tokio::test]
async fn a_full_disk_fails_a_put_until_there_is_room() {
    let mut fixture = fixture().await;
    let pages = |fixture: &Fixture, pages: i64| {
        let connection = fixture.writer.connection().unwrap();
        connection
            .pragma_update(None, "max_page_count", pages)
            .unwrap();
    };
    pages(&fixture, 1);
    let mut stored = 0;
    let error = loop {
        match fixture.put(&[0]).remove(0) {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(causes(&error), "database or disk is full");
    assert_eq!(fixture.stored(), stored);
    pages(&fixture, 1_000);
    assert!(fixture.put(&[0]).remove(0).is_ok());
    assert_eq!(fixture.stored(), stored + 1);
}

/// In SQLite's numbers: 1 is `NORMAL` and 2 is `FULL`.
#[tokio::test]
async fn each_commit_is_flushed_unless_loss_is_allowed() {
    let directory = tempfile::tempdir().unwrap();
    let (file, _lock) = File::lock(&directory.path().join("inbox.db"))
        .await
        .unwrap();
    for (allow_loss, synchronous) in [(false, 2), (true, 1)] {
        let connection = connection::open(&file, allow_loss).unwrap();
        let pragma = |name: &str| -> i64 {
            connection
                .pragma_query_value(None, name, |row| row.get(0))
                .unwrap()
        };
        assert_eq!(pragma("synchronous"), synchronous);
        assert_eq!(
            (pragma("fullfsync"), pragma("checkpoint_fullfsync")),
            (1, 1)
        );
        assert_eq!(pragma("secure_delete"), 2);
    }
}

/// What was answered is on the disk: a copy of the files as they are then has it.
#[tokio::test]
async fn an_answer_follows_the_commit() {
    let mut fixture = fixture().await;
    let copied = Arc::new(std::sync::Mutex::new(None));
    let (directory, sink) = (fixture._directory.path().to_owned(), Arc::clone(&copied));
    let request = Request::new(
        |connection: &Connection, now| statements::put(connection, &entry(0), None, now),
        move |result: Result<bool, StoreError>| {
            result.unwrap();
            let copy = tempfile::tempdir().unwrap();
            for name in ["inbox.db", "inbox.db-wal"] {
                std::fs::copy(directory.join(name), copy.path().join(name)).unwrap();
            }
            *sink.lock().unwrap() = Some(copy);
        },
    );
    fixture.writer.write(vec![Box::new(request)]).unwrap();
    let copy = copied.lock().unwrap().take().unwrap();
    let connection = Connection::open(copy.path().join("inbox.db")).unwrap();
    let count: i64 = connection
        .query_row("SELECT count(*) FROM cronofy_inbox", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 1);
}
