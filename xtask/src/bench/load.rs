//! Load by wrk.

use std::process::Command;

use anyhow::{Context, Result, bail};

/// How to ask.
#[derive(Clone, Copy)]
pub struct Load {
    /// Connections, each with one request at a time.
    pub n_connections: u32,
    /// Whether each request is made on a new connection.
    pub is_fresh: bool,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Requests answered in a second.
    pub per_second: f64,
    /// The time that half of the requests took at most, in milliseconds.
    pub p50: f64,
    /// The time that all but one in a hundred took at most, in milliseconds.
    pub p99: f64,
}

impl Load {
    /// Asks for `url` for some seconds, from the processors `cpus`, if any are named.
    ///
    /// # Errors
    /// When wrk fails, or an answer is not what it should be.
    pub fn run(&self, url: &str, seconds: u64, cpus: Option<&str>) -> Result<Outcome> {
        let mut command = Command::new(if cpus.is_some() { "taskset" } else { "wrk" });
        if let Some(cpus) = cpus {
            command.args(["-c", cpus, "wrk"]);
        }
        // wrk wants a connection for each thread at least.
        let n_threads = self.n_connections.min(2);
        command.args([format!("-t{n_threads}"), format!("-c{}", self.n_connections), format!("-d{seconds}s")]);
        command.args(["--latency", "--timeout", "10s"]);
        if self.is_fresh {
            command.args(["-H", "Connection: close"]);
        }
        let output = command.arg(url).output().context("wrk could not be started")?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            bail!("wrk: {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        outcome(&text).with_context(|| format!("wrk said\n{text}"))
    }
}

fn outcome(text: &str) -> Result<Outcome> {
    let after = |label: &str| text.lines().find_map(|line| line.trim().strip_prefix(label)).map(str::trim);
    for trouble in ["Socket errors:", "Non-2xx or 3xx responses:"] {
        if let Some(what) = after(trouble) {
            bail!("{trouble} {what}");
        }
    }
    let per_second = after("Requests/sec:").and_then(|number| number.parse().ok()).context("no requests a second")?;
    let p50 = after("50%").and_then(milliseconds).context("no median")?;
    let p99 = after("99%").and_then(milliseconds).context("no 99th percentile")?;
    Ok(Outcome { per_second, p50, p99 })
}

/// A time as wrk writes it, in milliseconds.
fn milliseconds(text: &str) -> Option<f64> {
    let number_end = text.find(|c: char| c.is_ascii_alphabetic())?;
    let factor = match &text[number_end..] {
        "us" => 0.001,
        "ms" => 1.0,
        "s" => 1000.0,
        "m" => 60_000.0,
        _ => return None,
    };
    Some(text[..number_end].parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "Running 1s test @ http://127.0.0.1:80/
  2 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.02ms  210.00us   5.00ms   90.00%
  Latency Distribution
     50%  812.50us
     75%    1.00ms
     90%    1.20ms
     99%    1.50s
  15000 requests in 1.00s, 300.00MB read
Requests/sec:  15000.50
Transfer/sec:    300.00MB
";

    #[test]
    fn what_wrk_says_is_read() {
        let expected = Outcome { per_second: 15000.5, p50: 0.8125, p99: 1500.0 };
        assert_eq!(outcome(SAID).unwrap(), expected);
    }

    #[test]
    fn errors_are_not_overlooked() {
        assert!(outcome(&format!("{SAID}  Non-2xx or 3xx responses: 3\n")).is_err());
        assert!(outcome(&format!("{SAID}  Socket errors: connect 0, read 3, write 0, timeout 0\n")).is_err());
        assert!(outcome("").is_err());
    }
}
