//! Answers that do not come to their end, or are long.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use axum::Router;
use axum::routing::any;

use crate::support::{Run, nobody, run, serve};

/// A server that writes this to each client and then waits, or closes the connection.
fn writing(answer: &'static str, closes: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // What is not read when the connection is closed would reset it.
            let mut buffer = [0; 4096];
            let mut read = 0;
            while !buffer[..read].trim_ascii_end().ends_with(b"}") {
                read = stream.read(&mut buffer).unwrap();
            }
            stream.write_all(answer.as_bytes()).unwrap();
            if !closes {
                open.push(stream);
            }
        }
    });
    url
}

fn trigger(url: &str) -> (Run, Run) {
    let arguments = ["trigger", "change", "--to", url];
    let json = thread::scope(|scope| {
        let json = scope.spawn(|| run(&[&arguments[..], &["--json"]].concat()));
        (run(&arguments), json.join().unwrap())
    });
    assert_eq!((json.0.status, json.1.status), (1, 1));
    json
}

const UNFINISHED: &str = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc";

#[test]
fn an_answer_that_stalls_has_a_status() {
    let (text, json) = trigger(&writing(UNFINISHED, false));
    assert!(
        text.stdout
            .contains("\n200 OK, but not the whole answer, after 5"),
        "{}",
        text.stdout
    );
    let delivery = &json.records("delivery")[0];
    assert_eq!(
        (&delivery["outcome"], &delivery["status"]),
        (&"timed_out".into(), &200.into())
    );
}

#[test]
fn an_answer_that_breaks_off_has_a_status() {
    let (text, json) = trigger(&writing(UNFINISHED, true));
    assert!(
        text.stdout.contains("\n200 OK, then failed: "),
        "{}",
        text.stdout
    );
    let delivery = &json.records("delivery")[0];
    assert_eq!(
        (&delivery["outcome"], &delivery["status"]),
        (&"failed".into(), &200.into())
    );
    assert!(delivery["error"].is_string(), "{delivery}");
}

#[test]
fn the_first_16_kib_of_an_answer_are_shown() {
    let long = async || "a".repeat(20_000);
    let url = serve(Router::new().fallback(any(long)));
    let run = run(&["trigger", "change", "--to", &url, "--json"]);
    let delivery = &run.records("delivery")[0];
    assert_eq!(delivery["text"].as_str().unwrap().len(), 16 * 1024);
}

#[test]
fn without_an_answer_there_are_no_times() {
    let to = nobody();
    let arguments = ["trigger", "change", "--to", &to, "--repeat", "2"];
    let text = run(&arguments);
    assert!(
        text.stdout.ends_with("\n0 of 2 delivered; no answers\n"),
        "{}",
        text.stdout
    );
    let json = run(&[&arguments[..], &["--json"]].concat());
    let summary = &json.records("summary")[0];
    assert_eq!(
        (&summary["sent"], summary["p99_ms"].is_null()),
        (&2.into(), true)
    );
}
