//! Real sockets: axum's server, which is hyper's, and well and badly behaved clients.

use std::time::Duration;

use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use cronofy_webhook::notification::UnknownReason;
use cronofy_webhook::{Notification, Overrun, RejectionKind};
use cronofy_webhook_testing::Payload;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::server::{Server, Slow, head, status};
use crate::support::{CHANGE, Script, Step, layer, signed, without_signature};

/// Fails a test that would wait for ever.
async fn within_half_a_minute(test: impl Future<Output = ()>) {
    timeout(Duration::from_secs(30), test)
        .await
        .expect("nothing hangs");
}

#[tokio::test]
async fn a_chunked_body_is_accepted() {
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
async fn a_body_in_one_byte_chunks_with_trailers_is_accepted() {
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
async fn a_body_in_one_byte_writes_is_accepted() {
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
async fn a_declared_length_over_the_limit_is_rejected_before_the_body_is_sent() {
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
async fn a_chunked_body_over_the_limit_is_rejected_while_it_is_sent() {
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
async fn a_stalled_client_gets_408_at_the_deadline() {
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
async fn a_disconnect_within_the_body_is_rejected() {
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

#[tokio::test]
async fn a_client_disconnect_does_not_stop_the_handler() {
    within_half_a_minute(async {
        let mut slow = Slow::start(layer()).await;
        let stream = slow.server.deliver().await;
        slow.started(1).await;
        drop(stream);

        slow.moved_to_the_background(1).await;
        slow.release(1);
        assert_eq!(slow.outcome.recv().await, Some(true));
    })
    .await;
}

#[tokio::test]
async fn with_cancel_a_client_disconnect_drops_the_handler() {
    within_half_a_minute(async {
        let mut slow = Slow::start(layer().overrun(Overrun::Cancel)).await;
        let stream = slow.server.deliver().await;
        slow.started(1).await;
        drop(stream);

        // Not released: it ends because hyper drops it.
        assert_eq!(slow.outcome.recv().await, Some(false));
    })
    .await;
}

#[tokio::test]
async fn an_http2_reset_does_not_stop_the_handler() {
    within_half_a_minute(async {
        let mut slow = Slow::start(layer()).await;
        let mut client = slow.server.http2().await;
        let request = absolute(signed(CHANGE, Full::from(CHANGE)));
        let answer = tokio::spawn(async move { client.send_request(request).await });
        slow.started(1).await;
        answer.abort();

        slow.moved_to_the_background(1).await;
        slow.release(1);
        assert_eq!(slow.outcome.recv().await, Some(true));
    })
    .await;
}

#[tokio::test]
async fn a_late_handler_gets_503_or_202_by_policy_over_http() {
    within_half_a_minute(async {
        for (overrun, status, finishes) in [
            (Overrun::Finish, 503, true),
            (Overrun::Accept, 202, true),
            (Overrun::Cancel, 503, false),
        ] {
            let layer = layer().budget(Duration::from_millis(50)).overrun(overrun);
            let mut slow = Slow::start(layer).await;
            let mut client = slow.server.http1().await;
            let request = signed(CHANGE, Full::from(CHANGE));
            let response = client.send_request(request).await.unwrap();
            assert_eq!(response.status(), status, "{overrun:?}");

            // The connection is still usable.
            drop(response.into_body().collect().await.unwrap());
            let unsigned = without_signature(signed(CHANGE, Full::from(CHANGE)));
            client.ready().await.unwrap();
            assert_eq!(client.send_request(unsigned).await.unwrap().status(), 401);

            slow.release(1);
            assert_eq!(slow.outcome.recv().await, Some(finishes), "{overrun:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_unknown_notification_reaches_the_handler_over_http() {
    within_half_a_minute(async {
        let (client, mut received) = mpsc::unbounded_channel();
        let handler = post(async move |notification: Notification| {
            client.send(notification).unwrap();
            http::StatusCode::ACCEPTED
        });
        let router = Router::new().route("/cronofy/{account}", handler);
        let server = Server::serve(router, layer(), mpsc::unbounded_channel().1).await;
        let mut client = server.http1().await;

        let bodies: [(Bytes, _, _); 3] = [
            (
                Payload::sample("some_future_type").into(),
                Some("some_future_type"),
                true,
            ),
            (Bytes::from_static(b"bonjour"), None, false),
            (Bytes::from_static(b"\xff\0"), None, false),
        ];
        for (body, kind, is_object) in bodies {
            client.ready().await.unwrap();
            let response = client
                .send_request(signed(&body, Full::from(body.clone())))
                .await
                .unwrap();
            assert_eq!(response.status(), 202);
            drop(response.into_body().collect().await.unwrap());

            let Some(Notification::Unknown(unknown)) = received.recv().await else {
                panic!("not unknown");
            };
            assert_eq!(unknown.kind(), kind);
            let reason = unknown.reason();
            assert_eq!(*reason == UnknownReason::UnknownType, is_object, "{reason}");
            assert_eq!(unknown.body(), &body);
        }
    })
    .await;
}

#[tokio::test]
async fn a_hundred_deliveries_share_one_connection() {
    within_half_a_minute(async {
        let mut server = Server::start(layer()).await;
        let mut client = server.http1().await;
        for turn in 0..100 {
            client.ready().await.unwrap();
            // Every third is forged: a rejection keeps the connection usable.
            let of: &[u8] = if turn % 3 == 0 {
                b"another body"
            } else {
                CHANGE
            };
            let response = client
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
async fn many_deliveries_at_once_over_http2() {
    within_half_a_minute(async {
        let mut server = Server::start(layer()).await;
        let client = server.http2().await;
        let answers = (0..50).map(|turn| {
            let mut client = client.clone();
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
                client.ready().await.unwrap();
                let response = client.send_request(request).await.unwrap();
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
