//! A NATS server with JetStream, in a temporary folder and on a free port of the loopback interface.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

/// Killed when it is dropped.
pub(crate) struct Server {
    directory: TempDir,
    port: u16,
    process: Child,
}

impl Server {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let process = spawn(&directory, port);
        Self {
            directory,
            port,
            process,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn start_again(&mut self) {
        self.process = spawn(&self.directory, self.port);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error: it was killed.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Waits until the server accepts connections.
fn spawn(directory: &TempDir, port: u16) -> Child {
    let mut process = Command::new(program().unwrap())
        .args(["--addr", "127.0.0.1", "--port", &port.to_string()])
        .args(["--jetstream", "--store_dir"])
        .arg(directory.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = process.stderr.take().unwrap();
    let mut lines = BufReader::new(log).lines().map_while(Result::ok);
    let mut seen = Vec::new();
    let is_ready = lines.by_ref().any(|line| {
        let is_ready = line.contains("Server is ready");
        seen.push(line);
        is_ready
    });
    assert!(is_ready, "the server ended: {seen:#?}");
    // A full pipe would block the server.
    thread::spawn(|| lines.for_each(drop));
    process
}

/// Debian has it in a folder that is not in everybody's `PATH`.
pub(crate) fn program() -> Result<PathBuf, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let program = env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join("nats-server"))
        .find(|program| program.exists());
    program.ok_or_else(|| "nats-server is not installed".to_owned())
}
