use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use cronofy_webhook::Secret;
use http::HeaderValue;
use zeroize::Zeroizing;

use crate::Mistake;
use crate::encoding::Decoded;
use crate::explain::{keyed, sign};
use crate::json::Json;
use crate::style::{self, Style};

/// What a receiver with a mistake would accept, made by [`probes`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Probe {
    /// What is wrong with a receiver that accepts it.
    pub mistake: Mistake,
    /// What usually makes the mistake: ``"Python's `json.dumps`"``, say.
    pub like: Option<&'static str>,
    /// The value of the signature header. It is marked as sensitive: whoever makes the mistake takes it for a signature.
    pub header: HeaderValue,
}

/// The signatures that receivers with a mistake would accept for `body`, in place of the genuine one; the most frequent
/// mistake first.
///
/// It is [`explain`](crate::Diagnosis::explain) forwards, for a receiver of your own that refuses a genuine delivery: if it
/// accepts a probe, that is its mistake, whatever language it is written in. Make sure first that it refuses a forged
/// signature, and afterwards that it refuses the genuine one again.
///
/// There are twelve at most. None equals the genuine signature or another probe, and none is made where the mistake changes
/// nothing: use a body with indented JSON, without a final newline. Whoever accepts the probe of
/// [`BodyEmptied`](Mistake::BodyEmptied) or [`SecretEmpty`](Mistake::SecretEmpty) accepts it with any body: do not send
/// those two over a network that others can read.
///
/// ```
/// use cronofy_webhook::{Secret, Verifier};
/// use cronofy_webhook_diagnosis::{Mistake, probes};
///
/// let body = br#"{ "example": "well-known" }"#;
/// let probes = probes(&Secret::new("CRN_an_example"), body);
///
/// // A receiver that parses the JSON, and checks what `JSON.stringify` makes of it:
/// let receiver = Verifier::new(["CRN_an_example"])?;
/// let accepted = probes.iter().find(|probe| probe.header == receiver.sign(br#"{"example":"well-known"}"#)).unwrap();
/// assert_eq!(accepted.mistake, Mistake::BodyReserialised);
/// assert_eq!(accepted.like, Some("JavaScript's `JSON.stringify`"));
///
/// assert!(probes.iter().all(|probe| probe.header != receiver.sign(body)));
/// # Ok::<_, cronofy_webhook::SecretError>(())
/// ```
#[must_use]
pub fn probes(secret: &Secret, body: &[u8]) -> Vec<Probe> {
    let key = secret.expose().as_bytes();
    let genuine = signature(key, body);
    let mut probes: Vec<Probe> = Vec::new();
    for (mistake, like, signature) in candidates(key, body) {
        let Some(mut header) = signature.and_then(|text| HeaderValue::try_from(text).ok()) else {
            continue;
        };
        if header != genuine && probes.iter().all(|probe| probe.header != header) {
            header.set_sensitive(true);
            probes.push(Probe {
                mistake,
                like,
                header,
            });
        }
    }
    probes
}

type Candidate = (Mistake, Option<&'static str>, Option<String>);

/// Each with its signature, if the mistake can be made.
#[rustfmt::skip]
fn candidates(key: &[u8], body: &[u8]) -> [Candidate; 12] {
    let json = Json::parse(body);
    let json = json.as_ref();
    let lists = json.and_then(Json::with_empty_lists);
    let sorted = json.map(Json::sorted);
    let styled = |style: Style, json: Option<&Json<'_>>| {
        let text = style.write(json?)?;
        Some(signature(key, text.as_bytes()))
    };
    let by = |key: Decoded| signature(&key, body);
    let hex = hex(&*sign(&keyed(key), body));
    [
        (Mistake::BodyReserialised, Some("JavaScript's `JSON.stringify`"), styled(style::JAVASCRIPT, json)),
        (Mistake::BodyReserialised, Some("Python's `json.dumps`"), styled(style::PYTHON, json)),
        (Mistake::SignatureHex, Some("Python's `hexdigest`"), Some(hex.clone())),
        (Mistake::SignatureHex, Some("Base64 of PHP's `hash_hmac`"), Some(STANDARD.encode(&hex))),
        (Mistake::SecretQuoted, None, Some(by(Zeroizing::new([b"\"", key, b"\""].concat())))),
        (Mistake::SecretWhitespace, Some("a file that ends with a newline"), Some(by(Zeroizing::new([key, b"\n"].concat())))),
        (Mistake::BodyReserialised, Some("PHP's `json_encode`"), styled(style::PHP, lists.as_ref().or(json))),
        (Mistake::BodyEmptied, None, Some(signature(key, b""))),
        (Mistake::BodyKeysReordered, Some("Go's `json.Marshal` of a map"), styled(style::GO, sorted.as_ref())),
        (Mistake::SecretEmpty, None, Some(signature(b"", body))),
        (Mistake::SignaturePrefixed, None, Some(format!("sha256={hex}"))),
        (Mistake::SecretDecoded, Some("Node's `Buffer.from(secret, 'base64')`"), decoded(key).map(by)),
    ]
}

fn signature(key: &[u8], body: &[u8]) -> String {
    STANDARD.encode(*sign(&keyed(key), body))
}

fn hex(tag: &[u8]) -> String {
    tag.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The secret decoded as Node does: either alphabet, padded or not, and what is left at the end is dropped.
fn decoded(key: &[u8]) -> Option<Decoded> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &URL_SAFE,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::RequireNone),
    );
    let mut text = Zeroizing::new(key.to_vec());
    for symbol in text.iter_mut() {
        match symbol {
            b'+' => *symbol = b'-',
            b'/' => *symbol = b'_',
            _ => {}
        }
    }
    let length = text.iter().rposition(|symbol| *symbol != b'=')? + 1;
    let whole = length - usize::from(length % 4 == 1);
    let mut decoded = Zeroizing::new(vec![0; whole]);
    let length = LENIENT.decode_slice(&text[..whole], &mut decoded).ok()?;
    decoded.truncate(length);
    (!decoded.is_empty()).then_some(decoded)
}
