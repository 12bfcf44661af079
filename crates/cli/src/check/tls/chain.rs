//! From the certificate of a host to a root, by what the server has sent.

use std::fmt;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use x509_parser::prelude::{GeneralName, ParsedExtension, X509Certificate, X509Name};

use super::super::line::Line;
use crate::text::Escaped;
use crate::tls::provider;

/// The certificates from that of the host upwards, each signed by the next, and what is above the last.
pub(super) struct Path<'a> {
    pub(super) certificates: Vec<&'a X509Certificate<'a>>,
    /// In which place each was sent.
    places: Vec<usize>,
    end: End,
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    /// A root that is known.
    Root,
    /// Nothing: the last certificate has signed itself.
    SelfSigned,
    /// A certificate that was not sent and is no known root.
    Missing,
}

/// Follows the issuers through what was sent, which is not empty.
pub(super) fn path<'a>(sent: &'a [X509Certificate<'a>], roots: &RootCertStore) -> Path<'a> {
    let mut places = vec![0];
    loop {
        let last = &sent[places[places.len() - 1]];
        let issuer = last.issuer();
        let next = sent.iter().enumerate().position(|(place, certificate)| {
            !places.contains(&place) && certificate.subject().as_raw() == issuer.as_raw()
        });
        let end = if is_root(issuer, roots) {
            End::Root
        } else if last.subject().as_raw() == issuer.as_raw() {
            End::SelfSigned
        } else if let Some(next) = next {
            places.push(next);
            continue;
        } else {
            End::Missing
        };
        return Path {
            certificates: places.iter().map(|place| &sent[*place]).collect(),
            places,
            end,
        };
    }
}

/// The answers to `tls.chain` and `tls.root`. One cause is one failure: the other answer is unknown then.
pub(super) fn lines(
    path: &Path<'_>,
    sent: &[CertificateDer<'static>],
    roots: &RootCertStore,
    has_short_key: bool,
) -> [Line; 2] {
    let last = path.certificates[path.certificates.len() - 1];
    let issuer = last.issuer().to_string();
    let issuer = Escaped(&issuer);
    match path.end {
        End::Root => {
            let chain = match verify(path, sent, roots) {
                // No signature by such a key is accepted: the answer to `tls.key` is the cause.
                Err(_) if has_short_key => Line::unknown("tls.chain", "see tls.key"),
                verified => complete(path, sent.len(), verified),
            };
            [
                chain,
                Line::pass("tls.root", format_args!("{issuer} is known")),
            ]
        }
        End::SelfSigned if path.certificates.len() == 1 => unknown_root(format_args!(
            "self-signed, as issuer and subject are both {issuer}: Cronofy does not deliver; get a certificate of a public authority"
        )),
        End::SelfSigned => unknown_root(format_args!(
            "{issuer} is not a root that is publicly known: get a certificate of a public authority"
        )),
        End::Missing => missing(last, path.certificates.len() == 1),
    }
}

/// Public authorities say where the certificate of the issuer is, private ones seldom do. Above an intermediate certificate it
/// may be a root all the same.
fn missing(last: &X509Certificate<'_>, is_of_host: bool) -> [Line; 2] {
    const SEND: &str = "let the server send the whole chain (often a file `fullchain.pem`)";
    const BUY: &str = "get a certificate of a public authority";

    let issuer = last.issuer().to_string();
    let issuer = Escaped(&issuer);
    let incomplete = |text: fmt::Arguments<'_>| {
        [
            Line::fail("tls.chain", text),
            Line::unknown("tls.root", "see tls.chain"),
        ]
    };
    match address_of_issuer(last).map(Escaped) {
        Some(address) if is_of_host => incomplete(format_args!(
            "incomplete: the certificate of the issuer, {issuer}, is not sent (it is at {address}): {SEND}"
        )),
        Some(address) => incomplete(format_args!(
            "incomplete: the certificate of the last issuer, {issuer}, is not sent (it is at {address}): {SEND}; if it is a root, it is none that is publicly known: {BUY}"
        )),
        None => unknown_root(format_args!(
            "the last issuer, {issuer}, is not a root that is publicly known, its certificate is not sent, and where it is is not said: {BUY}, or, if this is one, {SEND}"
        )),
    }
}

fn unknown_root(text: fmt::Arguments<'_>) -> [Line; 2] {
    [
        Line::unknown("tls.chain", "see tls.root"),
        Line::fail("tls.root", text),
    ]
}

fn complete(path: &Path<'_>, sent: usize, verified: Result<(), rustls::Error>) -> Line {
    const ID: &str = "tls.chain";

    if let Err(error) = verified {
        return Line::fail(
            ID,
            format_args!("the chain does not hold: {error}: install the certificate anew"),
        );
    }
    if !path.places.is_sorted() {
        return Line::warn(
            ID,
            "complete, but in the wrong order, which some clients reject: send each certificate before its issuer",
        );
    }
    Line::pass(ID, format_args!("complete: {sent} sent"))
}

/// Checks the signatures and what the certificates may be used for, at a time at which all of them are valid.
fn verify(
    path: &Path<'_>,
    sent: &[CertificateDer<'static>],
    roots: &RootCertStore,
) -> Result<(), rustls::Error> {
    let starts = path
        .certificates
        .iter()
        .map(|certificate| certificate.validity().not_before.timestamp());
    let ends = path
        .certificates
        .iter()
        .map(|certificate| certificate.validity().not_after.timestamp());
    let (Some(start), Some(end)) = (starts.max(), ends.min()) else {
        return Ok(());
    };
    let now = i64::try_from(UnixTime::now().as_secs()).unwrap_or(i64::MAX);
    let time = now.min(end).max(start);
    let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(time).unwrap_or(0)));
    verify_server_cert_signed_by_trust_anchor(
        &ParsedCertificate::try_from(&sent[0])?,
        roots,
        &sent[1..],
        time,
        provider().signature_verification_algorithms.all,
    )
}

/// Where a certificate says that of its issuer can be fetched (Authority Information Access).
fn address_of_issuer<'a>(certificate: &X509Certificate<'a>) -> Option<&'a str> {
    let access =
        certificate
            .extensions()
            .iter()
            .find_map(|extension| match extension.parsed_extension() {
                ParsedExtension::AuthorityInfoAccess(access) => Some(access),
                _ => None,
            });
    access?
        .iter()
        .find_map(|access| match access.access_location {
            GeneralName::URI(uri)
                if access.access_method.to_id_string() == "1.3.6.1.5.5.7.48.2" =>
            {
                Some(uri)
            }
            _ => None,
        })
}

fn is_root(name: &X509Name<'_>, roots: &RootCertStore) -> bool {
    let name = content(name.as_raw());
    roots.roots.iter().any(|root| root.subject.as_ref() == name)
}

/// The content of a DER element; a trust anchor holds its name without the header.
fn content(der: &[u8]) -> &[u8] {
    let header = match der.get(1) {
        Some(length) if length & 0x80 != 0 => 2 + usize::from(length & 0x7f),
        _ => 2,
    };
    der.get(header..).unwrap_or_default()
}
