//! Without axum: hyper's server and a tower service.
//!
//! ```sh
//! CRONOFY_CLIENT_SECRET=CRN_… cargo run --example hyper --no-default-features
//! ```

use std::convert::Infallible;
use std::env;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use cronofy_webhook::{CronofyWebhookLayer, Delivery, Verifier};
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::{ServiceBuilder, service_fn};

async fn receive(request: Request<RequestBody>) -> Result<Response<Full<Bytes>>, Infallible> {
    let delivery: &Delivery = request.extensions().get().expect("behind the layer");
    println!(
        "{}: {}",
        request.uri().path(),
        delivery.notification().kind()
    );

    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let secrets = env::var("CRONOFY_CLIENT_SECRET")
        .map_err(|error| format!("CRONOFY_CLIENT_SECRET: {error}"))?;
    let verifier = Verifier::new(secrets.split(',').map(str::trim))?;
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());

    let service = ServiceBuilder::new()
        .map_request(|request: Request<Incoming>| request.map(RequestBody::Wire))
        .layer(CronofyWebhookLayer::from_verifier(verifier))
        .service(service_fn(receive));

    let listener = TcpListener::bind(&address).await?;
    println!("listening on http://{}/", listener.local_addr()?);
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                eprintln!("accept: {error}");
                continue;
            }
        };
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
                eprintln!("connection: {error}");
            }
        });
    }
}

/// The layer hands on the body type that it was given, and makes it from the bytes that it has read: hyper's `Incoming`
/// cannot be made from bytes, so it comes in a wrapper that can.
enum RequestBody {
    Wire(Incoming),
    Read(Full<Bytes>),
}

impl From<Bytes> for RequestBody {
    fn from(bytes: Bytes) -> Self {
        Self::Read(Full::new(bytes))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Wire(body) => Pin::new(body).poll_frame(cx),
            Self::Read(body) => Pin::new(body)
                .poll_frame(cx)
                .map_err(|never| match never {}),
        }
    }
}
