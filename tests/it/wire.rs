//! Real sockets: axum's server, which is hyper's, and clients that behave as well or as badly as the wire allows.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::post;
use bytes::Bytes;
use cronofy_webhook::notification::UnknownReason;
use cronofy_webhook::{
    CronofyWebhookLayer, Delivery, Notification, Overrun, Rejection, RejectionKind,
};
use http::Request;
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::support::{CHANGE, Script, Step, layer, signed, verifier};

/// What can be seen of a server from the inside.
struct Server {
    address: SocketAddr,
    /// The bodies that reached the handler.
    delivered: mpsc::UnboundedReceiver<Bytes>,
    /// The refusals, as a layer around ours sees them.
    rejected: mpsc::UnboundedReceiver<RejectionKind>,
}

impl Server {
    /// A server with a handler that answers at once.
    async fn start(layer: CronofyWebhookLayer) -> Self {
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

    async fn serve(
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
        tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            delivered,
            rejected,
        }
    }

    async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    async fn http1<B>(&self) -> hyper::client::conn::http1::SendRequest<B>
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

    async fn http2<B>(&self) -> hyper::client::conn::http2::SendRequest<B>
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

/// What waits for a socket that stays silent would wait for ever, and CI with it.
async fn within_half_a_minute(test: impl Future<Output = ()>) {
    timeout(Duration::from_secs(30), test)
        .await
        .expect("nothing hangs");
}

/// The head of a genuine `change`, as a client that writes it by hand would.
fn head(more: &str) -> String {
    let signature = verifier().sign(CHANGE);
    let signature = signature.to_str().unwrap();
    format!(
        "POST /cronofy/42 HTTP/1.1\r\nhost: receiver.example\r\ncronofy-hmac-sha256: {signature}\r\n{more}\r\n"
    )
}

/// Reads one answer, up to the end of its head.
async fn status(stream: &mut TcpStream) -> u16 {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    head["HTTP/1.1 ".len()..][..3].parse().unwrap()
}

#[tokio::test]
async fn a_chunked_body() {
    within_half_a_minute(async {
        let mut server = Server::start(layer()).await;
        let pieces = CHANGE
            .chunks(50)
            .map(|piece| Step::Data(Bytes::from_static(piece)));
        let request = signed(CHANGE, Script::new(pieces));
        let response = server.http1().await.send_request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(server.delivered.recv().await.unwrap(), CHANGE);
    })
    .await;
}

#[tokio::test]
async fn a_chunked_body_in_one_byte_chunks_with_trailers() {
    within_half_a_minute(async {
        let mut server = Server::start(layer()).await;
        let mut stream = server.connect().await;
        let mut request =
            head("transfer-encoding: chunked\r\ntrailer: x-checksum\r\n").into_bytes();
        for byte in CHANGE {
            request.extend_from_slice(&[b'1', b'\r', b'\n', *byte, b'\r', b'\n']);
        }
        request.extend_from_slice(b"0\r\nx-checksum: 1\r\n\r\n");
        stream.write_all(&request).await.unwrap();
        assert_eq!(status(&mut stream).await, 200);
        assert_eq!(server.delivered.recv().await.unwrap(), CHANGE);
    })
    .await;
}

#[tokio::test]
async fn a_body_in_one_byte_pieces() {
    within_half_a_minute(async {
        let mut server = Server::start(layer()).await;
        let mut stream = server.connect().await;
        let head = head(&format!("content-length: {}\r\n", CHANGE.len()));
        for byte in head.as_bytes().iter().chain(CHANGE) {
            stream.write_u8(*byte).await.unwrap();
        }
        assert_eq!(status(&mut stream).await, 200);
        assert_eq!(server.delivered.recv().await.unwrap(), CHANGE);
    })
    .await;
}

#[tokio::test]
async fn a_declared_oversize_is_refused_before_any_of_it_is_sent() {
    within_half_a_minute(async {
        let mut server = Server::start(layer()).await;
        let mut stream = server.connect().await;
        let head = head("content-length: 262145\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        assert_eq!(status(&mut stream).await, 413);
        assert_eq!(
            server.rejected.recv().await,
            Some(RejectionKind::BodyTooLarge)
        );
        assert!(server.delivered.try_recv().is_err());
    })
    .await;
}

#[tokio::test]
async fn a_counted_oversize_is_refused_while_it_is_being_sent() {
    within_half_a_minute(async {
        let mut server = Server::start(layer().body_limit(1000)).await;
        let endless = (0..100_000).map(|_| Step::Data(Bytes::from_static(&[b' '; 100])));
        let request = signed(CHANGE, Script::new(endless));
        // The client may meet a closed connection while it still writes: what counts is what the server saw.
        let _ = server.http1().await.send_request(request).await;
        assert_eq!(
            server.rejected.recv().await,
            Some(RejectionKind::BodyTooLarge)
        );
        assert!(server.delivered.try_recv().is_err());
    })
    .await;
}

#[tokio::test]
async fn a_sender_that_stops_half_way_gets_408_at_the_end_of_the_budget() {
    within_half_a_minute(async {
        let mut server = Server::start(layer().budget(Duration::from_millis(100))).await;
        let mut stream = server.connect().await;
        let head = head(&format!("content-length: {}\r\n", CHANGE.len()));
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&CHANGE[..100]).await.unwrap();
        assert_eq!(status(&mut stream).await, 408);
        assert_eq!(
            server.rejected.recv().await,
            Some(RejectionKind::BodyTimeout)
        );
        assert!(server.delivered.try_recv().is_err());
    })
    .await;
}

#[tokio::test]
async fn a_sender_that_goes_away_half_way_is_refused() {
    within_half_a_minute(async {
        let mut server = Server::start(layer()).await;
        let mut stream = server.connect().await;
        let head = head(&format!("content-length: {}\r\n", CHANGE.len()));
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&CHANGE[..100]).await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(
            server.rejected.recv().await,
            Some(RejectionKind::BodyIncomplete)
        );
        assert!(server.delivered.try_recv().is_err());
    })
    .await;
}

/// A server whose handler starts, waits to be released, and then says that it has finished.
struct Slow {
    server: Server,
    background: TaskTracker,
    started: Arc<Notify>,
    release: Arc<Notify>,
    outcome: mpsc::UnboundedReceiver<bool>,
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
    async fn start(layer: CronofyWebhookLayer) -> Self {
        let background = TaskTracker::new();
        let layer = layer.task_tracker(background.clone());
        let (started, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (sender, outcome) = mpsc::unbounded_channel();
        let (starts, released) = (started.clone(), release.clone());
        let handler = post(async move |_: Delivery| {
            let mut outcome = Outcome {
                finished: false,
                sender,
            };
            starts.notify_one();
            released.notified().await;
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

    /// Until the server has noticed that the sender is gone, and dropped the delivery.
    async fn moved_to_the_background(&self) {
        let moved = async {
            while self.background.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(3), moved)
            .await
            .expect("well inside the budget");
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_while_the_handler_runs_does_not_stop_it() {
    within_half_a_minute(async {
        let mut slow = Slow::start(layer()).await;
        let mut stream = slow.server.connect().await;
        let head = head(&format!("content-length: {}\r\n", CHANGE.len()));
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(CHANGE).await.unwrap();
        slow.started.notified().await;
        drop(stream);

        slow.moved_to_the_background().await;
        slow.release.notify_one();
        assert_eq!(slow.outcome.recv().await, Some(true));
    })
    .await;
}

#[tokio::test]
async fn with_cancel_a_client_that_hangs_up_ends_the_handler() {
    within_half_a_minute(async {
        let mut slow = Slow::start(layer().overrun(Overrun::Cancel)).await;
        let mut stream = slow.server.connect().await;
        let head = head(&format!("content-length: {}\r\n", CHANGE.len()));
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(CHANGE).await.unwrap();
        slow.started.notified().await;
        drop(stream);

        // Not released: it ends because hyper drops it.
        assert_eq!(slow.outcome.recv().await, Some(false));
    })
    .await;
}

#[tokio::test]
async fn an_http2_stream_that_is_reset_while_the_handler_runs_does_not_stop_it() {
    within_half_a_minute(async {
        let mut slow = Slow::start(layer()).await;
        let mut sender = slow.server.http2().await;
        let request = absolute(signed(CHANGE, Full::from(CHANGE)));
        let answer = tokio::spawn(async move { sender.send_request(request).await });
        slow.started.notified().await;
        answer.abort();

        slow.moved_to_the_background().await;
        slow.release.notify_one();
        assert_eq!(slow.outcome.recv().await, Some(true));
    })
    .await;
}

#[tokio::test]
async fn a_handler_slower_than_the_budget_is_answered_for_under_each_policy() {
    within_half_a_minute(async {
        for (overrun, status, finishes) in [
            (Overrun::Finish, 503, true),
            (Overrun::Accept, 202, true),
            (Overrun::Cancel, 503, false),
        ] {
            let layer = layer().budget(Duration::from_millis(50)).overrun(overrun);
            let mut slow = Slow::start(layer).await;
            let mut sender = slow.server.http1().await;
            let request = signed(CHANGE, Full::from(CHANGE));
            let response = sender.send_request(request).await.unwrap();
            assert_eq!(response.status(), status, "{overrun:?}");

            // The connection is as good as before.
            drop(response.into_body().collect().await.unwrap());
            let mut unsigned = signed(CHANGE, Full::from(CHANGE));
            unsigned.headers_mut().remove("cronofy-hmac-sha256");
            sender.ready().await.unwrap();
            assert_eq!(sender.send_request(unsigned).await.unwrap().status(), 401);

            slow.release.notify_one();
            assert_eq!(slow.outcome.recv().await, Some(finishes), "{overrun:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_not_understood_reaches_the_handler_and_the_sender_gets_its_answer() {
    within_half_a_minute(async {
        let (sender, mut received) = mpsc::unbounded_channel();
        let handler = post(async move |notification: Notification| {
            sender.send(notification).unwrap();
            http::StatusCode::ACCEPTED
        });
        let router = Router::new().route("/cronofy/{account}", handler);
        let server = Server::serve(router, layer(), mpsc::unbounded_channel().1).await;
        let mut sender = server.http1().await;

        let of_tomorrow = include_bytes!("../data/fixtures/push-unknown-type.json");
        let bodies: [(&'static [u8], _, _); 3] = [
            (
                of_tomorrow,
                Some("some_future_type"),
                UnknownReason::UnknownType,
            ),
            (b"bonjour", None, UnknownReason::NotAnObject),
            (b"\xff\0", None, UnknownReason::NotAnObject),
        ];
        for (body, kind, reason) in bodies {
            sender.ready().await.unwrap();
            let response = sender
                .send_request(signed(body, Full::from(body)))
                .await
                .unwrap();
            assert_eq!(response.status(), 202);
            drop(response.into_body().collect().await.unwrap());

            let Some(Notification::Unknown(unknown)) = received.recv().await else {
                panic!("not unknown");
            };
            assert_eq!((unknown.kind(), unknown.reason()), (kind, &reason));
            assert_eq!(unknown.body(), body);
        }
    })
    .await;
}

#[tokio::test]
async fn a_hundred_deliveries_on_one_connection() {
    within_half_a_minute(async {
        let mut server = Server::start(layer()).await;
        let mut sender = server.http1().await;
        for turn in 0..100 {
            sender.ready().await.unwrap();
            // Every third is forged: refusals leave the connection usable.
            let of: &[u8] = if turn % 3 == 0 {
                b"another body"
            } else {
                CHANGE
            };
            let response = sender
                .send_request(signed(of, Full::from(CHANGE)))
                .await
                .unwrap();
            assert_eq!(response.status(), if turn % 3 == 0 { 401 } else { 200 });
            drop(response.into_body().collect().await.unwrap());
            assert_eq!(server.delivered.try_recv().is_ok(), turn % 3 != 0);
        }
    })
    .await;
}

fn absolute<B>(mut request: Request<B>) -> Request<B> {
    *request.uri_mut() = "http://receiver.example/cronofy/42".parse().unwrap();
    request
}

#[tokio::test]
async fn http2_many_at_once() {
    within_half_a_minute(async {
        let mut server = Server::start(layer()).await;
        let sender = server.http2().await;
        let answers = (0..50).map(|turn| {
            let mut sender = sender.clone();
            tokio::spawn(async move {
                let of: &[u8] = if turn % 2 == 0 {
                    CHANGE
                } else {
                    b"another body"
                };
                let pieces = CHANGE
                    .chunks(50)
                    .map(|piece| Step::Data(Bytes::from_static(piece)));
                let request = absolute(signed(of, Script::new(pieces)));
                sender.ready().await.unwrap();
                let response = sender.send_request(request).await.unwrap();
                assert_eq!(response.status(), if turn % 2 == 0 { 200 } else { 401 });
            })
        });
        for answer in answers.collect::<Vec<_>>() {
            answer.await.unwrap();
        }
        for _ in 0..25 {
            assert_eq!(server.delivered.recv().await.unwrap(), CHANGE);
        }
        assert!(server.delivered.try_recv().is_err());
    })
    .await;
}
