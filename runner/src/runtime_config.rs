//! The runtime-config file: what the operator decides, and the manifest does not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::blocked_networks::BlockedNetworks;

/// The file, or what holds without one.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeConfig {
    /// `[key_value_store.LABEL]`
    #[serde(default)]
    pub key_value_store: BTreeMap<String, KeyValueStore>,
    /// `[outbound_networking]`
    #[serde(default)]
    pub outbound_networking: OutboundNetworking,
    /// Where state is kept when `--state-dir` does not say, relative to the working directory.
    pub state_dir: Option<PathBuf>,
}

/// Where a key-value store keeps its values.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum KeyValueStore {
    /// A SQLite file; without a path, memory. A relative path starts from the folder of the runtime-config file.
    Spin {
        /// The file.
        path: Option<PathBuf>,
    },
    /// A Redis server.
    Redis {
        /// `redis://…`
        url: String,
    },
}

/// `[outbound_networking]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboundNetworking {
    /// Networks that no component may reach.
    #[serde(default)]
    pub block_networks: BlockedNetworks,
}

impl RuntimeConfig {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// What does not parse or is not known here, with the file's name.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut config: Self = toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
        let path = std::path::absolute(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for store in config.key_value_store.values_mut() {
            if let KeyValueStore::Spin { path: Some(path) } = store {
                *path = folder.join(&*path);
            }
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_spin_reads() {
        let config: RuntimeConfig = toml::from_str(
            r#"
            [key_value_store.default]
            type = "redis"
            url = "redis://127.0.0.1"
            [key_value_store.other]
            type = "spin"
            path = "other.db"
            [outbound_networking]
            block_networks = ["private"]
            "#,
        )
        .expect("valid");
        assert!(matches!(config.key_value_store["default"], KeyValueStore::Redis { .. }));
        assert!(config.outbound_networking.block_networks.block("127.0.0.1".parse().expect("an address")));
    }

    #[test]
    fn refuses_by_name() {
        for (text, expected) in [
            ("[sqlite_database.default]\ntype = \"spin\"", "unknown field `sqlite_database`, expected one of"),
            (
                "[key_value_store.default]\ntype = \"azure_cosmos\"",
                "unknown variant `azure_cosmos`, expected `spin` or `redis`",
            ),
            ("[key_value_store.default]\ntype = \"redis\"\nuser = \"x\"", "unknown field `user`"),
            ("[outbound_networking]\nmax_total_connections = 1", "unknown field `max_total_connections`"),
        ] {
            let error = toml::from_str::<RuntimeConfig>(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
