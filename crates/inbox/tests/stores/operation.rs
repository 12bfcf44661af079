//! What an operator does and sees: parking, limits, numbers.

use std::time::Duration;

use crate::database::{Database, FAILED, LEASE};
use crate::entry::Entry;
use crate::model::entry;
use crate::store::{End, Take};

pub(crate) fn a_job_that_had_its_attempts_is_parked_instead_of_taken<D: Database>() {
    let mut database = D::new();
    let take = |database: &D| database.take_with(LEASE, Some(2));
    database.change(5, 1);
    // Neither run ends: the process was killed.
    for attempt in 1..=2 {
        assert!(matches!(take(&database), Take::Taken(_, job) if job.attempts == attempt));
        database.advance(100);
    }
    assert!(matches!(take(&database), Take::Parked(job) if job.attempts == 2));
    assert_eq!(take(&database), Take::Nothing);
    let parked = database.parked(10);
    assert_eq!(parked[0].job.body(), "body 1");
    assert_eq!(database.parked(0).len(), 0);

    let stats = database.stats();
    assert_eq!((stats.waiting, stats.taken, stats.parked), (0, 0, 1));
    assert_eq!(stats.oldest_due_age, None);
}

pub(crate) fn a_change_or_unpark_puts_a_parked_row_back_in_line<D: Database>() {
    for unpark in [true, false] {
        let mut database = D::new();
        database.change(5, 1);
        let (token, _) = database.taken();
        assert!(database.end(token, FAILED));
        database.advance(500);
        let parked = database.take_with(LEASE, Some(1));
        assert!(matches!(parked, Take::Parked(_)));
        database.advance(1);
        if unpark {
            database.unpark_all();
        } else {
            database.change(6, 2);
        }
        let row = database.row();
        assert_eq!(
            (row.parked_at, row.attempts, row.due),
            (None, 0, database.now())
        );
        let (_, job) = database.taken();
        assert_eq!((job.body, job.attempts), ("body 1".into(), 1));
    }
}

pub(crate) fn max_rows_refuses_a_new_row_but_not_a_change_that_merges<D: Database>() {
    let database = D::new();
    let put = |entry: &Entry| database.put_with(entry, Some(2));
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

pub(crate) fn forget_deletes_what_waits_is_taken_or_parked<D: Database>() {
    let database = D::new();
    database.change(5, 1);
    database.put(&entry(0, None, 2));
    database.put(&entry(1, None, 3));
    let (token, _) = database.taken();
    assert_eq!(database.forget("account 0"), 2);
    assert!(!database.renew(token));
    assert_eq!(database.row().account, "account 1");
}

pub(crate) fn stats_count_each_row_once<D: Database>() {
    let mut database = D::new();
    for number in 0..5 {
        database.put(&entry(0, None, number));
    }
    let (token, _) = database.taken();
    assert!(database.end(token, FAILED));
    database.taken();
    database.advance(7);
    let stats = database.stats();
    assert_eq!((stats.waiting, stats.taken, stats.parked), (4, 1, 0));
    assert_eq!(stats.oldest_due_age, Some(Duration::from_micros(7)));
}
