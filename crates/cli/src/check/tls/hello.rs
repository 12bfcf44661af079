//! A `ClientHello` of what rustls does not speak: TLS 1.0 and 1.1, and cipher suites of 1.2 that it does not have.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::handshake::{TIMEOUT, silence};

/// The types of a record.
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// The level of an alert; the other one is fatal.
const WARNING: u8 = 1;

/// The type of a message of the handshake.
const SERVER_HELLO: u8 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Tls10,
    Tls11,
    /// With none of the cipher suites that rustls has.
    Tls12,
}

impl Version {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tls10 => "1.0",
            Self::Tls11 => "1.1",
            Self::Tls12 => "1.2",
        }
    }

    fn bytes(self) -> [u8; 2] {
        match self {
            Self::Tls10 => [3, 1],
            Self::Tls11 => [3, 2],
            Self::Tls12 => [3, 3],
        }
    }
}

/// Whether a server accepts this version, or why that is not known.
pub(super) async fn is_offered(
    address: SocketAddr,
    host: &str,
    version: Version,
) -> Result<bool, String> {
    let exchange = async {
        let stream = TcpStream::connect(address).await;
        let mut stream = stream.map_err(|error| error.to_string())?;
        let answer = async {
            stream.write_all(&client_hello(host, version)).await?;
            is_accepted(&mut stream, version).await
        };
        // A server that refuses may close the connection without an alert.
        Ok(answer.await.unwrap_or(false))
    };
    let answer = timeout(TIMEOUT, exchange).await;
    answer.unwrap_or_else(|_| Err(silence()))
}

/// Reads up to the version in the `ServerHello`, or a fatal alert.
async fn is_accepted(stream: &mut (impl AsyncRead + Unpin), version: Version) -> io::Result<bool> {
    let mut messages = Vec::new();
    loop {
        let mut header = [0; 5];
        stream.read_exact(&mut header).await?;
        let mut content = vec![0; u16::from_be_bytes([header[3], header[4]]).into()];
        stream.read_exact(&mut content).await?;
        match header[0] {
            ALERT if content.first() == Some(&WARNING) => {}
            HANDSHAKE => messages.extend(content),
            _ => return Ok(false),
        }
        if let [message, _, _, _, major, minor, ..] = messages[..] {
            return Ok(message == SERVER_HELLO && [major, minor] == version.bytes());
        }
    }
}

fn client_hello(host: &str, version: Version) -> Vec<u8> {
    // ECDHE, DHE and RSA, with AES or 3DES in CBC mode and SHA-1.
    const OLD: [u16; 10] = [
        0xc00a, 0xc014, 0xc009, 0xc013, 0x0039, 0x0033, 0x0035, 0x002f, 0xc012, 0x000a,
    ];
    // DHE and RSA with AES-GCM; ECDHE, DHE and RSA with AES in CBC mode and SHA-2.
    const OF_1_2: [u16; 12] = [
        0x009f, 0x009e, 0x009d, 0x009c, 0xc024, 0xc028, 0xc023, 0xc027, 0x006b, 0x0067, 0x003d,
        0x003c,
    ];

    let suites = match version {
        Version::Tls12 => [&OF_1_2[..], &OLD].concat(),
        Version::Tls11 | Version::Tls10 => OLD.to_vec(),
    };
    let suites: Vec<u8> = suites
        .iter()
        .flat_map(|suite| suite.to_be_bytes())
        .collect();
    let mut hello = version.bytes().to_vec();
    // It need not be random, as there will be no session.
    hello.extend([0x5a; 32]);
    hello.push(0); // no session to resume
    hello.extend(with_length(&suites));
    hello.extend([1, 0]); // no compression
    hello.extend(with_length(&extensions(host, version)));

    let mut message = vec![1, 0];
    message.extend(with_length(&hello));
    let mut record = vec![HANDSHAKE, 3, 1];
    record.extend(with_length(&message));
    record
}

fn extensions(host: &str, version: Version) -> Vec<u8> {
    // x25519, P-256, P-384, P-521.
    const GROUPS: [u8; 8] = [0, 0x1d, 0, 0x17, 0, 0x18, 0, 0x19];
    // RSA, ECDSA and RSA-PSS with SHA-256 to SHA-512; RSA and ECDSA with SHA-1.
    const SIGNATURES: [u8; 22] = [
        4, 1, 4, 3, 8, 4, 5, 1, 5, 3, 8, 5, 6, 1, 6, 3, 8, 6, 2, 1, 2, 3,
    ];

    let mut extensions = Vec::new();
    // Addresses are not sent as names.
    if host.parse::<std::net::IpAddr>().is_err() {
        let mut name = vec![0];
        name.extend(with_length(host.as_bytes()));
        extensions.extend(extension(0, &with_length(&name)));
    }
    extensions.extend(extension(10, &with_length(&GROUPS)));
    extensions.extend(extension(11, &[1, 0])); // uncompressed points
    if version == Version::Tls12 {
        extensions.extend(extension(13, &with_length(&SIGNATURES)));
    }
    extensions.extend(extension(0xff01, &[0])); // secure renegotiation
    extensions
}

fn extension(number: u16, content: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &with_length(content)].concat()
}

/// With two bytes of length in front.
fn with_length(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes()[..], content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_content() {
        let record = client_hello("receiver.example", Version::Tls11);
        let length = |at: usize| usize::from(record[at]) << 8 | usize::from(record[at + 1]);
        assert_eq!(record[..3], [22, 3, 1]);
        assert_eq!(length(3), record.len() - 5);
        assert_eq!((record[5], record[6], length(7)), (1, 0, record.len() - 9));
        assert_eq!(record[9..11], [3, 2]);
        let name = b"receiver.example";
        assert!(record.windows(name.len()).any(|window| window == name));
        let address = client_hello("::1", Version::Tls10);
        assert_eq!(address.len(), record.len() - name.len() - 9);
    }

    /// A record of a `ServerHello` of TLS 1.1, as far as it is read.
    const HELLO: [u8; 11] = [22, 3, 2, 0, 6, 2, 0, 0, 2, 3, 2];

    #[tokio::test]
    async fn what_comes_before_the_server_hello_is_skipped() {
        // An alert of the level warning: the name is not known.
        let warning = [21, 3, 2, 0, 2, 1, 112];
        let fatal = [21, 3, 2, 0, 2, 2, 70];
        let pieces = [22, 3, 2, 0, 1, 2, 22, 3, 2, 0, 5, 0, 0, 2, 3, 2];
        for (answer, is_offered) in [
            (&HELLO[..], Some(true)),
            (&[&warning[..], &HELLO].concat(), Some(true)),
            (&pieces, Some(true)),
            (&fatal, Some(false)),
            (&[&warning[..], &fatal].concat(), Some(false)),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", None),
            (&HELLO[..10], None),
        ] {
            let accepted = is_accepted(&mut &*answer, Version::Tls11).await;
            assert_eq!(accepted.ok(), is_offered, "{answer:?}");
        }
        let accepted = is_accepted(&mut &HELLO[..], Version::Tls10).await;
        assert!(!accepted.unwrap());
    }

    #[tokio::test]
    async fn without_a_connection_nothing_is_known() {
        // Bound, so that nobody else gets the port, but not listening.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let dead = socket.local_addr().unwrap();
        assert!(is_offered(dead, "a.example", Version::Tls11).await.is_err());
    }
}
