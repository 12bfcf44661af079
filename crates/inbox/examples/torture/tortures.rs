//! What is done to the processes.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use crate::LEASE;
use crate::process::{Process, Settings};
use crate::store::Store;

pub(crate) struct Tortures<'a> {
    settings: &'a Settings,
    store: &'a Store,
    other_acknowledged: Receiver<()>,
    kills: u32,
    stops: u32,
    restarts: u32,
    server_restarts: u32,
}

#[derive(Clone, Copy)]
enum Torture {
    Kill,
    /// Right after an answer, as that is when its commit may not have been made.
    KillAfterAnswer,
    Stop,
    Restart,
}

const ROUND: [Torture; 7] = [
    Torture::Stop,
    Torture::KillAfterAnswer,
    Torture::Stop,
    Torture::KillAfterAnswer,
    Torture::Kill,
    Torture::Stop,
    Torture::Restart,
];

/// How often the server is restarted instead.
const SERVER_RESTART: usize = 5;

impl<'a> Tortures<'a> {
    pub(crate) fn new(
        settings: &'a Settings,
        store: &'a Store,
        other_acknowledged: Receiver<()>,
    ) -> Self {
        Self {
            settings,
            store,
            other_acknowledged,
            kills: 0,
            stops: 0,
            restarts: 0,
            server_restarts: 0,
        }
    }

    /// All run when it returns.
    pub(crate) fn run(
        &mut self,
        processes: &mut [Process],
        until: Instant,
    ) -> Result<(), Box<dyn Error>> {
        for (number, torture) in (1..).zip(ROUND.iter().cycle()) {
            thread::sleep(Duration::from_millis(fastrand::u64(300..1_500)));
            // With a fault, what was found is enough.
            let settings = self.settings;
            let is_found =
                settings.fault.is_some() && settings.with_log(|log| !log.overlaps().is_empty());
            if Instant::now() > until || is_found {
                break;
            }
            match self.store.server() {
                Some(server) if number % SERVER_RESTART == 0 => {
                    self.server_restarts += 1;
                    server.restart();
                }
                _ => self.torture(*torture, processes)?,
            }
        }
        Ok(())
    }

    fn torture(&mut self, torture: Torture, processes: &mut [Process]) -> io::Result<()> {
        let receives = matches!(torture, Torture::KillAfterAnswer);
        let chosen: Vec<_> = processes
            .iter_mut()
            .filter(|process| process.receives() || !receives)
            .collect();
        let number = fastrand::usize(..chosen.len());
        let Some(process) = chosen.into_iter().nth(number) else {
            return Ok(());
        };
        match torture {
            Torture::Kill => {
                self.kills += 1;
                process.kill()?;
            }
            Torture::KillAfterAnswer => {
                while self.other_acknowledged.try_recv().is_ok() {}
                self.other_acknowledged
                    .recv_timeout(Duration::from_secs(5))
                    .ok();
                self.kills += 1;
                process.kill()?;
            }
            Torture::Stop => {
                self.stops += 1;
                return stop(process, self.settings);
            }
            Torture::Restart => {
                self.restarts += 1;
                process.shut_down()?;
            }
        }
        process.start_again()
    }
}

impl fmt::Display for Tortures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} kills, {} stops, {} restarts, {} of the server",
            self.kills, self.stops, self.restarts, self.server_restarts
        )
    }
}

/// Stops the process for two to three leases.
fn stop(process: &Process, settings: &Settings) -> io::Result<()> {
    // The last renewal was at most a third of a lease before.
    let lost = settings.started.0.elapsed() + LEASE / 2;
    process.signal("STOP")?;
    thread::sleep(LEASE.mul_f64(2.0 + fastrand::f64()));
    // All that it had printed before was read by now.
    settings.with_log(|log| log.lease_lost(process.id(), None, lost));
    process.signal("CONT")?;
    // For jobs that have lost their lease and still run.
    thread::sleep(Duration::from_secs(2));
    Ok(())
}
