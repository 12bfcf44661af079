use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::net::Ipv6Addr;

use http::Uri;
use http::uri::{Authority, Scheme};

/// Where a receiver is reached: what the URL of a request has before the path that the request names.
#[derive(Clone)]
pub(crate) struct PublicUrl {
    scheme: Scheme,
    authority: Authority,
    /// The path that a proxy or a router removes. Does not end with a slash.
    prefix: String,
}

impl PublicUrl {
    /// # Errors
    ///
    /// A sentence that says what is wrong with the URL, and what to set instead.
    pub(crate) fn parse(url: &str) -> Result<Self, &'static str> {
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
        let path = uri.path();
        Ok(Self {
            scheme: scheme.clone(),
            authority: authority.clone(),
            prefix: path.strip_suffix('/').unwrap_or(path).to_owned(),
        })
    }

    /// Compares the `callback_url` of a notification with the URL of the request that it came in.
    ///
    /// Scheme and host are compared case-insensitively, and the port defaults to that of the scheme; path and query are
    /// compared byte for byte.
    pub(crate) fn check(
        &self,
        request: &Uri,
        callback_url: &str,
    ) -> Result<(), CallbackUrlMismatch> {
        let callback: Uri = percent_encoded(callback_url)
            .parse()
            .map_err(|_| CallbackUrlMismatch::NotAbsolute)?;
        let (Some(scheme), Some(authority)) = (callback.scheme(), callback.authority()) else {
            return Err(CallbackUrlMismatch::NotAbsolute);
        };
        let parts = [
            ("scheme", *scheme == self.scheme),
            (
                "host",
                is_same_host(authority.host(), self.authority.host()),
            ),
            ("port", self.has_port_of(scheme, authority)),
            ("path", self.has_path(request.path(), callback.path())),
            ("query", request.query() == callback.query()),
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

/// As a client sends it: only ASCII is allowed in a request, and the body has the URL as it was registered.
fn percent_encoded(url: &str) -> Cow<'_, str> {
    if url.is_ascii() {
        return url.into();
    }
    let encode = |byte: u8| {
        if byte.is_ascii() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    url.bytes().map(encode).collect()
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
                "the `callback_url` differs from `public_url` joined with the path and the query of the request in: {}",
                parts.join(", ")
            ),
        }
    }
}

impl Error for CallbackUrlMismatch {}
