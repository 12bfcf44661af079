//! Handshakes that accept any certificate, to see it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, ClientConfig, DigitallySignedStruct, SignatureScheme,
    SupportedProtocolVersion,
};
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

/// Why there was no handshake.
#[derive(Debug)]
pub(super) enum Failure {
    /// It cannot be told, as no connection could be made, or as the server says nothing.
    Unknown(String),
    /// The server has no cipher suite in common with rustls.
    NothingInCommon,
    Refused(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(why) | Self::Refused(why) => f.write_str(why),
            Self::NothingInCommon => f.write_str("the server refuses the cipher suites"),
        }
    }
}

pub(super) fn silence() -> String {
    format!("no answer within {} s", TIMEOUT.as_secs())
}

/// Makes a handshake of one version.
pub(super) async fn handshake(
    address: SocketAddr,
    name: ServerName<'static>,
    version: &'static SupportedProtocolVersion,
) -> Result<Sent, Failure> {
    let handshake = timeout(TIMEOUT, connect(address, name, version)).await;
    handshake.unwrap_or_else(|_| Err(Failure::Unknown(silence())))
}

async fn connect(
    address: SocketAddr,
    name: ServerName<'static>,
    version: &'static SupportedProtocolVersion,
) -> Result<Sent, Failure> {
    let recorder = Arc::new(Recorder(Mutex::default()));
    let verifier: Arc<dyn ServerCertVerifier> = recorder.clone();
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .map_err(|error| Failure::Refused(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await;
    let stream = stream.map_err(|error| Failure::Unknown(error.to_string()))?;
    let connector = TlsConnector::from(Arc::new(config));
    let connected = connector.connect(name, stream).await;
    connected.map_err(|error| refusal(&error))?;
    let sent = recorder
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    sent.ok_or_else(|| Failure::Refused("the server sent no certificate".to_owned()))
}

fn refusal(error: &io::Error) -> Failure {
    let cause = error
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::AlertReceived(
            AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity,
        )) => Failure::NothingInCommon,
        _ => Failure::Refused(error.to_string()),
    }
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

#[cfg(test)]
mod tests {
    use rustls::version::TLS13;

    use super::*;

    #[tokio::test]
    async fn without_a_connection_nothing_is_known() {
        // Bound, so that nobody else gets the port, but not listening.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let dead = socket.local_addr().unwrap();
        let name = ServerName::try_from("a.example").unwrap();
        let failure = handshake(dead, name, &TLS13).await.unwrap_err();
        assert!(matches!(failure, Failure::Unknown(_)), "{failure:?}");
    }
}
