//! The service that the simulated Cronofy calls: it posts, with faults.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::time::sleep;
use tower_service::Service;

use crate::client::Client;
use crate::fault::{Effect, Faults};

#[derive(Clone)]
pub(super) struct Post {
    client: Client,
    faults: Arc<Faults>,
}

impl Post {
    pub(super) fn new(client: Client, faults: Faults) -> Self {
        Self {
            client,
            faults: Arc::new(faults),
        }
    }

    async fn post(self, request: Request<Full<Bytes>>) -> Result<Response<()>, String> {
        let mut status = None;
        for effect in self.faults.draw() {
            match effect {
                Effect::Delay(time) => sleep(time).await,
                Effect::Status(other) => status = Some(other),
                Effect::Drop => return Err("dropped by --fault".to_owned()),
            }
        }
        let request = request.map(|body| body.boxed_unsync());
        let exchange = self.client.exchange(request, &mut None).await;
        let (answered, _) = exchange.map_err(|failure| failure.text)?;
        let mut response = Response::new(());
        *response.status_mut() = status.unwrap_or(answered);
        Ok(response)
    }
}

impl Service<Request<Full<Bytes>>> for Post {
    type Response = Response<()>;
    type Error = String;
    type Future = Pin<Box<dyn Future<Output = Result<Response<()>, String>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        Box::pin(self.clone().post(request))
    }
}
