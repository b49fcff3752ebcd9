//! Asking the app how it is, again and again: that also rings for work whose time has come.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::Duration;

use anyhow::{Result, bail};
use ureq::Agent;

/// Between two questions to a server that has answered, and to one that has not yet.
const PERIOD: Duration = Duration::from_secs(2);
const FIRST_PERIOD: Duration = Duration::from_millis(50);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The code of the problem that the store was written by a newer version.
const SCHEMA_NEWER: &str = "schema-newer";

/// What was heard of one server.
enum News {
    /// It serves, for the first time.
    Serves,
    /// It never will, on this store.
    Refuses(String),
}

/// All servers that are asked, each on a thread of its own: a slow one holds up no other.
pub struct Watch {
    news: Receiver<News>,
    awaited: usize,
}

impl Watch {
    /// Asks each of `servers` until this process ends.
    pub fn over(servers: &[SocketAddr]) -> Self {
        let (sender, news) = channel();
        for server in servers {
            let (sender, url) = (sender.clone(), format!("http://{}/healthz", reachable(*server)));
            std::thread::spawn(move || ask_on(&url, &sender));
        }
        Self { news, awaited: servers.len() }
    }

    /// Whether every server has served.
    ///
    /// # Errors
    /// With what one says that never will.
    pub fn has_served(&mut self) -> Result<bool> {
        loop {
            match self.news.try_recv() {
                Ok(News::Serves) => self.awaited -= 1,
                Ok(News::Refuses(detail)) => bail!("the store was written by a newer version: {detail}"),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return Ok(self.awaited == 0),
            }
        }
    }
}

fn ask_on(url: &str, news: &Sender<News>) {
    let agent: Agent =
        Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into();
    let mut has_served = false;
    loop {
        match ask(&agent, url) {
            Some((200, _)) if !has_served => {
                has_served = true;
                let _ = news.send(News::Serves);
            }
            Some((503, body)) => {
                if let Some(detail) = newer_schema(&body) {
                    let _ = news.send(News::Refuses(detail));
                }
            }
            _ => {}
        }
        std::thread::sleep(if has_served { PERIOD } else { FIRST_PERIOD });
    }
}

fn ask(agent: &Agent, url: &str) -> Option<(u16, String)> {
    let mut answer = agent.get(url).call().ok()?;
    Some((answer.status().as_u16(), answer.body_mut().read_to_string().ok()?))
}

/// The detail of a problem that says that the store is newer than the app.
fn newer_schema(body: &str) -> Option<String> {
    let problem: serde_json::Value = serde_json::from_str(body).ok()?;
    (problem["code"] == SCHEMA_NEWER).then(|| problem["detail"].as_str().unwrap_or(SCHEMA_NEWER).to_owned())
}

/// An address to ask at: nobody can be asked at "any address".
pub fn reachable(listen: SocketAddr) -> SocketAddr {
    match listen {
        SocketAddr::V4(address) if address.ip().is_unspecified() => ([127, 0, 0, 1], address.port()).into(),
        SocketAddr::V6(address) if address.ip().is_unspecified() => {
            (std::net::Ipv6Addr::LOCALHOST, address.port()).into()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// A server that gives every caller the same answer.
    fn server(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("bound");
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(std::io::Result::ok) {
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        address
    }

    fn outcome(answer: &'static str) -> Result<bool> {
        let mut watch = Watch::over(&[server(answer)]);
        for _ in 0..40 {
            std::thread::sleep(Duration::from_millis(10));
            if watch.has_served()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    #[test]
    fn hears_whether_a_server_serves() {
        assert!(outcome("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").expect("it serves"));
        let other = "HTTP/1.1 503 Unavailable\r\ncontent-length: 17\r\nconnection: close\r\n\r\n{\"code\":\"x-store\"}";
        assert!(!outcome(other).expect("it may serve later"));
    }

    #[test]
    fn errors_when_the_store_is_newer() {
        let answer =
            "HTTP/1.1 503 Unavailable\r\nconnection: close\r\n\r\n{\"code\":\"schema-newer\",\"detail\":\"schema 2\"}";
        let error = outcome(answer).expect_err("it never will serve").to_string();
        assert_eq!(error, "the store was written by a newer version: schema 2");
    }
}
