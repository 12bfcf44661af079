//! The whole: starts all, tortures, checks.

use std::error::Error;
use std::io;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use crate::LEASE;
use crate::check::{self, Acknowledged, Findings};
use crate::log::Log;
use crate::process::{Process, Settings};
use crate::sender::{self, Shared};

const SENDERS: usize = 4;

/// How long all that is left may take, once nothing is sent, killed or stopped any more.
const DRAIN: Duration = Duration::from_secs(60);

/// How far a run may be behind: the time that the receiver was down or stopped, and those of a few runs.
const MAX_LAG: Duration = Duration::from_secs(30);

struct Arguments {
    store: Option<String>,
    seconds: u64,
    fault: Option<String>,
}

pub(crate) fn run() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = arguments()?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("torture.db");
    let store = arguments
        .store
        .unwrap_or_else(|| format!("sqlite:{}", file.display()));
    // A port that is free now.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let started = (
        Instant::now(),
        Timestamp::from_microsecond(Timestamp::now().as_microsecond())?,
    );
    let settings = Settings {
        listen: address.to_string(),
        store: store.clone(),
        fault: arguments.fault.clone(),
        started,
        log: Arc::new(Mutex::new(Log::default())),
    };
    let shared = Arc::new(Shared {
        address,
        started,
        stop: AtomicBool::new(false),
        others: AtomicU64::new(0),
    });
    let (news, other_acknowledged) = channel();
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| {
            let (shared, news) = (Arc::clone(&shared), news.clone());
            thread::spawn(move || sender::send(&shared, &news))
        })
        .collect();

    let mut tortures = Tortures::default();
    let until = started.0 + Duration::from_secs(arguments.seconds);
    let process = tortures.run(&settings, &other_acknowledged, until)?;

    shared.stop.store(true, Ordering::Relaxed);
    let mut acknowledged = Vec::new();
    for sender in senders {
        acknowledged.extend(sender.join().map_err(|_| "a sender panicked")?);
    }
    let left = drain(store.trim_start_matches("sqlite:"))?;
    process.shut_down()?;
    let findings = settings.with_log(|log| findings(&acknowledged, log, left));
    println!(
        "{:.0} s: {} kills, {} stops, {} restarts; {} acknowledged, {} runs; {findings}",
        started.0.elapsed().as_secs_f64(),
        tortures.kills,
        tortures.stops,
        tortures.restarts,
        acknowledged.len(),
        settings.with_log(|log| log.runs.len()),
    );
    let is_expected = match arguments.fault {
        None => findings.is_good(),
        Some(_) => !findings.is_good(),
    };
    println!(
        "{}",
        if is_expected {
            "as expected"
        } else {
            "NOT AS EXPECTED"
        }
    );
    Ok(if is_expected {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn arguments() -> Result<Arguments, Box<dyn Error>> {
    let mut arguments = Arguments {
        store: None,
        seconds: 40,
        fault: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(name) = words.next() {
        let value = words
            .next()
            .ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--store" if value.starts_with("sqlite:") => arguments.store = Some(value),
            "--seconds" => arguments.seconds = value.parse()?,
            "--fault" => match value.as_str() {
                "ack-before-commit" | "stores-nothing" => arguments.fault = Some(value),
                "not-merged-back" | "no-fencing" | "token-per-row" if cfg!(inbox_faults) => {
                    arguments.fault = Some(value);
                }
                _ => return Err(format!("no fault {value}: is `--cfg inbox_faults` set?").into()),
            },
            _ => return Err(format!("unexpected: {name} {value}").into()),
        }
    }
    Ok(arguments)
}

/// What was done to the receiver.
#[derive(Default)]
struct Tortures {
    kills: u32,
    stops: u32,
    restarts: u32,
}

#[derive(Clone, Copy)]
enum Torture {
    Kill,
    /// Right after an answer, as that is when its commit may not have been made.
    KillAfterAnswer,
    Stop,
    Restart,
}

impl Tortures {
    const ROUND: [Torture; 7] = [
        Torture::Stop,
        Torture::KillAfterAnswer,
        Torture::Stop,
        Torture::KillAfterAnswer,
        Torture::Kill,
        Torture::Stop,
        Torture::Restart,
    ];

    /// Returns a receiver that runs.
    fn run(
        &mut self,
        settings: &Settings,
        other_acknowledged: &Receiver<()>,
        until: Instant,
    ) -> Result<Process, Box<dyn Error>> {
        let mut process = Process::start(settings)?;
        for torture in Self::ROUND.iter().cycle() {
            thread::sleep(Duration::from_millis(fastrand::u64(300..1_500)));
            // With a fault, what was found is enough.
            let is_found =
                settings.fault.is_some() && settings.with_log(|log| !log.overlaps().is_empty());
            if Instant::now() > until || is_found {
                break;
            }
            match torture {
                Torture::Kill => {
                    self.kills += 1;
                    process.kill()?;
                }
                Torture::KillAfterAnswer => {
                    while other_acknowledged.try_recv().is_ok() {}
                    other_acknowledged.recv_timeout(Duration::from_secs(5)).ok();
                    self.kills += 1;
                    process.kill()?;
                }
                Torture::Stop => {
                    self.stops += 1;
                    stop(&process, settings)?;
                    continue;
                }
                Torture::Restart => {
                    self.restarts += 1;
                    process.shut_down()?;
                }
            }
            process = Process::start(settings)?;
        }
        Ok(process)
    }
}

/// Stops the process for two to three leases.
fn stop(process: &Process, settings: &Settings) -> io::Result<()> {
    process.signal("STOP")?;
    thread::sleep(LEASE.mul_f64(2.0 + fastrand::f64()));
    // All that it had printed before was read by now.
    let now = settings.started.0.elapsed();
    settings.with_log(|log| log.lease_lost(None, now));
    process.signal("CONT")?;
    // For jobs that have lost their lease and still run.
    thread::sleep(Duration::from_secs(2));
    Ok(())
}

/// Waits until no row is left; how many are left if that takes too long.
fn drain(file: &str) -> Result<u64, Box<dyn Error>> {
    let give_up = Instant::now() + DRAIN;
    loop {
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        let sql = "SELECT count(*) FROM cronofy_inbox";
        let rows: i64 = connection.query_row(sql, [], |row| row.get(0))?;
        if rows == 0 || Instant::now() > give_up {
            return Ok(rows.unsigned_abs());
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn findings(acknowledged: &[Acknowledged], log: &Log, left: u64) -> Findings {
    let lost = check::lost(acknowledged, &log.runs);
    for one in lost.iter().take(5) {
        println!(
            "lost: {} since {:?}, sent {:?}",
            one.key, one.since, one.sent
        );
    }
    let overlaps = log.overlaps();
    for overlap in overlaps.iter().take(5) {
        println!("overlap: {overlap}");
    }
    Findings {
        lost: lost.len(),
        overlaps: overlaps.len(),
        left,
        lag: check::lag(&log.runs),
        max_lag: MAX_LAG,
    }
}
