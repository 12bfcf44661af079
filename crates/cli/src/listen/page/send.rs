//! Sends deliveries to the receiver, as the page asks.

use std::sync::Arc;

use bytes::Bytes;
use cronofy_webhook::signature::HEADER;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request};
use serde::{Deserialize, Serialize};

use super::api::Context;
use super::refusal::Refusal;
use crate::listen::store::Stored;
use crate::record::FromPage;

/// More deliveries than this are a load, for a receiver that is not on this machine.
const LOAD: usize = 10;

/// A body to sign and send.
#[derive(Deserialize)]
pub(super) struct Draft {
    /// The delivery that was edited.
    of: Option<u64>,
    /// Path and query.
    uri: String,
    body: String,
    sign: Sign,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sign {
    /// With every client secret, as Cronofy does.
    All,
    Secret(usize),
    /// The signature that came.
    Keep,
    None,
}

/// How far several replays are.
#[derive(Clone, Copy, Default, Serialize)]
pub(super) struct Progress {
    is_running: bool,
    is_stopping: bool,
    total: usize,
    sent: usize,
    delivered: usize,
}

impl Context {
    /// Sends a delivery again, as it had come; returns the key of the new one.
    pub(super) async fn replay(&self, stored: &Stored) -> Result<u64, Refusal> {
        let (parts, body) = self.as_it_came(stored)?;
        let _turn = self.turn.lock().await;
        let what = (FromPage::Replay, stored.id());
        self.proxy
            .send(parts, body, what)
            .await
            .ok_or_else(Refusal::gone)
    }

    /// Begins to send several again, the oldest first. The number was shown and confirmed.
    pub(super) fn replay_all(
        self: &Arc<Self>,
        mut stored: Vec<Arc<Stored>>,
        confirmed: usize,
    ) -> Result<(), Refusal> {
        if confirmed != stored.len() {
            return Err(Refusal::conflict(
                "the number of deliveries is not the one that was confirmed",
            ));
        }
        if stored.len() > LOAD {
            let addresses = self.proxy.receiver.addresses();
            let what = format!("more than {LOAD} replays");
            addresses.require_loopback(&what).map_err(|_| {
                Refusal::unprocessable(format!(
                    "{what} are for a receiver on this machine: use `cronofy-webhook replay --allow-remote`"
                ))
            })?;
        }
        for stored in &stored {
            self.as_it_came(stored)?;
        }
        let total = stored.len();
        let has_begun = self.replays.send_if_modified(|progress| {
            let is_free = !progress.is_running;
            if is_free {
                *progress = Progress {
                    is_running: true,
                    total,
                    ..Progress::default()
                };
            }
            is_free
        });
        if !has_begun {
            return Err(Refusal::conflict("others are being sent"));
        }
        stored.sort_by_key(|stored| stored.key);
        let context = Arc::clone(self);
        tokio::spawn(async move { context.replay_each(stored).await });
        Ok(())
    }

    async fn replay_each(&self, all: Vec<Arc<Stored>>) {
        for stored in all {
            if self.replays.borrow().is_stopping {
                break;
            }
            let key = self.replay(&stored).await.ok();
            let new = key.and_then(|key| self.proxy.log.state().store.get(key));
            let answer = new.as_ref().and_then(|new| new.entry.answer.as_ref());
            let is_delivered = answer.is_some_and(|answer| (200..300).contains(&answer.status));
            self.replays.send_modify(|progress| {
                progress.sent += 1;
                progress.delivered += usize::from(is_delivered);
            });
        }
        self.replays
            .send_modify(|progress| progress.is_running = false);
    }

    /// Ends several replays after the one that is under way.
    pub(super) fn stop(&self) {
        self.replays.send_if_modified(|progress| {
            progress.is_stopping = progress.is_running;
            progress.is_running
        });
    }

    /// Signs a body and sends it; returns the key of the new delivery.
    pub(super) async fn send(&self, draft: Draft) -> Result<u64, Refusal> {
        let original = match draft.of {
            Some(key) => Some(self.stored(key)?),
            None => None,
        };
        let mut headers = match &original {
            Some(original) => original.entry.headers.to_map(),
            None => self.headers(),
        };
        headers.remove(CONTENT_LENGTH);
        let body = Bytes::from(draft.body);
        match self.signature(draft.sign, &body)? {
            Some(signature) => {
                headers.insert(HEADER, signature);
            }
            None if matches!(draft.sign, Sign::Keep) => {}
            None => {
                headers.remove(HEADER);
            }
        }
        let parts = self.parts(&draft.uri, headers)?;
        let what = match original {
            Some(original) => (FromPage::Edit, original.id()),
            None => (FromPage::Trigger, None),
        };
        let _turn = self.turn.lock().await;
        self.proxy
            .send(parts, body, what)
            .await
            .ok_or_else(Refusal::gone)
    }

    fn signature(&self, sign: Sign, body: &[u8]) -> Result<Option<HeaderValue>, Refusal> {
        let secrets = self.proxy.log.secrets.as_ref();
        let verifier = match sign {
            Sign::Keep | Sign::None => return Ok(None),
            Sign::All => secrets.map(|secrets| &secrets.verifier),
            Sign::Secret(index) => secrets.and_then(|secrets| secrets.each.get(index)),
        };
        let verifier = verifier.ok_or_else(|| {
            Refusal::unprocessable("there is no such client secret: nothing can be signed with it")
        })?;
        Ok(Some(verifier.sign(body)))
    }

    /// The request that came, which must be whole.
    fn as_it_came(&self, stored: &Stored) -> Result<(Parts, Bytes), Refusal> {
        let entry = &stored.entry;
        if !stored.is_delivery() {
            return Err(Refusal::unprocessable("it is not a delivery"));
        }
        if stored.is_cut() {
            return Err(Refusal::unprocessable(
                "the end of its body was not kept, as it is not authentic",
            ));
        }
        let parts = self.parts(&entry.uri, entry.headers.to_map())?;
        Ok((parts, entry.body.clone()))
    }

    /// What is sent goes to the receiver of the command line, below its path.
    fn parts(&self, uri: &str, headers: HeaderMap) -> Result<Parts, Refusal> {
        let prefix = self.proxy.scope.prefix();
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri
            .parse()
            .map_err(|error| Refusal::unprocessable(format!("the path: {error}")))?;
        let uri = request.uri();
        if uri.authority().is_some() || !self.proxy.scope.contains(uri.path()) {
            return Err(Refusal::unprocessable(format!(
                "the path is not below {prefix}/, which is that of --to"
            )));
        }
        *request.headers_mut() = headers;
        Ok(request.into_parts().0)
    }

    /// Those that [Cronofy sends](https://docs.cronofy.com/developers/api/push-notifications/).
    fn headers(&self) -> HeaderMap {
        let url = self.callback_base();
        let host = url.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or_default();
        let content_type = HeaderValue::from_static("application/json; charset=utf-8");
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type)]);
        if let Ok(host) = HeaderValue::from_str(host) {
            headers.insert(HOST, host);
        }
        headers
    }

    /// The URL that deliveries are posted to, without the path: that of the tunnel, if it is known.
    pub(super) fn callback_base(&self) -> String {
        let state = self.proxy.log.state();
        let public = state.guide.public_url();
        public.unwrap_or(&self.url).to_owned()
    }
}
