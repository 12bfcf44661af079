//! A receiver, a worker or both as a child process.

use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use jiff::Timestamp;

use crate::child;
use crate::log::Log;

/// What all of them have: how to start one, and where its lines go.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) store: String,
    pub(crate) fault: Option<String>,
    pub(crate) started: (Instant, Timestamp),
    pub(crate) log: Arc<Mutex<Log>>,
}

pub(crate) struct Process {
    child: Child,
    readers: Vec<JoinHandle<()>>,
    role: Role,
    settings: Settings,
}

/// What a process does.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    /// Where it receives, if it does.
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) works: bool,
}

impl Settings {
    pub(crate) fn with_log<T>(&self, f: impl FnOnce(&mut Log) -> T) -> T {
        f(&mut self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Process {
    pub(crate) fn start(settings: &Settings, role: &Role) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let listen = role.listen.map(|address| address.to_string());
        command
            .env(child::LISTEN, listen.unwrap_or_default())
            .env(child::WORKS, role.works.to_string())
            .env(child::STORE, &settings.store)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(fault) = &settings.fault {
            command.env(child::FAULT, fault);
        }
        let mut child = command.spawn()?;
        let id = child.id();
        let lines = child.stdout.take().map(BufReader::new);
        let events = child.stderr.take().map(BufReader::new);
        let (of_lines, of_events) = (settings.clone(), settings.clone());
        let readers = vec![
            thread::spawn(move || {
                for line in lines.into_iter().flat_map(BufReader::lines) {
                    // A line that was cut off: the process was killed.
                    let Ok(line) = line else { break };
                    let (instant, timestamp) = of_lines.started;
                    of_lines.with_log(|log| log.line(&line, timestamp, instant.elapsed()));
                }
            }),
            thread::spawn(move || {
                for event in events
                    .into_iter()
                    .flat_map(BufReader::lines)
                    .map_while(Result::ok)
                {
                    event_line(&of_events, id, &event);
                }
            }),
        ];
        Ok(Self {
            child,
            readers,
            role: role.clone(),
            settings: settings.clone(),
        })
    }

    pub(crate) fn signal(&self, name: &str) -> io::Result<()> {
        let id = self.child.id().to_string();
        Command::new("kill")
            .args([format!("-{name}"), id])
            .status()?;
        Ok(())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn receives(&self) -> bool {
        self.role.listen.is_some()
    }

    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.ended()
    }

    /// SIGTERM. An error if it does not exit with 0.
    pub(crate) fn shut_down(&mut self) -> io::Result<()> {
        self.signal("TERM")?;
        self.ended()
    }

    /// Starts another one in its place.
    pub(crate) fn start_again(&mut self) -> io::Result<()> {
        *self = Self::start(&self.settings, &self.role)?;
        Ok(())
    }

    /// Waits for its end, and for all that it has printed.
    fn ended(&mut self) -> io::Result<()> {
        use std::os::unix::process::ExitStatusExt as _;

        let status = self.child.wait()?;
        for reader in self.readers.drain(..) {
            reader
                .join()
                .map_err(|_| io::Error::other("a line of the receiver could not be read"))?;
        }
        let at = self.settings.started.0.elapsed();
        let id = self.id();
        self.settings.with_log(|log| log.process_ended(id, at));
        if status.success() || status.signal() == Some(9) {
            return Ok(());
        }
        Err(io::Error::other(format!("a process ended with {status}")))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error: it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn event_line(settings: &Settings, process: u32, event: &str) {
    if event.contains("lease was not renewed") {
        let channel = event.split("channel=\"").nth(1);
        let key = channel.and_then(|rest| rest.split('"').next());
        let at = settings.started.0.elapsed();
        settings.with_log(|log| log.lease_lost(process, key, at));
    } else if event.contains("transaction failed") || event.starts_with("Error") {
        eprintln!("process {process}: {event}");
    }
}
