//! A `ClientHello` of TLS 1.0 or 1.1, which rustls does not speak.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const TIMEOUT: Duration = Duration::from_secs(5);

/// The type of a record; that of an alert is 21.
const HANDSHAKE: u8 = 22;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OldVersion {
    Tls10,
    Tls11,
}

impl OldVersion {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tls10 => "1.0",
            Self::Tls11 => "1.1",
        }
    }

    fn bytes(self) -> [u8; 2] {
        match self {
            Self::Tls10 => [3, 1],
            Self::Tls11 => [3, 2],
        }
    }
}

/// Whether a server accepts this version; `None` if it says nothing.
pub(super) async fn is_offered(
    address: SocketAddr,
    host: &str,
    version: OldVersion,
) -> Option<bool> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&client_hello(host, version)).await?;
        let mut answer = [0; 11];
        // An alert is shorter.
        stream.read_exact(&mut answer[..7]).await?;
        if answer[0] == HANDSHAKE {
            stream.read_exact(&mut answer[7..]).await?;
        }
        Ok::<_, std::io::Error>(is_server_hello(&answer, version))
    };
    match timeout(TIMEOUT, exchange).await {
        Ok(Ok(is_offered)) => Some(is_offered),
        Ok(Err(_)) => Some(false),
        Err(_) => None,
    }
}

/// A record of the type handshake, in it a message of the type `ServerHello`, and in this the version.
fn is_server_hello(answer: &[u8; 11], version: OldVersion) -> bool {
    answer[0] == HANDSHAKE && answer[5] == 2 && answer[9..] == version.bytes()
}

fn client_hello(host: &str, version: OldVersion) -> Vec<u8> {
    // What servers of that time had: ECDHE, DHE and RSA, with AES or 3DES in CBC mode.
    const CIPHER_SUITES: [u16; 10] = [
        0xc00a, 0xc014, 0xc009, 0xc013, 0x0039, 0x0033, 0x0035, 0x002f, 0xc012, 0x000a,
    ];

    let suites: Vec<u8> = CIPHER_SUITES
        .iter()
        .flat_map(|suite| suite.to_be_bytes())
        .collect();
    let mut hello = version.bytes().to_vec();
    // It need not be random, as there will be no session.
    hello.extend([0x5a; 32]);
    hello.push(0); // no session to resume
    hello.extend(with_length(&suites));
    hello.extend([1, 0]); // no compression
    hello.extend(with_length(&extensions(host)));

    let mut message = vec![1, 0];
    message.extend(with_length(&hello));
    let mut record = vec![HANDSHAKE, 3, 1];
    record.extend(with_length(&message));
    record
}

fn extensions(host: &str) -> Vec<u8> {
    // x25519, P-256, P-384, P-521.
    const GROUPS: [u8; 8] = [0, 0x1d, 0, 0x17, 0, 0x18, 0, 0x19];

    let mut extensions = Vec::new();
    // Addresses are not sent as names.
    if host.parse::<std::net::IpAddr>().is_err() {
        let mut name = vec![0];
        name.extend(with_length(host.as_bytes()));
        extensions.extend(extension(0, &with_length(&name)));
    }
    extensions.extend(extension(10, &with_length(&GROUPS)));
    extensions.extend(extension(11, &[1, 0])); // uncompressed points
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
        let record = client_hello("receiver.example", OldVersion::Tls11);
        let length = |at: usize| usize::from(record[at]) << 8 | usize::from(record[at + 1]);
        assert_eq!(record[..3], [22, 3, 1]);
        assert_eq!(length(3), record.len() - 5);
        assert_eq!((record[5], record[6], length(7)), (1, 0, record.len() - 9));
        assert_eq!(record[9..11], [3, 2]);
        let name = b"receiver.example";
        assert!(record.windows(name.len()).any(|window| window == name));
        let address = client_hello("::1", OldVersion::Tls10);
        assert_eq!(address.len(), record.len() - name.len() - 9);
    }
}
