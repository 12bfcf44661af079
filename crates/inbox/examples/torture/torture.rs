//! The whole: starts all, tortures, checks.

use std::error::Error;
use std::io;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::check::{self, Acknowledged, Findings};
use crate::log::Log;
use crate::process::{Process, Role, Settings};
use crate::sender::{self, Shared};
use crate::store::Store;
use crate::tortures::Tortures;

const SENDERS: usize = 4;

/// How far a run may be behind: the time that the receiver was down or stopped, and those of a few runs.
const MAX_LAG: Duration = Duration::from_secs(30);

struct Arguments {
    store: Option<String>,
    seconds: u64,
    fault: Option<String>,
}

pub(crate) fn run() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = arguments()?;
    let store = Store::prepare(arguments.store.as_deref())?;
    let roles = roles(&store)?;
    let addresses: Vec<_> = roles.iter().filter_map(|role| role.listen).collect();
    let started = (
        Instant::now(),
        Timestamp::from_microsecond(Timestamp::now().as_microsecond())?,
    );
    let settings = Settings {
        store: store.url(),
        fault: arguments.fault.clone(),
        started,
        log: Arc::new(Mutex::new(Log::default())),
    };
    let shared = Arc::new(Shared {
        addresses,
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

    let mut processes = Vec::new();
    for role in &roles {
        processes.push(Process::start(&settings, role)?);
    }
    let mut tortures = Tortures::new(&settings, &store, other_acknowledged);
    let until = started.0 + Duration::from_secs(arguments.seconds);
    tortures.run(&mut processes, until)?;

    shared.stop.store(true, Ordering::Relaxed);
    let mut acknowledged = Vec::new();
    for sender in senders {
        acknowledged.extend(sender.join().map_err(|_| "a sender panicked")?);
    }
    let left = store.drain()?;
    for process in &mut processes {
        process.shut_down()?;
    }
    let findings = settings.with_log(|log| findings(&acknowledged, log, left));
    println!(
        "{:.0} s: {tortures}; {} acknowledged, {} runs; {findings}",
        started.0.elapsed().as_secs_f64(),
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

/// At ports that are free now.
fn roles(store: &Store) -> io::Result<Vec<Role>> {
    let address = || TcpListener::bind("127.0.0.1:0")?.local_addr();
    let role = |listen, works| Role { listen, works };
    Ok(match store {
        Store::Sqlite { .. } => vec![role(Some(address()?), true)],
        Store::Postgres { .. } => vec![
            role(Some(address()?), false),
            role(Some(address()?), false),
            role(None, true),
            role(None, true),
        ],
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
            "--store" => arguments.store = Some(value),
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
