//! What an operator does and sees: parking, limits, numbers.

use super::*;

#[test]
fn a_job_that_had_its_attempts_is_parked_instead_of_taken() {
    let mut database = Database::new();
    let take = |database: &Database| {
        statements::take(&database.connection, LEASE, Some(2), database.now).unwrap()
    };
    database.change(5, 1);
    // Neither run ends: the process was killed.
    for attempt in 1..=2 {
        assert!(matches!(take(&database), Take::Taken(_, job) if job.attempts == attempt));
        database.now += 100;
    }
    assert!(matches!(take(&database), Take::Parked(job) if job.attempts == 2));
    assert_eq!(take(&database), Take::Nothing);
    let parked = reads::parked(&database.connection, 10).unwrap();
    assert_eq!(parked[0].job.body(), "body 1");
    assert_eq!(reads::parked(&database.connection, 0).unwrap().len(), 0);

    let stats = reads::stats(&database.connection, database.now).unwrap();
    assert_eq!((stats.waiting, stats.taken, stats.parked), (0, 0, 1));
    assert_eq!(stats.oldest_due_age, None);
}

#[test]
fn a_change_or_unpark_puts_a_parked_row_back_in_line() {
    for unpark in [true, false] {
        let mut database = Database::new();
        database.change(5, 1);
        let (token, _) = database.taken();
        assert!(database.end(token, FAILED));
        database.now += 500;
        let parked = statements::take(&database.connection, LEASE, Some(1), database.now);
        assert!(matches!(parked.unwrap(), Take::Parked(_)));
        database.now += 1;
        if unpark {
            database.unpark_all();
        } else {
            database.change(6, 2);
        }
        let row = database.row();
        assert_eq!(
            (row.parked_at, row.attempts, row.due),
            (None, 0, database.now)
        );
        let (_, job) = database.taken();
        assert_eq!((job.body, job.attempts), ("body 1".into(), 1));
    }
}

#[test]
fn max_rows_refuses_a_new_row_but_not_a_change_that_merges() {
    let database = Database::new();
    let put = |entry: &Entry| statements::put(&database.connection, entry, Some(2), 0).unwrap();
    assert!(put(&entry(0, Some((0, 5)), 1)));
    assert!(put(&entry(0, None, 2)));
    assert!(!put(&entry(0, None, 3)));
    assert!(!put(&entry(0, Some((1, 5)), 4)));
    assert!(put(&entry(0, Some((0, 4)), 5)));
    assert_eq!(database.rows().len(), 2);
    let (token, _) = database.taken();
    assert!(database.end(token, End::Done));
    assert!(put(&entry(0, None, 6)));
}

#[test]
fn forget_deletes_what_waits_is_taken_or_parked() {
    let database = Database::new();
    database.change(5, 1);
    database.put(&entry(0, None, 2));
    database.put(&entry(1, None, 3));
    let (token, _) = database.taken();
    assert_eq!(
        statements::forget(&database.connection, "account 0").unwrap(),
        2
    );
    assert!(!database.renew(token));
    assert_eq!(database.row().account, "account 1");
}

#[test]
fn stats_count_each_row_once() {
    let mut database = Database::new();
    for number in 0..5 {
        database.put(&entry(0, None, number));
    }
    let (token, _) = database.taken();
    assert!(database.end(token, FAILED));
    database.taken();
    database.now += 7;
    let stats = reads::stats(&database.connection, database.now).unwrap();
    assert_eq!((stats.waiting, stats.taken, stats.parked), (4, 1, 0));
    assert_eq!(stats.oldest_due_age, Some(Duration::from_micros(7)));
}

#[test]
fn each_statement_uses_an_index() {
    let database = Database::new();
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
