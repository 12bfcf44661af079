//! What is sent on is what came.

use std::io::{Read as _, Write as _};

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::routing::any;

use super::support::{Listening, accept, raw_receiver, read_request, status};
use crate::support::{recorder, run, serve};

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";

#[test]
fn a_request_arrives_unchanged() {
    let (to, requests) = raw_receiver(OK);
    let listening = Listening::start(&to, &[]);
    let answer = listening.send(
        "POST /cronofy/42?token=a%2fB&x=%20 HTTP/1.1\r\n\
         hOsT: Receiver.Example\r\n\
         X-Second: 2\r\n\
         Connection: close, X-Hop\r\n\
         x-FIRST: 1\r\n\
         X-Hop: gone\r\n\
         Keep-Alive: timeout=5\r\n\
         TE: trailers\r\n\
         Proxy-Connection: keep-alive\r\n\
         CoNtEnT-LeNgTh: 7\r\n\
         Cronofy-HMAC-SHA256: a, b\r\n\
         X-SECOND: 3\r\n\
         X-Forwarded-For: 192.0.2.1\r\n\
         Authorization: Basic x\r\n\
         \r\n\
         {\"a\":1}",
    );
    assert_eq!(status(&answer), "204");
    assert_eq!(
        *requests.lock().unwrap(),
        ["POST /cronofy/42?token=a%2fB&x=%20 HTTP/1.1\r\n\
          hOsT: Receiver.Example\r\n\
          X-Second: 2\r\n\
          X-SECOND: 3\r\n\
          x-FIRST: 1\r\n\
          CoNtEnT-LeNgTh: 7\r\n\
          Cronofy-HMAC-SHA256: a, b\r\n\
          X-Forwarded-For: 192.0.2.1\r\n\
          Authorization: Basic x\r\n\
          \r\n\
          {\"a\":1}"]
    );
}

#[test]
fn an_answer_arrives_unchanged() {
    let (to, _) = raw_receiver(
        "HTTP/1.1 307 Temporary Redirect\r\n\
         LOCATION: /elsewhere\r\n\
         Set-Cookie: a=1\r\n\
         Connection: X-Hop\r\n\
         x-hop: gone\r\n\
         content-LENGTH: 4\r\n\
         SET-cookie: b=2\r\n\
         Keep-Alive: timeout=5\r\n\
         \r\n\
         text",
    );
    let listening = Listening::start(&to, &[]);
    let answer = listening.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(
        answer,
        "HTTP/1.1 307 Temporary Redirect\r\n\
         LOCATION: /elsewhere\r\n\
         Set-Cookie: a=1\r\n\
         SET-cookie: b=2\r\n\
         content-LENGTH: 4\r\n\
         Connection: close\r\n\
         \r\n\
         text"
    );
    let line = listening.json();
    assert_eq!(
        (&line["status"], &line["by"], &line["id"], &line["verdict"]),
        (&307.into(), &"receiver".into(), &().into(), &().into())
    );
}

#[test]
fn a_body_in_chunks_is_sent_on_with_its_length() {
    let (to, requests) = raw_receiver(OK);
    let listening = Listening::start(&to, &[]);
    let answer = listening.send(
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n\
         3\r\nabc\r\n4\r\ndefg\r\n0\r\nx: y\r\n\r\n",
    );
    assert_eq!(status(&answer), "204");
    assert_eq!(
        *requests.lock().unwrap(),
        ["POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 7\r\n\r\nabcdefg"]
    );
}

#[test]
fn host_header_takes_the_place_of_the_host() {
    let (to, requests) = raw_receiver(OK);
    let listening = Listening::start(&to, &["--host-header", "localhost:3000"]);
    listening.send("GET / HTTP/1.1\r\nX: 1\r\nHOST: a.example\r\nConnection: close\r\n\r\n");
    assert_eq!(
        *requests.lock().unwrap(),
        ["GET / HTTP/1.1\r\nX: 1\r\nHOST: localhost:3000\r\n\r\n"]
    );
}

#[test]
fn continue_is_answered_and_not_sent_on() {
    let (to, requests) = raw_receiver(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    );
    let listening = Listening::start(&to, &[]);
    let mut stream = listening.connect();
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        .unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"{}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(
        answer,
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"
    );
    assert_eq!(
        *requests.lock().unwrap(),
        ["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"]
    );
}

#[test]
fn a_streamed_answer_arrives_whole() {
    let (to, _) = raw_receiver(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
    );
    let listening = Listening::start(&to, &[]);
    let answer = listening
        .send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(
        answer,
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 7\r\n\r\nabcdefg"
    );
}

#[test]
fn an_answer_to_head_keeps_its_length() {
    let to = accept(|mut stream| {
        assert!(read_request(&mut stream).starts_with("HEAD /a "));
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")
            .unwrap();
    });
    let listening = Listening::start(&to, &[]);
    let answer = listening.send("HEAD /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(
        answer,
        "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nconnection: close\r\n\r\n"
    );
}

#[test]
fn a_value_that_is_not_utf_8_arrives_unchanged() {
    let app = Router::new().fallback(any(async |headers: HeaderMap| {
        let name = HeaderName::from_static("x-latin-1");
        assert_eq!(headers[&name].as_bytes(), b"caf\xe9");
        [(name, HeaderValue::from_bytes(b"\xfc").unwrap())]
    }));
    let listening = Listening::start(&serve(app), &[]);
    let mut stream = listening.connect();
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nX-Latin-1: caf\xe9\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let has_value = answer
        .windows(14)
        .any(|window| window == b"x-latin-1: \xfc\r\n");
    assert!(has_value, "{}", String::from_utf8_lossy(&answer));
}

/// The times are printed, as the machine decides them.
#[test]
fn a_thousand_deliveries_32_at_once_arrive_unchanged() {
    let (to, log) = recorder(204);
    let load = ["--repeat", "1000", "--concurrency", "32"];
    let trigger = |to: &str| {
        let arguments = [
            "trigger",
            "smart_invite",
            "--json",
            "--set",
            "/smart_invite/callback_url=https://a.example/",
            "--to",
            to,
        ];
        let run = run(&[&arguments[..], &load].concat());
        assert_eq!(run.status, 0, "{}", run.stderr);
        run.records("summary")[0]["p50_ms"].as_f64().unwrap()
    };
    let direct_ms = trigger(&format!("{to}/cronofy/42?token=a%2Fb"));
    let direct = std::mem::take(&mut *log.lock().unwrap());

    let listening = Listening::start(&to, &[]);
    let proxied_ms = trigger(&format!("{}/cronofy/42?token=a%2Fb", listening.url));
    let proxied = std::mem::take(&mut *log.lock().unwrap());

    println!(
        "median {direct_ms} ms without and {proxied_ms} ms with listen: {:.1} times",
        proxied_ms / direct_ms
    );
    assert_eq!((direct.len(), proxied.len()), (1000, 1000));
    let host = listening.url.strip_prefix("http://").unwrap();
    for request in &proxied {
        let expected = direct[0]
            .headers
            .iter()
            .map(|(name, value)| match name.as_str() {
                "host" => (name, host.as_bytes()),
                _ => (name, value.as_bytes()),
            });
        let headers = request
            .headers
            .iter()
            .map(|(name, value)| (name, value.as_bytes()));
        assert_eq!(headers.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        assert_eq!(
            (&request.method, &request.uri, &request.body),
            (&direct[0].method, &direct[0].uri, &direct[0].body)
        );
    }
    for _ in 0..1000 {
        let line = listening.json();
        assert_eq!(
            (&line["verdict"], &line["status"]),
            (&"authentic".into(), &204.into()),
            "{line}"
        );
    }
}
