//! A test for each rule of putting and taking.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::database::{Database, FAILED, HOUR};
use crate::model::entry;
use crate::store::{End, MAX_DELAY, Take};

pub(crate) fn a_new_row_is_due_at_once<D: Database>() {
    let database = D::new();
    database.change(5, 1);
    let row = database.row();
    assert_eq!((row.due, row.attempts, row.token), (1_000, 0, None));
    assert_eq!(row.waiting.unwrap().count, 1);
}

pub(crate) fn the_earliest_change_is_kept_and_of_equal_ones_the_first<D: Database>() {
    let mut database = D::new();
    for (number, since) in [(1, 5), (2, 7), (3, 4), (4, 4), (5, 9)] {
        database.change(since, number);
        database.advance(1);
    }
    let waiting = database.row().waiting.unwrap();
    assert_eq!((waiting.body, waiting.since), ("body 3".into(), Some(4)));
    assert_eq!((waiting.received, waiting.count), (1_000, 5));
}

pub(crate) fn times_before_1970_and_the_largest_are_compared_as_numbers<D: Database>() {
    let database = D::new();
    for (number, since) in [(1, i64::MAX), (2, -9), (3, -10), (4, i64::MIN), (5, 10)] {
        database.change(since, number);
    }
    assert_eq!(database.row().waiting.unwrap().body, "body 4");
}

pub(crate) fn other_kinds_are_never_merged<D: Database>() {
    let database = D::new();
    for number in 1..=3 {
        database.put(&entry(0, None, number));
    }
    let bodies: Vec<_> = (0..3).map(|_| database.taken().1.body).collect();
    assert_eq!(bodies, ["body 1", "body 2", "body 3"]);
    assert_eq!(database.take(), Take::Nothing);
}

pub(crate) fn a_change_during_a_run_waits_for_another_run<D: Database>() {
    let mut database = D::new();
    database.change(5, 1);
    let (token, job) = database.taken();
    assert_eq!((job.body, job.attempts), ("body 1".into(), 1));
    database.advance(1);
    database.change(3, 2);
    database.change(4, 3);
    assert_eq!(
        database.take(),
        Take::Nothing,
        "one run of a channel at a time"
    );

    assert!(database.end(token, End::Done));
    let (token, job) = database.taken();
    assert_eq!((job.body, job.attempts, job.count), ("body 2".into(), 1, 2));
    assert!(database.end(token, End::Done));
    assert_eq!(database.rows(), []);
}

pub(crate) fn what_a_dead_run_had_taken_is_merged_back<D: Database>() {
    for (since, body) in [(3, "body 2"), (5, "body 1"), (7, "body 1")] {
        let mut database = D::new();
        database.change(5, 1);
        database.taken();
        database.change(since, 2);
        database.advance(100);
        let (_, job) = database.taken();
        assert_eq!(job.body, body);
        assert_eq!((job.attempts, job.count), (2, 2));
    }
}

pub(crate) fn a_row_is_held_until_the_end_of_its_lease<D: Database>() {
    let mut database = D::new();
    database.change(5, 1);
    let (token, _) = database.taken();
    database.advance(99);
    assert_eq!(database.take(), Take::Nothing);
    assert!(database.renew(token));
    database.advance(99);
    assert_eq!(database.take(), Take::Nothing);
    database.advance(1);
    database.taken();
}

/// A stalled worker wakes after its row was deleted, put and taken again.
pub(crate) fn a_stale_token_has_no_effect<D: Database>() {
    let mut database = D::new();
    database.change(5, 1);
    let (stale, _) = database.taken();
    database.advance(100);
    let (second, _) = database.taken();
    assert!(database.end(second, End::Done));
    database.change(6, 2);
    let (current, _) = database.taken();

    let before = database.rows();
    for token in [stale, second] {
        assert_ne!(token, current);
        assert!(!database.renew(token));
        for end in [End::Done, FAILED, End::Released] {
            assert!(!database.end(token, end), "{end:?}");
        }
    }
    assert_eq!(database.rows(), before);
    assert!(database.end(current, End::Done));
}

pub(crate) fn an_ended_run_cannot_renew_its_lease<D: Database>() {
    for end in [End::Done, FAILED, End::Released] {
        let database = D::new();
        database.change(5, 1);
        let (token, _) = database.taken();
        database.change(6, 2);
        assert!(database.end(token, end));
        assert!(!database.renew(token));
    }
}

pub(crate) fn a_failed_job_waits_for_its_backoff_and_a_change_does_not_shorten_it<D: Database>() {
    let mut database = D::new();
    database.change(5, 1);
    let (token, _) = database.taken();
    assert!(database.end(token, FAILED));
    database.change(3, 2);
    database.advance(499);
    assert_eq!(database.take(), Take::Nothing);
    database.advance(1);
    let (_, job) = database.taken();
    assert_eq!((job.body, job.attempts), ("body 2".into(), 2));
}

pub(crate) fn a_released_job_is_due_at_once_and_the_attempt_does_not_count<D: Database>() {
    let database = D::new();
    database.change(5, 1);
    let (token, _) = database.taken();
    assert!(database.end(token, End::Released));
    assert_eq!(database.taken().1.attempts, 1);
}

pub(crate) fn done_puts_a_row_at_the_back_of_the_line<D: Database>() {
    let mut database = D::new();
    database.put(&entry(0, Some((0, 5)), 1));
    let (token, _) = database.taken();
    database.put(&entry(0, Some((0, 6)), 2));
    database.advance(1);
    database.put(&entry(0, Some((1, 5)), 3));
    database.advance(1);
    assert!(database.end(token, End::Done));
    assert_eq!(database.taken().1.body, "body 3");
    assert_eq!(database.taken().1.body, "body 2");
}

/// Channels that always have something waiting do not keep others from being taken.
pub(crate) fn each_due_row_is_taken_within_as_many_takes_as_there_are_rows<D: Database>() {
    let mut database = D::new();
    let rows = 12;
    for number in 0..rows {
        database.put(&entry(0, None, number));
        database.advance(1);
    }
    let hot = 4;
    let mut taken = BTreeSet::new();
    for number in 0..rows + hot {
        for channel in 0..hot {
            let channel = u8::try_from(channel).unwrap();
            database.put(&entry(1, Some((channel, 0)), 1_000 + number));
        }
        let (token, job) = database.taken();
        taken.insert(job.body);
        assert!(database.end(token, End::Done));
        database.advance(1);
    }
    for number in 0..rows {
        assert!(
            taken.contains(format!("body {number}").as_bytes()),
            "{number}"
        );
    }
}

pub(crate) fn leases_and_backoffs_are_an_hour_at_most<D: Database>() {
    let database = D::new();
    database.change(5, 1);
    let take = database.take_with(Duration::MAX, None);
    let Take::Taken(token, _) = take else {
        panic!("{take:?}");
    };
    assert_eq!(database.row().due, database.now() + HOUR);
    assert!(database.renew_with(token, 2 * MAX_DELAY));
    assert_eq!(database.row().due, database.now() + HOUR);
    let backoff = Duration::MAX;
    assert!(database.end(token, End::Failed { backoff }));
    assert_eq!(database.row().due, database.now() + HOUR);
}

/// A clock that was an hour and a second ahead, and was set back.
pub(crate) fn a_row_that_a_wrong_clock_made_due_is_due_at_once<D: Database>() {
    let mut database = D::new();
    database.change(5, 1);
    database.advance(-(HOUR + 1_000_000));
    assert_eq!(database.take(), Take::Nothing);
    database.crash();
    database.taken();
}

pub(crate) fn an_empty_body_is_a_body<D: Database>() {
    let database = D::new();
    let mut empty = entry(0, None, 1);
    empty.body = Default::default();
    database.put(&empty);
    let (token, job) = database.taken();
    assert_eq!(job.body, "");
    assert!(database.end(token, End::Done));
    assert_eq!(database.rows(), []);
}
