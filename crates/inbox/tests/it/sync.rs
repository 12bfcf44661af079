//! The example `sync`, as a process.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Json, Router};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::common::change;
use crate::process::{Process, TWICE_THE_LIMIT, receiver};

/// Beside the example `receiver`.
fn sync() -> PathBuf {
    receiver().with_file_name(format!("sync{}", std::env::consts::EXE_SUFFIX))
}

#[test]
fn after_a_burst_of_changes_the_local_copy_is_equal_to_the_api() {
    for seed in ["1", "2"] {
        let output = Command::new(sync())
            .env("SEED", seed)
            .env_remove("CRONOFY_API")
            .env_remove("RUST_LOG")
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{text}{errors}");
        assert_eq!(text.matches("events as in the API, 0 not\n").count(), 3);

        // Far fewer reads than changes.
        assert!(text.contains("1000 notifications acknowledged"), "{text}");
        let (_, reads) = text.split_once("another full read meanwhile: ").unwrap();
        let (reads, _) = reads.split_once(" reads").unwrap();
        let reads: u32 = reads.parse().unwrap();
        assert!((20..500).contains(&reads), "{text}");
    }
}

/// What the API was asked for: the query, and the token.
type Requests = Arc<Mutex<Vec<(String, String)>>>;

/// An API with one event, that has changed since it was read first.
fn api(runtime: &Runtime, requests: &Requests) -> String {
    async fn read_events(
        State(requests): State<Requests>,
        RawQuery(query): RawQuery,
        headers: HeaderMap,
    ) -> Json<Value> {
        let query = query.unwrap();
        let is_changed = query.contains("last_modified");
        let token = headers["authorization"].to_str().unwrap().to_owned();
        requests.lock().unwrap().push((query, token));
        Json(json!({
            "pages": { "current": 1, "total": 1 },
            "events": [{
                "calendar_id": "cal_1",
                "event_uid": "evt_1",
                "summary": if is_changed { "changed" } else { "first" },
                "start": jiff::Timestamp::now().to_string(),
                "end": jiff::Timestamp::now().to_string(),
                "deleted": false,
            }],
        }))
    }
    let app = Router::new()
        .route("/v1/events", get(read_events))
        .with_state(Arc::clone(requests));
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

/// The event in the local copy, once it is there.
fn summary(directory: &TempDir) -> Option<String> {
    let connection = Connection::open(directory.path().join("cronofy-events.db")).unwrap();
    let sql = "SELECT event ->> 'summary' FROM events WHERE account = '42'";
    connection.query_row(sql, [], |row| row.get(0)).ok()
}

fn wait_until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed().as_secs() < 30);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// A receiver for account 42.
fn start(api: String, directory: &TempDir) -> Process {
    let mut command = Command::new(sync());
    command
        .env("CRONOFY_API", api)
        .env("CRONOFY_ACCESS_TOKEN", "a_token")
        .env("PUBLIC_URL", "https://receiver.example");
    Process::spawn(command, directory)
}

#[test]
fn with_an_api_it_reads_all_and_then_what_has_changed_until_ctrl_c() {
    let runtime = Runtime::new().unwrap();
    let requests = Requests::default();
    let directory = tempdir().unwrap();
    let mut process = start(api(&runtime, &requests), &directory);
    wait_until(|| summary(&directory).as_deref() == Some("first"));

    assert_eq!(process.post("42", &change("chn_1", 1_776_590_656)), 204);
    assert_eq!(process.post("43", &change("chn_1", 1_776_590_656)), 403);
    wait_until(|| summary(&directory).as_deref() == Some("changed"));
    process.signal("INT");
    assert!(process.wait().success());

    let requests = requests.lock().unwrap();
    let [(all, _), (changes, token)] = &requests[..] else {
        panic!("{requests:?}");
    };
    assert!(!all.contains("last_modified"), "{all}");
    let since = "last_modified=2026%2D04%2D19T09%3A24%3A16Z";
    assert!(changes.contains(since), "{changes}");
    assert_eq!(token, "Bearer a_token");
}

#[test]
fn half_a_head_delays_the_end_by_5_s() {
    let runtime = Runtime::new().unwrap();
    let directory = tempdir().unwrap();
    let mut process = start(api(&runtime, &Requests::default()), &directory);
    assert_eq!(process.post("42", &change("chn_1", 1)), 204);
    let _client = process.half_a_head();
    let signalled = Instant::now();
    process.signal("TERM");
    assert!(process.wait().success());
    assert!(signalled.elapsed() < TWICE_THE_LIMIT);
}

#[test]
fn a_setting_that_is_missing_is_named() {
    let output = Command::new(sync())
        .env("CRONOFY_API", "https://api.cronofy.com")
        .env("CRONOFY_CLIENT_SECRET", "CRN_test")
        .env_remove("PUBLIC_URL")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stderr, b"error: PUBLIC_URL is not set\n");
}
