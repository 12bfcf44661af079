//! What a body may have been before something rewrote it.

use http::HeaderMap;
use http::header::CONTENT_LENGTH;

use crate::Mistake;
use crate::encoding;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

type Rewrite = fn(&[u8]) -> Option<Vec<u8>>;

/// Each body that `body` may have been, with what has changed it. None is `body` itself: that would prove nothing.
pub(crate) fn originals(body: &[u8]) -> impl Iterator<Item = (Mistake, Vec<u8>)> {
    REWRITES
        .iter()
        .filter_map(|(mistake, rewrite)| Some((*mistake, rewrite(body)?)))
        .filter(move |(_, original)| original != body)
}

/// What undoes a change of a body that is not about its JSON, each linear in the length of the body.
pub(crate) const REWRITES: [(Mistake, Rewrite); 12] = [
    (Mistake::BodyNewline, without_newline),
    (Mistake::BodyNewline, |body| Some([body, b"\n"].concat())),
    (Mistake::BodyNewline, |body| Some([body, b"\r\n"].concat())),
    (Mistake::BodyNewline, to_line_feeds),
    (Mistake::BodyNewline, to_crlf),
    (Mistake::BodyByteOrderMark, |body| {
        Some(body.strip_prefix(BYTE_ORDER_MARK)?.to_vec())
    }),
    (Mistake::BodyByteOrderMark, |body| {
        Some([BYTE_ORDER_MARK, body].concat())
    }),
    (Mistake::BodyLatin1, to_latin1),
    (Mistake::BodyLatin1, from_latin1),
    (Mistake::BodyBase64, |body| {
        Some(encoding::base64(body.trim_ascii())?.to_vec())
    }),
    (Mistake::BodyFormEncoded, payload_field),
    (Mistake::BodyJsonString, |body| {
        Some(serde_json::from_slice::<String>(body).ok()?.into_bytes())
    }),
];

fn without_newline(body: &[u8]) -> Option<Vec<u8>> {
    let line = body.strip_suffix(b"\n")?;
    Some(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
}

fn to_line_feeds(body: &[u8]) -> Option<Vec<u8>> {
    let mut lines = Vec::with_capacity(body.len());
    let mut bytes = body.iter().peekable();
    while let Some(byte) = bytes.next() {
        if *byte != b'\r' || bytes.peek() != Some(&&b'\n') {
            lines.push(*byte);
        }
    }
    Some(lines)
}

fn to_crlf(body: &[u8]) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = body.split(|byte| *byte == b'\n').collect();
    Some(lines.join(&b"\r\n"[..]))
}

/// For UTF-8 that was read as Latin-1 and written as UTF-8.
fn to_latin1(body: &[u8]) -> Option<Vec<u8>> {
    let text = str::from_utf8(body).ok()?;
    text.chars().map(|c| u8::try_from(c).ok()).collect()
}

/// For UTF-8 that was written as Latin-1.
fn from_latin1(body: &[u8]) -> Option<Vec<u8>> {
    if str::from_utf8(body).is_ok() {
        return None;
    }
    let text: String = body.iter().copied().map(char::from).collect();
    Some(text.into_bytes())
}

fn payload_field(body: &[u8]) -> Option<Vec<u8>> {
    let mut fields = body.split(|byte| *byte == b'&');
    let value = fields.find_map(|field| field.strip_prefix(b"payload="))?;
    Some(encoding::percent(value.trim_ascii_end(), true)?.to_vec())
}

/// What is likely from the look of a request, without any HMAC.
pub(crate) fn visible_mistakes(headers: &HeaderMap, body: &[u8]) -> Vec<Mistake> {
    const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();
    // gzip and Zstandard.
    const COMPRESSED: [&[u8]; 2] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd"];
    let declared = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    let has_other_length = declared.is_some_and(|length: u64| length != body.len() as u64);
    let is_compressed = COMPRESSED.iter().any(|magic| body.starts_with(magic));
    let mut windows = body.windows(REPLACEMENT.len());
    let is_replaced = windows.any(|window| window == REPLACEMENT);
    let is_foreign = OTHER_PROVIDERS
        .iter()
        .any(|name| headers.contains_key(*name));
    let mistakes = [
        (Mistake::BodyLength, has_other_length && !body.is_empty()),
        (Mistake::BodyCompressed, is_compressed),
        (Mistake::BodyReplacementCharacter, is_replaced),
        (Mistake::OtherProvider, is_foreign),
    ];
    mistakes
        .into_iter()
        .filter_map(|(mistake, is_made)| is_made.then_some(mistake))
        .collect()
}

/// The signature headers of other providers.
const OTHER_PROVIDERS: [&str; 10] = [
    "linear-signature",
    "paddle-signature",
    "stripe-signature",
    "svix-signature",
    "webhook-signature",
    "x-hub-signature",
    "x-hub-signature-256",
    "x-shopify-hmac-sha256",
    "x-slack-signature",
    "x-twilio-signature",
];
