//! `cargo xtask rebuild`: asks the app to make its read model again, and waits.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use ureq::Agent;

/// Between two questions how far it is.
const PERIOD: Duration = Duration::from_millis(500);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Questions in a row that may go without an answer: a process that is started again costs a few.
const MISSES: u32 = 20;

/// The columns of the bar.
const WIDTH: u64 = 30;

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  cargo xtask rebuild --url http://127.0.0.1:3000\n\nThe app goes on serving meanwhile. Interrupting this command does not interrupt the rebuild."
)]
pub struct Options {
    /// Where the app serves
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000")]
    url: String,
}

/// Has the read model made again, and shows how far that is.
///
/// # Errors
/// When the app can't be reached, or refuses.
pub fn rebuild(options: &Options) -> Result<()> {
    let url = format!("{}/v1/rebuild", options.url.trim_end_matches('/'));
    let agent: Agent =
        Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into();
    let mut progress = Progress::from(agent.post(&url).send_empty(), &url)?;
    let mut misses = 0;
    loop {
        progress.show();
        if progress.is_done {
            println!("rebuilt: {} of {}", progress.done, progress.total);
            return Ok(());
        }
        std::thread::sleep(PERIOD);
        match Progress::from(agent.get(&url).call(), &url) {
            Ok(next) => (progress, misses) = (next, 0),
            Err(error) if misses == MISSES => return Err(error),
            Err(_) => misses += 1,
        }
    }
}

struct Progress {
    done: u64,
    total: u64,
    is_done: bool,
}

impl Progress {
    fn from(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>, url: &str) -> Result<Self> {
        let mut answer = answer.with_context(|| format!("{url} can't be reached"))?;
        let status = answer.status();
        let text = answer.body_mut().read_to_string().with_context(|| format!("{url} broke off"))?;
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        if !status.is_success() {
            bail!("{url} answered {status} {}", body["detail"].as_str().unwrap_or_default());
        }
        Self::read(&body).with_context(|| format!("{url} answered {text}"))
    }

    fn read(body: &Value) -> Option<Self> {
        let is_done = match body["state"].as_str()? {
            "running" => false,
            "done" => true,
            _ => return None,
        };
        Some(Self { done: body["done"].as_u64()?, total: body["total"].as_u64()?, is_done })
    }

    /// One line that is written over: for people alone.
    fn show(&self) {
        if std::io::stderr().is_terminal() {
            let filled = (self.done * WIDTH).checked_div(self.total).unwrap_or(WIDTH).min(WIDTH);
            let bar: String = (0..WIDTH).map(|column| if column < filled { '#' } else { '.' }).collect();
            eprint!("\r[{bar}] {} of {}{}", self.done, self.total, if self.is_done { "\n" } else { "" });
            let _ = std::io::stderr().flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    /// A server that gives these answers, one to each request, and what it was asked.
    fn rebuild_with(answers: &[(u16, &str)]) -> (Result<()>, Vec<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}/", listener.local_addr().expect("bound"));
        std::thread::scope(|scope| {
            let server = scope.spawn(|| {
                let mut asked = Vec::new();
                for (status, body) in answers {
                    let (mut stream, _) = listener.accept().expect("a caller");
                    let mut request = [0; 1024];
                    let length = stream.read(&mut request).expect("a request");
                    asked.extend(String::from_utf8_lossy(&request[..length]).lines().next().map(str::to_owned));
                    let length = body.len();
                    write!(
                        stream,
                        "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                    )
                    .expect("an answer");
                }
                asked
            });
            let result = rebuild(&Options { url });
            (result, server.join().expect("the server does not fail"))
        })
    }

    #[test]
    fn asks_once_and_waits_until_it_is_done() {
        let (result, asked) = rebuild_with(&[
            (202, r#"{"id":"a","total":3,"done":0,"state":"running"}"#),
            (503, "{}"),
            (200, r#"{"id":"a","total":3,"done":2,"state":"running"}"#),
            (200, r#"{"id":"a","total":3,"done":3,"state":"done"}"#),
        ]);
        result.expect("it is done");
        let get = "GET /v1/rebuild HTTP/1.1";
        assert_eq!(asked, ["POST /v1/rebuild HTTP/1.1", get, get, get]);
    }

    #[test]
    fn errors_with_what_the_app_says() {
        let (result, _) = rebuild_with(&[(404, r#"{"detail":"no such route"}"#)]);
        let error = result.expect_err("it was refused").to_string();
        assert!(error.ends_with("answered 404 Not Found no such route"), "{error}");
    }
}
