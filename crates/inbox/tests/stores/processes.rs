//! Receivers and workers as processes of their own: this program, started again.

use std::collections::{BTreeSet, HashMap};
use std::env;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cronofy_webhook_inbox::{Inbox, Job};
use tokio::time::sleep;
use tower::service_fn;

use crate::common::{change, verification};
use crate::server::Database;
use crate::support::{block_on, eventually};

/// What a child is: `receiver` or `worker`.
const ROLE: &str = "STORES_ROLE";
const URL: &str = "STORES_URL";

const LEASE: Duration = Duration::from_secs(2);

/// How long jobs of the account `slow` take, and others.
const SLOW: Duration = Duration::from_secs(5);
const QUICK: Duration = Duration::from_millis(30);

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Does the work of a child, if this is one.
pub(crate) fn run_as_child() -> bool {
    let (Ok(role), Ok(url)) = (env::var(ROLE), env::var(URL)) else {
        return false;
    };
    block_on(async {
        let inbox = Inbox::open(url).await.unwrap();
        match role.as_str() {
            "receiver" => receive(&inbox).await,
            _ => work(&inbox).await,
        }
    });
    true
}

/// Puts what each line says, `<account> <channel or ->`, and answers with a line.
async fn receive(inbox: &Inbox) {
    for line in io::stdin().lines() {
        let line = line.unwrap();
        let (account, channel) = line.split_once(' ').unwrap();
        let delivery = match channel {
            "-" => verification(),
            channel => change(channel, 1),
        };
        inbox.put(account, &delivery).await.unwrap();
        print("stored");
    }
}

async fn work(inbox: &Inbox) {
    let service = service_fn(|job: Job| async move {
        let account = job.account().to_owned();
        let channel = job.notification().channel();
        let channel = channel
            .map_or("-", |channel| &channel.channel_id)
            .to_owned();
        print(&format!("begin {account} {channel} {}", micros()));
        let work = if account == "slow" { SLOW } else { QUICK };
        let mut run = Run {
            account,
            channel,
            end: "dropped",
        };
        sleep(work).await;
        run.end = "done";
        Ok::<_, std::convert::Infallible>(())
    });
    let worker = inbox.worker(service).concurrency(8).lease(LEASE);
    worker.run_until(std::future::pending()).await.unwrap();
}

/// Prints its end when it is dropped. On a busy machine a lease can be lost, and the run with it.
struct Run {
    account: String,
    channel: String,
    end: &'static str,
}

impl Drop for Run {
    fn drop(&mut self) {
        let Self {
            account,
            channel,
            end,
        } = self;
        print(&format!("{end} {account} {channel} {}", micros()));
    }
}

fn print(line: &str) {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").unwrap();
    stdout.flush().unwrap();
}

/// On the clock that all processes have.
fn micros() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_micros()
}

/// Killed when it is dropped.
struct Process {
    child: Child,
    input: ChildStdin,
}

impl Process {
    /// Its lines are sent with its number.
    fn start(role: &str, url: &str, number: usize, lines: &Sender<(usize, String)>) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .envs([(ROLE, role), (URL, url)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let lines = lines.clone();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if lines.send((number, line)).is_err() {
                    break;
                }
            }
        });
        let input = child.stdin.take().unwrap();
        Self { child, input }
    }

    fn put(&mut self, account: &str, channel: &str) {
        writeln!(self.input, "{account} {channel}").unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error: it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A line of a worker.
struct Line {
    worker: usize,
    is_begin: bool,
    is_done: bool,
    account: String,
    channel: String,
    at: u128,
}

impl Line {
    fn parse(worker: usize, line: &str) -> Self {
        let words: Vec<_> = line.split(' ').collect();
        let [kind, account, channel, at] = words[..] else {
            panic!("{line:?}");
        };
        Self {
            worker,
            is_begin: kind == "begin",
            is_done: kind == "done",
            account: account.to_owned(),
            channel: channel.to_owned(),
            at: at.parse().unwrap(),
        }
    }
}

fn next(lines: &Receiver<(usize, String)>) -> Line {
    let (worker, line) = lines.recv_timeout(PATIENCE).unwrap();
    Line::parse(worker, &line)
}

pub(crate) fn two_receivers_and_three_workers_share_the_jobs() {
    let database = block_on(Database::create());
    let (stored_sender, stored) = channel();
    let (sender, lines) = channel();
    let start = |role, number, lines| Process::start(role, &database.url, number, lines);
    let mut receivers = [0, 1].map(|number| start("receiver", number, &stored_sender));
    let mut workers = [0, 1, 2].map(|number| start("worker", number, &sender));

    for round in 0..10 {
        for (number, receiver) in receivers.iter_mut().enumerate() {
            for channel in 0..12 {
                receiver.put("quick", &format!("chn_{channel}"));
            }
            receiver.put(&format!("other_{round}_{number}"), "-");
        }
        thread::sleep(2 * QUICK);
    }
    for _ in 0..260 {
        stored.recv_timeout(PATIENCE).unwrap();
    }
    let all = until_idle(&lines, &database);
    check_spread_and_overlaps(&all);

    for number in 0..12 {
        receivers[number % 2].put("slow", &format!("slow_{number}"));
    }
    check_a_killed_worker(&lines, &mut workers[0]);
}

/// The lines until no row is left.
fn until_idle(lines: &Receiver<(usize, String)>, database: &Database) -> Vec<Line> {
    block_on(async {
        let inbox = Inbox::open(&database.url).await.unwrap();
        eventually(async || {
            inbox
                .stats()
                .await
                .is_ok_and(|stats| stats.waiting + stats.taken == 0)
        })
        .await;
    });
    let mut all = Vec::new();
    while let Ok((worker, line)) = lines.recv_timeout(Duration::from_millis(200)) {
        all.push(Line::parse(worker, &line));
    }
    all
}

fn check_spread_and_overlaps(all: &[Line]) {
    for worker in 0..3 {
        let runs = all
            .iter()
            .filter(|line| line.worker == worker && line.is_begin);
        assert!(runs.count() > 5, "worker {worker}");
    }
    let others = all
        .iter()
        .filter(|line| line.is_done && line.account.starts_with("other"));
    assert_eq!(others.count(), 20, "each of another kind is done once");

    let mut channels: HashMap<_, Vec<_>> = HashMap::new();
    for line in all.iter().filter(|line| line.account == "quick") {
        channels
            .entry(&line.channel)
            .or_default()
            .push((line.at, line.is_begin));
    }
    assert_eq!(channels.len(), 12);
    for (channel, mut lines) in channels {
        lines.sort_unstable();
        let expected = lines
            .iter()
            .enumerate()
            .all(|(number, (_, is_begin))| *is_begin == (number % 2 == 0));
        assert!(expected, "runs of {channel} overlap: {lines:?}");
    }
}

fn check_a_killed_worker(lines: &Receiver<(usize, String)>, worker: &mut Process) {
    let mut begun = Vec::new();
    while begun.len() < 12 {
        let line = next(lines);
        assert!(line.is_begin && line.account == "slow");
        begun.push(line);
    }
    let orphans: BTreeSet<_> = begun
        .iter()
        .filter(|line| line.worker == 0)
        .map(|line| line.channel.clone())
        .collect();
    assert!(!orphans.is_empty(), "the first worker has none");
    worker.child.kill().unwrap();
    let killed = micros();

    let mut again = BTreeSet::new();
    while again != orphans {
        let line = next(lines);
        if line.is_begin {
            assert!(
                orphans.contains(&line.channel),
                "{} runs twice",
                line.channel
            );
            let after = line.at - killed;
            assert!(
                after < (LEASE + Duration::from_secs(1)).as_micros(),
                "after {after} µs"
            );
            again.insert(line.channel);
        }
    }
}
