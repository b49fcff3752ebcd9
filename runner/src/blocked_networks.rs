//! Networks that no component may reach, whatever its manifest says: checked on the address that is dialled.

use std::net::IpAddr;

use ip_network::IpNetwork;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

/// `block_networks` of the runtime-config file.
#[derive(Clone, Debug, Default)]
pub struct BlockedNetworks {
    networks: Vec<IpNetwork>,
    /// Everything that is not reachable from the whole internet.
    private: bool,
}

impl BlockedNetworks {
    /// Whether `address` must not be dialled.
    pub fn block(&self, address: IpAddr) -> bool {
        if self.private && !IpNetwork::from(address).is_global() {
            return true;
        }
        if self.networks.iter().any(|network| network.contains(address)) {
            return true;
        }
        // `::ffff:10.0.0.1` and `::10.0.0.1` reach 10.0.0.1 on most systems.
        match address {
            IpAddr::V6(v6) => v6.to_ipv4().is_some_and(|v4| self.block(IpAddr::V4(v4))),
            IpAddr::V4(_) => false,
        }
    }
}

impl<'de> Deserialize<'de> for BlockedNetworks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut blocked = Self::default();
        for text in Vec::<String>::deserialize(deserializer)? {
            if text == "private" {
                blocked.private = true;
                continue;
            }
            let network = IpNetwork::from_str_truncate(&text).map_err(|_| {
                D::Error::custom(format!("{text:?} is neither a network such as \"10.0.0.0/8\" nor \"private\""))
            })?;
            blocked.networks.push(network);
        }
        Ok(blocked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked(networks: &[&str], address: &str) -> bool {
        #[derive(Deserialize)]
        struct Config {
            block: BlockedNetworks,
        }
        let config: Config = toml::from_str(&format!("block = {networks:?}")).expect("valid");
        config.block.block(address.parse().expect("an address"))
    }

    #[test]
    fn blocks_nothing_unless_told() {
        assert!(!blocked(&[], "127.0.0.1"));
    }

    #[test]
    fn blocks_the_given_networks() {
        assert!(blocked(&["203.0.113.0/24"], "203.0.113.9"));
        assert!(!blocked(&["203.0.113.0/24"], "203.0.114.9"));
        assert!(blocked(&["8.8.8.8/16"], "8.8.1.1"), "host bits are ignored");
        assert!(blocked(&["2001:db8::/32"], "2001:db8::1"));
    }

    #[test]
    fn private_covers_everything_that_is_not_global() {
        for address in
            ["0.0.0.0", "10.1.1.1", "100.64.1.1", "127.0.0.1", "169.254.169.254", "192.168.0.1", "::1", "fc00::1"]
        {
            assert!(blocked(&["private"], address), "{address}");
        }
        assert!(!blocked(&["private"], "8.8.8.8"));
        assert!(!blocked(&["private"], "2600::1"));
    }

    #[test]
    fn sees_through_ipv4_in_ipv6() {
        for address in ["::ffff:10.1.1.1", "::10.1.1.1"] {
            assert!(blocked(&["10.0.0.0/8"], address), "{address}");
            assert!(blocked(&["private"], address), "{address}");
        }
    }

    #[test]
    fn refuses_other_words() {
        let error = toml::from_str::<std::collections::HashMap<String, BlockedNetworks>>("b = [\"public\"]");
        assert!(error.unwrap_err().to_string().contains("nor \"private\""));
    }
}
