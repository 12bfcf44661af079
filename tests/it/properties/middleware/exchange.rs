use std::time::Duration;

use arbitrary::{Arbitrary, Result, Unstructured};
use bytes::Bytes;
use cronofy_webhook::Overrun;
use cronofy_webhook::signature::HEADER;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, Method, Request};

use super::HELD;
use crate::properties::reference;
use crate::support::{CHANGE, Script, Step};

/// A request, the frames of its body, what the handler does, and the settings of the layer.
///
/// All times are whole milliseconds, the resolution of the timers, and few, so that they often coincide.
#[derive(Arbitrary, Debug)]
pub(super) struct Exchange {
    pub(super) signature: Signature,
    #[arbitrary(with = few)]
    pub(super) body: Vec<Chunk>,
    pub(super) handler: Handler,
    #[arbitrary(with = millis::<1, 20>)]
    pub(super) budget: Duration,
    #[arbitrary(with = overrun)]
    pub(super) overrun: Overrun,
    #[arbitrary(with = millis::<0, 20>)]
    pub(super) grace: Duration,
    #[arbitrary(with = perhaps(millis::<0, 30>))]
    pub(super) disconnect: Option<Duration>,
    /// How much larger than the body the limit is.
    #[arbitrary(with = a_few_bytes)]
    room: isize,
    /// By how much the length that the body type declares is over the limit.
    #[arbitrary(with = perhaps(a_few_bytes))]
    declared: Option<isize>,
    content_length: Option<ContentLength>,
    is_post: bool,
    header: Vec<u8>,
}

#[derive(Arbitrary, Debug)]
pub(super) enum Signature {
    First,
    Second,
    BesideOneNotHeld,
    NotHeld,
    Absent,
    Blank,
    Text(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
pub(super) enum Chunk {
    Data(Vec<u8>),
    Change,
    /// With the genuine signature in them, which must be ignored.
    Trailers,
    Pause(#[arbitrary(with = millis::<1, 20>)] Duration),
    Fail,
    Hang,
}

#[derive(Arbitrary, Debug)]
pub(super) struct Handler {
    #[arbitrary(with = millis::<0, 40>)]
    pub(super) takes: Duration,
    pub(super) end: HandlerEnd,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum HandlerEnd {
    Answer(#[arbitrary(with = status)] u16),
    Fail,
    Panic,
    Hang,
}

#[derive(Arbitrary, Debug)]
enum ContentLength {
    /// By how much it is over the limit.
    Over(#[arbitrary(with = a_few_bytes)] isize),
    NoNumber,
}

/// An extension that the handler must find.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Extension;

impl Exchange {
    /// All data of the body, whether it is received or not.
    pub(super) fn data(&self) -> Vec<u8> {
        self.body.iter().flat_map(Chunk::data).copied().collect()
    }

    pub(super) fn limit(&self) -> usize {
        self.data().len().saturating_add_signed(self.room).max(1)
    }

    /// The lengths that are declared before the body is read.
    pub(super) fn declared(&self) -> impl Iterator<Item = usize> {
        let in_header = match self.content_length {
            Some(ContentLength::Over(by)) => Some(by),
            Some(ContentLength::NoNumber) | None => None,
        };
        let over = self.declared.into_iter().chain(in_header);
        over.map(|by| self.limit().saturating_add_signed(by))
    }

    pub(super) fn headers(&self) -> HeaderMap {
        let text = match &self.signature {
            Signature::First => b"$",
            Signature::Second => b"&",
            Signature::BesideOneNotHeld => &b"%,$"[..],
            Signature::NotHeld => b"%",
            Signature::Absent => return self.other_headers(),
            Signature::Blank => b" , ",
            Signature::Text(text) => text,
        };
        let mut headers = self.other_headers();
        headers.extend(reference::headers(text, &HELD, &self.data()));
        headers
    }

    fn other_headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(&self.header) {
            headers.append("x-header", value);
        }
        let length = self.content_length.as_ref().map(|length| match length {
            ContentLength::Over(by) => self.limit().saturating_add_signed(*by).into(),
            ContentLength::NoNumber => HeaderValue::from_static("many"),
        });
        if let Some(length) = length {
            headers.append(CONTENT_LENGTH, length);
        }
        headers
    }

    pub(super) fn request(&self) -> Request<Script> {
        let mut trailers = HeaderMap::new();
        let genuine = reference::signature(HELD[0], &self.data());
        trailers.insert(HEADER, HeaderValue::from_bytes(&genuine).expect("Base64"));

        let mut body = Script::new(self.body.iter().map(|chunk| match chunk {
            Chunk::Data(_) | Chunk::Change => Step::Data(Bytes::copy_from_slice(chunk.data())),
            Chunk::Trailers => Step::Trailers(trailers.clone()),
            Chunk::Pause(time) => Step::Pause(*time),
            Chunk::Fail => Step::Fail("of the body"),
            Chunk::Hang => Step::Hang,
        }));
        if let Some(over) = self.declared {
            body = body.declaring(self.limit().saturating_add_signed(over) as u64);
        }
        let mut request = Request::new(body);
        if self.is_post {
            *request.method_mut() = Method::POST;
        }
        *request.uri_mut() = "/cronofy/42?source=cronofy".parse().expect("a path");
        *request.headers_mut() = self.headers();
        request.extensions_mut().insert(Extension);
        request
    }
}

impl Chunk {
    pub(super) fn data(&self) -> &[u8] {
        match self {
            Self::Data(data) => data,
            Self::Change => CHANGE,
            Self::Trailers | Self::Pause(_) | Self::Fail | Self::Hang => &[],
        }
    }
}

/// Few enough for one poll.
fn few(u: &mut Unstructured<'_>) -> Result<Vec<Chunk>> {
    u.arbitrary_iter()?.take(20).collect()
}

fn millis<const LEAST: u64, const MOST: u64>(u: &mut Unstructured<'_>) -> Result<Duration> {
    u.int_in_range(LEAST..=MOST).map(Duration::from_millis)
}

fn a_few_bytes(u: &mut Unstructured<'_>) -> Result<isize> {
    u.int_in_range(-2..=2)
}

fn status(u: &mut Unstructured<'_>) -> Result<u16> {
    u.int_in_range(200..=599)
}

fn perhaps<T>(
    some: fn(&mut Unstructured<'_>) -> Result<T>,
) -> impl Fn(&mut Unstructured<'_>) -> Result<Option<T>> {
    move |u| u.arbitrary::<bool>()?.then(|| some(u)).transpose()
}

fn overrun(u: &mut Unstructured<'_>) -> Result<Overrun> {
    u.choose(&[Overrun::Finish, Overrun::Accept, Overrun::Cancel])
        .copied()
}
