//! What a URL says of the connections.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls::{self, Check};
use crate::error::OpenError;

/// How long to connect at most. Within the time that a put has.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// After how long without an acknowledgement the system gives a connection up.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);

/// After how long without traffic the system asks whether the server is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// What tokio-postgres sets if the URL does not.
const NO_KEEPALIVE: Duration = Duration::from_secs(2 * 60 * 60);

/// Makes connections.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
}

impl Connector {
    pub(super) fn from_url(url: &str) -> Result<Self, OpenError> {
        let (url, ssl) = Ssl::take_from(url)?;
        let mut config: Config = url
            .parse()
            .map_err(|error| OpenError::Url(reason(&error)))?;
        let (mode, check) = ssl.mode()?;
        config.ssl_mode(mode);
        // After a failover, not the server that has become read-only.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        if config.get_application_name().is_none() {
            config.application_name("cronofy-webhook-inbox");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(TCP_USER_TIMEOUT);
        }
        if config.get_keepalives_idle() == NO_KEEPALIVE {
            config.keepalives_idle(KEEPALIVE);
        }
        let tls = tls::client(check, ssl.root_cert.as_deref())?;
        Ok(Self { config, tls })
    }
}

/// Without the value of an option, which may be the password.
fn reason(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => cause.to_string(),
        None => error.to_string(),
    }
}

/// The parameters that tokio-postgres does not know, or not all of.
#[derive(Default)]
struct Ssl {
    mode: Option<String>,
    root_cert: Option<String>,
}

impl Ssl {
    /// The URL without them.
    fn take_from(url: &str) -> Result<(String, Self), OpenError> {
        let mut ssl = Self::default();
        let Some((base, query)) = url.split_once('?') else {
            return Ok((url.to_owned(), ssl));
        };
        let mut kept = Vec::new();
        for parameter in query.split('&') {
            match parameter.split_once('=') {
                Some(("sslmode", mode)) => ssl.mode = Some(mode.to_owned()),
                Some(("sslrootcert", path)) => ssl.root_cert = Some(decoded(path)?),
                _ => kept.push(parameter),
            }
        }
        kept.retain(|parameter| !parameter.is_empty());
        let separator = if kept.is_empty() { "" } else { "?" };
        Ok((format!("{base}{separator}{}", kept.join("&")), ssl))
    }

    /// As libpq, but for `allow`, which prefers TLS here.
    fn mode(&self) -> Result<(SslMode, Check), OpenError> {
        let is_system = self.root_cert.as_deref() == Some("system");
        let default = if is_system { "verify-full" } else { "prefer" };
        Ok(match self.mode.as_deref().unwrap_or(default) {
            "disable" => (SslMode::Disable, Check::Nothing),
            "allow" | "prefer" => (SslMode::Prefer, Check::Nothing),
            "require" if self.root_cert.is_none() => (SslMode::Require, Check::Nothing),
            "require" | "verify-ca" => (SslMode::Require, Check::Authority),
            "verify-full" => (SslMode::Require, Check::AuthorityAndName),
            _ => {
                let reason = "`sslmode` is none of disable, allow, prefer, require, verify-ca and verify-full";
                return Err(OpenError::Url(reason.to_owned()));
            }
        })
    }
}

/// Without percent-encoding.
fn decoded(text: &str) -> Result<String, OpenError> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    decoded
        .map(Into::into)
        .map_err(|_| OpenError::Url("`sslrootcert` is not UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn mode(parameters: &str) -> (SslMode, Check) {
        let (_, ssl) = Ssl::take_from(&format!("postgres://localhost/{parameters}")).unwrap();
        ssl.mode().unwrap()
    }

    #[test]
    fn sslmode_is_as_in_libpq() {
        for (parameters, expected) in [
            ("", (SslMode::Prefer, Check::Nothing)),
            ("?sslmode=disable", (SslMode::Disable, Check::Nothing)),
            ("?sslmode=prefer", (SslMode::Prefer, Check::Nothing)),
            ("?sslmode=require", (SslMode::Require, Check::Nothing)),
            (
                "?sslmode=require&sslrootcert=root.crt",
                (SslMode::Require, Check::Authority),
            ),
            ("?sslmode=verify-ca", (SslMode::Require, Check::Authority)),
            (
                "?sslmode=verify-full",
                (SslMode::Require, Check::AuthorityAndName),
            ),
            (
                "?sslrootcert=system",
                (SslMode::Require, Check::AuthorityAndName),
            ),
        ] {
            assert_eq!(mode(parameters), expected, "{parameters}");
        }
    }

    #[test]
    fn other_parameters_are_kept() {
        for (url, expected) in [
            (
                "postgres://h/d?a=1&sslmode=require&b=2",
                "postgres://h/d?a=1&b=2",
            ),
            ("postgres://h/d?sslmode=require", "postgres://h/d"),
            ("postgres://h/d", "postgres://h/d"),
        ] {
            assert_eq!(Ssl::take_from(url).unwrap().0, expected);
        }
        let (_, ssl) = Ssl::take_from("postgres://h/d?sslrootcert=%2Fetc%2Froot.crt").unwrap();
        assert_eq!(ssl.root_cert.unwrap(), "/etc/root.crt");
    }

    #[test]
    fn what_a_url_says_is_not_overridden() {
        let url = "postgres://h/d?connect_timeout=7&keepalives_idle=8&tcp_user_timeout=9&application_name=mine";
        let config = Connector::from_url(url).unwrap().config;
        let seconds = Duration::from_secs;
        assert_eq!(config.get_connect_timeout(), Some(&seconds(7)));
        assert_eq!(config.get_keepalives_idle(), seconds(8));
        assert_eq!(config.get_tcp_user_timeout(), Some(&seconds(9)));
        assert_eq!(config.get_application_name(), Some("mine"));

        let config = Connector::from_url("postgres://h/d").unwrap().config;
        assert_eq!(config.get_connect_timeout(), Some(&CONNECT_TIMEOUT));
        assert_eq!(config.get_keepalives_idle(), KEEPALIVE);
        assert_eq!(config.get_tcp_user_timeout(), Some(&TCP_USER_TIMEOUT));
        assert_eq!(
            config.get_target_session_attrs(),
            TargetSessionAttrs::ReadWrite
        );
    }
}
