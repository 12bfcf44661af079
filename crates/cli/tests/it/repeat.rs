//! `trigger`, several times.

use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;

use crate::support::{Calls, receiver, run, serve};

#[test]
fn deliveries_are_repeated_and_counted() {
    let calls = Calls::default();
    let answer = async move || {
        if calls.add().is_multiple_of(10) {
            StatusCode::BAD_GATEWAY
        } else {
            StatusCode::OK
        }
    };
    let url = serve(Router::new().fallback(any(answer)));
    let arguments = [
        "trigger",
        "change",
        "--to",
        &url,
        "--repeat",
        "50",
        "--concurrency",
        "5",
    ];
    let text = run(&arguments);
    assert_eq!(text.status, 1);
    assert_eq!(text.stdout.lines().count(), 52, "{}", text.stdout);
    assert!(
        text.stdout.contains("\n45 of 50 delivered; answers after "),
        "{}",
        text.stdout
    );

    let json = run(&[&arguments[..], &["--json"]].concat());
    let mut numbers: Vec<_> = json
        .records("delivery")
        .iter()
        .map(|record| record["number"].as_u64())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=50).map(Some).collect::<Vec<_>>());
    let summary = &json.records("summary")[0];
    assert_eq!(
        (&summary["sent"], &summary["delivered"]),
        (&50.into(), &45.into())
    );
}

#[test]
fn concurrency_is_what_was_asked_for() {
    static UNDER_WAY: Mutex<(usize, usize)> = Mutex::new((0, 0));
    let count = async || {
        {
            let mut under_way = UNDER_WAY.lock().unwrap();
            under_way.0 += 1;
            under_way.1 = under_way.1.max(under_way.0);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        UNDER_WAY.lock().unwrap().0 -= 1;
    };
    let url = serve(Router::new().fallback(any(count)));
    assert_eq!(
        run(&[
            "trigger",
            "change",
            "--to",
            &url,
            "--repeat",
            "40",
            "--concurrency",
            "8"
        ])
        .status,
        0
    );
    assert_eq!(*UNDER_WAY.lock().unwrap(), (0, 8));
}

#[test]
fn a_load_on_another_host_is_refused() {
    // TEST-NET-1: nobody is there, and no packet is sent.
    let to = ["trigger", "change", "--to", "http://192.0.2.1/cronofy"];
    for load in [&["--repeat", "11"][..], &["--concurrency", "1"]] {
        let run = run(&[&to[..], load].concat());
        assert_eq!((run.status, run.stdout.as_str()), (2, ""));
        assert!(run.stderr.contains("add --allow-remote"), "{}", run.stderr);
    }
    let localhost = receiver().replace("127.0.0.1", "localhost");
    assert_eq!(
        run(&["trigger", "change", "--to", &localhost, "--repeat", "11"]).status,
        0
    );
}
