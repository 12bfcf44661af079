//! What of a server's certificate is checked.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{OpenError, StoreError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// Protects from those who listen to the network, not from one who intercepts the connection.
    Nothing,
    /// It is signed by an authority that is trusted.
    Authority,
    /// And it is for the name of the host.
    AuthorityAndName,
}

/// `root_cert`: a file with the authorities that are trusted. The system's, if absent or `system`.
pub(super) fn client(
    check: Check,
    root_cert: Option<&str>,
) -> Result<MakeRustlsConnect, OpenError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = match check {
        Check::Nothing => None,
        Check::Authority | Check::AuthorityAndName => {
            let roots = Arc::new(roots(root_cert)?);
            let builder = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider));
            Some(builder.build().map_err(error)?)
        }
    };
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(error)?;
    let config = match (check, verifier) {
        (Check::AuthorityAndName, Some(verifier)) => config.with_webpki_verifier(verifier),
        (_, verifier) => config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Lenient { provider, verifier })),
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

fn roots(root_cert: Option<&str>) -> Result<RootCertStore, OpenError> {
    let mut roots = RootCertStore::empty();
    match root_cert {
        None | Some("system") => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Some(path) => add_file(&mut roots, path)
            .map_err(|error| OpenError::Url(format!("`sslrootcert` is {path}: {error}")))?,
    }
    if roots.is_empty() {
        return Err(OpenError::Url(
            "`sslrootcert` has no certificate of an authority".to_owned(),
        ));
    }
    Ok(roots)
}

fn add_file(roots: &mut RootCertStore, path: &str) -> Result<(), Box<dyn std::error::Error>> {
    for certificate in CertificateDer::pem_file_iter(path)? {
        roots.add(certificate?)?;
    }
    Ok(())
}

fn error(error: impl std::error::Error + Send + Sync + 'static) -> OpenError {
    OpenError::Store(StoreError::new(error))
}

/// Checks the authority alone, or nothing.
#[derive(Debug)]
struct Lenient {
    provider: Arc<CryptoProvider>,
    verifier: Option<Arc<WebPkiServerVerifier>>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(verifier) = &self.verifier else {
            return Ok(ServerCertVerified::assertion());
        };
        let verified =
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // What is checked last: the authority is trusted.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
