//! Express and sharp, resizing the same pictures from their files.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::client::Client;
use super::server::{Server, accepts, free_address, server_command};
use crate::shell::{need_packages, output_of, root, step};

/// The version of Express.
const EXPRESS: &str = "5.3.0";

/// A version of sharp, and the oldest major version of Node that it runs on; the newest first.
const SHARPS: [(&str, u32); 2] = [("0.35.5", 20), ("0.34.5", 18)];

/// A running server.
pub struct Sharp {
    /// To ask it: a picture is at its file's name.
    pub client: Client,
    /// Programs and packages, each with its version.
    pub versions: Vec<(&'static str, String)>,
    /// Its process.
    pub server: Server,
}

impl Sharp {
    /// Serves the pictures of `pictures`.
    ///
    /// # Errors
    /// When it can't be installed or started.
    pub fn start(folder: &Path, pictures: &Path) -> Result<Self> {
        let packages = packages()?;
        let listen = free_address()?;
        let mut command = server_command("node", None);
        command.arg(script("sharp-server.js")).arg(listen.port().to_string()).arg(pictures);
        command.env("NODE_PATH", packages.join("node_modules")).env("NODE_ENV", "production");
        let mut server = Server::start("sharp", command, folder)?;
        server.wait(Duration::from_secs(30), || accepts(listen))?;
        let version = |package| installed(&packages, package).unwrap_or_default();
        let node = node_version()?.trim_start_matches('v').to_owned();
        let versions = vec![("node", node), ("express", version("express")), ("sharp", version("sharp"))];
        Ok(Self { client: Client::new(listen), versions, server })
    }
}

/// Where the server has the file `name`, made into what a transform of ours says.
pub fn path(name: &str, transform: &str) -> String {
    format!("/{name}?{}", transform.replace(',', "&"))
}

/// Makes `large.jpg`, `cutout.png` and `photo.webp` of a JPEG, in a folder.
///
/// # Errors
/// When sharp can't be installed or does not succeed.
pub fn make_pictures(jpeg: &Path, folder: &Path) -> Result<()> {
    let mut command = Command::new("node");
    command.arg(script("sharp-pictures.js")).arg(jpeg).arg(folder);
    step("making pictures with sharp", command.env("NODE_PATH", packages()?.join("node_modules")))
}

fn script(name: &str) -> PathBuf {
    root().join("xtask/src/bench").join(name)
}

/// The folder that has the packages, installed if they are not.
fn packages() -> Result<PathBuf> {
    need_packages(&[("node", "nodejs"), ("npm", "npm"), ("setpriv", "util-linux")])?;
    let folder = root().join(".cache/bench/npm");
    let sharp = sharp_for(&node_version()?)?;
    let is_there = installed(&folder, "sharp").as_deref() == Some(sharp)
        && installed(&folder, "express").as_deref() == Some(EXPRESS);
    if !is_there {
        std::fs::create_dir_all(&folder).with_context(|| format!("{} can't be made", folder.display()))?;
        let mut install = Command::new("npm");
        install.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&folder);
        install.arg(format!("express@{EXPRESS}")).arg(format!("sharp@{sharp}"));
        step("npm install express sharp", &mut install)?;
    }
    Ok(folder)
}

fn node_version() -> Result<String> {
    Ok(output_of("node", &["--version"]).context("node does not say its version")?.trim().to_owned())
}

fn sharp_for(node: &str) -> Result<&'static str> {
    let major = node.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    let fitting = SHARPS.iter().find(|(_, oldest)| major.is_some_and(|major| major >= *oldest));
    match fitting {
        Some((sharp, _)) => Ok(sharp),
        None => bail!("node is {node}; sharp needs 18 or newer"),
    }
}

/// The version of a package of a folder, if it is there.
fn installed(folder: &Path, package: &str) -> Option<String> {
    let text = std::fs::read(folder.join("node_modules").join(package).join("package.json")).ok()?;
    Some(serde_json::from_slice::<Value>(&text).ok()?["version"].as_str()?.to_owned())
}
