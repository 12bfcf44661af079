//! The command in the background, and both ends of the wire, byte for byte.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use cronofy_webhook::Verifier;
use serde_json::Value;

use crate::support::{Run, SECRET, command};

/// Longer than anything takes that does not fail.
const PATIENCE: Duration = Duration::from_secs(30);

/// `listen` at a free port. Killed when dropped.
pub(crate) struct Listening {
    child: Child,
    pub(crate) url: String,
    /// Its first line.
    pub(crate) first: Value,
    lines: Receiver<String>,
    link: Receiver<String>,
    stderr: Option<thread::JoinHandle<String>>,
}

impl Listening {
    pub(crate) fn start(to: &str, arguments: &[&str]) -> Self {
        let start = ["listen", "--port", "0", "--page", "0", "--json", "--to", to];
        Self::spawn(&mut command(&[&start, arguments].concat()))
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let (sender, link) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            for line in stderr.lines().map_while(Result::ok) {
                if let Some(link) = line.strip_prefix("the page is at ") {
                    let _ = sender.send(link.to_owned());
                }
                text += &(line + "\n");
            }
            text
        });
        let mut listening = Self {
            child,
            url: String::new(),
            first: Value::Null,
            lines,
            link,
            stderr: Some(stderr),
        };
        listening.first = listening.json();
        assert_eq!(listening.first["type"], "listening");
        listening.url = listening.first["url"].as_str().unwrap().to_owned();
        listening
    }

    /// The link that opens the page. It is printed once.
    pub(crate) fn link(&self) -> String {
        self.link.recv_timeout(PATIENCE).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Sends these bytes, and returns the whole answer.
    pub(crate) fn send(&self, request: impl AsRef<[u8]>) -> String {
        send(&self.url, request)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect(&self.url)
    }

    /// Posts a delivery to a path, and returns the status.
    pub(crate) fn post(&self, path: &str, body: &str) -> String {
        status(&self.send(post(path, body)))
    }

    /// Tells it to end, as a service manager does.
    pub(crate) fn stop(mut self) -> Run {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        self.wait()
    }

    /// Waits until it ends. The lines that were not asked for are its output.
    pub(crate) fn wait(&mut self) -> Run {
        let status = self.child.wait().unwrap();
        Run {
            status: status.code().unwrap(),
            stdout: self.lines.iter().map(|line| line + "\n").collect(),
            stderr: self.stderr.take().unwrap().join().unwrap(),
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn connect(url: &str) -> TcpStream {
    let stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends these bytes, and returns the whole answer.
pub(crate) fn send(url: &str, request: impl AsRef<[u8]>) -> String {
    let mut stream = connect(url);
    stream.write_all(request.as_ref()).unwrap();
    read_all(&mut stream)
}

/// A signed delivery, after which the connection is closed.
pub(crate) fn post(path: &str, body: &str) -> String {
    let signature = Verifier::new([SECRET]).unwrap().sign(body.as_bytes());
    let signature = signature.to_str().unwrap();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nContent-Length: {length}\r\nCronofy-HMAC-SHA256: {signature}\r\n\r\n{body}"
    )
}

/// Everything until the connection is closed.
pub(crate) fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A connection that is reset has no more either.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

/// The status of an answer; empty if there is none.
pub(crate) fn status(answer: &str) -> String {
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

pub(crate) type Requests = Arc<Mutex<Vec<String>>>;

/// A receiver that takes one request of a connection, writes these bytes, and closes it.
pub(crate) fn raw_receiver(answer: &'static str) -> (String, Requests) {
    let requests = Requests::default();
    let log = Arc::clone(&requests);
    let url = accept(move |mut stream| {
        log.lock().unwrap().push(read_request(&mut stream));
        stream.write_all(answer.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        read_all(&mut stream);
    });
    (url, requests)
}

/// Calls `f` with each connection, in a thread of its own; returns the URL.
pub(crate) fn accept(f: impl Fn(TcpStream) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let f = f.clone();
            thread::spawn(move || f(stream.unwrap()));
        }
    });
    url
}

/// A request with a `Content-Length`, or none and no body.
pub(crate) fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    loop {
        let mut byte = [0];
        if stream.read(&mut byte).unwrap() == 0 {
            break;
        }
        request.extend(byte);
        if request.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let head = String::from_utf8(request).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.parse().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    head + str::from_utf8(&body).unwrap()
}
