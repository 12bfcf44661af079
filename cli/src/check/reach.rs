//! Whether the host has addresses that Cronofy can reach.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::line::Line;
use crate::target::Addresses;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) fn resolved(addresses: &Addresses) -> Line {
    const ID: &str = "resolve";

    let (public, private): (Vec<_>, Vec<_>) = addresses
        .iter()
        .map(|address| address.ip())
        .partition(|address| is_public(*address));
    match (&public[..], &private[..]) {
        (public, []) => Line::pass(ID, list(public)),
        ([], private) => Line::warn(
            ID,
            format_args!(
                "{} is not public: Cronofy cannot reach it, unless a tunnel leads here",
                list(private)
            ),
        ),
        (public, private) => Line::warn(
            ID,
            format_args!(
                "{} is public, but {} is not: deliveries that go there are lost, so remove it from the DNS",
                list(public),
                list(private)
            ),
        ),
    }
}

fn list(addresses: &[IpAddr]) -> String {
    let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    addresses.join(", ")
}

/// Connects to each address; also returns those that answered.
pub(super) async fn connected(addresses: &Addresses) -> (Line, Vec<SocketAddr>) {
    const ID: &str = "connect";

    let mut reached = Vec::new();
    let mut failures = Vec::new();
    for address in addresses.iter() {
        match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(_)) => reached.push(address),
            Ok(Err(error)) => failures.push(format!("{address}: {error}")),
            Err(_) => failures.push(format!(
                "{address}: no connection within {} s",
                CONNECT_TIMEOUT.as_secs()
            )),
        }
    }
    let failed = failures.join("; ");
    let line = match (reached.len(), failures.len()) {
        (_, 0) => Line::pass(ID, "a connection can be made to every address"),
        (0, _) => Line::fail(
            ID,
            format_args!("{failed}: start the receiver, or open its port in the firewall"),
        ),
        _ => Line::warn(
            ID,
            format_args!(
                "{failed}: remove the address from the DNS, or let the receiver listen there"
            ),
        ),
    };
    (line, reached)
}

/// Whether an address can be reached from anywhere, as far as its range tells.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_documentation()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (18..20).contains(&b))
                || (a, b, c) == (192, 0, 0))
        }
        IpAddr::V6(v6) => {
            let documentation = v6.segments()[..2] == [0x2001, 0xdb8];
            // Global unicast, 2000::/3, and NAT64.
            let global =
                v6.segments()[0] & 0xe000 == 0x2000 || v6.segments()[..2] == [0x64, 0xff9b];
            global && !documentation
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpSocket;

    use super::super::line::Verdict;
    use super::*;

    #[test]
    fn ranges_that_are_not_routed_are_not_public() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.0.1",
            "100.64.0.1",
            "0.0.0.0",
            "192.0.2.1",
            "198.18.0.1",
            "240.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "2001:db8::1",
            "::ffff:10.0.0.1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "93.184.216.34",
            "100.128.0.1",
            "172.32.0.1",
            "2606:4700::1",
            "64:ff9b::101:101",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn one_dead_address_beside_a_good_one_warns() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        // Bound, so that nobody else gets the port, but not listening.
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let dead = socket.local_addr().unwrap();
        let connect = async |addresses: &[SocketAddr]| {
            let (line, reached) = connected(&addresses.iter().copied().collect()).await;
            (line.verdict, reached)
        };
        assert_eq!(connect(&[good]).await, (Verdict::Pass, vec![good]));
        assert_eq!(connect(&[dead, good]).await, (Verdict::Warn, vec![good]));
        assert_eq!(connect(&[dead]).await, (Verdict::Fail, vec![]));
    }

    #[test]
    fn one_private_address_beside_a_public_one_warns() {
        let resolve = |addresses: &[&str]| {
            let addresses = addresses.iter().map(|address| address.parse().unwrap());
            resolved(&addresses.collect())
        };
        assert_eq!(
            resolve(&["93.184.216.34:443"]),
            Line::pass("resolve", "93.184.216.34")
        );
        let mixed = resolve(&["93.184.216.34:443", "10.0.0.1:443"]);
        assert!(
            mixed
                .text
                .starts_with("93.184.216.34 is public, but 10.0.0.1 is not")
        );
        assert_eq!(mixed.verdict, Verdict::Warn);
    }
}
