//! Receivers that do not answer, but close the connection.

use std::io::{Read as _, Write as _};
use std::thread;

use super::{assert_fails, ids, line};
use crate::support::{Run, run};

fn check(url: &str) -> Run {
    run(&["check", url, "--json"])
}

/// A server that reads up to so many bytes of a request, and closes the connection.
fn closing(read: usize) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = std::io::copy(&mut stream.unwrap().take(read as u64), &mut std::io::sink());
        }
    });
    url
}

#[test]
fn a_receiver_that_takes_no_request_is_not_robust() {
    for read in [0, 100] {
        let run = check(&closing(read));
        assert_fails(&run, &["accepts.verification"]);
        assert_eq!(ids(&run, "pass"), ["connect"], "{}", run.stdout);
    }
}

#[test]
fn a_connection_that_ends_before_a_large_body_refuses_it() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(|| {
                let mut stream = stream.unwrap();
                let mut request = vec![0; 64 * 1024];
                let read = stream.read(&mut request).unwrap();
                let head = String::from_utf8_lossy(&request[..read]).to_lowercase();
                // Long and slow bodies get no answer, but the end of the connection.
                let is_large = head.contains("content-length: 1048576");
                let is_whole = head.starts_with("get ") || head.trim_end().ends_with('}');
                if !is_large && is_whole {
                    let answer = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n";
                    stream.write_all(answer).unwrap();
                }
            });
        }
    });
    let run = check(&url);
    assert_fails(&run, &["accepts.verification"]);
    for id in ["robust.large", "robust.slow"] {
        assert_eq!(line(&run, id)["verdict"], "pass", "{}", run.stdout);
    }
}
