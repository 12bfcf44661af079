//! The requests that are under way on a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cronofy_webhook_inbox::Inbox;
use tokio::io::{self, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_postgres::Config;

use crate::common::{Jobs, verification};
use crate::pgbouncer::{host_and_port, through};
use crate::server::Database;
use crate::support::{block_on, eventually};

/// How long an answer takes to the client.
const LATENCY: Duration = Duration::from_millis(20);

/// Of a connection, and the most there were on any.
#[derive(Clone)]
struct Requests {
    under_way: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

/// Reads a message with its length, which is after `tag` bytes.
async fn message(from: &mut OwnedReadHalf, tag: usize) -> io::Result<Vec<u8>> {
    let mut message = vec![0; tag + 4];
    from.read_exact(&mut message).await?;
    let length = u32::from_be_bytes(message[tag..].try_into().unwrap());
    message.resize(tag + length as usize, 0);
    from.read_exact(&mut message[tag + 4..]).await?;
    Ok(message)
}

async fn forward_requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    requests: Requests,
) -> io::Result<()> {
    // To start the session is one as well.
    requests.under_way.fetch_add(1, Ordering::SeqCst);
    to.write_all(&message(&mut from, 0).await?).await?;
    loop {
        let message = message(&mut from, 1).await?;
        // `Query` and `Sync`.
        if matches!(message[0], b'Q' | b'S') {
            let under_way = requests.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            requests.most.fetch_max(under_way, Ordering::SeqCst);
        }
        to.write_all(&message).await?;
    }
}

async fn forward_answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    requests: Requests,
) -> io::Result<()> {
    loop {
        let message = message(&mut from, 1).await?;
        // `ReadyForQuery`.
        if message[0] == b'Z' {
            sleep(LATENCY).await;
            requests.under_way.fetch_sub(1, Ordering::SeqCst);
        }
        to.write_all(&message).await?;
    }
}

/// The URL of a server through a slow network, and the most requests that were under way on a connection.
async fn slow(url: &str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let config: Config = url.parse().unwrap();
    let (host, port) = host_and_port(&config);
    let host = host.to_owned();
    let most = Arc::new(AtomicUsize::new(0));
    let through = through(url, address.port());
    let counted = Arc::clone(&most);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect((host.as_str(), port)).await.unwrap();
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let requests = Requests {
                under_way: Arc::default(),
                most: Arc::clone(&counted),
            };
            tokio::spawn(forward_requests(from_client, to_server, requests.clone()));
            tokio::spawn(forward_answers(from_server, to_client, requests));
        }
    });
    (through, most)
}

/// Of a client that is closed with two, `PgBouncer` 1.18 gives an answer to another client.
pub(crate) fn a_connection_has_one_request_under_way() {
    block_on(async {
        let database = Database::create().await;
        let (url, most) = slow(&database.url).await;
        let mut tasks = JoinSet::new();
        for number in 0..4 {
            let url = url.clone();
            tasks.spawn(async move {
                // One of them creates the schema, while the others wait for it.
                let inbox = Inbox::open(url).await.unwrap();
                let account = number.to_string();
                inbox.put(account, &verification()).await.unwrap();
                inbox
            });
        }
        let inboxes = tasks.join_all().await;
        let jobs = Jobs::default();
        let ran = eventually(async || jobs.len() == 4);
        let worker = inboxes[0].worker(jobs.noting());
        worker.run_until(ran).await.unwrap();
        assert_eq!(most.load(Ordering::SeqCst), 1);
    });
}
