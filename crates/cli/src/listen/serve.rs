//! Accepts connections until it is to end.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{sleep, timeout};

use super::proxy::Proxy;
use super::signals::Signals;
use crate::error::Error;
use crate::output::note;

/// How long answers that are under way may take at the end: longer than Cronofy waits.
const GRACE: Duration = Duration::from_secs(8);

/// Whether it has seen what it was to wait for, or was told to end by a signal.
pub(super) async fn serve(
    listener: &TcpListener,
    proxy: &Arc<Proxy>,
    signals: &mut Signals,
    ends: &mut UnboundedReceiver<Result<(), Error>>,
    limit: Option<Duration>,
) -> Result<bool, Error> {
    let connections = GracefulShutdown::new();
    let end = select! {
        biased;
        () = signals.received() => return Ok(true),
        Some(end) = ends.recv() => end,
        () = passed(limit) => {
            note("--timeout has passed before the deliveries of --until had come");
            return Ok(false);
        }
        never = accept(listener, proxy, &connections) => match never {},
    };
    end?;
    // The answer to the last delivery is sent after it was logged.
    let _ = timeout(GRACE, connections.shutdown()).await;
    Ok(true)
}

async fn passed(limit: Option<Duration>) {
    match limit {
        Some(limit) => sleep(limit).await,
        None => pending().await,
    }
}

async fn accept(
    listener: &TcpListener,
    proxy: &Arc<Proxy>,
    connections: &GracefulShutdown,
) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => connect(stream, proxy, connections),
            Err(error) => {
                note(format_args!(
                    "warning: no connection could be accepted: {error}"
                ));
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn connect(stream: TcpStream, proxy: &Arc<Proxy>, connections: &GracefulShutdown) {
    // Without it, an answer in two packets would be slow, and no less right.
    let _ = stream.set_nodelay(true);
    let proxy = Arc::clone(proxy);
    let service = service_fn(move |request| {
        let proxy = Arc::clone(&proxy);
        async move { proxy.call(request).await }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .preserve_header_case(true)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        // What fails with a connection is told by the request that was on it.
        let _ = connection.await;
    });
}
