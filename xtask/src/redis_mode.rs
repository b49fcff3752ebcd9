//! What runs on a Redis server instead of a file: that it is there, and the runtime configuration for it.

use std::fmt::Write;
use std::net::{IpAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use ip_network::IpNetwork;
use redis::ConnectionAddr;
use toml_edit::{DocumentMut, Item};

use crate::networks;
use crate::shell::{root, write_whole};

/// How long a Redis server may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  cargo xtask runtime-config --redis redis://redis:6379 --open 10.96.14.7 --output runtime-config.redis.toml\n\nComponents may not connect to private networks, so that no URL given to them leads there. The Redis server is usually in one: its addresses are left open. They are looked up here, unless --open gives them."
)]
pub struct Options {
    /// The server with the store and the channels, as redis://[USER:PASSWORD@]HOST:PORT
    #[arg(long, value_name = "URL", value_parser = redis_url)]
    redis: String,
    /// The server's address, or the network it is in, where its name can't be looked up here; may be given several times
    #[arg(long, value_name = "ADDRESS", value_parser = network)]
    open: Vec<IpNetwork>,
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes a runtime configuration for Redis.
///
/// # Errors
/// When the server's name can't be looked up, or the file can't be written.
pub fn write(options: &Options) -> Result<()> {
    let open = if options.open.is_empty() { addresses(&options.redis)? } else { options.open.clone() };
    let text = runtime_config(&options.redis, Some(&open))?;
    match &options.output {
        Some(output) => write_whole(output, &text),
        None => {
            print!("{text}");
            Ok(())
        }
    }
}

/// A URL that the app takes: over TCP, without TLS.
pub fn redis_url(text: &str) -> Result<String, String> {
    let is_plain = text.starts_with("redis://");
    let client = redis::Client::open(text).map_err(|error| error.to_string())?;
    match client.get_connection_info().addr() {
        ConnectionAddr::Tcp(..) if is_plain => Ok(text.to_owned()),
        _ => Err("write redis://[USER:PASSWORD@]HOST:PORT".to_owned()),
    }
}

fn network(text: &str) -> Result<IpNetwork, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.into());
    }
    text.parse().map_err(|_| "write an address, as 10.96.14.7, or a network, as 10.96.0.0/12".to_owned())
}

/// Whether the server answers.
///
/// # Errors
/// When it does not, with its name.
pub fn check(url: &str) -> Result<()> {
    let client = redis::Client::open(url)?;
    // The URL may hold a password.
    let name = client.get_connection_info().addr().to_string();
    let ask = || -> redis::RedisResult<String> {
        let mut connection = client.get_connection_with_timeout(PATIENCE)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        redis::cmd("PING").query(&mut connection)
    };
    ask().with_context(|| format!("the Redis server at {name} can't be reached"))?;
    Ok(())
}

/// The addresses of the server.
///
/// # Errors
/// When its name has none here.
pub fn addresses(url: &str) -> Result<Vec<IpNetwork>> {
    let client = redis::Client::open(url)?;
    let ConnectionAddr::Tcp(host, port) = client.get_connection_info().addr() else {
        bail!("a Redis server needs a host")
    };
    let found = (host.as_str(), *port).to_socket_addrs().with_context(|| format!("{host} can't be looked up"))?;
    Ok(found.map(|address| address.ip().into()).collect())
}

/// The store on Redis, and the networks that stay closed: all private ones but `open`, or none.
///
/// # Errors
/// When runtime-config.toml can't be read.
pub fn runtime_config(url: &str, open: Option<&[IpNetwork]>) -> Result<String> {
    let url = toml_edit::Value::from(url);
    let mut text = format!("[key_value_store.default]\ntype = \"redis\"\nurl = {url}\n");
    let Some(open) = open else { return Ok(text) };
    text.push_str("\n# \"private\" written out, and without the addresses of the Redis server.\n");
    text.push_str("[outbound_networking]\nblock_networks = [\n");
    for network in networks::blocked(&closed_beside_private()?, open) {
        writeln!(text, "    \"{network}\",")?;
    }
    text.push_str("]\n");
    Ok(text)
}

/// The networks that runtime-config.toml names.
fn closed_beside_private() -> Result<Vec<IpNetwork>> {
    let path = root().join("runtime-config.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
    let config: DocumentMut = text.parse().with_context(|| format!("{} is not TOML", path.display()))?;
    let networks = config.get("outbound_networking").and_then(|table| table.get("block_networks"));
    let networks = networks.and_then(Item::as_array).with_context(|| format!("{} blocks nothing", path.display()))?;
    let named = networks.iter().filter_map(toml_edit::Value::as_str).filter(|name| *name != "private");
    named.map(|name| name.parse().with_context(|| format!("{name} in {} is no network", path.display()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &str) -> Vec<String> {
        let config: DocumentMut = text.parse().expect("TOML");
        let Some(table) = config.get("outbound_networking") else { return Vec::new() };
        let array = table["block_networks"].as_array().expect("a list");
        array.iter().map(|value| value.as_str().expect("a string").to_owned()).collect()
    }

    #[test]
    fn closes_private_networks_but_for_the_server() {
        let url = "redis://user:p%22ss@10.0.0.1:6379";
        let text = runtime_config(url, Some(&addresses(url).expect("an address"))).expect("the files are there");
        let blocked = blocks(&text);
        assert!(blocked.contains(&"127.0.0.0/8".to_owned()), "{text}");
        assert!(blocked.contains(&"64:ff9b::/96".to_owned()), "what runtime-config.toml has beside: {text}");
        assert!(blocked.contains(&"10.0.0.0/32".to_owned()) && !blocked.contains(&"10.0.0.1/32".to_owned()), "{text}");
        assert!(!blocked.contains(&"private".to_owned()));
        assert!(text.contains(r#"url = "redis://user:p%22ss@10.0.0.1:6379""#), "{text}");
    }

    #[test]
    fn closes_nothing_when_private_sources_are_allowed() {
        assert!(blocks(&runtime_config("redis://127.0.0.1:1", None).expect("it needs no file")).is_empty());
    }

    #[test]
    fn refuses_other_urls() {
        for text in ["127.0.0.1:6379", "rediss://127.0.0.1:6379", "unix:///run/redis", "http://127.0.0.1"] {
            assert!(redis_url(text).is_err(), "{text}");
        }
        assert!(redis_url("redis://127.0.0.1:6379").is_ok());
    }

    #[test]
    fn errors_by_name_when_nobody_answers() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
        let error = check(&format!("redis://u:secret@{free}")).expect_err("nobody is there").to_string();
        assert_eq!(error, format!("the Redis server at {free} can't be reached"));
    }
}
