//! A real nginx in front of several web processes.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use crate::poll;
use crate::ports::free_address;
use crate::process::{Log, Process};

/// The proxy. Dropping ends it.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it had to say.
    pub log: Log,
    _process: Process,
}

impl Proxy {
    /// Starts nginx in front of `webs`, with all its files in `dir`.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(webs: &[SocketAddr], dir: &Path) -> Self {
        let folder = dir.join("nginx");
        std::fs::create_dir_all(&folder).expect("the folder is ours");
        let (address, log) = (free_address(), Log::new(dir.join("log-nginx.txt")));
        let config = folder.join("nginx.conf");
        std::fs::write(&config, configuration(address, webs, &folder)).expect("the folder is ours");
        let mut command = Command::new(if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" });
        command.args(["-e", "stderr", "-p"]).arg(&folder).arg("-c").arg(&config);
        let mut process = Process::start(&mut command, &log, dir, |_| ());
        poll::until("nginx listens", || {
            let ended = process.ended();
            assert!(ended.is_none(), "nginx ended: {ended:?}\n{}", log.text());
            TcpStream::connect(address).ok()
        });
        Self { address, log, _process: process }
    }
}

/// What is taken in goes on as it comes, and so do the events; paths stay as they are; a process that is gone is left
/// out for a while.
fn configuration(address: SocketAddr, webs: &[SocketAddr], folder: &Path) -> String {
    let servers: String =
        webs.iter().map(|web| format!("        server {web} max_fails=1 fail_timeout=2s;\n")).collect();
    // The master drops its rights where it has any, and then could not enter a folder that is ours alone.
    let user = if rustix::process::geteuid().is_root() { "user root;\n" } else { "" };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("    {kind}_temp_path {}/{kind};\n", folder.display()))
        .concat();
    format!(
        "{user}daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
worker_processes 1;
events {{
    worker_connections 1024;
}}
http {{
    access_log off;
{temporary}    upstream web {{
        zone web 64k;
{servers}    }}
    server {{
        listen {address};
        client_max_body_size 0;
        large_client_header_buffers 8 128k;
        merge_slashes off;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Connection \"\";
        proxy_connect_timeout 2s;
        proxy_read_timeout 120s;
        proxy_send_timeout 120s;
        location / {{
            proxy_pass http://web;
        }}
        location /v1/assets {{
            proxy_request_buffering off;
            proxy_buffering off;
            proxy_pass http://web;
        }}
    }}
}}
",
        folder = folder.display()
    )
}
