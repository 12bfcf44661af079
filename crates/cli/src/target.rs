//! The URL of a receiver.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use http::Uri;
use tokio::net::lookup_host;

use crate::error::Error;
use crate::progress::with_progress;
use crate::text::Escaped;

/// The URL of a receiver: absolute, http or https.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    uri: Uri,
}

impl Target {
    /// Parses a URL. `3000/cronofy/42` is one on this machine.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let start = text.split(['/', '?']).next();
        let url = if start.is_some_and(is_port) {
            format!("http://127.0.0.1:{text}")
        } else {
            text.to_owned()
        };
        let has_scheme = ["http://", "https://"].iter().any(|scheme| {
            let start = url.get(..scheme.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        });
        if !has_scheme {
            return Err(
                "it must begin with http:// or https://, or be a port of this machine and a path: 3000/cronofy/42"
                    .to_owned(),
            );
        }
        let uri: Uri = url.parse().map_err(|error| format!("not a URL: {error}"))?;
        let authority = uri.authority().ok_or("the URL has no host")?;
        if authority.as_str().contains('@') {
            return Err("a URL with a user name or a password is not supported".to_owned());
        }
        let port = authority.as_str().get(authority.host().len()..);
        let port = port.filter(|port| !port.is_empty());
        let is_valid = port.is_none_or(|port| port.strip_prefix(':').is_some_and(is_port));
        if authority.host().is_empty() || !is_valid || authority.port_u16() == Some(0) {
            return Err("the URL has no host, or its port is none".to_owned());
        }
        Ok(Self { uri })
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) fn is_https(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    /// The host, without the brackets of an IPv6 address.
    pub(crate) fn host(&self) -> &str {
        let host = self.uri.host().unwrap_or_default();
        host.trim_start_matches('[').trim_end_matches(']')
    }

    pub(crate) fn port(&self) -> u16 {
        let default = if self.is_https() { 443 } else { 80 };
        self.uri.port_u16().unwrap_or(default)
    }

    /// Looks up the addresses of the host, and says so if that takes its time.
    pub(crate) async fn resolve(&self) -> Result<Addresses, Error> {
        let looking_up = || format!("looking up {}", Escaped(self.host()));
        with_progress(self.look_up(), looking_up).await
    }

    /// As [`resolve`](Self::resolve), without a word.
    pub(crate) async fn look_up(&self) -> Result<Addresses, Error> {
        let host = self.host();
        let addresses: Arc<[_]> = lookup_host((host, self.port()))
            .await
            .map_err(|error| Error::failed(format!("{host}: {error}")))?
            .collect();
        if addresses.is_empty() {
            return Err(Error::failed(format!("{host} has no address")));
        }
        Ok(Addresses(addresses))
    }
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok() && !text.starts_with('+')
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uri, f)
    }
}

/// The addresses of a host, looked up once: what was judged is what is connected to.
#[derive(Clone)]
pub(crate) struct Addresses(Arc<[SocketAddr]>);

impl FromIterator<SocketAddr> for Addresses {
    fn from_iter<T: IntoIterator<Item = SocketAddr>>(addresses: T) -> Self {
        Self(addresses.into_iter().collect())
    }
}

impl Addresses {
    pub(crate) fn iter(&self) -> impl Iterator<Item = SocketAddr> + use<> {
        let addresses = Arc::clone(&self.0);
        (0..addresses.len()).map(move |index| addresses[index])
    }

    /// Refuses a host that is not this machine, for what would be a load on somebody else's.
    pub(crate) fn require_loopback(&self, what: &str) -> Result<(), Error> {
        match self
            .0
            .iter()
            .find(|address| !address.ip().to_canonical().is_loopback())
        {
            Some(address) => Err(Error::usage(format!(
                "{what} is for a receiver on this machine, and {} is not: add --allow-remote if you may test it",
                address.ip()
            ))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, String> {
        Target::parse(text).map(|target| target.to_string())
    }

    #[test]
    fn a_port_is_one_of_this_machine() {
        let url = |rest: &str| Ok(format!("http://127.0.0.1:3000{rest}"));
        assert_eq!(parse("3000/cronofy/42"), url("/cronofy/42"));
        assert_eq!(parse("3000?a=b"), url("/?a=b"));
        assert_eq!(parse("3000"), url("/"));
    }

    #[test]
    fn a_url_is_kept_as_it_is() {
        for url in [
            "https://receiver.example/cronofy/42?token=A%2fb",
            "http://[::1]:3000/",
        ] {
            assert_eq!(parse(url).unwrap(), url);
        }
        let target = Target::parse("https://[::1]/").unwrap();
        assert_eq!((target.host(), target.port()), ("::1", 443));
    }

    #[test]
    fn what_is_not_an_absolute_url_is_refused() {
        for url in [
            "",
            "/cronofy",
            "localhost:3000",
            "ftp://a.example/",
            "http://",
            "http://a b/",
            "http://user:password@a.example/",
            "http://a.example:0/",
            "http://a.example:99999/",
            "70000/x",
            "+3000/x",
            "http://a.example:+80/",
        ] {
            assert!(parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn one_remote_address_makes_a_host_remote() {
        let judge = |addresses: &[&str]| {
            let addresses = addresses.iter().map(|address| address.parse().unwrap());
            addresses.collect::<Addresses>().require_loopback("x")
        };
        assert!(
            judge(&[
                "127.0.0.1:1",
                "[::1]:1",
                "127.9.9.9:1",
                "[::ffff:127.0.0.1]:1"
            ])
            .is_ok()
        );
        for remote in ["192.0.2.1:1", "[::ffff:192.0.2.1]:1", "0.0.0.0:1"] {
            assert!(judge(&["127.0.0.1:1", remote]).is_err(), "{remote}");
        }
    }
}
