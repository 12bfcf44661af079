//! The copy for curl, run in bash.

use std::process::Command;

use axum::http::HeaderMap;

use crate::support::{Run, command, recorder};

use super::super::support::Listening;
use super::Page;

/// Sends the request, runs its copy, and compares what the receiver got.
fn compare(line: &str, headers: &str, body: &[u8]) {
    let (to, log) = recorder(204);
    let mut unchecked = command(&[
        "listen", "--port", "0", "--page", "0", "--json", "--to", &to,
    ]);
    let listening = Listening::spawn(unchecked.env_remove("CRONOFY_CLIENT_SECRET"));
    let page = Page::of(&listening);
    let mut request = format!(
        "{line} HTTP/1.1\r\n{headers}Host: a.example\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend(body);
    let answer = listening.send(request);
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    let text = page.get("deliveries/1/curl")["text"]
        .as_str()
        .unwrap()
        .to_owned();
    let folder = tempfile::TempDir::new().unwrap();
    let mut bash = Command::new("bash");
    let run = Run::with_input(bash.arg("--norc").current_dir(&folder), text.as_bytes());
    assert_eq!(run.status, 0, "{text} {}", run.stderr);
    assert!(
        run.stdout.starts_with("HTTP/1.1 204"),
        "{text} {}",
        run.stdout
    );
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "{text}");
    let log = log.lock().unwrap();
    let [first, second] = &log[..] else {
        panic!("{text}");
    };
    assert_eq!(first.method, second.method);
    assert_eq!(first.uri, second.uri);
    assert_eq!(first.body, second.body, "{text}");
    let ordered = |headers: &HeaderMap| {
        let mut lines: Vec<_> = headers
            .iter()
            .filter(|(name, _)| *name != "content-length")
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(ordered(&first.headers), ordered(&second.headers), "{text}");
}

#[test]
fn it_sends_the_same_bytes_and_headers() {
    const HOSTILE: &str = "' $(touch a) `touch b` \"$HOME\" !! \\n \\0 %s ; touch c & # é 𝄞";
    for body in [
        "",
        r#"{"a":"it's"}"#,
        HOSTILE,
        "@/etc/passwd",
        "line\nline\r\n\ttab\n\n",
        "nul\0\u{1b}[31m\u{7f}",
    ] {
        compare("POST /cronofy/42", "", body.as_bytes());
    }
    compare("POST /", "", &(0..=255).collect::<Vec<u8>>());
    compare("POST /", "", "x'".repeat(100_000).as_bytes());
    compare(
        "POST /a/../b?c[1]={2,3}&d=$(touch%20a)'e",
        &format!("X-A: {HOSTILE}\r\nX-Empty:\r\nX-A: @b\r\nX-Tab: a\tb\r\n"),
        b"{}",
    );
    compare(
        "POST /",
        "Content-Type: application/json; charset=utf-8\r\nAccept: */*\r\nUser-Agent: a\r\n",
        b"{}",
    );
    compare("DELETE /x", "", b"");
}
