//! The parts of the example `sync`, with their own tests, and what a job does against the simulated API.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../examples/sync/accounts.rs"]
mod accounts;
#[path = "../../examples/sync/api.rs"]
mod api;
#[path = "../../examples/sync/copy.rs"]
mod copy;
#[path = "../../examples/sync/daily.rs"]
mod daily;
#[path = "../../examples/sync/demonstration.rs"]
mod demonstration;
#[path = "../../examples/sync/event.rs"]
mod event;
#[path = "../../examples/sync/event_sync.rs"]
mod event_sync;
#[path = "../../examples/sync/query.rs"]
mod query;
#[path = "../../examples/sync/receiver.rs"]
mod receiver;
#[expect(dead_code, reason = "for the programs")]
#[path = "../../examples/receiver/server.rs"]
mod server;
#[path = "../../examples/sync/simulation/mod.rs"]
mod simulation;

use cronofy_webhook_inbox::Job;
use cronofy_webhook_testing::{Payload, Sender};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::accounts::Accounts;
use crate::api::{Api, ApiError};
use crate::copy::LocalCopy;
use crate::event_sync::{EventSync, SyncError};
use crate::simulation::{Calendar, Figures, SimulatedApi};

const TOKEN: &str = "token";
const CALENDARS: [&str; 2] = ["cal_1", "cal_2"];

/// Account 42 with events in two calendars, and an empty copy.
async fn simulated(seed: u64, faults: u8) -> (SimulatedApi, EventSync) {
    let cronofy = SimulatedApi::start(seed, faults).await.unwrap();
    let mut calendar = Calendar::new(seed, Timestamp::now());
    change(&mut calendar, 300);
    cronofy.insert(TOKEN, calendar);
    let accounts = Accounts::default();
    accounts.insert("42", TOKEN);
    let sync = EventSync {
        api: Api::new(&cronofy.origin()),
        copy: LocalCopy::open(":memory:").unwrap(),
        accounts,
    };
    (cronofy, sync)
}

/// Changes both calendars, and returns the time of the first change.
fn change(calendar: &mut Calendar, changes: usize) -> Timestamp {
    let mut times = CALENDARS
        .iter()
        .cycle()
        .take(changes)
        .map(|id| calendar.change_at_random(id).1);
    let first = times.next().unwrap();
    times.for_each(drop);
    first
}

fn job(payload: Payload) -> Job {
    Job::from_delivery("42", &Sender::new("CRN_test").delivery(payload))
}

/// A `change` of a channel without filters.
fn all_calendars(since: Timestamp) -> Payload {
    Payload::change(since).remove("/channel/filters")
}

async fn read_all(sync: &EventSync) {
    let account = sync.accounts.get("42").unwrap();
    sync.read_all(&account).await.unwrap();
}

async fn copied(sync: &EventSync) -> Vec<(String, Value)> {
    let events = sync.copy.events("42").await.unwrap();
    let parse = |(uid, event): (String, String)| (uid, serde_json::from_str(&event).unwrap());
    events.into_iter().map(parse).collect()
}

#[tokio::test]
async fn a_full_read_and_the_changes_since_then_are_the_whole() {
    for seed in 0..10 {
        let (cronofy, sync) = simulated(seed, 0).await;
        read_all(&sync).await;
        let first = cronofy.with(TOKEN, |calendar| calendar.events());
        assert_eq!(copied(&sync).await, first, "seed {seed}");
        assert!(cronofy.take_figures().further_pages > 0);

        let since = cronofy.with(TOKEN, |calendar| change(calendar, 300));
        sync.handle(job(all_calendars(since))).await.unwrap();
        let then = cronofy.with(TOKEN, |calendar| calendar.events());
        assert_ne!(first, then);
        assert_eq!(copied(&sync).await, then, "seed {seed}");
        assert!(cronofy.take_figures().further_pages > 0);
    }
}

#[tokio::test]
async fn the_demonstration_ends_with_an_equal_copy() {
    assert!(demonstration::run(3).await.unwrap());
}

#[tokio::test]
async fn only_what_was_modified_since_then_is_read() {
    let (cronofy, sync) = simulated(1, 0).await;
    read_all(&sync).await;
    cronofy.take_figures();
    let since = cronofy.with(TOKEN, |calendar| change(calendar, 1));
    sync.handle(job(all_calendars(since))).await.unwrap();
    let Figures { reads, events, .. } = cronofy.take_figures();
    // Some changes are made in the same second.
    assert!(reads == 1 && (1..5).contains(&events), "{events}");
}

#[tokio::test]
async fn only_the_calendars_of_the_channel_are_read() {
    let (_cronofy, sync) = simulated(1, 0).await;
    let filters = json!({ "calendar_ids": ["cal_2"] });
    let payload = Payload::change(Timestamp::UNIX_EPOCH).set("/channel/filters", filters);
    sync.handle(job(payload)).await.unwrap();
    let events = copied(&sync).await;
    assert!(!events.is_empty());
    assert!(
        events
            .iter()
            .all(|(_, event)| event["calendar_id"] == "cal_2")
    );
}

#[tokio::test]
async fn what_became_visible_without_a_notification_is_in_the_next_full_read() {
    let (cronofy, sync) = simulated(1, 0).await;
    read_all(&sync).await;
    cronofy.with(TOKEN, |calendar| calendar.reveal("cal_1"));
    let since = cronofy.with(TOKEN, |calendar| change(calendar, 1));
    sync.handle(job(all_calendars(since))).await.unwrap();
    let events = cronofy.with(TOKEN, |calendar| calendar.events());
    assert_eq!(copied(&sync).await.len() + 1, events.len());

    read_all(&sync).await;
    assert_eq!(copied(&sync).await, events);
}

#[tokio::test]
async fn the_initial_sync_is_followed_by_a_full_read() {
    let (cronofy, sync) = simulated(1, 0).await;
    let payload = Payload::sample("profile_initial_sync_completed");
    sync.handle(job(payload)).await.unwrap();
    let events = cronofy.with(TOKEN, |calendar| calendar.events());
    assert_eq!(copied(&sync).await, events);
}

#[tokio::test]
async fn an_account_that_was_deleted_is_not_read() {
    let (cronofy, sync) = simulated(1, 0).await;
    sync.accounts.remove("42");
    let payload = all_calendars(Timestamp::UNIX_EPOCH);
    sync.handle(job(payload)).await.unwrap();
    assert_eq!(cronofy.take_figures(), Figures::default());
}

#[tokio::test]
async fn an_account_that_has_to_be_authorised_again_is_given_up() {
    let (cronofy, sync) = simulated(1, 0).await;
    read_all(&sync).await;
    let before = copied(&sync).await;
    sync.accounts.insert("42", "revoked");
    sync.handle(job(all_calendars(Timestamp::UNIX_EPOCH)))
        .await
        .unwrap();
    assert_eq!(cronofy.take_figures().refused, 1);
    assert_eq!(copied(&sync).await, before);
}

#[tokio::test]
async fn a_request_that_is_refused_for_now_fails_the_job() {
    let (_cronofy, sync) = simulated(1, 100).await;
    let (mut limited, mut unavailable) = (0, 0);
    for _ in 0..50 {
        let result = sync.handle(job(all_calendars(Timestamp::UNIX_EPOCH))).await;
        let Err(error) = result else {
            panic!("nothing was refused");
        };
        let SyncError::Api(ApiError::Refused { status, .. }) = error else {
            panic!("{error:?}");
        };
        match status.as_u16() {
            429 => {
                limited += 1;
                // As the API says.
                assert_eq!(error.backoff(10).as_secs(), 1);
            }
            503 => {
                unavailable += 1;
                assert!((400..620).contains(&error.backoff(10).as_secs()));
            }
            _ => panic!("{status}"),
        }
    }
    assert!(limited > 0 && unavailable > 0);
}

#[tokio::test]
async fn an_account_that_used_its_right_to_be_forgotten_is_removed() {
    let (_cronofy, sync) = simulated(1, 0).await;
    read_all(&sync).await;
    assert!(!copied(&sync).await.is_empty());
    sync.handle(job(Payload::sample("gdpr_requested")))
        .await
        .unwrap();
    assert!(copied(&sync).await.is_empty());
    assert!(sync.accounts.get("42").is_none());
}

#[tokio::test]
async fn a_job_that_waited_while_its_account_was_removed_reads_nothing() {
    let (cronofy, sync) = simulated(1, 0).await;
    let account = sync.accounts.get("42").unwrap();
    let reading = account.reading.lock().await;
    let waiting = sync.handle(job(all_calendars(Timestamp::UNIX_EPOCH)));
    let remove = async {
        sync.accounts.remove("42");
        drop(reading);
    };
    // The job is polled first.
    let (result, ()) = tokio::join!(biased; waiting, remove);
    result.unwrap();
    assert_eq!(cronofy.take_figures(), Figures::default());
}
