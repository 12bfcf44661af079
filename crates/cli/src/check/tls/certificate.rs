//! What the certificates say: names, times and keys.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use x509_parser::oid_registry::OID_SIG_ED25519;
use x509_parser::prelude::{GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::super::line::Line;
use super::chain::Path;
use crate::text::Escaped;

const DAY: i64 = 24 * 60 * 60;

/// A certificate with less time left warns: automatic renewals come earlier.
const RENEWAL_DAYS: i64 = 14;

pub(super) fn name(
    der: &CertificateDer<'_>,
    certificate: &X509Certificate<'_>,
    host: &ServerName<'_>,
) -> Line {
    const ID: &str = "tls.name";

    let is_valid =
        ParsedCertificate::try_from(der).and_then(|parsed| verify_server_name(&parsed, host));
    let names = names(certificate);
    let names = Escaped(&names);
    match is_valid {
        Ok(()) => Line::pass(ID, names),
        Err(_) => Line::fail(
            ID,
            format_args!(
                "the certificate is for {names}, not for {}: get one for this host",
                host.to_str()
            ),
        ),
    }
}

fn names(certificate: &X509Certificate<'_>) -> String {
    let names = certificate.subject_alternative_name().ok().flatten();
    let names: Vec<String> = names
        .iter()
        .flat_map(|names| &names.value.general_names)
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress([a, b, c, d]) => Some(format!("{a}.{b}.{c}.{d}")),
            GeneralName::IPAddress(bytes) => {
                let bytes: [u8; 16] = (*bytes).try_into().ok()?;
                Some(std::net::Ipv6Addr::from(bytes).to_string())
            }
            _ => None,
        })
        .collect();
    if names.is_empty() {
        "no host".to_owned()
    } else {
        names.join(", ")
    }
}

pub(super) fn validity(path: &Path<'_>) -> Line {
    const ID: &str = "tls.validity";

    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    for certificate in &path.certificates {
        let validity = certificate.validity();
        let subject = certificate.subject().to_string();
        let subject = Escaped(&subject);
        if validity.not_after.timestamp() < now {
            return Line::fail(
                ID,
                format_args!("{subject} expired on {}: renew it", validity.not_after),
            );
        }
        if validity.not_before.timestamp() > now {
            return Line::fail(
                ID,
                format_args!(
                    "{subject} is not valid before {}: check the clock of who issued it",
                    validity.not_before
                ),
            );
        }
    }
    let ends = path
        .certificates
        .iter()
        .map(|certificate| certificate.validity().not_after.timestamp());
    let days = (ends.min().unwrap_or(now) - now) / DAY;
    if days < RENEWAL_DAYS {
        Line::warn(
            ID,
            format_args!("{days} days left: check that it is renewed"),
        )
    } else {
        Line::pass(ID, format_args!("{days} days left"))
    }
}

pub(super) fn key(path: &Path<'_>, has_staple: bool) -> Line {
    const ID: &str = "tls.key";

    if let Some(bits) = short_key(path) {
        return Line::fail(
            ID,
            format_args!("RSA of {bits} bits: use RSA of 2048 bits or more, or ECDSA with P-256"),
        );
    }
    let host = path.certificates[0];
    if host.public_key().algorithm.algorithm == OID_SIG_ED25519 {
        return Line::warn(
            ID,
            "Ed25519, which many clients do not know: use ECDSA with P-256",
        );
    }
    if must_staple(host) && !has_staple {
        return Line::warn(
            ID,
            "the certificate demands OCSP stapling, and the server does not do it: enable it, or get a certificate that does not demand it",
        );
    }
    match host.public_key().parsed() {
        Ok(PublicKey::RSA(rsa)) => {
            Line::pass(ID, format_args!("RSA of {} bits", bits(rsa.modulus)))
        }
        Ok(PublicKey::EC(point)) => {
            Line::pass(ID, format_args!("ECDSA of {} bits", point.key_size()))
        }
        _ => Line::unknown(ID, "a kind of key that this version does not know"),
    }
}

/// The length of an RSA key that no client accepts.
pub(super) fn short_key(path: &Path<'_>) -> Option<usize> {
    path.certificates
        .iter()
        .find_map(|certificate| match certificate.public_key().parsed() {
            Ok(PublicKey::RSA(rsa)) => Some(bits(rsa.modulus)).filter(|bits| *bits < 2048),
            _ => None,
        })
}

fn bits(modulus: &[u8]) -> usize {
    let modulus = &modulus[modulus.iter().take_while(|byte| **byte == 0).count()..];
    let unused = modulus
        .first()
        .map_or(0, |byte| byte.leading_zeros() as usize);
    8 * modulus.len() - unused
}

/// Whether the TLS features (RFC 7633) that the certificate demands include `status_request`, which is number 5.
fn must_staple(certificate: &X509Certificate<'_>) -> bool {
    certificate.extensions().iter().any(|extension| {
        extension.oid.to_id_string() == "1.3.6.1.5.5.7.1.24"
            && extension.value.windows(3).any(|window| window == [2, 1, 5])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_of_a_modulus_are_counted_from_its_first_one() {
        assert_eq!(bits(&[0, 0x80, 0, 0]), 24);
        assert_eq!(bits(&[0x40, 0]), 15);
        assert_eq!(bits(&[0, 0]), 0);
    }
}
