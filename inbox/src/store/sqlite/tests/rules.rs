//! A test for each rule of putting and taking.

use std::collections::BTreeSet;

use super::*;
use crate::store::MAX_DELAY;

#[test]
fn a_new_row_is_due_at_once() {
    let database = Database::new();
    database.change(5, 1);
    let row = database.row();
    assert_eq!((row.due, row.attempts, row.token), (1_000, 0, None));
    assert_eq!(row.waiting.unwrap().count, 1);
}

#[test]
fn the_earliest_change_is_kept_and_of_equal_ones_the_first() {
    let mut database = Database::new();
    for (number, since) in [(1, 5), (2, 7), (3, 4), (4, 4), (5, 9)] {
        database.change(since, number);
        database.now += 1;
    }
    let waiting = database.row().waiting.unwrap();
    assert_eq!((waiting.body, waiting.since), ("body 3".into(), Some(4)));
    assert_eq!((waiting.received, waiting.count), (1_000, 5));
}

#[test]
fn times_before_1970_and_the_largest_are_compared_as_numbers() {
    let database = Database::new();
    for (number, since) in [(1, i64::MAX), (2, -9), (3, -10), (4, i64::MIN), (5, 10)] {
        database.change(since, number);
    }
    assert_eq!(database.row().waiting.unwrap().body, "body 4");
}

#[test]
fn other_kinds_are_never_merged() {
    let database = Database::new();
    for number in 1..=3 {
        database.put(&entry(0, None, number));
    }
    let bodies: Vec<_> = (0..3).map(|_| database.taken().1.body).collect();
    assert_eq!(bodies, ["body 1", "body 2", "body 3"]);
    assert_eq!(database.take(), Take::Nothing);
}

#[test]
fn a_change_during_a_run_waits_for_another_run() {
    let mut database = Database::new();
    database.change(5, 1);
    let (token, job) = database.taken();
    assert_eq!((job.body, job.attempts), ("body 1".into(), 1));
    database.now += 1;
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

#[test]
fn what_a_dead_run_had_taken_is_merged_back() {
    for (since, body) in [(3, "body 2"), (5, "body 1"), (7, "body 1")] {
        let mut database = Database::new();
        database.change(5, 1);
        database.taken();
        database.change(since, 2);
        database.now += 100;
        let (_, job) = database.taken();
        assert_eq!(job.body, body);
        assert_eq!((job.attempts, job.count), (2, 2));
    }
}

#[test]
fn a_row_is_held_until_the_end_of_its_lease() {
    let mut database = Database::new();
    database.change(5, 1);
    let (token, _) = database.taken();
    database.now += 99;
    assert_eq!(database.take(), Take::Nothing);
    assert!(database.renew(token));
    database.now += 99;
    assert_eq!(database.take(), Take::Nothing);
    database.now += 1;
    database.taken();
}

/// A stalled worker wakes after its row was deleted, put and taken again.
#[test]
fn a_stale_token_has_no_effect() {
    let mut database = Database::new();
    database.change(5, 1);
    let (stale, _) = database.taken();
    database.now += 100;
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

#[test]
fn an_ended_run_cannot_renew_its_lease() {
    for end in [End::Done, FAILED, End::Released] {
        let database = Database::new();
        database.change(5, 1);
        let (token, _) = database.taken();
        database.change(6, 2);
        assert!(database.end(token, end));
        assert!(!database.renew(token));
    }
}

#[test]
fn a_failed_job_waits_for_its_backoff_and_a_change_does_not_shorten_it() {
    let mut database = Database::new();
    database.change(5, 1);
    let (token, _) = database.taken();
    assert!(database.end(token, FAILED));
    database.change(3, 2);
    database.now += 499;
    assert_eq!(database.take(), Take::Nothing);
    database.now += 1;
    let (_, job) = database.taken();
    assert_eq!((job.body, job.attempts), ("body 2".into(), 2));
}

#[test]
fn a_released_job_is_due_at_once_and_the_attempt_does_not_count() {
    let database = Database::new();
    database.change(5, 1);
    let (token, _) = database.taken();
    assert!(database.end(token, End::Released));
    assert_eq!(database.taken().1.attempts, 1);
}

#[test]
fn done_puts_a_row_at_the_back_of_the_line() {
    let mut database = Database::new();
    database.put(&entry(0, Some((0, 5)), 1));
    let (token, _) = database.taken();
    database.put(&entry(0, Some((0, 6)), 2));
    database.now += 1;
    database.put(&entry(0, Some((1, 5)), 3));
    database.now += 1;
    assert!(database.end(token, End::Done));
    assert_eq!(database.taken().1.body, "body 3");
    assert_eq!(database.taken().1.body, "body 2");
}

/// Channels that always have something waiting do not keep others from being taken.
#[test]
fn each_due_row_is_taken_within_as_many_takes_as_there_are_rows() {
    let mut database = Database::new();
    let rows = 12;
    for number in 0..rows {
        database.put(&entry(0, None, number));
        database.now += 1;
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
        database.now += 1;
    }
    for number in 0..rows {
        assert!(
            taken.contains(format!("body {number}").as_bytes()),
            "{number}"
        );
    }
}

#[test]
fn leases_and_backoffs_are_an_hour_at_most() {
    let database = Database::new();
    database.change(5, 1);
    let take = statements::take(&database.connection, Duration::MAX, None, 0);
    assert_eq!(take.unwrap(), Take::Nothing);
    let take = statements::take(&database.connection, Duration::MAX, None, database.now).unwrap();
    let Take::Taken(token, _) = take else {
        panic!("{take:?}");
    };
    assert_eq!(database.row().due, database.now + HOUR);
    let renewed = statements::renew(&database.connection, token, 2 * MAX_DELAY, database.now);
    assert!(renewed.unwrap());
    assert_eq!(database.row().due, database.now + HOUR);
    let backoff = Duration::MAX;
    assert!(database.end(token, End::Failed { backoff }));
    assert_eq!(database.row().due, database.now + HOUR);
}

#[test]
fn after_a_crash_what_was_taken_is_due_at_once() {
    let mut database = Database::new();
    database.change(5, 1);
    let (token, _) = database.taken();
    database.now += 1;
    statements::recover(&database.connection, database.now).unwrap();
    assert!(!database.end(token, End::Done));
    assert_eq!(database.taken().1.attempts, 2);
}

/// A clock that was an hour and a second ahead, and was set back.
#[test]
fn a_row_that_a_wrong_clock_made_due_is_due_at_once() {
    let mut database = Database::new();
    database.change(5, 1);
    database.now -= HOUR + 1_000_000;
    assert_eq!(database.take(), Take::Nothing);
    statements::recover(&database.connection, database.now).unwrap();
    database.taken();
}

#[test]
fn an_empty_body_is_a_body() {
    let database = Database::new();
    let mut empty = entry(0, None, 1);
    empty.body = Default::default();
    database.put(&empty);
    let (token, job) = database.taken();
    assert_eq!(job.body, "");
    assert!(database.end(token, End::Done));
    assert_eq!(database.rows(), []);
}
