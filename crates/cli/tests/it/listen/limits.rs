//! What is refused, and what takes too long or fails.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use axum::routing::post;
use cronofy_webhook_testing::Payload;

use super::support::{Listening, accept, raw_receiver, read_all, read_request, send, status};
use crate::support::{Calls, nobody, recorder, serve};

const MIB: usize = 1024 * 1024;

#[test]
fn a_body_of_10_mib_is_sent_on_and_a_larger_one_refused() {
    let calls = Calls::default();
    let counted = calls.clone();
    let app = post(move |body: Body| {
        counted.add();
        async {
            let body = to_bytes(body, usize::MAX).await.unwrap();
            body.len().to_string()
        }
    });
    let listening = Listening::start(&serve(Router::new().route("/", app)), &[]);
    let send = |head: &str, body: &[u8]| {
        let mut stream = listening.connect();
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{head}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        read_all(&mut stream)
    };
    let declared = |length: usize| send(&format!("Content-Length: {length}"), &vec![b' '; length]);
    let counted = |length: usize| {
        let mut chunked = format!("{length:x}\r\n").into_bytes();
        chunked.resize(chunked.len() + length, b' ');
        chunked.extend(b"\r\n0\r\n\r\n");
        send("Transfer-Encoding: chunked", &chunked)
    };
    for answer in [declared(10 * MIB), counted(10 * MIB)] {
        assert!(answer.ends_with("\r\n\r\n10485760"), "{answer}");
    }
    for answer in [declared(10 * MIB + 1), counted(10 * MIB + 1)] {
        assert_eq!(status(&answer), "413");
        assert!(
            answer.ends_with("cronofy-webhook listen: the body is larger than 10 MiB\n"),
            "{answer}"
        );
    }
    assert_eq!(calls.count(), 2);
}

#[test]
fn only_paths_below_the_prefix_are_sent_on() {
    let (to, log) = recorder(204);
    let listening = Listening::start(&format!("{to}/cronofy"), &[]);
    for path in [
        "/cronofy",
        "/cronofy/42?a=/../b",
        "http://a.example/cronofy/1",
    ] {
        assert_eq!(listening.post(path, "{}"), "204", "{path}");
    }
    for path in [
        "/",
        "/admin",
        "/cronofyx",
        "/cronofy/../admin",
        "/cronofy/%2e%2e/admin",
        "/?/cronofy",
        "http://a.example/admin",
    ] {
        let answer = listening.send(super::support::post(path, "{}"));
        assert_eq!(status(&answer), "404", "{path}");
        assert!(
            answer.ends_with(
                "cronofy-webhook listen: the path is not below /cronofy, which is that of --to\n"
            ),
            "{answer}"
        );
    }
    assert_eq!(log.lock().unwrap().len(), 3);
}

#[test]
fn connections_are_not_upgraded() {
    let (to, log) = recorder(204);
    let listening = Listening::start(&to, &[]);
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ] {
        assert_eq!(status(&listening.send(request)), "501");
        let line = listening.json();
        assert_eq!(
            (&line["by"], &line["error"]),
            (&"listen".into(), &"connections are not upgraded".into())
        );
    }
    assert!(log.lock().unwrap().is_empty());
}

#[test]
fn after_the_patience_the_receiver_is_left_and_504_is_sent() {
    let (sender, closed) = channel();
    let to = accept(move |mut stream| {
        read_request(&mut stream);
        sender.send(stream.read(&mut [0]).unwrap_or(0)).unwrap();
    });
    let listening = Listening::start(&to, &["--patience", "100ms"]);
    let answer = listening.send(super::support::post("/", "{}"));
    assert_eq!(status(&answer), "504");
    assert!(
        answer.ends_with("cronofy-webhook listen: no answer from the receiver within 0.1 s\n"),
        "{answer}"
    );
    assert_eq!(closed.recv_timeout(Duration::from_secs(10)), Ok(0));
    let line = listening.json();
    assert_eq!(
        (&line["status"], &line["by"]),
        (&504.into(), &"listen".into())
    );
    assert!(
        (100.0..5000.0).contains(&line["took_ms"].as_f64().unwrap()),
        "{line}"
    );
}

#[test]
fn an_answer_without_an_end_is_not_waited_for() {
    let to = accept(|mut stream| {
        read_request(&mut stream);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            .unwrap();
        while stream.write_all(b"1\r\nx\r\n").is_ok() {
            thread::sleep(Duration::from_millis(5));
        }
    });
    let listening = Listening::start(&to, &["--patience", "200ms"]);
    assert_eq!(listening.post("/", "{}"), "504");
}

#[test]
fn transitions_are_waited_for_longer_than_others() {
    let app = Router::new().fallback(async || {
        tokio::time::sleep(Duration::from_secs(6)).await;
        StatusCode::NO_CONTENT
    });
    let listening = Listening::start(&serve(app), &[]);
    let transition = Payload::sample("event_subscription");
    let bodies = [transition, Payload::verification()];
    let statuses = thread::scope(|scope| {
        let posts = bodies.map(|body| {
            let url = &listening.url;
            scope.spawn(move || status(&send(url, super::support::post("/", body.as_str()))))
        });
        posts.map(|post| post.join().unwrap())
    });
    assert_eq!(statuses, ["204", "504"]);
    let late = listening.json();
    assert!(
        (5000.0..6000.0).contains(&late["took_ms"].as_f64().unwrap()),
        "{late}"
    );
}

#[test]
fn a_body_that_is_not_complete_in_time_is_refused() {
    let (to, log) = recorder(204);
    let listening = Listening::start(&to, &["--patience", "100ms"]);
    let answer = listening.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{}");
    assert_eq!(status(&answer), "408");
    assert!(log.lock().unwrap().is_empty());
}

#[test]
fn a_receiver_that_is_down_is_named() {
    let nobody = nobody();
    let authority = nobody
        .strip_prefix("http://")
        .unwrap()
        .strip_suffix("/cronofy/42")
        .unwrap();
    let listening = Listening::start(&nobody, &[]);
    let answer = listening.send(super::support::post("/cronofy/42", "{}"));
    assert_eq!(status(&answer), "502");
    let start = format!(
        "cronofy-webhook listen: no connection to the receiver at {authority}: Connection refused"
    );
    assert!(answer.contains(&start), "{answer}");
}

#[test]
fn a_receiver_that_closes_early_is_asked_once() {
    for sent in ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"] {
        let (to, requests) = raw_receiver(sent);
        let listening = Listening::start(&to, &[]);
        for count in 1..=2 {
            let answer = listening.send(super::support::post("/", "{}"));
            assert_eq!(status(&answer), "502", "{answer}");
            assert!(
                answer.contains("answer from the receiver at 127.0.0.1:"),
                "{answer}"
            );
            assert_eq!(requests.lock().unwrap().len(), count);
        }
    }
}

#[test]
fn a_client_that_disconnects_is_logged_and_ends_the_request() {
    let (sender, events) = channel();
    let to = accept(move |mut stream| {
        read_request(&mut stream);
        sender.send("received").unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
        sender.send("closed").unwrap();
    });
    let listening = Listening::start(&to, &[]);
    let mut stream = listening.connect();
    stream
        .write_all(super::support::post("/", "{}").as_bytes())
        .unwrap();
    let next = || events.recv_timeout(Duration::from_secs(4)).unwrap();
    assert_eq!(next(), "received");
    stream.shutdown(Shutdown::Both).unwrap();
    assert_eq!(next(), "closed");
    let line = listening.json();
    assert_eq!(
        (&line["status"], &line["error"]),
        (&().into(), &"the client has disconnected".into())
    );
}
