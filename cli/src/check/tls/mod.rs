//! Whether Cronofy would accept the TLS of a server.
//!
//! Cronofy [asks for grade A](https://docs.cronofy.com/developers/push-notifications/) of SSL Labs' test, and does not deliver
//! where a certificate is self-signed or the chain is incomplete.

mod certificate;
mod chain;
mod handshake;
mod hello;

use std::net::SocketAddr;

use rustls::RootCertStore;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use self::handshake::{Sent, TIMEOUT, handshake};
use self::hello::{OldVersion, is_offered};
use super::line::Line;

/// The questions about certificates, in their order.
const OF_CERTIFICATES: [&str; 5] = [
    "tls.chain",
    "tls.root",
    "tls.name",
    "tls.validity",
    "tls.key",
];

/// All questions, in their order.
pub(super) const IDS: [&str; 8] = [
    "tls",
    "tls.versions",
    "tls.old-versions",
    "tls.chain",
    "tls.root",
    "tls.name",
    "tls.validity",
    "tls.key",
];

/// Answers each question about one address.
pub(super) async fn lines(address: SocketAddr, host: &str, roots: &RootCertStore) -> Vec<Line> {
    let name = match ServerName::try_from(host.to_owned()) {
        Ok(name) => name,
        Err(error) => {
            return without_tls(&format!(
                "{host} cannot be the name of a TLS server: {error}"
            ));
        }
    };
    let silent = format!("no answer within {} s", TIMEOUT.as_secs());
    let Some(newest) = handshake(address, name.clone(), &TLS13).await else {
        return without_tls(&format!(
            "no TLS handshake: {silent}: is this the port for https?"
        ));
    };
    let older = handshake(address, name.clone(), &TLS12).await;
    let older = older.unwrap_or(Err(silent));
    let mut old = Vec::new();
    for version in [OldVersion::Tls11, OldVersion::Tls10] {
        old.push((version, is_offered(address, host, version).await));
    }

    let has_old = old.iter().any(|(_, offered)| *offered == Some(true));
    let (versions, sent) = match (newest, older) {
        (Ok(sent), Ok(_)) => (Line::pass("tls.versions", "1.3 and 1.2"), sent),
        (Ok(sent), Err(_)) => (Line::pass("tls.versions", "1.3"), sent),
        (Err(_), Ok(sent)) => (
            Line::warn("tls.versions", "1.2, but not 1.3: enable it"),
            sent,
        ),
        (Err(_), Err(_)) if has_old => return with_old_tls_only(&old),
        (Err(error), Err(_)) => {
            return without_tls(&format!(
                "no TLS handshake: {error}: is this the port for https?"
            ));
        }
    };
    let mut lines = vec![Line::pass("tls", "https"), versions, old_versions(&old)];
    lines.extend(of_certificates(&sent, &name, roots));
    lines
}

fn without_tls(what: &str) -> Vec<Line> {
    let (first, others) = (IDS[0], &IDS[1..]);
    let others = others
        .iter()
        .map(|id| Line::unknown(id, "not known without TLS"));
    [Line::fail(first, what)]
        .into_iter()
        .chain(others)
        .collect()
}

fn with_old_tls_only(old: &[(OldVersion, Option<bool>)]) -> Vec<Line> {
    let newest = if old[0].1 == Some(true) {
        old[0].0
    } else {
        old[1].0
    };
    let mut lines = vec![
        Line::pass("tls", "https"),
        Line::fail(
            "tls.versions",
            format_args!(
                "{} at the most: enable 1.2 and 1.3, and disable what is older",
                newest.name()
            ),
        ),
        Line::unknown("tls.old-versions", "see tls.versions"),
    ];
    lines.extend(OF_CERTIFICATES.map(|id| Line::unknown(id, "not known without TLS 1.2 or 1.3")));
    lines
}

fn old_versions(old: &[(OldVersion, Option<bool>)]) -> Line {
    const ID: &str = "tls.old-versions";

    let offered: Vec<_> = old
        .iter()
        .filter(|(_, offered)| *offered == Some(true))
        .map(|(version, _)| version.name())
        .collect();
    if !offered.is_empty() {
        let offered = offered.join(" and ");
        return Line::fail(
            ID,
            format_args!(
                "still offers {offered}, for which SSL Labs grades B at best: disable what is older than 1.2"
            ),
        );
    }
    if old.iter().any(|(_, offered)| offered.is_none()) {
        return Line::unknown(ID, "the server did not answer to an offer of 1.1 or 1.0");
    }
    Line::pass(ID, "neither 1.1 nor 1.0 is offered")
}

fn of_certificates(sent: &Sent, name: &ServerName<'static>, roots: &RootCertStore) -> Vec<Line> {
    let parsed: Result<Vec<_>, _> = sent
        .certificates
        .iter()
        .map(|certificate| X509Certificate::from_der(certificate).map(|(_, parsed)| parsed))
        .collect();
    match parsed {
        Ok(parsed) if !parsed.is_empty() => {
            let path = chain::path(&parsed, roots);
            let has_short_key = certificate::short_key(&path).is_some();
            let [chain, root] = chain::lines(&path, &sent.certificates, roots, has_short_key);
            vec![
                chain,
                root,
                certificate::name(&sent.certificates[0], &parsed[0], name),
                certificate::validity(&path),
                certificate::key(&path, sent.has_staple),
            ]
        }
        _ => {
            let mut lines = OF_CERTIFICATES.map(|id| Line::unknown(id, "see tls.chain"));
            lines[0] = Line::fail("tls.chain", "a certificate is malformed: install it anew");
            lines.to_vec()
        }
    }
}
