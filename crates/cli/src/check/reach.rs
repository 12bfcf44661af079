//! Whether the host has addresses that Cronofy can reach.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpSocket;
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
    let mut reached = Vec::new();
    let mut failures = Vec::new();
    for address in addresses.iter() {
        match connect(address).await {
            Ok(()) => reached.push(address),
            Err(failure) => failures.push((address, failure)),
        }
    }
    (line(reached.len(), &failures), reached)
}

/// Why there is no connection.
#[derive(Debug)]
enum Failure {
    /// This machine has no route to such an address: nothing is known of the receiver.
    NoRoute(io::Error),
    Failed(String),
}

async fn connect(address: SocketAddr) -> Result<(), Failure> {
    let socket = if address.is_ipv6() {
        TcpSocket::new_v6()
    } else {
        TcpSocket::new_v4()
    };
    let socket = socket.map_err(Failure::NoRoute)?;
    match timeout(CONNECT_TIMEOUT, socket.connect(address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) if is_of_this_machine(address, error.kind()) => Err(Failure::NoRoute(error)),
        Ok(Err(error)) => Err(Failure::Failed(error.to_string())),
        Err(_) => Err(Failure::Failed(format!(
            "no connection within {} s",
            CONNECT_TIMEOUT.as_secs()
        ))),
    }
}

/// That a host is unreachable is what routers tell of a dead one, and what a machine tells that has addresses of IPv6, but no
/// way out.
fn is_of_this_machine(address: SocketAddr, error: ErrorKind) -> bool {
    match error {
        ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable => true,
        ErrorKind::HostUnreachable => address.is_ipv6(),
        _ => false,
    }
}

fn line(reached: usize, failures: &[(SocketAddr, Failure)]) -> Line {
    const ID: &str = "connect";

    let texts = |is_ours: bool| {
        let texts = failures
            .iter()
            .filter_map(|(address, failure)| match failure {
                Failure::NoRoute(error) if is_ours => Some(format!("{address}: {error}")),
                Failure::Failed(why) if !is_ours => Some(format!("{address}: {why}")),
                _ => None,
            });
        texts.collect::<Vec<_>>().join("; ")
    };
    let (failed, untried) = (texts(false), texts(true));
    match (reached, failed.as_str(), untried.as_str()) {
        (_, "", "") => Line::pass(ID, "a connection can be made to every address"),
        (0, "", untried) => Line::fail(
            ID,
            format_args!(
                "{untried}: this machine cannot reach such an address: check from another network"
            ),
        ),
        (_, "", untried) => Line::unknown(
            ID,
            format_args!(
                "{untried}: this machine cannot reach such an address, but the others: check it from another network"
            ),
        ),
        (0, failed, _) => Line::fail(
            ID,
            format_args!("{failed}: start the receiver, or open its port in the firewall"),
        ),
        (_, failed, _) => Line::warn(
            ID,
            format_args!(
                "{failed}: remove the address from the DNS, or let the receiver listen there"
            ),
        ),
    }
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
    fn what_this_machine_cannot_reach_is_not_the_fault_of_the_receiver() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let no_route = || {
            let error = io::Error::from(ErrorKind::NetworkUnreachable);
            (address("[2606:4700::1]:443"), Failure::NoRoute(error))
        };
        let refused = || {
            let why = "connection refused".to_owned();
            (address("93.184.216.34:443"), Failure::Failed(why))
        };
        for (reached, failures, verdict, remedy) in [
            (
                1,
                vec![no_route()],
                Verdict::Unknown,
                "from another network",
            ),
            (0, vec![no_route()], Verdict::Fail, "from another network"),
            (
                1,
                vec![no_route(), refused()],
                Verdict::Warn,
                "from the DNS",
            ),
            (
                0,
                vec![no_route(), refused()],
                Verdict::Fail,
                "the firewall",
            ),
        ] {
            let line = line(reached, &failures);
            assert_eq!(line.verdict, verdict, "{}", line.text);
            assert!(line.text.contains(remedy), "{}", line.text);
        }
        for (text, error, is_ours) in [
            ("[2606:4700::1]:443", ErrorKind::NetworkUnreachable, true),
            ("[2606:4700::1]:443", ErrorKind::HostUnreachable, true),
            ("[2606:4700::1]:443", ErrorKind::ConnectionRefused, false),
            ("93.184.216.34:443", ErrorKind::NetworkUnreachable, true),
            ("93.184.216.34:443", ErrorKind::HostUnreachable, false),
        ] {
            assert_eq!(is_of_this_machine(address(text), error), is_ours, "{text}");
        }
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
