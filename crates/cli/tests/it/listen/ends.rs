//! How it starts and ends.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::support::{Listening, accept, post, raw_receiver, read_all, read_request, status};
use crate::support::{recorder, run};

#[test]
fn a_port_in_use_is_an_error_that_names_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = run(&["listen", "--to", "3000", "--port", &port]);
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    assert!(
        run.stderr.contains("choose another port with --port"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_port_of_the_page_in_use_is_an_error_that_names_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = run(&["listen", "--to", "3000", "--port", "0", "--page", &port]);
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    assert!(
        run.stderr.contains("choose another port with --page"),
        "{}",
        run.stderr
    );
}

#[test]
fn it_does_not_listen_to_itself() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let run = run(&["listen", "--to", &port, "--port", &port, "--page", "0"]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("--to is the address"), "{}", run.stderr);
}

#[test]
fn a_signal_ends_it_at_once_with_a_delivery_under_way() {
    let (sender, received) = channel();
    let to = accept(move |mut stream| {
        read_request(&mut stream);
        sender.send(()).unwrap();
        let _ = stream.read(&mut [0]);
    });
    let listening = Listening::start(&to, &[]);
    let mut stream = listening.connect();
    let _idle = listening.connect();
    stream.write_all(post("/", "{}").as_bytes()).unwrap();
    received.recv_timeout(Duration::from_secs(10)).unwrap();
    let started = Instant::now();
    let run = listening.stop();
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[test]
fn it_ends_after_so_many_deliveries_and_answers_the_last() {
    let (to, _) = recorder(204);
    let mut listening = Listening::start(&to, &["--until", "2", "--timeout", "30s"]);
    let _idle = listening.connect();
    assert_eq!(listening.post("/", "{}"), "204");
    let answer = listening.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(status(&answer), "204");
    // Without `Connection: close`, so that it is the end that closes the connection.
    let mut stream = listening.connect();
    stream
        .write_all(
            post("/", "{}")
                .replace("Connection: close\r\n", "")
                .as_bytes(),
        )
        .unwrap();
    assert_eq!(status(&read_all(&mut stream)), "204");
    assert_eq!(listening.wait().status, 0);
}

#[test]
fn deliveries_that_do_not_come_in_time_are_a_failure() {
    let mut listening = Listening::start("3000", &["--until", "1", "--timeout", "50ms"]);
    let run = listening.wait();
    assert_eq!(run.status, 1);
    assert!(
        run.stderr.contains("--timeout has passed"),
        "{}",
        run.stderr
    );
    assert_eq!(
        self::run(&["listen", "--to", "3000", "--timeout", "1s"]).status,
        2
    );
}

#[test]
fn a_full_disk_ends_it() {
    let (to, _) = raw_receiver("HTTP/1.1 204 No Content\r\n\r\n");
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = crate::support::command(&[
        "listen", "--json", "--port", "0", "--page", "0", "--to", &to,
    ])
    .stdout(full)
    .output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: standard output: "));
}
