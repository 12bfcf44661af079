//! What a receiver should refuse, and what it should accept.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use cronofy_webhook::Verifier;
use cronofy_webhook::signature::HEADER;
use cronofy_webhook_testing::{Payload, time_limit};
use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use rustls::ClientConfig;
use tokio::join;

use super::body::Pieces;
use super::line::Line;
use crate::client::{Answer, Body, Client, Exchange};
use crate::error::Error;
use crate::hint;
use crate::target::{Addresses, Target};

/// No channel of Cronofy's has this identifier.
const CHANNEL: &str = "chn_000000000000000000000000";

/// Cronofy has no such type.
const UNKNOWN_TYPE: &str = "cronofy_webhook_check";

const AGENT: &str = concat!("cronofy-webhook-check/", env!("CARGO_PKG_VERSION"));

/// How long a receiver may wait for the rest of a body.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Receiver<'a> {
    client: Client,
    verifier: &'a Verifier,
    other: Verifier,
    verification: Payload,
    /// Whether a request was answered.
    is_answering: Cell<bool>,
}

impl<'a> Receiver<'a> {
    pub(super) fn new(
        target: &Target,
        addresses: Addresses,
        tls: ClientConfig,
        verifier: &'a Verifier,
    ) -> Result<Self, Error> {
        Ok(Self {
            client: Client::new(target.clone(), addresses, tls),
            verifier,
            other: Verifier::new(["not the client secret of this application"])
                .map_err(Error::failed)?,
            verification: Payload::verification().channel(CHANNEL, &target.to_string()),
            is_answering: Cell::new(false),
        })
    }

    /// What is not Cronofy's. If everything is accepted, that is one failure.
    pub(super) async fn refuses(&self) -> [Line; 3] {
        let body = Bytes::from(self.verification.clone());
        let get = request(Method::GET, full(Bytes::new()), None);
        let (unsigned, forged, get) = join!(
            self.post(&body, None),
            self.post(&body, Some(self.other.sign(&body))),
            self.send(get, &[]),
        );
        let is_forged_the_same = unsigned.is_delivered() && forged.is_delivered();
        [
            refused(
                "refuses.unsigned",
                &unsigned,
                "accepted without a signature: anyone can send deliveries; check the signature",
            ),
            if is_forged_the_same {
                Line::unknown("refuses.forged", "see refuses.unsigned")
            } else {
                refused(
                    "refuses.forged",
                    &forged,
                    "accepted with the signature of another secret: anyone can send deliveries; compare the signature",
                )
            },
            refused(
                "refuses.get",
                &get,
                "a GET is answered as if it were a delivery: route POST only",
            ),
        ]
    }

    /// What is Cronofy's. Where the verification fails, nothing can be said of the others.
    pub(super) async fn accepts(&self) -> [Line; 3] {
        let body = Bytes::from(self.verification.clone());
        let verification = self.post(&body, Some(self.verifier.sign(&body))).await;
        let first = accepted("accepts.verification", &verification, None);
        if !verification.is_delivered() {
            return [
                first,
                depends("accepts.unknown-type"),
                depends("accepts.rotation"),
            ];
        }
        let unknown = self
            .verification
            .clone()
            .set("/notification/type", UNKNOWN_TYPE);
        let unknown = Bytes::from(unknown);
        let unknown = self
            .post(&unknown, Some(self.verifier.sign(&unknown)))
            .await;
        [
            first,
            accepted(
                "accepts.unknown-type",
                &unknown,
                Some(
                    "answer 2xx to types that you do not know, as Cronofy adds new ones, retries, and closes the channel after 24 h",
                ),
            ),
            self.accepts_rotation(&body).await,
        ]
    }

    /// While a secret is rotated, Cronofy lists two signatures.
    async fn accepts_rotation(&self, body: &Bytes) -> Line {
        const ID: &str = "accepts.rotation";

        let (genuine, other) = (self.verifier.sign(body), self.other.sign(body));
        for (first, second) in [(&other, &genuine), (&genuine, &other)] {
            let list = [first.as_bytes(), b",", second.as_bytes()].concat();
            let exchange = self.post(body, HeaderValue::from_bytes(&list).ok()).await;
            if !exchange.is_delivered() {
                return accepted(
                    ID,
                    &exchange,
                    Some(
                        "accept a delivery if any of the signatures, which commas separate, matches: while a client secret is rotated, Cronofy sends two",
                    ),
                );
            }
        }
        Line::pass(ID, "with the genuine signature first, and second")
    }

    /// What Cronofy is not known to send: it only warns.
    pub(super) async fn robust(&self, is_verified: bool) -> [Line; 3] {
        let body = Bytes::from(self.verification.clone());
        let large = request(Method::POST, full(vec![b' '; 1024 * 1024].into()), None);
        let slow = Pieces::slow(&body, Duration::from_millis(250)).boxed_unsync();
        let slow = request(Method::POST, slow, Some(self.other.sign(&body)));
        let is_answering = self.is_answering.get();
        let (large, slow) = join!(
            self.client.send(large, PATIENCE),
            self.client.send(slow, PATIENCE),
        );
        [
            given_up(
                "robust.large",
                &large,
                is_answering,
                "1 MiB without a signature is not refused: limit the length of a body",
            ),
            given_up(
                "robust.slow",
                &slow,
                is_answering,
                "a body that does not come to its end is not refused: limit the time for a body",
            ),
            if is_verified {
                self.chunked(&body).await
            } else {
                depends("robust.chunked")
            },
        ]
    }

    async fn chunked(&self, body: &Bytes) -> Line {
        const ID: &str = "robust.chunked";

        let pieces = Pieces::chunked(body, body.len().div_ceil(3)).boxed_unsync();
        let chunked = request(Method::POST, pieces, Some(self.verifier.sign(body)));
        let exchange = self.send(chunked, body).await;
        let answer = answer(&exchange);
        if exchange.is_delivered() {
            return Line::pass(ID, answer);
        }
        Line::warn(
            ID,
            format_args!(
                "{answer}: a body without a Content-Length is refused, which a proxy may send"
            ),
        )
    }

    async fn post(&self, body: &Bytes, signature: Option<HeaderValue>) -> Exchange {
        let request = request(Method::POST, full(body.clone()), signature);
        self.send(request, body).await
    }

    async fn send(&self, request: Request<Body>, body: &[u8]) -> Exchange {
        let exchange = self.client.send(request, time_limit(body)).await;
        if matches!(exchange.answer, Answer::Status(..)) {
            self.is_answering.set(true);
        }
        exchange
    }
}

fn full(body: Bytes) -> Body {
    Full::new(body).boxed_unsync()
}

/// Each has a connection of its own: a server may close one after it has refused a body.
fn request(method: Method, body: Body, signature: Option<HeaderValue>) -> Request<Body> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    let headers = request.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    if request.method() == Method::POST {
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        request.headers_mut().insert(CONTENT_TYPE, json);
    }
    request
        .headers_mut()
        .extend(signature.map(|signature| (HEADER, signature)));
    request
}

fn answer(exchange: &Exchange) -> String {
    let took = exchange.took.as_secs_f64() * 1e3;
    match &exchange.answer {
        Answer::Status(status, _) => format!("{status} after {took:.1} ms"),
        Answer::TimedOut(None) => format!("no answer within {:.0} s", exchange.took.as_secs_f64()),
        Answer::TimedOut(Some(status)) => format!(
            "{status}, but not the whole answer within {:.0} s",
            exchange.took.as_secs_f64()
        ),
        Answer::Failed(None, failure) => format!("{} after {took:.1} ms", failure.text),
        Answer::Failed(Some(status), failure) => {
            format!("{status}, then {} after {took:.1} ms", failure.text)
        }
    }
}

fn depends(id: &'static str) -> Line {
    Line::unknown(id, "see accepts.verification")
}

fn refused(id: &'static str, exchange: &Exchange, otherwise: &str) -> Line {
    let answer = answer(exchange);
    match exchange.answer {
        Answer::Status(status, _) if status.is_success() => {
            Line::fail(id, format_args!("{answer}: {otherwise}"))
        }
        Answer::Status(..) => Line::pass(id, answer),
        _ => Line::unknown(id, answer),
    }
}

fn accepted(id: &'static str, exchange: &Exchange, otherwise: Option<&str>) -> Line {
    if exchange.is_delivered() {
        return Line::pass(id, answer(exchange));
    }
    let remedy = match exchange.answer {
        Answer::Status(status, _) => {
            hint::of_status(status).unwrap_or("answer 2xx to what is authentic")
        }
        Answer::TimedOut(_) => "answer first, and do the work later",
        _ => "the connection broke: look into the log of the receiver",
    };
    Line::fail(
        id,
        format_args!("{}: {}", answer(exchange), otherwise.unwrap_or(remedy)),
    )
}

/// An answer other than a 2xx, or the end of the connection, before all was sent. Where nothing else is answered either, the end
/// of the connection is no refusal.
fn given_up(id: &'static str, exchange: &Exchange, is_answering: bool, otherwise: &str) -> Line {
    let answer = answer(exchange);
    match exchange.answer {
        Answer::Status(status, _) if !status.is_success() => Line::pass(id, answer),
        Answer::Status(..) => Line::warn(id, format_args!("{answer}: {otherwise}")),
        _ if !is_answering => Line::unknown(
            id,
            format_args!("{answer}, as what came before was not answered either"),
        ),
        Answer::Failed(_, ref failure) if !failure.is_refused => Line::pass(id, answer),
        Answer::Failed(..) => Line::unknown(id, answer),
        Answer::TimedOut(_) => Line::warn(id, format_args!("{answer}: {otherwise}")),
    }
}
