//! Certificates with one fault each.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ED25519, SignatureAlgorithm,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};

/// What signs others.
pub(super) struct Authority {
    pub(super) pem: String,
    pub(super) der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn authority(
    name: &str,
    by: Option<&Authority>,
    edit: impl FnOnce(&mut CertificateParams),
) -> Authority {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    edit(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = match by {
        Some(by) => params.signed_by(&key, &by.issuer),
        None => params.self_signed(&key),
    };
    let certificate = certificate.unwrap();
    Authority {
        pem: certificate.pem(),
        der: certificate.der().clone(),
        issuer: Issuer::new(params, key),
    }
}

pub(super) fn root(name: &str) -> Authority {
    authority(name, None, |_| ())
}

impl Authority {
    pub(super) fn intermediate(&self, name: &str) -> Self {
        self.intermediate_with(name, |_| ())
    }

    pub(super) fn intermediate_with(
        &self,
        name: &str,
        edit: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        authority(name, Some(self), edit)
    }

    pub(super) fn expired_intermediate(&self, name: &str) -> Self {
        self.intermediate_with(name, |params| {
            (params.not_before, params.not_after) = (days(-30), days(-1));
        })
    }

    /// A certificate for `localhost`.
    pub(super) fn host(&self) -> Host {
        self.host_with(|_| ())
    }

    pub(super) fn host_with(&self, edit: impl FnOnce(&mut CertificateParams)) -> Host {
        host(Some(self), None, edit)
    }

    pub(super) fn ed25519_host(&self) -> Host {
        host(Some(self), Some(&PKCS_ED25519), |_| ())
    }

    /// The key, for tools that sign as this authority.
    pub(super) fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }
}

/// The certificate of a host.
pub(super) struct Host {
    pub(super) der: CertificateDer<'static>,
    pub(super) pem: String,
    key: KeyPair,
}

impl Host {
    pub(super) fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }

    pub(super) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }
}

pub(super) fn self_signed() -> Host {
    host(None, None, |_| ())
}

fn host(
    by: Option<&Authority>,
    algorithm: Option<&'static SignatureAlgorithm>,
    edit: impl FnOnce(&mut CertificateParams),
) -> Host {
    let mut params = named("the receiver");
    params.subject_alt_names = vec![rcgen::SanType::DnsName("localhost".try_into().unwrap())];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    (params.not_before, params.not_after) = (days(-1), days(60));
    edit(&mut params);
    let key = match algorithm {
        Some(algorithm) => KeyPair::generate_for(algorithm),
        None => KeyPair::generate(),
    };
    let key = key.unwrap();
    let certificate = match by {
        Some(by) => params.signed_by(&key, &by.issuer),
        None => params.self_signed(&key),
    };
    let certificate = certificate.unwrap();
    Host {
        der: certificate.der().clone(),
        pem: certificate.pem(),
        key,
    }
}

pub(super) fn days(days: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() + Duration::days(days)
}

/// Authority Information Access: where the certificate of the issuer is.
pub(super) fn issuer_is_at(uri: &str) -> CustomExtension {
    let method = [6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2];
    let location = [&[0x86, uri.len() as u8], uri.as_bytes()].concat();
    let access = sequence(&[&method[..], &location].concat());
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], sequence(&access))
}

/// The TLS feature `status_request`.
pub(super) fn must_staple() -> CustomExtension {
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 24], vec![0x30, 3, 2, 1, 5])
}

fn sequence(content: &[u8]) -> Vec<u8> {
    [&[0x30, content.len() as u8], content].concat()
}
