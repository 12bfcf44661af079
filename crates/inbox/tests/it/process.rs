//! The example `receiver`, as a process.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use cronofy_webhook::Delivery;
use cronofy_webhook::Verifier;
use cronofy_webhook::signature::HEADER;
use tempfile::TempDir;

use crate::common::SECRET;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a shutdown with half a head may take: twice the 5 s that the server has, as the machine may be busy.
pub(crate) const TWICE_THE_LIMIT: Duration = Duration::from_secs(10);

/// A receiver that runs. Killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
    lines: Mutex<Receiver<String>>,
}

/// A line that a job printed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    pub(crate) kind: String,
    fields: HashMap<String, String>,
}

impl Line {
    fn parse(line: &str) -> Self {
        let mut words = line.split(' ');
        let kind = words.next().unwrap().to_owned();
        let fields = words.map(|word| {
            let (name, value) = word.split_once('=').unwrap_or_else(|| panic!("{line:?}"));
            (name.to_owned(), value.to_owned())
        });
        let fields = fields.collect();
        Self { kind, fields }
    }

    #[track_caller]
    pub(crate) fn get(&self, name: &str) -> &str {
        &self.fields[name]
    }
}

/// Cargo builds the examples for the tests of a package, beside the folder of the tests.
pub(crate) fn receiver() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().unwrap().parent().unwrap();
    let name = format!("receiver{}", std::env::consts::EXE_SUFFIX);
    let path = profile.join("examples").join(name);
    assert!(
        path.exists(),
        "{} is missing: `cargo build --examples` builds it",
        path.display()
    );
    path
}

impl Process {
    pub(crate) fn start(directory: &TempDir, settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new(receiver());
        command.envs(settings.iter().copied());
        Self::spawn(command, directory)
    }

    pub(crate) fn spawn(mut command: Command, directory: &TempDir) -> Self {
        let mut child = command
            .current_dir(directory.path())
            .env("CRONOFY_CLIENT_SECRET", SECRET)
            .env("LISTEN", "127.0.0.1:0")
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        let address = line
            .strip_prefix("listening on http://")
            .and_then(|rest| rest.split('/').next())
            .unwrap_or_else(|| panic!("{line:?}"));
        let address = address.parse().unwrap();
        thread::spawn(move || io::copy(&mut errors, &mut io::sink()));

        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            address,
            lines: Mutex::new(lines),
        }
    }

    /// The next line.
    #[track_caller]
    pub(crate) fn line(&self) -> Line {
        Line::parse(&self.lines.lock().unwrap().recv_timeout(PATIENCE).unwrap())
    }

    /// The lines until the process ends.
    pub(crate) fn rest(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        loop {
            match self.lines.lock().unwrap().recv_timeout(PATIENCE) {
                Ok(line) => lines.push(Line::parse(&line)),
                Err(RecvTimeoutError::Disconnected) => return lines,
                Err(RecvTimeoutError::Timeout) => panic!("the process does not end"),
            }
        }
    }

    /// Sends a notification, as Cronofy does; the status of the answer.
    pub(crate) fn post(&self, account: &str, delivery: &Delivery) -> u16 {
        self.try_post(account, delivery).unwrap()
    }

    /// As [`post`](Self::post), where the process may be killed.
    pub(crate) fn try_post(&self, account: &str, delivery: &Delivery) -> io::Result<u16> {
        self.send(account, delivery.body(), delivery.body())
    }

    /// Sends a body with the signature of another one.
    pub(crate) fn post_signed(&self, account: &str, body: &[u8], signature_of: &[u8]) -> u16 {
        self.send(account, body, signature_of).unwrap()
    }

    fn send(&self, account: &str, body: &[u8], signature_of: &[u8]) -> io::Result<u16> {
        let signature = Verifier::new([SECRET]).unwrap().sign(signature_of);
        let signature = signature.to_str().unwrap();
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "POST /cronofy/{account} HTTP/1.1\r\nhost: receiver\r\nconnection: close\r\n\
             content-length: {}\r\n{HEADER}: {signature}\r\n\r\n",
            body.len(),
        )?;
        stream.write_all(body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1);
        let status = status.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(status.parse().unwrap())
    }

    /// A client that sends half the head of a request and no more, for as long as it is held.
    pub(crate) fn half_a_head(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(b"POST /cronofy/1 HTTP/1.1\r\nHo").unwrap();
        stream
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "the process does not end");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error: it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) fn inbox_file(directory: &TempDir) -> PathBuf {
    Path::new(directory.path()).join("cronofy-inbox.db")
}
