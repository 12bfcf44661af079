//! What the tests over real sockets share: axum's server, which is hyper's, and its clients.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::post;
use bytes::Bytes;
use cronofy_webhook::{Background, CronofyWebhookLayer, Delivery, Rejection, RejectionKind};
use http_body::Body;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::support::{CHANGE, verifier};

/// A server, and what its handler and layers see.
pub(crate) struct Server {
    address: SocketAddr,
    /// The bodies that reached the handler.
    pub(crate) delivered: mpsc::UnboundedReceiver<Bytes>,
    /// The rejections, as an outer layer sees them.
    pub(crate) rejected: mpsc::UnboundedReceiver<RejectionKind>,
    stop: Arc<Notify>,
    stopped: JoinHandle<()>,
}

impl Server {
    /// A server with a handler that answers at once.
    pub(crate) async fn start(layer: CronofyWebhookLayer) -> Self {
        let (sender, delivered) = mpsc::unbounded_channel();
        let handler = post(async move |delivery: Delivery, body: Bytes| {
            assert_eq!(delivery.body(), &body);
            sender.send(body).unwrap();
        });
        Self::serve(
            Router::new().route("/cronofy/{account}", handler),
            layer,
            delivered,
        )
        .await
    }

    pub(crate) async fn serve(
        router: Router,
        layer: CronofyWebhookLayer,
        delivered: mpsc::UnboundedReceiver<Bytes>,
    ) -> Self {
        async fn watch(
            axum::extract::State(sender): axum::extract::State<
                mpsc::UnboundedSender<RejectionKind>,
            >,
            request: axum::extract::Request,
            next: Next,
        ) -> Response {
            let response = next.run(request).await;
            if let Some(rejection) = response.extensions().get::<Rejection>() {
                sender.send(rejection.kind()).unwrap();
            }
            response
        }
        let (sender, rejected) = mpsc::unbounded_channel();
        let router = router.layer(layer).layer(from_fn_with_state(sender, watch));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(Notify::new());
        let serve =
            axum::serve(listener, router).with_graceful_shutdown(stop.clone().notified_owned());
        let stopped = tokio::spawn(async { serve.await.unwrap() });
        Self {
            address,
            delivered,
            rejected,
            stop,
            stopped,
        }
    }

    /// Stops accepting, and waits for the connections.
    pub(crate) async fn stop(&mut self) {
        self.stop.notify_one();
        (&mut self.stopped).await.unwrap();
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// A connection on which a genuine `change` is sent.
    pub(crate) async fn deliver(&self) -> TcpStream {
        let mut stream = self.connect().await;
        let head = head(&format!("content-length: {}\r\n", CHANGE.len()));
        stream
            .write_all(&[head.as_bytes(), CHANGE].concat())
            .await
            .unwrap();
        stream
    }

    pub(crate) async fn http1<B>(&self) -> hyper::client::conn::http1::SendRequest<B>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
            + Send
            + 'static,
    {
        let io = TokioIo::new(self.connect().await);
        let (sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    pub(crate) async fn http2<B>(&self) -> hyper::client::conn::http2::SendRequest<B>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
            + Send
            + Unpin
            + 'static,
    {
        let io = TokioIo::new(self.connect().await);
        let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
            .await
            .unwrap();
        tokio::spawn(connection);
        sender
    }
}

/// The head of a genuine `change`, as a client that writes it by hand would.
pub(crate) fn head(more: &str) -> String {
    let signature = verifier().sign(CHANGE);
    let signature = signature.to_str().unwrap();
    format!(
        "POST /cronofy/42 HTTP/1.1\r\nhost: receiver.example\r\ncronofy-hmac-sha256: {signature}\r\n{more}\r\n"
    )
}

/// Reads one answer, up to the end of its head.
pub(crate) async fn status(stream: &mut (impl AsyncRead + Unpin)) -> u16 {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    head["HTTP/1.1 ".len()..][..3].parse().unwrap()
}

/// A server whose handler starts, waits to be released, and then reports that it finished.
pub(crate) struct Slow {
    pub(crate) server: Server,
    pub(crate) background: Background,
    started: Arc<Semaphore>,
    release: Arc<Semaphore>,
    /// Whether the handler finished, or else was dropped.
    pub(crate) outcome: mpsc::UnboundedReceiver<bool>,
}

struct Outcome {
    finished: bool,
    sender: mpsc::UnboundedSender<bool>,
}

impl Drop for Outcome {
    fn drop(&mut self) {
        let _ = self.sender.send(self.finished);
    }
}

impl Slow {
    pub(crate) async fn start(layer: CronofyWebhookLayer) -> Self {
        let background = Background::new();
        let layer = layer.background(background.clone());
        let (started, release) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (sender, outcome) = mpsc::unbounded_channel();
        let (starts, released) = (started.clone(), release.clone());
        let handler = post(async move |_: Delivery| {
            let mut outcome = Outcome {
                finished: false,
                sender,
            };
            starts.add_permits(1);
            released.acquire().await.unwrap().forget();
            outcome.finished = true;
        });
        let router = Router::new().route("/cronofy/{account}", handler);
        let server = Server::serve(router, layer, mpsc::unbounded_channel().1).await;
        Self {
            server,
            background,
            started,
            release,
            outcome,
        }
    }

    /// Waits until this many handlers have started.
    pub(crate) async fn started(&self, handlers: u32) {
        self.started.acquire_many(handlers).await.unwrap().forget();
    }

    pub(crate) fn release(&self, handlers: usize) {
        self.release.add_permits(handlers);
    }

    /// Waits until the server has dropped this many deliveries of disconnected clients.
    pub(crate) async fn moved_to_the_background(&self, handlers: usize) {
        let moved = async {
            while self.background.len() < handlers {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(3), moved)
            .await
            .expect("well within the deadline");
    }
}
