//! nginx, serving one file as the app serves it.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use ureq::http::HeaderMap;

use super::client::Client;
use super::server::{Server, accepts, free_address, server_command};
use crate::shell::output_of;

/// What nginx writes of its own accord, or is told to elsewhere; the rest it is told to add.
const ITS_OWN: [&str; 8] = [
    "accept-ranges",
    "connection",
    "content-length",
    "content-type",
    "date",
    "server",
    "transfer-encoding",
    "x-request-id",
];

/// A running nginx with one worker.
pub struct Nginx {
    /// To ask it: the file is at `/picture`.
    pub client: Client,
    _server: Server,
}

impl Nginx {
    /// Serves `bytes` with the `headers` of the app's answer, on the processors `cpus`.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(folder: &Path, bytes: &[u8], headers: &HeaderMap, cpus: Option<&str>) -> Result<Self> {
        let files = folder.join("files");
        std::fs::create_dir_all(&files).with_context(|| format!("{} can't be made", files.display()))?;
        std::fs::write(files.join("picture"), bytes)?;
        let listen = free_address()?;
        let configuration = folder.join("nginx.conf");
        std::fs::write(&configuration, settings(folder, &listen.to_string(), headers)?)?;
        let mut command = server_command("nginx", cpus);
        command.arg("-e").arg(folder.join("error.log")).arg("-p").arg(folder).arg("-c").arg(&configuration);
        let mut server = Server::start("nginx", command, folder)?;
        server.wait(Duration::from_secs(10), || accepts(listen))?;
        Ok(Self { client: Client::new(listen), _server: server })
    }
}

/// As fast as nginx serves files, and no connection closed before the end.
fn settings(folder: &Path, listen: &str, headers: &HeaderMap) -> Result<String> {
    let folder = folder.to_str().context("the checkout's path is not UTF-8")?;
    let is_root = output_of("id", &["-u"]).is_some_and(|id| id.trim() == "0");
    let mut added = String::new();
    for (name, value) in headers.iter().filter(|(name, _)| !ITS_OWN.contains(&name.as_str())) {
        let value = value.to_str()?.replace('"', "\\\"");
        writeln!(added, "    add_header {name} \"{value}\";")?;
    }
    let content_type = headers.get("content-type").context("the picture has no type")?.to_str()?;
    Ok(format!(
        r#"# A worker of root must read files that are root's.
{user}daemon off;
worker_processes 1;
pid "{folder}/nginx.pid";
error_log "{folder}/error.log";
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  open_file_cache max=10 inactive=1h;
  client_body_temp_path "{folder}/body";
  proxy_temp_path "{folder}/proxy";
  fastcgi_temp_path "{folder}/fastcgi";
  uwsgi_temp_path "{folder}/uwsgi";
  scgi_temp_path "{folder}/scgi";
  server {{
    listen {listen};
    root "{folder}/files";
    default_type {content_type};
    etag off;
    add_header last-modified "";
    add_header x-request-id $request_id;
{added}  }}
}}
"#,
        user = if is_root { "user root;\n" } else { "" },
    ))
}
