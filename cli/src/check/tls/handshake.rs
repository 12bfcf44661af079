//! Handshakes that accept any certificate, to see it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::tls::provider;

/// How long a server may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// What a server has sent in a handshake.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// The certificate of the host first.
    pub(super) certificates: Vec<CertificateDer<'static>>,
    /// Whether the state of the certificate came with it (OCSP stapling).
    pub(super) has_staple: bool,
}

/// Makes a handshake of one version. `None` if the server says nothing.
pub(super) async fn handshake(
    address: SocketAddr,
    name: ServerName<'static>,
    version: &'static SupportedProtocolVersion,
) -> Option<Result<Sent, String>> {
    timeout(TIMEOUT, connect(address, name, version)).await.ok()
}

async fn connect(
    address: SocketAddr,
    name: ServerName<'static>,
    version: &'static SupportedProtocolVersion,
) -> Result<Sent, String> {
    let recorder = Arc::new(Recorder(Mutex::default()));
    let verifier: Arc<dyn ServerCertVerifier> = recorder.clone();
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let exchange = async {
        let stream = TcpStream::connect(address).await?;
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await
    };
    exchange.await.map_err(|error| error.to_string())?;
    let sent = recorder
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    sent.ok_or_else(|| "the server sent no certificate".to_owned())
}

/// Accepts everything. Nothing is sent over such a connection.
struct Recorder(Mutex<Option<Sent>>);

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp_response: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let certificates = [end_entity].into_iter().chain(intermediates);
        let sent = Sent {
            certificates: certificates
                .map(|certificate| certificate.clone().into_owned())
                .collect(),
            has_staple: !ocsp_response.is_empty(),
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}
