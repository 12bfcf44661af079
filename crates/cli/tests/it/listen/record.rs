//! The record.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::{Listening, post, raw_receiver};
use crate::support::{file, recorder, run};

fn path(folder: &TempDir) -> String {
    folder
        .path()
        .join("deliveries.ndjson")
        .to_str()
        .unwrap()
        .to_owned()
}

fn lines(path: &str) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_default())
        .collect()
}

/// Runs it with this record while one delivery comes; returns what it said.
fn record_one(path: &str) -> String {
    let (to, _) = recorder(204);
    let listening = Listening::start(&to, &["--record", path]);
    assert_eq!(listening.post("/", "{}"), "204");
    listening.json();
    let run = listening.stop();
    assert_eq!(run.status, 0, "{}", run.stderr);
    run.stderr
}

#[test]
fn a_delivery_is_a_line_without_credentials() {
    let (to, _) = raw_receiver(
        "HTTP/1.1 200 OK\r\nSet-Cookie: answer=CREDENTIAL\r\nX: y\r\nContent-Length: 2\r\n\r\nok",
    );
    let folder = TempDir::new().unwrap();
    let path = path(&folder);
    let listening = Listening::start(&to, &["--record", &path]);
    let credentials = "\r\nAuthorization: CREDENTIAL\r\nCookie: CREDENTIAL\r\nPROXY-Authorization: CREDENTIAL\r\nA: b\r\nConnection";
    let request = post("/cronofy?a=b", "{}").replace("\r\nConnection", credentials);
    listening.send(&request);
    listening.json();
    let signature = request
        .split("SHA256: ")
        .nth(1)
        .unwrap()
        .split('\r')
        .next()
        .unwrap();
    let mut recorded = lines(&path);
    assert!(recorded[0]["at"].take().as_str().unwrap().ends_with('Z'));
    assert!(recorded[0]["answer"]["took_ms"].take().as_f64().unwrap() > 0.0);
    assert_eq!(
        recorded,
        [json!({
            "v": 1, "id": 1, "at": null, "method": "POST", "uri": "/cronofy?a=b",
            "headers": [
                ["host", "a.example"], ["authorization", null], ["cookie", null], ["proxy-authorization", null], ["a", "b"],
                ["connection", "close"], ["content-length", "2"], ["cronofy-hmac-sha256", signature],
            ],
            "body_b64": "e30=", "kind": "unknown", "verdict": "authentic", "secret": 0, "mistakes": [],
            "answer": {
                "status": 200, "by": "receiver", "took_ms": null, "body_b64": "b2s=",
                "headers": [["set-cookie", null], ["x", "y"], ["content-length", "2"]],
            },
            "error": null, "attempt": 1, "of": null, "from_page": null, "replay_of": null,
        })]
    );
    assert!(!fs::read_to_string(&path).unwrap().contains("CREDENTIAL"));
    assert!(
        !fs::read_to_string(&path)
            .unwrap()
            .contains(crate::support::SECRET)
    );
}

#[test]
fn other_requests_are_not_recorded() {
    let (to, _) = recorder(204);
    let folder = TempDir::new().unwrap();
    let listening = Listening::start(&format!("{to}/x"), &["--record", &path(&folder)]);
    listening.send("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    listening.post("/y", "{}");
    listening.post("/x", "{}");
    for _ in 0..3 {
        listening.json();
    }
    assert_eq!(lines(&path(&folder)).len(), 1);
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = TempDir::new().unwrap();
    let path = path(&folder);
    let mode = |path: &str| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let said = record_one(&path);
    assert!(
        said.contains("whoever can read it reads e-mail addresses"),
        "{said}"
    );
    assert_eq!(mode(&path), 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    record_one(&path);
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn numbers_and_attempts_go_on_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let path = path(&folder);
    record_one(&path);
    let said = record_one(&path);
    assert!(said.contains("which has 1 deliveries"), "{said}");
    let recorded = lines(&path);
    let told = |line: &Value| json!([line["id"], line["attempt"], line["of"]]);
    assert_eq!(
        recorded.iter().map(told).collect::<Vec<_>>(),
        [json!([1, 1, null]), json!([2, 2, 1])]
    );
}

#[test]
fn a_torn_last_line_is_ended_and_a_corrupt_one_skipped() {
    let folder = TempDir::new().unwrap();
    let path = path(&folder);
    record_one(&path);
    let whole = fs::read_to_string(&path).unwrap();
    let torn = &whole[..whole.len() / 2];
    fs::write(
        &path,
        format!("{whole}\u{0}\n[]\n{{\"v\":\"x\"}}\n{{\"v\":1}}\n\n{torn}"),
    )
    .unwrap();
    let said = record_one(&path);
    assert!(said.contains("which has 1 deliveries"), "{said}");
    assert!(
        said.contains("warning: 5 of its lines are no delivery"),
        "{said}"
    );
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(&format!("{torn}\n{{")), "{text}");
    assert_eq!(lines(&path).last().unwrap()["id"], 2);
}

#[test]
fn a_last_line_that_lacks_only_its_newline_counts() {
    let folder = TempDir::new().unwrap();
    let path = path(&folder);
    record_one(&path);
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, whole.trim_end()).unwrap();
    let said = record_one(&path);
    assert!(
        said.contains("which has 1 deliveries") && !said.contains("skipped"),
        "{said}"
    );
    assert_eq!(lines(&path).len(), 2);
}

#[test]
fn an_unknown_version_is_refused() {
    let (_folder, path) = file("{\"v\":2,\"id\":1}\n");
    for arguments in [
        &[
            "listen", "--port", "0", "--page", "0", "--to", "3000", "--record", &path,
        ][..],
        &["replay", &path, "--to", "3000"],
    ] {
        let run = run(arguments);
        assert_eq!((run.status, run.stdout.as_str()), (2, ""));
        assert!(
            run.stderr.contains("the record has version 2 in line 1"),
            "{}",
            run.stderr
        );
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"v\":2,\"id\":1}\n");
}

#[test]
fn a_second_writer_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = path(&folder);
    let (to, _) = recorder(204);
    let first = Listening::start(&to, &["--record", &path]);
    let run = run(&[
        "listen", "--port", "0", "--page", "0", "--to", &to, "--record", &path,
    ]);
    assert_eq!(run.status, 2);
    assert!(
        run.stderr.contains("another process writes to this record"),
        "{}",
        run.stderr
    );
    drop(first);
    record_one(&path);
}

#[test]
fn what_is_not_a_file_is_refused() {
    for path in [Path::new("/dev/null"), std::env::temp_dir().as_path()] {
        let path = path.to_str().unwrap();
        assert_eq!(
            run(&[
                "listen", "--port", "0", "--page", "0", "--to", "3000", "--record", path
            ])
            .status,
            2,
            "{path}"
        );
    }
}

#[test]
fn at_its_limit_the_record_stops_loudly() {
    let (to, log) = recorder(204);
    let folder = TempDir::new().unwrap();
    let path = path(&folder);
    let listening = Listening::start(&to, &["--record", &path, "--record-limit", "1"]);
    let body = format!("\"{}\"", "x".repeat(400_000));
    for _ in 0..3 {
        assert_eq!(listening.post("/", &body), "204");
        listening.json();
    }
    // It would fit, but what is missing must not be in the middle.
    assert_eq!(listening.post("/", "{}"), "204");
    listening.json();
    let run = listening.stop();
    assert_eq!(
        run.stderr
            .matches("warning: the record ends before delivery 2, nothing more is recorded")
            .count(),
        1,
        "{}",
        run.stderr
    );
    assert_eq!((lines(&path).len(), log.lock().unwrap().len()), (1, 4));
}

#[test]
fn bytes_that_are_not_text_are_recorded() {
    use std::io::{Read as _, Write as _};

    let (to, _) = recorder(204);
    let folder = TempDir::new().unwrap();
    let path = path(&folder);
    let listening = Listening::start(&to, &["--record", &path]);
    let mut stream = listening.connect();
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nX: \xe9\r\nConnection: close\r\nContent-Length: 3\r\n\r\n\xff\x00\n")
        .unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    listening.json();
    let recorded = &lines(&path)[0];
    assert_eq!(
        recorded["headers"][1],
        json!(["x", {"b64": STANDARD.encode(b"\xe9")}])
    );
    assert_eq!(recorded["body_b64"], STANDARD.encode(b"\xff\x00\n"));
}
