//! Requests from many addresses: nginx lets one address ask only so often.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use serde_json::Value;

/// How many addresses of loopback the requests come from.
const N_ADDRESSES: u64 = 200;

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks one server, each time on a new connection.
#[derive(Clone, Copy)]
pub struct Client {
    server: SocketAddr,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    head: String,
}

/// What is sent with a request.
#[derive(Clone, Copy, Default)]
pub struct Body<'a> {
    pub content_type: &'a str,
    pub bytes: &'a [u8],
}

impl Client {
    pub fn new(server: SocketAddr) -> Self {
        Self { server }
    }

    /// Asks once. `number` decides which address the request comes from.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub fn ask(&self, number: u64, method: &str, path: &str, body: Body) -> Result<Answer> {
        let mut stream = self.dial(number).context("connecting")?;
        // Of HTTP/1.0, so that the answer ends with the connection.
        let mut request = format!("{method} {path} HTTP/1.0\r\nHost: {}\r\n", self.server);
        if !body.content_type.is_empty() {
            request += &format!("Content-Type: {}\r\nContent-Length: {}\r\n", body.content_type, body.bytes.len());
        }
        request += "\r\n";
        stream.write_all(&[request.as_bytes(), body.bytes].concat()).context("sending")?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).context("reading the answer")?;
        Answer::parse(&bytes)
    }

    fn dial(&self, number: u64) -> Result<TcpStream> {
        let last = u8::try_from(number % N_ADDRESSES).unwrap_or(0) + 10;
        let from = SocketAddrV4::new(Ipv4Addr::new(127, 0, 1, last), 0);
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        bind(&socket, &from)?;
        connect(&socket, &self.server)?;
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Answer {
    fn parse(bytes: &[u8]) -> Result<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").context("no whole head")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok()).context("no status")?;
        let answer = Self { status, body: bytes[end + 4..].to_vec(), head };
        let announced = answer.header("content-length").and_then(|length| length.parse().ok());
        ensure!(announced.is_none_or(|length: usize| length == answer.body.len()), "the body was cut short");
        Ok(answer)
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_whole_or_not_at_all() {
        let answer =
            Answer::parse(b"HTTP/1.1 503 Busy\r\nretry-after: 1\r\nContent-Length: 2\r\n\r\n{}").expect("whole");
        assert_eq!((answer.status, answer.header("Retry-After")), (503, Some("1")));
        assert!(Answer::parse(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}").is_err());
        assert!(Answer::parse(b"HTTP/1.1 200").is_err());
    }
}
