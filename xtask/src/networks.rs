//! Which networks the app may not reach when the Redis server that it must reach is in one of them.
//!
//! Spin's `block_networks` knows the word "private" and no exceptions, and it holds for a component's connections to
//! Redis too. So the word is written out, and the server's own addresses are cut out of the ranges around them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ip_network::IpNetwork;

/// What Spin means by "private": every range of which `IpNetwork::is_global` says no. Three are a little wider: of
/// 192.0.0.0/24 two addresses are anycast services of others, of 240.0.0.0/4 the last is broadcast, and in ff00::/8 a
/// few scopes count as global, which no TCP connection reaches anyway.
const PRIVATE: [&str; 20] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "2001:db8::/32",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
];

/// The networks to block: `private` written out and `others`, without what is `open`.
pub fn blocked(others: &[IpNetwork], open: &[IpNetwork]) -> Vec<IpNetwork> {
    let private = PRIVATE.iter().map(|text| text.parse().expect("the table above is of networks"));
    let mut networks: Vec<IpNetwork> = private.chain(others.iter().copied()).collect();
    for hole in open.iter().flat_map(|network| spellings(*network)) {
        networks = networks.into_iter().flat_map(|network| without(network, hole)).collect();
    }
    networks
}

/// A network, and the IPv4 addresses that Spin reads out of an IPv6 address and checks as well: `::1` is 0.0.0.1 too.
fn spellings(network: IpNetwork) -> Vec<IpNetwork> {
    let inner = match network {
        IpNetwork::V6(v6) if v6.netmask() == 128 => v6.network_address().to_ipv4(),
        _ => None,
    };
    std::iter::once(network).chain(inner.map(|address| IpAddr::V4(address).into())).collect()
}

/// `network` without `hole`: the halves that the hole is not in, again and again.
fn without(network: IpNetwork, hole: IpNetwork) -> Vec<IpNetwork> {
    if covers(hole, network) {
        return Vec::new();
    }
    if !covers(network, hole) {
        return vec![network];
    }
    halves(network).into_iter().flat_map(|half| without(half, hole)).collect()
}

fn covers(outer: IpNetwork, inner: IpNetwork) -> bool {
    outer.netmask() <= inner.netmask() && outer.contains(inner.network_address())
}

/// The two halves of a network that is more than one address.
fn halves(network: IpNetwork) -> [IpNetwork; 2] {
    let length = network.netmask() + 1;
    let (low, high) = match network.network_address() {
        IpAddr::V4(low) => (IpAddr::V4(low), IpAddr::V4(Ipv4Addr::from_bits(low.to_bits() | 1 << (32 - length)))),
        IpAddr::V6(low) => (IpAddr::V6(low), IpAddr::V6(Ipv6Addr::from_bits(low.to_bits() | 1 << (128 - length)))),
    };
    [low, high].map(|address| IpNetwork::new(address, length).expect("the bits after the length are zero"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Spin 4.1 does with an address and a list without the word "private".
    fn is_blocked(networks: &[IpNetwork], address: IpAddr) -> bool {
        let collapsed = IpNetwork::collapse_addresses(networks);
        let inner = match address {
            IpAddr::V6(v6) => v6.to_ipv4().map(IpAddr::V4),
            IpAddr::V4(_) => None,
        };
        std::iter::once(address).chain(inner).any(|address| collapsed.iter().any(|network| network.contains(address)))
    }

    fn networks(texts: &[&str]) -> Vec<IpNetwork> {
        texts.iter().map(|text| IpNetwork::from_str_truncate(text).expect(text)).collect()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect(text)
    }

    /// The first and last of each range, the addresses before and after it, and a sample of the whole space.
    fn probes() -> Vec<IpAddr> {
        let mut found: Vec<IpAddr> =
            (0..=u32::MAX).step_by(65_521).map(|bits| Ipv4Addr::from_bits(bits).into()).collect();
        for network in networks(&PRIVATE) {
            match network {
                IpNetwork::V4(v4) => {
                    let first = v4.network_address().to_bits();
                    let last = v4.broadcast_address().to_bits();
                    let near = [first, last, first.wrapping_sub(1), last.wrapping_add(1)];
                    found.extend(near.map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))));
                }
                IpNetwork::V6(v6) => {
                    let first = v6.network_address().to_bits();
                    let last = v6.last_address().to_bits();
                    let near = [first, last, first.wrapping_sub(1), last.wrapping_add(1)];
                    found.extend(near.map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))));
                }
            }
        }
        found
    }

    #[test]
    fn blocks_what_spin_calls_private_and_nothing_else() {
        let blocked = blocked(&[], &[]);
        for probe in probes() {
            let anycast = matches!(probe, IpAddr::V4(v4) if v4.octets()[..3] == [192, 0, 0]);
            let multicast = matches!(probe, IpAddr::V6(v6) if v6.is_multicast());
            let inner = matches!(probe, IpAddr::V6(v6) if v6.to_ipv4().is_some());
            if anycast || multicast || inner {
                continue;
            }
            assert_eq!(is_blocked(&blocked, probe), !IpNetwork::from(probe).is_global(), "{probe}");
        }
        for text in ["192.0.0.9", "255.255.255.255", "ff02::1", "ff0e::1", "::ffff:10.1.1.1", "::10.1.1.1", "::1"] {
            assert!(is_blocked(&blocked, address(text)), "{text}");
        }
    }

    #[test]
    fn leaves_open_the_server_and_not_its_neighbours() {
        for (server, neighbours) in [
            ("10.1.2.3", ["10.1.2.2", "10.1.2.4", "10.255.255.255"]),
            ("127.0.0.1", ["127.0.0.2", "127.0.0.0", "::1"]),
            ("::1", ["::", "127.0.0.1", "0.0.0.0"]),
            ("fd00::5", ["fd00::4", "fd00::6", "fc00::"]),
            ("8.8.8.8", ["10.0.0.0", "127.0.0.1", "::1"]),
        ] {
            let blocked = blocked(&[], &[address(server).into()]);
            assert!(!is_blocked(&blocked, address(server)), "{server}");
            for neighbour in neighbours {
                assert!(is_blocked(&blocked, address(neighbour)), "{server}: {neighbour}");
            }
        }
    }

    #[test]
    fn leaves_open_networks_and_blocks_others_beside_the_private_ones() {
        let blocked = blocked(&networks(&["2002::/16"]), &networks(&["10.96.0.0/12", "172.16.0.0/11"]));
        for (text, expected) in [
            ("2002::1", true),
            ("10.96.0.1", false),
            ("10.111.255.255", false),
            ("10.95.255.255", true),
            ("10.112.0.0", true),
            ("172.20.0.1", false),
        ] {
            assert_eq!(is_blocked(&blocked, address(text)), expected, "{text}");
        }
    }
}
