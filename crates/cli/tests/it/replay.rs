//! The command `replay`.

use std::fmt::Write as _;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cronofy_webhook::Verifier;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::listen::support::Listening;
use crate::support::{OTHER_SECRET, SECRET, answering, file, nobody, recorder, run};

/// A line of a record: delivery `id`, a `change` if it is even and a `verification` if not, a minute after the one before.
fn line(id: u64, secret: &str) -> String {
    let kind = if id.is_multiple_of(2) {
        "change"
    } else {
        "verification"
    };
    let body = format!(
        "{{ \"notification\": {{\"type\": \"{kind}\", \"changes_since\": \"2026-01-01T00:00:00Z\"}}, \"channel\": {{\"channel_id\": \"chn_{id}\", \"callback_url\": \"https://a.example/\"}} }}"
    );
    let signature = Verifier::new([secret]).unwrap().sign(body.as_bytes());
    let at = jiff::Timestamp::from_second(1_800_000_000 + 60 * i64::try_from(id).unwrap()).unwrap();
    let line = json!({
        "v": 1, "id": id, "at": at.to_string(), "method": "POST", "uri": "/x",
        "headers": [
            ["host", "a.example"], ["x-b", "1"], ["cookie", null], ["content-length", "1"], ["x-a", {"b64": "6Q=="}],
            ["transfer-encoding", "chunked"], ["cronofy-hmac-sha256", signature.to_str().unwrap()],
        ],
        "body_b64": STANDARD.encode(&body), "kind": kind, "verdict": "authentic", "secret": 0, "mistakes": [],
        "answer": null, "error": null, "attempt": 1, "of": null,
    });
    format!("{line}\n")
}

fn record(count: u64) -> (TempDir, String) {
    let lines: String = (1..=count).map(|id| line(id, SECRET)).collect();
    file(lines)
}

/// The numbers of the deliveries that were sent.
fn sent(arguments: &[&str], count: u64) -> Vec<u64> {
    let (_folder, path) = record(count);
    let (url, log) = recorder(204);
    let run = run(&[&["replay", &path, "--to", &url, "--json"], arguments].concat());
    assert_eq!(run.status, 0, "{}", run.stderr);
    let deliveries = run.records("delivery");
    let numbers = deliveries
        .iter()
        .map(|delivery| delivery["number"].as_u64().unwrap());
    let numbers: Vec<_> = numbers.collect();
    let channels: Vec<_> = log
        .lock()
        .unwrap()
        .iter()
        .map(|request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            body["channel"]["channel_id"].as_str().unwrap().to_owned()
        })
        .collect();
    let expected: Vec<_> = numbers
        .iter()
        .map(|number| format!("chn_{number}"))
        .collect();
    assert_eq!(channels, expected);
    numbers
}

#[test]
fn the_request_is_the_one_that_came() {
    let (_folder, path) = record(1);
    let (url, log) = recorder(204);
    let run = run(&["replay", &path, "--to", &format!("{url}/new?a=b")]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    assert!(
        run.stdout
            .starts_with("1 verification: 204 No Content after "),
        "{}",
        run.stdout
    );
    let log = log.lock().unwrap();
    let [request] = &log[..] else {
        panic!("{} requests", log.len());
    };
    assert_eq!(
        (request.method.as_str(), request.uri.to_string()),
        ("POST", "/new?a=b".to_owned())
    );
    let recorded: Value = serde_json::from_str(&line(1, SECRET)).unwrap();
    assert_eq!(
        STANDARD.encode(&request.body),
        recorded["body_b64"].as_str().unwrap()
    );
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let signature = recorded["headers"][6][1].as_str().unwrap();
    let length = request.body.len().to_string();
    let mut expected = vec![
        ("x-b", &b"1"[..]),
        ("x-a", b"\xe9"),
        ("cronofy-hmac-sha256", signature.as_bytes()),
        ("host", url.strip_prefix("http://").unwrap().as_bytes()),
        ("content-length", length.as_bytes()),
    ];
    expected.sort_unstable();
    let mut headers = headers;
    headers.sort_unstable();
    assert_eq!(headers, expected);
}

#[test]
fn deliveries_are_selected() {
    assert_eq!(sent(&[], 5), [1, 2, 3, 4, 5]);
    assert_eq!(sent(&["--id", "4", "--id", "2"], 5), [2, 4]);
    assert_eq!(sent(&["--kind", "change"], 5), [2, 4]);
    assert_eq!(
        sent(&["--kind", "change", "--kind", "verification"], 3),
        [1, 2, 3]
    );
    assert_eq!(sent(&["--since", "2m"], 5), [3, 4, 5]);
    assert_eq!(sent(&["--since", "2m", "--kind", "change"], 5), [4]);
}

#[test]
fn what_is_not_there_is_an_error() {
    let (_folder, path) = record(3);
    for arguments in [
        &["--id", "9"][..],
        &["--kind", "smart_invite"],
        &["--id", "1", "--kind", "change"],
    ] {
        let run = run(&[&["replay", &path, "--to", &nobody()], arguments].concat());
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{arguments:?}");
    }
    assert_eq!(run(&["replay", "nowhere", "--to", "3000"]).status, 2);
}

#[test]
fn the_exit_status_says_whether_all_were_delivered() {
    let (_folder, path) = record(2);
    for url in [answering(500, "no"), nobody()] {
        let run = run(&["replay", &path, "--to", &url]);
        assert_eq!(run.status, 1);
        assert!(run.stdout.contains("0 of 2 delivered"), "{}", run.stdout);
    }
}

#[test]
fn an_edited_body_is_signed_and_that_is_said() {
    let (_folder, path) = record(1);
    let (url, log) = recorder(204);
    let run = run(&[
        "replay",
        &path,
        "--to",
        &url,
        "--set",
        "/channel/channel_id=chn_9",
    ]);
    assert_eq!(run.status, 0);
    assert!(
        run.stderr
            .contains("--set changes the bodies: they are signed with the client secret"),
        "{}",
        run.stderr
    );
    let log = log.lock().unwrap();
    assert!(log[0].body.windows(5).any(|window| window == b"chn_9"));
    assert_eq!(
        log[0].headers["cronofy-hmac-sha256"],
        Verifier::new([SECRET]).unwrap().sign(&log[0].body)
    );
}

#[test]
fn resign_takes_the_secret_that_is_given() {
    let (_folder, path) = file(line(1, OTHER_SECRET));
    let (url, log) = recorder(204);
    assert_eq!(run(&["replay", &path, "--to", &url]).status, 0);
    assert_eq!(run(&["replay", &path, "--to", &url, "--resign"]).status, 0);
    let log = log.lock().unwrap();
    for (request, secret) in log.iter().zip([OTHER_SECRET, SECRET]) {
        let signature = Verifier::new([secret]).unwrap().sign(&request.body);
        assert_eq!(request.headers["cronofy-hmac-sha256"], signature);
    }
    let mut without = crate::support::command(&["replay", &path, "--to", &url, "--resign"]);
    without.env_remove("CRONOFY_CLIENT_SECRET");
    assert_eq!(crate::support::Run::of(&mut without).status, 2);
}

#[test]
fn more_than_10_deliveries_to_another_host_are_refused() {
    let (_folder, path) = record(11);
    let run = run(&["replay", &path, "--to", "http://192.0.2.1/"]);
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    assert!(
        run.stderr
            .contains("more than 10 deliveries is for a receiver on this machine"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_record_of_10_000_that_was_cut_off_is_read_back_and_has_the_same_verdicts() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let is_authentic = |id: u64| !id.is_multiple_of(7);
    let mut text = String::new();
    for id in 1..=10_000 {
        let secret = if is_authentic(id) {
            SECRET
        } else {
            OTHER_SECRET
        };
        write!(text, "{}", line(id, secret)).unwrap();
    }
    text.truncate(text.len() - 300);
    fs::write(path("old"), text).unwrap();

    let (to, log) = recorder(204);
    let listening = Listening::start(&to, &["--record", &path("new")]);
    let run = run(&["replay", &path("old"), "--to", &listening.url, "--json"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("warning: 1 lines of the record are no delivery"),
        "{}",
        run.stderr
    );
    assert_eq!(log.lock().unwrap().len(), 9_999);
    for id in 1..10_000 {
        let line = listening.json();
        let verdict = if is_authentic(id) {
            "authentic"
        } else {
            "unauthentic"
        };
        assert_eq!(
            (&line["id"], &line["verdict"]),
            (&id.into(), &verdict.into()),
            "{line}"
        );
    }
    drop(listening);

    for (name, warning) in [
        ("old", "warning: 1 of its lines are no delivery"),
        ("new", ""),
    ] {
        let run = Listening::start(&to, &["--record", &path(name)]).stop();
        assert!(
            run.stderr.contains("which has 9999 deliveries"),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains(warning), "{}", run.stderr);
    }
    let new = fs::read_to_string(path("new")).unwrap();
    let first: Value = serde_json::from_str(new.lines().next().unwrap()).unwrap();
    let old: Value = serde_json::from_str(&line(1, SECRET)).unwrap();
    assert_eq!(
        (&first["body_b64"], &first["kind"]),
        (&old["body_b64"], &old["kind"])
    );
}
