//! Sends notifications, and keeps what was acknowledged.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cronofy_webhook::Verifier;
use cronofy_webhook::signature::HEADER;
use cronofy_webhook_testing::Payload;
use jiff::Timestamp;

use crate::SECRET;
use crate::check::Acknowledged;

/// Channels that always have something waiting, often, and rarely.
const HOT: u32 = 4;
const COOL: u32 = 12;
const COLD: u32 = 48;

/// What all senders share.
pub(crate) struct Shared {
    /// Of the receivers.
    pub(crate) addresses: Vec<SocketAddr>,
    /// The same moment on two clocks.
    pub(crate) started: (Instant, Timestamp),
    pub(crate) stop: AtomicBool,
    pub(crate) others: AtomicU64,
}

/// Sends until it is told to stop. `news`: another kind was acknowledged.
pub(crate) fn send(shared: &Shared, news: &Sender<()>) -> Vec<Acknowledged> {
    let verifier = Verifier::new([SECRET]).expect("the secret is not empty");
    let mut connection = None;
    let mut acknowledged = Vec::new();
    while !shared.stop.load(Ordering::Relaxed) {
        let sent = micros(shared.started.0.elapsed());
        let (key, since, payload) = notification(shared, sent);
        let body = Bytes::from(payload);
        let address = shared.addresses[fastrand::usize(..shared.addresses.len())];
        match post(&mut connection, address, &key, &body, &verifier) {
            Ok(204) => {
                if since.is_none() {
                    news.send(()).ok();
                }
                acknowledged.push(Acknowledged { key, since, sent });
                thread::sleep(Duration::from_micros(fastrand::u64(0..3_000)));
            }
            // The receiver is down, or starts.
            Ok(_) | Err(_) => {
                connection = None;
                thread::sleep(Duration::from_millis(2));
            }
        }
    }
    acknowledged
}

/// A `change` since now, or one time in ten another kind, which has a key of its own.
fn notification(shared: &Shared, sent: Duration) -> (String, Option<Duration>, Payload) {
    let url = "https://receiver.example/cronofy/1";
    if fastrand::u8(0..10) == 0 {
        let key = format!("other_{}", shared.others.fetch_add(1, Ordering::Relaxed));
        let payload = Payload::verification().channel(&key, url);
        return (key, None, payload);
    }
    let key = match fastrand::u8(0..100) {
        0..64 => format!("hot_{}", fastrand::u32(0..HOT)),
        64..88 => format!("cool_{}", fastrand::u32(0..COOL)),
        _ => format!("cold_{}", fastrand::u32(0..COLD)),
    };
    let payload = Payload::change(shared.started.1 + sent).channel(&key, url);
    (key, Some(sent), payload)
}

/// What a timestamp in a notification can hold.
fn micros(time: Duration) -> Duration {
    Duration::from_micros(
        time.as_micros()
            .try_into()
            .expect("less than 500,000 years"),
    )
}

/// The status of the answer. The connection is kept for the next request.
fn post(
    connection: &mut Option<BufReader<TcpStream>>,
    address: SocketAddr,
    account: &str,
    body: &[u8],
    verifier: &Verifier,
) -> io::Result<u16> {
    let stream = match connection {
        Some(stream) => stream,
        None => {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            // As Cronofy.
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            connection.insert(BufReader::new(stream))
        }
    };
    let signature = verifier.sign(body);
    let signature = signature.to_str().expect("Base64 is ASCII");
    let head = format!(
        "POST /cronofy/{account} HTTP/1.1\r\nhost: receiver\r\ncontent-length: {}\r\n{HEADER}: {signature}\r\n\r\n",
        body.len()
    );
    stream
        .get_mut()
        .write_all(&[head.as_bytes(), body].concat())?;
    let mut status = String::new();
    stream.read_line(&mut status)?;
    let code = status.split(' ').nth(1).and_then(|code| code.parse().ok());
    let code = code.ok_or(io::ErrorKind::UnexpectedEof)?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? <= 2 {
            return Ok(code);
        }
    }
}
