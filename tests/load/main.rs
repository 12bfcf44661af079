//! Load and faults over real sockets: figures, and bounds that only a bug would exceed.
//!
//! Needs Linux, where /proc tells memory and open files. Not part of `cargo test`:
//!
//! ```sh
//! ulimit -n 4096 && cargo test --release --all-features --test load -- --nocapture --test-threads=1
//! ```

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod faults;
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../it/log.rs"]
mod log;
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../it/server.rs"]
mod server;
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../it/support.rs"]
mod support;

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

/// After this, a test has failed.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn slow_clients_get_408_at_the_deadline_and_delay_no_other() {
    // Not a whole number of seconds, so that no byte is sent at the moment of the answer.
    const BUDGET: Duration = Duration::from_millis(3500);

    enough_files();
    let server = Server::start(layer().budget(BUDGET)).await;
    let mut genuine = server.http1().await;
    let mut memory = Memory::now();
    let mut clients = JoinSet::new();
    for _ in 0..CONNECTIONS {
        clients.spawn(one_byte_a_second(server.connect().await));
    }

    let (mut waited, mut answered) = (Vec::new(), Vec::new());
    let mut tick = interval(Duration::from_millis(10));
    let all = async {
        loop {
            tokio::select! {
                client = clients.join_next() => match client {
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
    timeout(PATIENCE, all).await.expect("all are rejected");

    let (first, last) = (waited.iter().min().unwrap(), waited.iter().max().unwrap());
    let slowest = answered.iter().max().unwrap();
    println!("{CONNECTIONS} slow clients: 408 after {first:.2?} to {last:.2?}, budget {BUDGET:?}");
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

/// Sends a genuine delivery at one byte a second until it is answered with 408; returns the time that took.
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
        () = sending => panic!("the whole body was accepted"),
    }
    started.elapsed()
}

#[tokio::test]
async fn clients_that_send_beyond_the_limit_are_not_buffered() {
    const LIMIT: usize = 16 << 10;
    const SENT: usize = 512 << 10;

    enough_files();
    let mut server = Server::start(layer().body_limit(LIMIT)).await;
    let mut memory = Memory::now();
    let at_the_limit = Arc::new(Barrier::new(CONNECTIONS));
    let mut clients = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let mut stream = server.connect().await;
        let at_the_limit = at_the_limit.clone();
        clients.spawn(async move {
            let head = head("transfer-encoding: chunked\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let chunk = [format!("{LIMIT:x}\r\n").as_bytes(), &[b' '; LIMIT], b"\r\n"].concat();
            stream.write_all(&chunk).await.unwrap();
            at_the_limit.wait().await;
            for _ in 1..SENT / LIMIT {
                // The server answers and closes the connection before the end.
                if stream.write_all(&chunk).await.is_err() {
                    break;
                }
            }
            stream
        });
    }

    let mut rejected = Vec::new();
    let mut tick = interval(Duration::from_millis(10));
    let all = async {
        while rejected.len() < CONNECTIONS {
            tokio::select! {
                kind = server.rejected.recv() => rejected.push(kind.unwrap()),
                _ = tick.tick() => memory.sample(),
            }
        }
    };
    timeout(PATIENCE, all).await.expect("all are rejected");

    println!(
        "{CONNECTIONS} clients that send {} KiB, limit {} KiB",
        SENT >> 10,
        LIMIT >> 10
    );
    println!("  {memory}");
    assert!(memory.each() < 128 << 10);
    assert!(
        rejected
            .iter()
            .all(|kind| *kind == RejectionKind::BodyTooLarge)
    );
    assert!(server.delivered.try_recv().is_err());
}

#[tokio::test]
async fn handlers_survive_a_thousand_client_disconnects() {
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
    timeout(PATIENCE, slow.background.wait())
        .await
        .expect("all end");
    println!(
        "{CONNECTIONS} client disconnects: in the background after {moved:.2?}, finished after {:.2?}",
        started.elapsed()
    );
    assert_eq!(outcomes(&mut slow), [true; CONNECTIONS]);
}

#[tokio::test]
async fn forged_deliveries_are_all_rejected_at_no_more_cost_than_genuine_ones() {
    const FORGED: usize = 10_000;
    const ROUNDS: usize = 20;

    let mut server = Server::start(layer()).await;
    let mut client = server.http1().await;
    let [mut accepting, mut rejecting] = [Duration::ZERO; 2];
    // Alternating, so that other load on the machine affects both alike.
    for _ in 0..ROUNDS {
        for (of, status, time) in [
            (CHANGE, 200, &mut accepting),
            (b"another body", 401, &mut rejecting),
        ] {
            let started = Instant::now();
            for _ in 0..FORGED / ROUNDS {
                assert_eq!(send(&mut client, of).await, status);
            }
            *time += started.elapsed();
        }
    }

    let (each, ratio) = (
        FORGED as u32,
        rejecting.as_secs_f64() / accepting.as_secs_f64(),
    );
    println!("{FORGED} forged deliveries, and as many genuine ones");
    println!(
        "  rejecting takes {:.2?}, accepting {:.2?}: ratio {ratio:.2}",
        rejecting / each,
        accepting / each
    );
    let delivered = std::iter::from_fn(|| server.delivered.try_recv().ok()).count();
    let rejected = std::iter::from_fn(|| server.rejected.try_recv().ok()).count();
    assert_eq!((delivered, rejected), (FORGED, FORGED));
    assert!(ratio < 1.5);
}

/// Sends a change with the signature of another body, or of itself.
async fn send(client: &mut SendRequest<Full<Bytes>>, signature_of: &[u8]) -> StatusCode {
    client.ready().await.unwrap();
    let request = signed(signature_of, Full::from(CHANGE));
    let response = client.send_request(request).await.unwrap();
    let status = response.status();
    drop(response.into_body().collect().await.unwrap());
    status
}

/// For each handler that has ended, whether it completed.
fn outcomes(slow: &mut Slow) -> Vec<bool> {
    std::iter::from_fn(|| slow.outcome.try_recv().ok()).collect()
}

/// The number that follows `name` in a file of this process below /proc.
fn of_this_process(file: &str, name: &str) -> usize {
    let text = std::fs::read_to_string(format!("/proc/self/{file}")).expect("this is Linux");
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.unwrap().split_whitespace().next().unwrap();
    number.parse().unwrap_or(usize::MAX) // "unlimited"
}

/// Both ends of each connection are open files of this process.
fn enough_files() {
    assert!(
        of_this_process("limits", "Max open files") >= 2 * CONNECTIONS + 100,
        "{CONNECTIONS} connections need twice as many open files: run `ulimit -n 4096` first"
    );
}

/// Resident memory of the process, which holds both ends of each connection.
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
