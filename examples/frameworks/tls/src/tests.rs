use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use axum::body::Bytes;
use axum::http::{Request, Version};
use cronofy_webhook_testing::{Payload, Sender};
use http_body_util::Full;
use hyper::client::conn::{http1, http2};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;

/// A root that clients trust, and an intermediate authority that it has signed.
struct Authority {
    root: rcgen::Certificate,
    intermediate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let params = |name| {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            (params, KeyPair::generate().unwrap())
        };
        let (root_params, root_key) = params("root");
        let root = root_params.self_signed(&root_key).unwrap();
        let root_issuer = Issuer::new(root_params, root_key);
        let (params, key) = params("intermediate");
        let intermediate = params.signed_by(&key, &root_issuer).unwrap();
        let issuer = Issuer::new(params, key);
        Self {
            root,
            intermediate,
            issuer,
        }
    }

    /// A certificate for localhost, and its key.
    fn issue(&self) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    fn full_chain(&self, certificate: &rcgen::Certificate) -> String {
        certificate.pem() + &self.intermediate.pem()
    }
}

/// A receiver, and the files of its certificate.
struct Receiver {
    address: SocketAddr,
    files: TempDir,
}

impl Receiver {
    async fn start(chain: &str, key: &KeyPair) -> Self {
        let files = TempDir::new().unwrap();
        let [chain_file, key_file] = ["chain.pem", "key.pem"].map(|name| files.path().join(name));
        fs::write(&chain_file, chain).unwrap();
        fs::write(&key_file, key.serialize_pem()).unwrap();
        let certificate = Certificate::open(chain_file, key_file).unwrap();
        let app = app(Verifier::new(["CRN_test"]).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, certificate, app));
        Self { address, files }
    }

    fn replace(&self, name: &str, text: &str) {
        // As an ACME client does: never half a file.
        let new = self.files.path().join("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.files.path().join(name)).unwrap();
    }

    async fn connect(
        &self,
        root: &rcgen::Certificate,
        version: &'static SupportedProtocolVersion,
        protocol: &[u8],
    ) -> io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(root.der().clone()).unwrap();
        let mut config = ClientConfig::builder_with_protocol_versions(&[version])
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
    }

    /// The certificate that the next connection gets.
    async fn served(&self, authority: &Authority) -> CertificateDer<'static> {
        let stream = self.connect(&authority.root, &TLS13, b"h2").await.unwrap();
        let chain = stream.get_ref().1.peer_certificates().unwrap();
        chain[0].clone().into_owned()
    }
}

async fn send(stream: TlsStream<TcpStream>, mut request: Request<Full<Bytes>>) -> (Version, u16) {
    *request.uri_mut() = "https://localhost/cronofy/42".parse().unwrap();
    let io = TokioIo::new(stream);
    let response = if io.inner().get_ref().1.alpn_protocol() == Some(b"h2") {
        let (mut client, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        client.send_request(request).await.unwrap()
    } else {
        let (mut client, connection) = http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        request
            .headers_mut()
            .insert("host", "localhost".parse().unwrap());
        client.send_request(request).await.unwrap()
    };
    (response.version(), response.status().as_u16())
}

#[tokio::test]
async fn deliveries_arrive_over_each_version_of_tls_and_http() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue();
    let receiver = Receiver::start(&authority.full_chain(&certificate), &key).await;
    let genuine = || Sender::new("CRN_test").request(Payload::sample("change"));
    let forged = || Sender::new("a guess").request(Payload::sample("change"));
    for tls in [&TLS12, &TLS13] {
        for (protocol, http) in [("h2", Version::HTTP_2), ("http/1.1", Version::HTTP_11)] {
            for (request, status) in [(genuine(), 204), (forged(), 401)] {
                let protocol = protocol.as_bytes();
                let stream = receiver
                    .connect(&authority.root, tls, protocol)
                    .await
                    .unwrap();
                let session = stream.get_ref().1;
                assert_eq!(session.protocol_version(), Some(tls.version));
                assert_eq!(session.alpn_protocol(), Some(protocol));
                assert_eq!(send(stream, request).await, (http, status));
            }
        }
    }
}

#[tokio::test]
async fn a_chain_without_the_intermediate_certificate_is_refused() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue();
    let receiver = Receiver::start(&certificate.pem(), &key).await;
    for tls in [&TLS12, &TLS13] {
        let refused = receiver
            .connect(&authority.root, tls, b"h2")
            .await
            .unwrap_err();
        assert!(refused.to_string().contains("UnknownIssuer"), "{refused}");
    }
}

#[tokio::test]
async fn the_next_connection_gets_a_certificate_that_was_replaced() {
    let authority = Authority::new();
    let (old, old_key) = authority.issue();
    let receiver = Receiver::start(&authority.full_chain(&old), &old_key).await;
    let open = receiver
        .connect(&authority.root, &TLS13, b"h2")
        .await
        .unwrap();
    assert_eq!(receiver.served(&authority).await, *old.der());

    let (new, new_key) = authority.issue();
    receiver.replace("chain.pem", &authority.full_chain(&new));
    // The key is still that of the old one.
    assert_eq!(receiver.served(&authority).await, *old.der());
    receiver.replace("key.pem", &new_key.serialize_pem());
    assert_eq!(receiver.served(&authority).await, *new.der());

    // A connection that was open before goes on.
    let request = Sender::new("CRN_test").request(Payload::sample("change"));
    assert_eq!(send(open, request).await, (Version::HTTP_2, 204));
}

#[tokio::test]
async fn a_client_without_a_complete_head_is_disconnected() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue();
    let receiver = Receiver::start(&authority.full_chain(&certificate), &key).await;
    for head in ["", "P", "POST /cronofy/42 HTTP/1.1\r\nhost: "] {
        let mut client = receiver
            .connect(&authority.root, &TLS13, b"http/1.1")
            .await
            .unwrap();
        client.write_all(head.as_bytes()).await.unwrap();
        tokio::time::pause();
        let mut response = Vec::new();
        let closed = client.read_to_end(&mut response);
        let closed = timeout(2 * CLIENT_TIMEOUT, closed).await;
        assert!(closed.is_ok(), "after {head:?}");
        tokio::time::resume();
    }
}

#[tokio::test]
async fn plain_http_gets_no_response() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue();
    let receiver = Receiver::start(&authority.full_chain(&certificate), &key).await;
    let mut stream = TcpStream::connect(receiver.address).await.unwrap();
    stream
        .write_all(b"POST /cronofy/42 HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.unwrap();
    assert_ne!(response.first(), Some(&b'H'), "{response:?}");
}

/// Whether openssl connects and trusts the chain, and what it prints. `None` where there is no openssl.
async fn openssl(
    receiver: &Receiver,
    root: &rcgen::Certificate,
    version: &str,
) -> Option<(bool, String)> {
    let roots = receiver.files.path().join("root.pem");
    fs::write(&roots, root.pem()).unwrap();
    let mut command = Command::new("openssl");
    command
        .args([
            "s_client",
            "-verify_return_error",
            "-verify_hostname",
            "localhost",
        ])
        .args(["-servername", "localhost", "-alpn", "h2", version])
        .arg("-connect")
        .arg(receiver.address.to_string())
        .arg("-CAfile")
        .arg(roots)
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap();
    match output {
        Ok(output) => {
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text).into_owned();
            Some((output.status.success(), text))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => panic!("openssl: {error}"),
    }
}

#[tokio::test]
async fn openssl_trusts_the_full_chain_alone() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue();
    let full = Receiver::start(&authority.full_chain(&certificate), &key).await;
    let incomplete = Receiver::start(&certificate.pem(), &key).await;
    for version in ["-tls1_2", "-tls1_3"] {
        let Some((trusted, text)) = openssl(&full, &authority.root, version).await else {
            eprintln!("skipped: there is no openssl");
            return;
        };
        assert!(trusted, "{text}");
        assert!(text.contains("Verify return code: 0 (ok)"), "{text}");
        assert!(text.contains("ALPN protocol: h2"), "{text}");

        let (trusted, text) = openssl(&incomplete, &authority.root, version)
            .await
            .unwrap();
        assert!(!trusted, "{text}");
        assert!(
            text.contains("unable to get local issuer certificate"),
            "{text}"
        );
    }
    // Too old for Cronofy's grade A.
    let (connected, text) = openssl(&full, &authority.root, "-tls1_1").await.unwrap();
    assert!(!connected, "{text}");
}
