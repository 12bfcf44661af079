use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderValue};
use http::{HeaderMap, Method, Request, Uri};

use cronofy_webhook::signature::HEADER;
use cronofy_webhook::{Delivery, Secret, Verifier};

/// Signs bodies as Cronofy does.
///
/// ```
/// use bytes::Bytes;
/// use cronofy_webhook_testing::{Payload, Sender};
/// use http_body_util::Full;
///
/// let sender = Sender::new("CRN_test").to("/cronofy/42");
/// let request = sender.request::<Full<Bytes>>(Payload::sample("change"));
/// assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/cronofy/42"));
/// assert!(request.headers().contains_key("cronofy-hmac-sha256"));
///
/// assert_eq!(sender.delivery(Payload::sample("change")).notification().kind(), "change");
/// ```
#[derive(Clone, Debug)]
pub struct Sender {
    verifier: Verifier,
    uri: Uri,
    host: Option<HeaderValue>,
}

impl Sender {
    /// Signs with one client secret, and sends to `/`.
    ///
    /// # Panics
    ///
    /// When the secret is empty or blank.
    #[must_use]
    #[track_caller]
    pub fn new(secret: impl Into<Secret>) -> Self {
        match Verifier::new([secret.into()]) {
            Ok(verifier) => Self::from_verifier(verifier),
            Err(error) => panic!("{error}"),
        }
    }

    /// Signs with each secret of the verifier, as Cronofy does while several are active.
    /// [`Verifier::replace`] rotates them.
    #[must_use]
    pub fn from_verifier(verifier: Verifier) -> Self {
        Self {
            verifier,
            uri: Uri::from_static("/"),
            host: None,
        }
    }

    /// Sends to this path or URL. Of a URL the request has what a server receives: path and query, and a `Host` header.
    ///
    /// # Panics
    ///
    /// When it is not a URI.
    #[must_use]
    #[track_caller]
    pub fn to(mut self, uri: impl AsRef<str>) -> Self {
        let text = uri.as_ref();
        let uri: Uri = text
            .parse()
            .unwrap_or_else(|error| panic!("{text:?} is not a URI: {error}"));
        self.host = uri
            .authority()
            .and_then(|host| HeaderValue::from_str(host.as_str()).ok());
        self.uri = uri
            .path_and_query()
            .map_or_else(|| Uri::from_static("/"), |path| path.clone().into());
        self
    }

    /// A signed `POST` request with Cronofy's content type, with a body of any type that can be made from bytes.
    #[must_use]
    pub fn request<B: From<Bytes>>(&self, body: impl Into<Bytes>) -> Request<B> {
        let body = body.into();
        let signature = self.verifier.sign(&body);
        self.signed(body, Some(signature))
    }

    /// The verified delivery, for a unit test of a handler.
    #[expect(
        clippy::missing_panics_doc,
        reason = "the signature is made with the same secrets"
    )]
    pub fn delivery(&self, body: impl Into<Bytes>) -> Delivery {
        let body = body.into();
        let headers = HeaderMap::from_iter([(HEADER, self.verifier.sign(&body))]);
        Delivery::verify(&self.verifier, &headers, body).expect("signed with the same secrets")
    }

    /// Requests that are almost authentic. A receiver must refuse each of them, the layer with 401, without running its handler.
    ///
    /// [`NearMiss::Reserialised`] is left out for a body that is not JSON, [`NearMiss::Truncated`] for an empty one.
    /// [`NearMiss::UrlSafe`] may add spaces to the end of the body, as only a signature with a `+` or a `/` differs.
    #[must_use]
    pub fn near_misses<B: From<Bytes>>(
        &self,
        body: impl Into<Bytes>,
    ) -> Vec<(NearMiss, Request<B>)> {
        let body = body.into();
        let signature = self.verifier.sign(&body);
        let other = Self::new("CRN_the_secret_of_another_application")
            .verifier
            .sign(&body);
        let with = |encode: fn(&[u8]) -> String| Some(each(&signature, encode));
        let unpadded = |mac: &[u8]| STANDARD.encode(mac).trim_end_matches('=').to_owned();
        let (spaced, url_safe) = self.url_safe(&body);
        let mut misses = vec![
            (NearMiss::Unsigned, self.signed(body.clone(), None)),
            (
                NearMiss::OtherSecret,
                self.signed(body.clone(), Some(other)),
            ),
            (
                NearMiss::BodyChanged,
                self.signed(changed(&body), Some(signature.clone())),
            ),
            (NearMiss::Hex, self.signed(body.clone(), with(hex))),
            (NearMiss::UrlSafe, self.signed(spaced, Some(url_safe))),
            (
                NearMiss::Unpadded,
                self.signed(body.clone(), with(unpadded)),
            ),
        ];
        if let Some(reserialised) = reserialised(&body) {
            misses.push((
                NearMiss::Reserialised,
                self.signed(reserialised, Some(signature.clone())),
            ));
        }
        if let Some(last) = body.len().checked_sub(1) {
            misses.push((
                NearMiss::Truncated,
                self.signed(body.slice(..last), Some(signature)),
            ));
        }
        misses
    }

    /// The body, with spaces added until the URL-safe signatures differ from the genuine ones.
    fn url_safe(&self, body: &[u8]) -> (Bytes, HeaderValue) {
        let mut body = body.to_vec();
        loop {
            let genuine = self.verifier.sign(&body);
            let url_safe = each(&genuine, |mac| URL_SAFE.encode(mac));
            let mut pairs = genuine
                .as_bytes()
                .split(|byte| *byte == b',')
                .zip(url_safe.as_bytes().split(|byte| *byte == b','));
            if pairs.all(|(genuine, url_safe)| genuine != url_safe) {
                return (body.into(), url_safe);
            }
            body.push(b' ');
        }
    }

    fn signed<B: From<Bytes>>(&self, body: Bytes, signature: Option<HeaderValue>) -> Request<B> {
        let mut request = Request::new(B::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let content_type = HeaderValue::from_static("application/json; charset=utf-8");
        let headers = [
            (CONTENT_TYPE, Some(content_type)),
            (HOST, self.host.clone()),
            (HEADER, signature),
        ];
        request.headers_mut().extend(
            headers
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        request
    }
}

/// What is wrong with a request that [`Sender::near_misses`] makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NearMiss {
    /// There is no signature header.
    Unsigned,
    /// The signature was made with another client secret.
    OtherSecret,
    /// One byte of the body was changed after it was signed.
    BodyChanged,
    /// The signature is in hexadecimal.
    Hex,
    /// The signature is in the URL-safe alphabet of Base64.
    UrlSafe,
    /// The signature lacks the padding of Base64.
    Unpadded,
    /// The body was parsed and serialised again after it was signed.
    Reserialised,
    /// The last byte of the body is missing.
    Truncated,
}

impl NearMiss {
    /// The name: `"other_secret"`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::OtherSecret => "other_secret",
            Self::BodyChanged => "body_changed",
            Self::Hex => "hex",
            Self::UrlSafe => "url_safe",
            Self::Unpadded => "unpadded",
            Self::Reserialised => "reserialised",
            Self::Truncated => "truncated",
        }
    }
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The listed signatures in another encoding.
fn each(signatures: &HeaderValue, encode: impl Fn(&[u8]) -> String) -> HeaderValue {
    let encoded: Vec<String> = signatures
        .as_bytes()
        .split(|byte| *byte == b',')
        .map(|signature| {
            encode(
                &STANDARD
                    .decode(signature)
                    .expect("`Verifier::sign` writes Base64"),
            )
        })
        .collect();
    HeaderValue::try_from(encoded.join(",")).expect("Base64, hex and commas are visible ASCII")
}

fn hex(mac: &[u8]) -> String {
    mac.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Another letter or digit, so that JSON stays JSON.
fn changed(body: &[u8]) -> Bytes {
    let mut body = body.to_vec();
    let at = body
        .iter()
        .rposition(u8::is_ascii_alphanumeric)
        .or(body.len().checked_sub(1));
    match at {
        Some(at) => body[at] = if body[at] == b'0' { b'1' } else { b'0' },
        None => body.push(b' '),
    }
    body.into()
}

fn reserialised(body: &Bytes) -> Option<Bytes> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    [value.to_string(), format!("{value:#}"), format!("{value} ")]
        .into_iter()
        .map(Bytes::from)
        .find(|text| text != body)
}
