use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, Scheme};

/// What the callback URLs of a receiver have in common: scheme and host, and the prefix of the path that a router or a proxy
/// strips.
///
/// For [`CronofyWebhookLayer::public_url`](crate::CronofyWebhookLayer::public_url). Its `Debug` shows no path, as paths may hold
/// tokens.
///
/// ```
/// use cronofy_webhook::PublicUrl;
///
/// assert!("https://receiver.example".parse::<PublicUrl>().is_ok());
///
/// let error = "receiver.example".parse::<PublicUrl>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the public URL is not absolute: set scheme and host of the callback URLs, such as https://receiver.example",
/// );
/// ```
#[derive(Clone)]
#[must_use]
pub struct PublicUrl {
    scheme: Scheme,
    authority: Authority,
    /// The path that a router or a proxy strips, normalised. Does not end with a slash.
    prefix: String,
}

/// # Errors
///
/// If it is not an absolute http or https URL, has an invalid port, or has user information, a query or a fragment.
impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(url: &str) -> Result<Self, PublicUrlError> {
        Self::parse(url).map_err(|problem| PublicUrlError { problem })
    }
}

/// As its [`FromStr`].
impl TryFrom<&str> for PublicUrl {
    type Error = PublicUrlError;

    fn try_from(url: &str) -> Result<Self, PublicUrlError> {
        url.parse()
    }
}

impl PublicUrl {
    fn parse(url: &str) -> Result<Self, &'static str> {
        let uri: Uri = url.parse().map_err(|_| "is not a URL")?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err("is not absolute");
        };
        if default_port(scheme).is_none() {
            return Err("is neither http nor https");
        }
        if authority.host().is_empty() {
            return Err("has no host");
        }
        if authority.as_str().contains('@') {
            return Err("has user information");
        }
        if authority.host().starts_with('[') && ipv6(authority.host()).is_none() {
            return Err("has brackets around what is no IPv6 address");
        }
        if matches!(port(authority), None | Some(Some(0))) {
            return Err("has a port that is not a number from 1 to 65535");
        }
        // `Uri` drops the fragment.
        if uri.query().is_some() || url.contains('#') {
            return Err("has a query or a fragment");
        }
        let path = normalised(uri.path());
        Ok(Self {
            scheme: scheme.clone(),
            authority: authority.clone(),
            prefix: path.strip_suffix('/').unwrap_or(&path).to_owned(),
        })
    }

    /// Compares the `callback_url` of a notification with the URL of the request that it came in.
    ///
    /// Scheme and host are compared case-insensitively, and the port defaults to that of the scheme; path and query are
    /// compared [`normalised`].
    pub(crate) fn check(
        &self,
        request: &Uri,
        callback_url: &str,
    ) -> Result<(), CallbackUrlMismatch> {
        let (origin, path, query) = split(callback_url);
        let origin: Uri = origin
            .parse()
            .map_err(|_| CallbackUrlMismatch::NotAbsolute)?;
        let (Some(scheme), Some(authority)) = (origin.scheme(), origin.authority()) else {
            return Err(CallbackUrlMismatch::NotAbsolute);
        };
        let has_same_host = is_same_host(authority.host(), self.authority.host());
        let has_same_query = request.query().map(normalised) == query.map(normalised);
        let parts = [
            ("scheme", *scheme == self.scheme),
            ("host", has_same_host),
            ("port", self.has_port_of(scheme, authority)),
            (
                "path",
                self.has_path(&normalised(request.path()), &normalised(path)),
            ),
            ("query", has_same_query),
        ];
        let different: Vec<_> = parts
            .into_iter()
            .filter_map(|(part, is_same)| (!is_same).then_some(part))
            .collect();
        if different.is_empty() {
            Ok(())
        } else {
            Err(CallbackUrlMismatch::Parts(different))
        }
    }

    fn has_port_of(&self, scheme: &Scheme, authority: &Authority) -> bool {
        let (ours, theirs) = (port(&self.authority), port(authority));
        match (ours, theirs) {
            // If only the scheme differs, the port that follows from it is no second difference.
            (Some(None), Some(None)) => true,
            (Some(ours), Some(theirs)) => {
                ours.or(default_port(&self.scheme)) == theirs.or(default_port(scheme))
            }
            _ => false,
        }
    }

    fn has_path(&self, request: &str, callback: &str) -> bool {
        match callback.strip_prefix(&self.prefix) {
            Some(rest) if rest == request => true,
            // Routers pass on `/` when they are nested at exactly this path.
            Some("") => request == "/",
            _ => false,
        }
    }
}

// Without the prefix: paths may hold tokens.
impl fmt::Debug for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicUrl")
            .field("scheme", &self.scheme)
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}

/// Why a [`PublicUrl`] could not be parsed. Never shows the value, which may come from the wrong variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrlError {
    problem: &'static str,
}

impl fmt::Display for PublicUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the public URL {}: set scheme and host of the callback URLs, such as https://receiver.example",
            self.problem
        )
    }
}

impl Error for PublicUrlError {}

/// Scheme and authority, the path, and the query. Not parsed as one `Uri`, which refuses what a client encodes.
fn split(url: &str) -> (&str, &str, Option<&str>) {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let (url, query) = match url.split_once('?') {
        Some((url, query)) => (url, Some(query)),
        None => (url, None),
    };
    let authority = url.find("://").map_or(0, |scheme| scheme + "://".len());
    match url[authority..].find('/') {
        Some(path) => (&url[..authority + path], &url[authority + path..], query),
        None => (url, "/", query),
    }
}

/// A path or a query in the form that is compared: what a URL may not contain is percent-encoded, as the client does with a URL that
/// was registered without, and so is `'`, which some clients encode; the digits of percent escapes are in upper case.
fn normalised(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte != b'%' && is_allowed(byte)) {
        return text.into();
    }
    let mut normal = String::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        match after {
            [high, low, after @ ..]
                if *byte == b'%' && high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                normal
                    .extend([b'%', *high, *low].map(|byte| char::from(byte.to_ascii_uppercase())));
                rest = after;
            }
            _ if is_allowed(*byte) => normal.push(char::from(*byte)),
            _ => normal.push_str(&format!("%{byte:02X}")),
        }
    }
    normal.into()
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&()*+,;=:@/?%".contains(&byte)
}

/// The port that is given, if one is; `None` if what is given is not a port.
fn port(authority: &Authority) -> Option<Option<u16>> {
    let text = authority.as_str();
    let host_and_port = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
    match host_and_port.strip_prefix(authority.host())? {
        "" | ":" => Some(None),
        _ => authority.port_u16().map(Some),
    }
}

fn default_port(scheme: &Scheme) -> Option<u16> {
    match scheme.as_str() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

fn is_same_host(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || matches!((ipv6(a), ipv6(b)), (Some(a), Some(b)) if a == b)
}

/// An IPv6 address can be written in several ways.
fn ipv6(host: &str) -> Option<Ipv6Addr> {
    let address = host.strip_prefix('[')?.strip_suffix(']')?;
    address.parse().ok()
}

/// How the `callback_url` of a notification differs from the URL of the request. Names parts of it only: paths and queries
/// may hold tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CallbackUrlMismatch {
    NotAbsolute,
    Parts(Vec<&'static str>),
}

impl fmt::Display for CallbackUrlMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAbsolute => f.write_str("the `callback_url` is not a valid absolute URL"),
            Self::Parts(parts) => write!(
                f,
                "the `callback_url` differs from the public URL joined with the request's path and query in: {}",
                parts.join(", ")
            ),
        }
    }
}

impl Error for CallbackUrlMismatch {}
