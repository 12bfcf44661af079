use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cronofy_webhook::signature::HEADER;
use http::StatusCode;
use serde::Serialize;

use super::difference::Differences;
use super::outcome::Outcome;
use super::row::Row;
use super::signature::{Signature, masked};
use super::typed::Typed;
use crate::listen::proxy::Proxy;
use crate::listen::store::Stored;
use crate::record::{AnsweredBy, Headers};

/// Everything about a request, but for credentials and signatures.
#[derive(Serialize)]
pub(super) struct Detail {
    row: Row,
    outcome: Outcome,
    headers: Headers,
    body_b64: String,
    typed: Option<Typed>,
    signature: Option<Signature>,
    answer: Option<Answer>,
    differences: Option<Differences>,
}

#[derive(Serialize)]
struct Answer {
    status: u16,
    reason: Option<&'static str>,
    by: AnsweredBy,
    took_ms: f64,
    headers: Headers,
    body_b64: String,
    length: usize,
}

impl Detail {
    pub(super) fn new(proxy: &Proxy, stored: &Stored) -> Self {
        let entry = &stored.entry;
        let is_delivery = stored.is_delivery();
        let secrets = proxy.log.secrets.as_ref();
        Self {
            row: Row::new(stored),
            outcome: Outcome::new(stored),
            headers: entry.headers.masked(&HEADER, masked),
            body_b64: STANDARD.encode(&entry.body),
            typed: is_delivery.then(|| Typed::new(&entry.body)),
            signature: is_delivery.then(|| Signature::new(secrets, stored)),
            answer: entry.answer.as_ref().map(|answer| Answer {
                status: answer.status,
                reason: StatusCode::from_u16(answer.status)
                    .ok()
                    .and_then(|status| status.canonical_reason()),
                by: answer.by,
                took_ms: answer.took_ms,
                headers: entry_headers(&answer.headers),
                body_b64: STANDARD.encode(&answer.body),
                length: stored.answer_length,
            }),
            differences: is_delivery.then(|| Differences::new(&proxy.log, stored)),
        }
    }
}

fn entry_headers(headers: &Headers) -> Headers {
    headers.masked(&HEADER, masked)
}
