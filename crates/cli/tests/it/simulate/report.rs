//! What the report says, and the exit status.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use serde_json::json;

use super::simulate;
use crate::support::{Calls, Run, answering, command, nobody, recorder, run, serve};

/// A day takes a second.
const DAY: [&str; 4] = ["--for", "24h", "--speed", "86400"];

#[test]
fn a_verification_that_fails_is_not_as_wanted() {
    let calls = Calls::default();
    let answer = async move || match calls.add() {
        1 => StatusCode::FORBIDDEN,
        _ => StatusCode::OK,
    };
    let url = serve(Router::new().fallback(any(answer)));
    let (run, report) = simulate(&url, &DAY);
    assert_eq!(
        (run.status, &report["verifications_failed"], &report["lost"]),
        (1, &1.into(), &0.into()),
        "{report}"
    );
    assert_eq!(
        report["failures"],
        json!([{"text": "403 Forbidden", "count": 1}])
    );
}

#[test]
fn nothing_sent_is_not_as_wanted() {
    for url in [answering(204, ""), nobody()] {
        let (run, report) = simulate(&url, &["--for", "0s"]);
        assert_eq!((run.status, &report["sent"]), (1, &0.into()), "{report}");
    }
}

#[test]
fn as_many_changes_are_sent_as_the_rate_says() {
    let url = answering(204, "");
    for (time, sent) in [("1s", 1), ("1h", 42), ("24h", 1000)] {
        let arguments = ["--for", time, "--speed", "86400", "--rate", "1000/s"];
        let (run, report) = simulate(&url, &arguments);
        assert_eq!((run.status, &report["sent"]), (0, &sent.into()), "{report}");
    }
}

#[test]
fn the_most_frequent_failures_are_told() {
    let url = nobody();
    let (run, report) = simulate(&url, &DAY);
    let failures = report["failures"].as_array().unwrap();
    let [failure] = &failures[..] else {
        panic!("{report}");
    };
    assert_eq!((run.status, &failure["count"]), (1, &report["attempts"]));
    let text = failure["text"].as_str().unwrap();
    assert!(text.contains("refused"), "{text}");
    let run = Run::of(command(&["simulate", "--to", &url]).args(DAY));
    assert!(
        run.stdout.contains(&format!("\n  {text}: ")),
        "{}",
        run.stdout
    );

    let calls = Calls::default();
    let answer = async move || {
        let statuses = [500, 501, 501, 502, 503, 504, 505];
        StatusCode::from_u16(statuses[calls.add() % 7]).unwrap()
    };
    let url = serve(Router::new().fallback(any(answer)));
    let (_, report) = simulate(&url, &DAY);
    let failures = report["failures"].as_array().unwrap();
    assert_eq!(
        (failures.len(), &failures[0]["text"]),
        (5, &"501 Not Implemented".into())
    );
}

#[test]
fn an_attempt_that_times_out_warns_at_once_and_in_the_report() {
    let (url, log) = recorder(204);
    let arguments = [
        "--fault", "delay=6s", "--for", "1h", "--speed", "86400", "--rate", "50/s",
    ];
    let (json, report) = simulate(&url, &arguments);
    let text = run(&[&["simulate", "--to", &url], &arguments[..]].concat());
    assert_eq!((json.status, text.status), (1, 1));
    let warning = report["warning"].as_str().unwrap();
    assert!(
        warning.starts_with("an attempt that times out takes 120h of simulated time: "),
        "{warning}"
    );
    assert_eq!(
        report["timed_out"].as_u64(),
        report["attempts"].as_u64().map(|attempts| attempts - 1)
    );
    // Only the verification was posted.
    assert_eq!(
        (&report["unanswered"], log.lock().unwrap().len()),
        (&0.into(), 2)
    );
    let said = format!("warning: {warning}\n");
    assert_eq!(json.stderr.matches(&said).count(), 1, "{}", json.stderr);
    let (before, _) = json.stderr.split_once(&said).unwrap();
    assert!(!before.contains("1 lost"), "{}", json.stderr);
    assert!(text.stdout.ends_with(&said), "{}", text.stdout);
}

#[test]
fn without_a_timeout_nothing_warns() {
    let (run, report) = simulate(&answering(204, ""), &DAY);
    assert_eq!(run.status, 0);
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    assert!(report["warning"].is_null(), "{report}");
}

#[test]
fn the_time_of_a_fault_is_not_the_receivers() {
    let arguments = [
        "--fault", "delay=1s", "--for", "1h", "--speed", "86400", "--rate", "50/s",
    ];
    let (run, report) = simulate(&answering(204, ""), &arguments);
    assert_eq!(run.status, 0, "{report}");
    assert!(report["max_ms"].as_f64().unwrap() < 1000.0, "{report}");
}

#[test]
fn what_is_not_answered_in_time_is_told_beside_the_times() {
    let calls = Calls::default();
    let answer = async move || {
        if calls.add() == 2 {
            tokio::time::sleep(Duration::from_secs(6)).await;
        }
    };
    let url = serve(Router::new().fallback(any(answer)));
    let arguments = ["simulate", "--to", &url, "--for", "6h", "--speed", "14400"];
    let run = run(&arguments);
    assert_eq!(run.status, 0, "{}", run.stdout);
    assert!(
        run.stdout.contains("\n  not in time          1 #"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("\n  no answer within 5 s: 1\n"),
        "{}",
        run.stdout
    );
}

/// Each of the channels that are opened at the same time has a connection.
#[cfg(unix)]
#[test]
fn many_channels_need_few_files() {
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "ulimit -n 128; exec \"$@\"", "sh"]);
    let url = answering(204, "");
    let arguments = ["simulate", "--to", &url, "--channels", "1000", "--json"];
    let simulate = command(&arguments);
    shell
        .arg(simulate.get_program())
        .args(simulate.get_args())
        .args(DAY);
    shell.env("CRONOFY_CLIENT_SECRET", crate::support::SECRET);
    let run = Run::of(&mut shell);
    let report = &run.records("report")[0];
    assert_eq!((run.status, &report["failed"]), (0, &0.into()), "{report}");
    assert_eq!(report["channels"], 1000);
}
