//! Load and faults over real sockets: figures, and bounds that only a mistake would break.
//!
//! Ignored, as they take seconds, and need Linux, where /proc says how much memory and how many files there are. To run
//! them: `cargo test --release --all-features --test it load -- --ignored --nocapture --test-threads=1`.

mod faults;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cronofy_webhook::RejectionKind;
use http::StatusCode;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use crate::server::{Server, Slow, head, status};
use crate::support::{CHANGE, layer, signed};

const CONNECTIONS: usize = 1000;

/// Long after everything should be over: a failure, not a wait.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
#[ignore = "load"]
async fn a_thousand_slow_senders_get_408_at_the_end_of_the_budget_and_hold_up_nobody() {
    // Not a whole number of seconds, lest a byte meets the answer on its way.
    const BUDGET: Duration = Duration::from_millis(3500);

    enough_files();
    let server = Server::start(layer().budget(BUDGET)).await;
    let mut genuine = server.http1().await;
    let mut memory = Memory::now();
    let mut senders = JoinSet::new();
    for _ in 0..CONNECTIONS {
        senders.spawn(one_byte_a_second(server.connect().await));
    }

    let (mut waited, mut answered) = (Vec::new(), Vec::new());
    let mut tick = interval(Duration::from_millis(10));
    let all = async {
        loop {
            tokio::select! {
                sender = senders.join_next() => match sender {
                    Some(time) => waited.push(time.unwrap()),
                    None => break,
                },
                _ = tick.tick() => {
                    memory.sample();
                    let started = Instant::now();
                    assert_eq!(send(&mut genuine, CHANGE).await, 200);
                    answered.push(started.elapsed());
                }
            }
        }
    };
    timeout(PATIENCE, all).await.expect("all are refused");

    let (first, last) = (waited.iter().min().unwrap(), waited.iter().max().unwrap());
    let slowest = answered.iter().max().unwrap();
    println!("{CONNECTIONS} slow senders: 408 after {first:.2?} to {last:.2?}, budget {BUDGET:?}");
    println!(
        "  {} genuine deliveries meanwhile, the slowest in {slowest:.2?}",
        answered.len()
    );
    println!("  {memory}");
    assert_eq!(waited.len(), CONNECTIONS);
    assert!(*first >= BUDGET && *last < BUDGET + Duration::from_secs(2));
    assert!(answered.len() > 100 && *slowest < BUDGET);
    assert!(memory.each() < 64 << 10);
}

/// A genuine delivery, as slow as that, until it is refused. Returns when that was.
async fn one_byte_a_second(mut stream: TcpStream) -> Duration {
    let started = Instant::now();
    let (mut answer, mut request) = stream.split();
    let sending = async {
        let head = head(&format!("content-length: {}\r\n", CHANGE.len()));
        request.write_all(head.as_bytes()).await.unwrap();
        let mut second = interval(Duration::from_secs(1));
        for byte in CHANGE {
            second.tick().await;
            request.write_u8(*byte).await.unwrap();
        }
    };
    tokio::select! {
        status = status(&mut answer) => assert_eq!(status, 408),
        () = sending => panic!("nobody minded"),
    }
    started.elapsed()
}

#[tokio::test]
#[ignore = "load"]
async fn a_thousand_senders_that_do_not_stop_at_the_limit_take_no_more_memory_than_it() {
    const LIMIT: usize = 16 << 10;
    const SENT: usize = 512 << 10;

    enough_files();
    let mut server = Server::start(layer().body_limit(LIMIT)).await;
    let mut memory = Memory::now();
    let at_the_limit = Arc::new(Barrier::new(CONNECTIONS));
    let mut senders = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let mut stream = server.connect().await;
        let at_the_limit = at_the_limit.clone();
        senders.spawn(async move {
            let head = head("transfer-encoding: chunked\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let chunk = [format!("{LIMIT:x}\r\n").as_bytes(), &[b' '; LIMIT], b"\r\n"].concat();
            stream.write_all(&chunk).await.unwrap();
            at_the_limit.wait().await;
            for _ in 1..SENT / LIMIT {
                // Refused in the middle of it.
                if stream.write_all(&chunk).await.is_err() {
                    break;
                }
            }
            stream
        });
    }

    let mut refused = Vec::new();
    let mut tick = interval(Duration::from_millis(10));
    let all = async {
        while refused.len() < CONNECTIONS {
            tokio::select! {
                kind = server.rejected.recv() => refused.push(kind.unwrap()),
                _ = tick.tick() => memory.sample(),
            }
        }
    };
    timeout(PATIENCE, all).await.expect("all are refused");

    println!(
        "{CONNECTIONS} senders of {} KiB, limit {} KiB",
        SENT >> 10,
        LIMIT >> 10
    );
    println!("  {memory}");
    assert!(memory.each() < 128 << 10);
    assert!(
        refused
            .iter()
            .all(|kind| *kind == RejectionKind::BodyTooLarge)
    );
    assert!(server.delivered.try_recv().is_err());
}

#[tokio::test]
#[ignore = "load"]
async fn a_thousand_hang_ups_in_the_middle_of_the_handler_stop_none() {
    enough_files();
    let mut slow = Slow::start(layer().budget(PATIENCE)).await;
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        streams.push(slow.server.deliver().await);
    }
    slow.started(CONNECTIONS as u32).await;
    let started = Instant::now();
    drop(streams);
    slow.moved_to_the_background(CONNECTIONS).await;
    let moved = started.elapsed();

    slow.release(CONNECTIONS);
    slow.background.close();
    timeout(PATIENCE, slow.background.wait())
        .await
        .expect("all end");
    println!(
        "{CONNECTIONS} hang-ups: in the background after {moved:.2?}, finished after {:.2?}",
        started.elapsed()
    );
    assert_eq!(outcomes(&mut slow), [true; CONNECTIONS]);
}

#[tokio::test]
#[ignore = "load"]
async fn of_ten_thousand_forged_deliveries_none_gets_in_and_refusing_costs_no_more_than_accepting()
{
    const FORGED: usize = 10_000;
    const ROUNDS: usize = 20;

    let mut server = Server::start(layer()).await;
    let mut sender = server.http1().await;
    let [mut accepting, mut refusing] = [Duration::ZERO; 2];
    // In turns, so that whatever else the machine does meets both.
    for _ in 0..ROUNDS {
        for (of, status, time) in [
            (CHANGE, 200, &mut accepting),
            (b"another body", 401, &mut refusing),
        ] {
            let started = Instant::now();
            for _ in 0..FORGED / ROUNDS {
                assert_eq!(send(&mut sender, of).await, status);
            }
            *time += started.elapsed();
        }
    }

    let (each, ratio) = (
        FORGED as u32,
        refusing.as_secs_f64() / accepting.as_secs_f64(),
    );
    println!("{FORGED} forged deliveries, and as many genuine ones");
    println!(
        "  a refusal takes {:.2?}, an acceptance {:.2?}: {ratio:.2} of it",
        refusing / each,
        accepting / each
    );
    let delivered = std::iter::from_fn(|| server.delivered.try_recv().ok()).count();
    let refused = std::iter::from_fn(|| server.rejected.try_recv().ok()).count();
    assert_eq!((delivered, refused), (FORGED, FORGED));
    assert!(ratio < 1.5);
}

/// A delivery that is genuine if it is signed as what it is.
async fn send(sender: &mut SendRequest<Full<Bytes>>, signature_of: &[u8]) -> StatusCode {
    sender.ready().await.unwrap();
    let request = signed(signature_of, Full::from(CHANGE));
    let response = sender.send_request(request).await.unwrap();
    let status = response.status();
    drop(response.into_body().collect().await.unwrap());
    status
}

/// Whether each of the handlers that have ended finished.
fn outcomes(slow: &mut Slow) -> Vec<bool> {
    std::iter::from_fn(|| slow.outcome.try_recv().ok()).collect()
}

/// A number that the kernel states in a file of this process, after a name.
fn of_this_process(file: &str, name: &str) -> usize {
    let text = std::fs::read_to_string(format!("/proc/self/{file}")).expect("this is Linux");
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.unwrap().split_whitespace().next().unwrap();
    number.parse().unwrap_or(usize::MAX) // "unlimited"
}

/// Both ends of each connection are in this process.
fn enough_files() {
    assert!(
        of_this_process("limits", "Max open files") >= 2 * CONNECTIONS + 100,
        "{CONNECTIONS} connections are twice as many open files: `ulimit -n 4096` first"
    );
}

/// What the process takes up, of both ends of the connections.
struct Memory {
    before: usize,
    peak: usize,
}

impl Memory {
    fn now() -> Self {
        let before = of_this_process("status", "VmRSS:") << 10;
        Self {
            before,
            peak: before,
        }
    }

    fn sample(&mut self) {
        self.peak = self.peak.max(Self::now().before);
    }

    fn each(&self) -> usize {
        (self.peak - self.before) / CONNECTIONS
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, peak) = (self.before >> 10, self.peak >> 10);
        let each = self.each() as f64 / 1024.0;
        write!(
            f,
            "memory: {before} KiB before, {peak} KiB at the peak, {each:.1} KiB for a connection with its client"
        )
    }
}
