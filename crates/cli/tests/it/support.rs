//! What the tests share: the command in a process of its own, and receivers.

use std::ffi::OsStr;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::routing::{any, post};
use cronofy_webhook::CronofyWebhookLayer;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpSocket;
use tokio::runtime::Runtime;

pub(crate) const SECRET: &str = "CRN_NggYusqPGLxwjw5FHOJYOqSrTPNXy8WQf14OID";
pub(crate) const OTHER_SECRET: &str = "CRN_nGlYDFXwfSXgB9rvGNBJyfE454GGPtWIbNuPwr";

/// A record of two deliveries, the second of which another secret signed.
pub(crate) const RECORD: &str = "tests/cmd/replay.in/deliveries.ndjson";

/// The command with these arguments, the secret in the environment, and nothing else of ours there.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cronofy-webhook"));
    command
        .args(arguments)
        .env("CRONOFY_CLIENT_SECRET", SECRET)
        .env_remove("CRONOFY_WEBHOOK_TO")
        .stdin(Stdio::null());
    command
}

/// What a run of the command has printed, and its exit status.
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        command.output().unwrap().into()
    }

    /// Runs the command with this on standard input.
    pub(crate) fn with_input(command: &mut Command, input: &[u8]) -> Self {
        let piped = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap().into()
    }

    /// The lines of JSON of this type.
    pub(crate) fn records(&self, r#type: &str) -> Vec<Value> {
        let lines = self.stdout.lines().map(|line| {
            serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{line}: {error}"))
        });
        lines
            .inspect(|record| assert_eq!(record["v"], 1))
            .filter(|record| record["type"] == r#type)
            .collect()
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs the command with the secret in the environment.
pub(crate) fn run(arguments: &[&str]) -> Run {
    Run::of(&mut command(arguments))
}

/// A folder with one file.
pub(crate) fn file(content: impl AsRef<[u8]>) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let path: PathBuf = folder.path().join("file");
    std::fs::write(&path, content).unwrap();
    let path = AsRef::<OsStr>::as_ref(&path).to_str().unwrap().to_owned();
    (folder, path)
}

/// Serves the router for as long as the tests run; returns the URL.
pub(crate) fn serve(app: Router) -> String {
    serve_on(TcpListener::bind("127.0.0.1:0").unwrap(), app)
}

pub(crate) fn serve_on(listener: TcpListener, app: Router) -> String {
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    spawn(async {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        axum::serve(listener, app).await.unwrap();
    });
    url
}

/// Runs a server for as long as the tests run.
pub(crate) fn spawn(server: impl Future<Output = ()> + Send + 'static) {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

    RUNTIME.spawn(server);
}

/// A receiver with the library's layer, that answers 204.
pub(crate) fn receiver_app() -> Router {
    let layer = CronofyWebhookLayer::new(SECRET);
    let route = post(async || StatusCode::NO_CONTENT).layer(layer);
    Router::new().route("/cronofy/{account}", route)
}

pub(crate) fn receiver() -> String {
    serve(receiver_app()) + "/cronofy/42"
}

/// Counts calls.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<AtomicUsize>);

impl Calls {
    /// Counts one; returns how many there are with it.
    pub(crate) fn add(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A receiver that always answers the same.
pub(crate) fn answering(status: u16, text: &'static str) -> String {
    let status = StatusCode::from_u16(status).unwrap();
    serve(Router::new().fallback(any(async move || (status, text)))) + "/cronofy/42"
}

/// A URL at which nobody listens. Its port stays bound, so that nobody else gets it.
pub(crate) fn nobody() -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/cronofy/42", socket.local_addr().unwrap());
    std::mem::forget(socket);
    url
}

pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A receiver that always answers the same and keeps what it has received.
pub(crate) fn recorder(status: u16) -> (String, Arc<Mutex<Vec<Received>>>) {
    type Log = Arc<Mutex<Vec<Received>>>;
    let log = Log::default();
    let record = async move |State(log): State<Log>,
                             method: Method,
                             uri: Uri,
                             headers: HeaderMap,
                             body: Bytes| {
        log.lock().unwrap().push(Received {
            method,
            uri,
            headers,
            body,
        });
        (
            StatusCode::from_u16(status).unwrap(),
            [("location", "/elsewhere")],
        )
    };
    let app = Router::new().fallback(record).with_state(Arc::clone(&log));
    (serve(app), log)
}
