//! The command `simulate`. Its own time passes fast; the clock cannot be paused, as the receivers are behind sockets.

#[cfg(target_os = "linux")]
mod memory;
mod report;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::any;
use cronofy_webhook::Notification;
use serde_json::Value;

use crate::support::{Run, answering, command, nobody, receiver, recorder, run, serve};

const HOUR_S: i64 = 60 * 60;

/// Runs it with these arguments, and returns the report.
fn simulate(url: &str, arguments: &[&str]) -> (Run, Value) {
    let run = run(&[&["simulate", "--to", url, "--json"], arguments].concat());
    let report = run.records("report").into_iter().next();
    (run, report.unwrap_or_default())
}

/// A receiver that answers 503 from one hour to another, in the time that the changes tell.
fn down(from: i64, until: i64) -> String {
    let times: Arc<Mutex<Vec<i64>>> = Arc::default();
    let receive = async move |body: Bytes| {
        let Notification::Change(change) = Notification::from_slice(&body) else {
            return StatusCode::OK;
        };
        let mut times = times.lock().unwrap();
        times.push(change.changes_since.as_second());
        let first = times.iter().min().unwrap();
        let hour = (times.iter().max().unwrap() - first) / HOUR_S;
        if (from..until).contains(&hour) {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::OK
        }
    };
    serve(Router::new().fallback(any(receive)))
}

#[test]
fn a_receiver_that_is_down_for_3_of_24_hours_loses_nothing() {
    let arguments = ["--for", "24h", "--speed", "28800", "--rate", "50/s"];
    let (run, report) = simulate(&down(6, 9), &arguments);
    assert_eq!(
        (run.status, &report["lost"], &report["channels_closed"]),
        (0, &0.into(), &0.into()),
        "{report}"
    );
    assert!(
        report["delivered_after_retries"].as_u64().unwrap() > 5,
        "{report}"
    );
    let delivered = ["delivered_at_first", "delivered_after_retries"]
        .map(|field| report[field].as_u64().unwrap());
    assert_eq!(report["sent"], delivered.iter().sum::<u64>());
    assert!(report["sent"].as_u64().unwrap() > 100, "{report}");
}

#[test]
fn a_receiver_that_is_down_for_25_of_48_hours_loses_its_channel() {
    let arguments = ["--for", "48h", "--speed", "14400", "--rate", "50/s"];
    let (run, report) = simulate(&down(10, 35), &arguments);
    assert_eq!(
        (run.status, &report["channels_closed"]),
        (1, &1.into()),
        "{report}"
    );
    assert!(report["lost"].as_u64().unwrap() > 10, "{report}");
    assert!(
        report["delivered_at_first"].as_u64().unwrap() > 10,
        "{report}"
    );
}

#[test]
fn nobody_listening_closes_the_channel() {
    let (run, report) = simulate(&nobody(), &["--for", "1h", "--speed", "86400"]);
    assert_eq!(
        (run.status, &report["channels_closed"]),
        (1, &1.into()),
        "{report}"
    );
    assert_eq!(report["failed"], report["attempts"]);
    let text = Run::of(&mut command(&[
        "simulate",
        "--to",
        &nobody(),
        "--for",
        "1h",
        "--speed",
        "86400",
    ]));
    assert!(
        text.stdout
            .contains("\nchannels closed                       1\n"),
        "{}",
        text.stdout
    );
    assert!(text.stdout.contains("\nno answers\n"), "{}", text.stdout);
}

#[test]
fn every_channel_is_opened_and_notified_in_turn() {
    let (url, log) = recorder(204);
    let (run, report) = simulate(
        &url,
        &[
            "--channels",
            "3",
            "--for",
            "12h",
            "--speed",
            "43200",
            "--rate",
            "30/s",
        ],
    );
    assert_eq!(
        (run.status, &report["channels"]),
        (0, &3.into()),
        "{report}"
    );
    let log = log.lock().unwrap();
    let channels = |kind: &str| {
        let notifications = log
            .iter()
            .map(|request| Notification::from_slice(&request.body));
        let notifications = notifications.filter(|notification| notification.kind() == kind);
        notifications
            .map(|notification| {
                assert_eq!(
                    notification.callback_url(),
                    Some(format!("{url}/").as_str())
                );
                notification.channel().unwrap().channel_id.clone()
            })
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(channels("verification").len(), 3);
    assert_eq!(channels("change"), channels("verification"));
    assert_eq!(report["attempts"], log.len());
}

/// A verification has no fault, as it is not retried.
#[test]
fn a_dropped_request_is_not_posted() {
    let (url, log) = recorder(204);
    let (run, report) = simulate(
        &url,
        &["--fault", "drop", "--for", "1h", "--speed", "86400"],
    );
    assert_eq!(
        (run.status, &report["verifications_failed"]),
        (1, &0.into())
    );
    let dropped = &report["failures"][0];
    assert_eq!(dropped["text"], "dropped by --fault");
    assert_eq!(dropped["count"], report["failed"]);
    assert_eq!(log.lock().unwrap().len(), 1);
}

#[test]
fn another_status_is_taken_for_the_answer_to_what_was_posted() {
    let (url, log) = recorder(204);
    let arguments = [
        "--fault",
        "status=503@50%",
        "--seed",
        "1",
        "--for",
        "12h",
        "--speed",
        "14400",
        "--rate",
        "20/s",
    ];
    let (run, report) = simulate(&url, &arguments);
    assert_eq!(
        (run.status, &report["lost"], &report["seed"]),
        (0, &0.into(), &1.into()),
        "{report}"
    );
    assert!(
        report["delivered_after_retries"].as_u64().unwrap() > 10,
        "{report}"
    );
    assert_eq!(report["attempts"], log.lock().unwrap().len());
}

#[test]
fn the_report_says_what_was_simulated() {
    let run = run(&[
        "simulate",
        "--to",
        &receiver(),
        "--for",
        "6h",
        "--speed",
        "43200",
        "--rate",
        "40/s",
        "--seed",
        "5",
    ]);
    assert_eq!(run.status, 0);
    for text in [
        "6h of Cronofy at ",
        ", seed 5\n",
        "\nsimulated, 43200 times as fast: 6h of changes, retries after 1 min, doubling to 1 h (assumed, ",
        "\nreal: 40 changes in a second, 5 s until Cronofy disconnects",
        "  below ",
        "###",
    ] {
        assert!(run.stdout.contains(text), "{text}: {}", run.stdout);
    }
}

#[test]
fn a_simulation_on_another_host_is_refused() {
    let run = run(&["simulate", "--to", "http://192.0.2.1/"]);
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("add --allow-remote"), "{}", run.stderr);
}

#[test]
fn a_malformed_argument_is_a_mistake_in_usage() {
    let url = answering(204, "");
    for argument in [
        "--for=1",
        "--for=-1h",
        "--speed=0",
        "--rate=0/s",
        "--rate=1/m",
        "--channels=0",
        "--fault=slow",
    ] {
        let run = run(&["simulate", "--to", &url, argument]);
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{argument}");
    }
}
