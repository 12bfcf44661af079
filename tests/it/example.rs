//! The server and the shutdown of the example `axum`.

#[cfg(unix)]
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
#[cfg(unix)]
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use cronofy_webhook::Background;
use cronofy_webhook::signature::HEADER;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, pause, sleep, timeout};

use self::axum_example::{HEAD, serve};
use crate::support::{CHANGE, SECRET, layer, verifier};

#[expect(dead_code, reason = "the rest of the program")]
#[path = "../../examples/axum.rs"]
mod axum_example;

const LIMIT: Duration = Duration::from_secs(5);
const HALF_A_HEAD: &str = "POST / HTTP/1.1\r\nHo";
const GET: &str = "GET / HTTP/1.1\r\nHost: receiver\r\nConnection: close\r\n\r\n";

/// The example's server, told to stop when the sender is dropped.
async fn start(app: Router) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let server = serve(listener, app, async { drop(stopped.await) }, LIMIT);
    (address, stop, tokio::spawn(server))
}

/// A client that has sent this.
async fn client(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// A client that has sent half a head, which the server has by the response to a later client.
async fn client_with_half_a_head(address: SocketAddr) -> TcpStream {
    let half = client(address, HALF_A_HEAD).await;
    rest(client(address, GET).await).await;
    half
}

/// What the client receives until the connection ends.
async fn rest(mut client: TcpStream) -> String {
    let mut text = String::new();
    client.read_to_string(&mut text).await.unwrap();
    text
}

fn seconds_since(started: Instant) -> f64 {
    started.elapsed().as_secs_f64().round()
}

#[tokio::test]
async fn half_a_head_has_a_time_limit() {
    let (address, _stop, _server) = start(Router::new()).await;
    let client = client_with_half_a_head(address).await;
    pause();
    let started = Instant::now();
    timeout(2 * HEAD, rest(client)).await.unwrap();
    assert_eq!(seconds_since(started), HEAD.as_secs_f64());
}

#[tokio::test]
async fn half_a_head_delays_a_shutdown_by_the_limit() {
    let (address, stop, server) = start(Router::new()).await;
    let client = client_with_half_a_head(address).await;
    pause();
    let started = Instant::now();
    drop(stop);
    server.await.unwrap();
    assert_eq!(seconds_since(started), LIMIT.as_secs_f64());
    assert_eq!(rest(client).await, "", "the connection is closed");
}

#[tokio::test]
async fn a_shutdown_waits_for_the_response_to_a_request_that_had_begun() {
    let begun = Arc::new(Semaphore::new(0));
    let begins = Arc::clone(&begun);
    let handler = async move || {
        begins.add_permits(1);
        sleep(Duration::from_secs(3)).await;
    };
    let (address, stop, server) = start(Router::new().route("/", get(handler))).await;
    let client = client(address, GET).await;
    begun.acquire().await.unwrap().forget();
    pause();
    let started = Instant::now();
    drop(stop);
    server.await.unwrap();
    assert_eq!(seconds_since(started), 3.0);
    assert!(rest(client).await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn a_handler_that_runs_at_the_limit_of_a_shutdown_moves_to_the_background() {
    let begun = Arc::new(Semaphore::new(0));
    let begins = Arc::clone(&begun);
    let handler = async move || {
        begins.add_permits(1);
        sleep(2 * LIMIT).await;
    };
    let background = Background::new();
    let layer = layer().budget(3 * LIMIT).background(background.clone());
    let app = Router::new().route("/", post(handler).layer(layer));
    let (address, stop, server) = start(app).await;
    let _client = client(address, &delivery()).await;
    begun.acquire().await.unwrap().forget();
    pause();
    let started = Instant::now();
    drop(stop);
    server.await.unwrap();
    assert_eq!(background.len(), 1);
    background.wait().await;
    assert_eq!(seconds_since(started), (2 * LIMIT).as_secs_f64());
}

/// A genuine delivery, as it is sent.
fn delivery() -> String {
    let body = std::str::from_utf8(CHANGE).unwrap();
    let signature = verifier().sign(CHANGE);
    let signature = signature.to_str().unwrap();
    format!(
        "POST / HTTP/1.1\r\nHost: receiver\r\nContent-Length: {}\r\n{HEADER}: {signature}\r\n\r\n{body}",
        body.len(),
    )
}

/// The program, and its address. It is killed when it is dropped.
#[cfg(unix)]
struct Program(Child, SocketAddr);

#[cfg(unix)]
impl Program {
    /// Cargo builds the examples for the tests of a package, beside the folder of the tests.
    fn start() -> Self {
        let test = std::env::current_exe().unwrap();
        let profile = test.parent().unwrap().parent().unwrap();
        let mut child = Command::new(profile.join("examples/axum"))
            .env("CRONOFY_CLIENT_SECRET", SECRET)
            .env("LISTEN", "127.0.0.1:0")
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .spawn()
            .expect("`cargo build --examples` builds it");
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.as_mut().unwrap());
        output.read_line(&mut line).unwrap();
        let (_, url) = line.split_once("http://").unwrap();
        let (address, _) = url.split_once('/').unwrap();
        Self(child, address.parse().unwrap())
    }

    fn terminate(&self) {
        let mut kill = Command::new("kill");
        let status = kill.args(["-TERM", &self.0.id().to_string()]).status();
        assert!(status.unwrap().success());
    }
}

#[cfg(unix)]
impl Drop for Program {
    fn drop(&mut self) {
        // An error: it has ended.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The machine may be busy: twice the budget and a second.
#[cfg(unix)]
#[tokio::test]
async fn with_half_a_head_the_program_ends_after_sigterm() {
    let mut program = Program::start();
    let _client = client_with_half_a_head(program.1).await;
    let started = Instant::now();
    program.terminate();
    let status = loop {
        if let Some(status) = program.0.try_wait().unwrap() {
            break status;
        }
        assert!(started.elapsed() < 2 * LIMIT, "it still runs");
        sleep(Duration::from_millis(5)).await;
    };
    assert!(status.success());
}
