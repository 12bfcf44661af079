//! The page, over plain HTTP.

mod calls;
mod curl;
mod fixture;
mod replays;
mod safety;

use std::io::Read as _;
use std::net::TcpStream;

use serde_json::Value;

use super::support::{Listening, send, status};

/// The page of a `listen`.
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) token: String,
}

impl Page {
    pub(crate) fn of(listening: &Listening) -> Self {
        let link = listening.link();
        let (url, token) = link.split_once("/#t=").unwrap();
        assert_eq!(listening.first["page"], url);
        Self {
            url: url.to_owned(),
            token: token.to_owned(),
        }
    }

    fn host(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// A request with these header lines, and a body if it is a POST.
    fn request(&self, line: &str, headers: &[&str], body: &str) -> String {
        let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        let length = body.len();
        send(
            &self.url,
            format!(
                "{line} HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
            ),
        )
    }

    /// The header lines that a call needs.
    fn headers(&self) -> [String; 2] {
        [
            format!("Host: {}", self.host()),
            format!("Authorization: Bearer {}", self.token),
        ]
    }

    /// What a call is answered, and its status.
    fn answer(&self, line: &str, body: &str) -> (String, Value) {
        let [host, token] = self.headers();
        let headers = [&*host, &token, "Content-Type: application/json"];
        let answer = self.request(line, &headers, body);
        let (_, text) = answer.split_once("\r\n\r\n").unwrap();
        (
            status(&answer),
            serde_json::from_str(text).unwrap_or_default(),
        )
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, value) = self.answer(&format!("GET /api/{path}"), "");
        assert_eq!(status, "200", "{path} {value}");
        value
    }

    fn post(&self, path: &str, body: &Value) -> (String, Value) {
        self.answer(&format!("POST /api/{path}"), &body.to_string())
    }

    /// The rows, the newest last.
    fn rows(&self) -> Vec<Value> {
        self.get("deliveries").as_array().unwrap().clone()
    }
}

/// What comes on a connection, up to this text.
fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(end.as_bytes()) {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "it was closed");
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}
