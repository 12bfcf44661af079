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
use tokio::join;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use self::handshake::{Failure, Sent, handshake};
use self::hello::{Version, is_offered};
use super::line::Line;

/// An old version, and whether a server offers it, or why that is not known.
type Offer = (Version, Result<bool, String>);

const VERSIONS: &str = "tls.versions";

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
    let (newest, older, tls11, tls10) = join!(
        handshake(address, name.clone(), &TLS13),
        handshake(address, name.clone(), &TLS12),
        is_offered(address, host, Version::Tls11),
        is_offered(address, host, Version::Tls10),
    );
    let old = [(Version::Tls11, tls11), (Version::Tls10, tls10)];
    match (newest, older) {
        (Err(_), Err(Failure::NothingInCommon))
            if is_offered(address, host, Version::Tls12).await == Ok(true) =>
        {
            with_weak_cipher_suites(&old)
        }
        (Err(_), Err(_)) if old.iter().any(|(_, offered)| *offered == Ok(true)) => {
            with_old_tls_only(&old)
        }
        (Err(error), Err(_)) => without_tls(&format!(
            "no TLS handshake: {error}: is this the port for https?"
        )),
        (newest, older) => {
            let versions = versions(newest.as_ref().err(), older.as_ref().err());
            let mut lines = vec![Line::pass("tls", "https"), versions, old_versions(&old)];
            if let Ok(sent) = newest.or(older) {
                lines.extend(of_certificates(&sent, &name, roots));
            }
            lines
        }
    }
}

/// What is said if at least one of the handshakes did not fail.
fn versions(newest: Option<&Failure>, older: Option<&Failure>) -> Line {
    match (newest, older) {
        (None, None) => Line::pass(VERSIONS, "1.3 and 1.2"),
        (None, Some(Failure::Unknown(why))) => Line::pass(
            VERSIONS,
            format_args!("1.3; whether 1.2 is offered is not known: {why}"),
        ),
        (None, Some(_)) => Line::pass(VERSIONS, "1.3"),
        (Some(Failure::Unknown(why)), _) => Line::unknown(
            VERSIONS,
            format_args!("1.2; whether 1.3 is offered is not known: {why}"),
        ),
        (Some(_), _) => Line::warn(VERSIONS, "1.2, but not 1.3: enable it"),
    }
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

fn with_weak_cipher_suites(old: &[Offer]) -> Vec<Line> {
    let mut lines = vec![
        Line::pass("tls", "https"),
        Line::fail(
            VERSIONS,
            "1.2, but with neither AES-GCM nor ChaCha20 by ECDHE, without which SSL Labs grades B at best: enable these cipher suites, and 1.3",
        ),
        old_versions(old),
    ];
    lines.extend(OF_CERTIFICATES.map(|id| Line::unknown(id, "see tls.versions")));
    lines
}

fn with_old_tls_only(old: &[Offer]) -> Vec<Line> {
    let newest = if old[0].1 == Ok(true) {
        old[0].0
    } else {
        old[1].0
    };
    let mut lines = vec![
        Line::pass("tls", "https"),
        Line::fail(
            VERSIONS,
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

fn old_versions(old: &[Offer]) -> Line {
    const ID: &str = "tls.old-versions";

    let offered: Vec<_> = old
        .iter()
        .filter(|(_, offered)| *offered == Ok(true))
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
    let unknown = old
        .iter()
        .find_map(|(version, offered)| Some((version.name(), offered.as_ref().err()?)));
    if let Some((version, why)) = unknown {
        return Line::unknown(
            ID,
            format_args!("whether {version} is offered is not known: {why}"),
        );
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

#[cfg(test)]
mod tests {
    use super::super::line::Verdict;
    use super::*;

    #[test]
    fn what_could_not_be_asked_for_is_not_taken_for_refused() {
        let (refused, unknown) = (
            Failure::Refused("refused".to_owned()),
            Failure::Unknown("no connection".to_owned()),
        );
        for (newest, older, verdict) in [
            (None, None, Verdict::Pass),
            (None, Some(&refused), Verdict::Pass),
            (None, Some(&unknown), Verdict::Pass),
            (Some(&refused), None, Verdict::Warn),
            (Some(&unknown), None, Verdict::Unknown),
        ] {
            let line = versions(newest, older);
            let is_unknown = [newest, older]
                .iter()
                .flatten()
                .any(|failure| matches!(failure, Failure::Unknown(_)));
            assert_eq!(line.verdict, verdict);
            assert_eq!(
                line.text.contains("is not known: no connection"),
                is_unknown
            );
        }
        let old = |tls11, tls10| old_versions(&[(Version::Tls11, tls11), (Version::Tls10, tls10)]);
        let lost = || Err("no connection".to_owned());
        for (tls11, tls10, verdict) in [
            (Ok(false), Ok(false), Verdict::Pass),
            (Ok(false), lost(), Verdict::Unknown),
            (lost(), Ok(true), Verdict::Fail),
        ] {
            assert_eq!(old(tls11, tls10).verdict, verdict);
        }
    }
}
