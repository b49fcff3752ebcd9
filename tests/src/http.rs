//! An HTTP/1.1 client that sends what it is told and shows what came back: no redirects, no retries, no repaired paths.
//!
//! Every call has a connection of its own, so that no test sees the leftovers of another.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long to wait for the next byte.
const READ_TIMEOUT: Duration = Duration::from_secs(90);

/// A request that is being put together.
#[derive(Clone)]
pub struct Call {
    address: SocketAddr,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Body,
    patience: Duration,
}

#[derive(Clone)]
enum Body {
    None,
    Whole(Vec<u8>),
    /// Sent without `Content-Length`.
    Chunked(Vec<u8>),
    /// Sent with a `Content-Length` of its own choosing.
    Declared(u64, Vec<u8>),
}

impl Call {
    /// A request for `target`, which goes onto the wire as it is.
    pub fn new(address: SocketAddr, method: &str, target: &str) -> Self {
        Self {
            address,
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Body::None,
            patience: READ_TIMEOUT,
        }
    }

    /// Waits no longer than this for the next byte.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A JSON body with its type.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    /// A body with `Content-Length`.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Body::Whole(body.into());
        self
    }

    /// A body in chunks, without `Content-Length`.
    #[must_use]
    pub fn chunked(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Body::Chunked(body.into());
        self
    }

    /// A body that declares another length than it has.
    #[must_use]
    pub fn declared(mut self, length: u64, body: impl Into<Vec<u8>>) -> Self {
        self.body = Body::Declared(length, body.into());
        self
    }

    /// Sends the request and reads the whole answer.
    ///
    /// # Panics
    /// When there is no answer, or one that is not HTTP.
    #[track_caller]
    pub fn send(&self) -> Answer {
        self.try_send().unwrap_or_else(|error| panic!("no answer to {self}: {error}"))
    }

    /// [`Call::send`] for a server that may die meanwhile.
    ///
    /// # Errors
    /// Whatever the connection says.
    pub fn try_send(&self) -> io::Result<Answer> {
        let mut stream = self.try_open()?;
        let mut body = Vec::new();
        stream.body.read_to_end(&mut body)?;
        stream.hang_up();
        Ok(Answer { call: self.to_string(), status: stream.status, headers: stream.headers, body })
    }

    /// Sends the request and reads the head of the answer; the body comes as it comes.
    ///
    /// # Panics
    /// As [`Call::send`].
    #[track_caller]
    pub fn open(&self) -> Stream {
        self.try_open().unwrap_or_else(|error| panic!("no answer to {self}: {error}"))
    }

    fn try_open(&self) -> io::Result<Stream> {
        let connection = TcpStream::connect(self.address)?;
        connection.set_nodelay(true)?;
        connection.set_read_timeout(Some(self.patience))?;
        let mut writer = connection.try_clone()?;
        let bytes = self.wire();
        if bytes.len() < 64 * 1024 {
            writer.write_all(&bytes)?;
        } else {
            // A server may refuse a large body before it has read all of it, and close; the answer counts.
            std::thread::spawn(move || writer.write_all(&bytes));
        }
        Stream::read_head(&self.method, connection)
    }

    fn wire(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let mut add = |name: &str, value: &str| head.push_str(&format!("{name}: {value}\r\n"));
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            add("host", &self.address.to_string());
        }
        add("connection", "close");
        self.headers.iter().for_each(|(name, value)| add(name, value));
        let body = match &self.body {
            Body::None => {
                // A POST without a body still has a length.
                if self.method == "POST" {
                    add("content-length", "0");
                }
                Vec::new()
            }
            Body::Whole(body) => {
                add("content-length", &body.len().to_string());
                body.clone()
            }
            Body::Declared(length, body) => {
                add("content-length", &length.to_string());
                body.clone()
            }
            Body::Chunked(body) => {
                add("transfer-encoding", "chunked");
                chunks(body)
            }
        };
        [head.as_bytes(), b"\r\n", &body].concat()
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target)
    }
}

fn chunks(body: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    for chunk in body.chunks(16 * 1024) {
        wire.extend(format!("{:x}\r\n", chunk.len()).as_bytes());
        wire.extend(chunk);
        wire.extend(b"\r\n");
    }
    wire.extend(b"0\r\n\r\n");
    wire
}

/// An answer whose body is still to be read.
pub struct Stream {
    /// The status code.
    pub status: u16,
    headers: Vec<(String, String)>,
    body: BufReader<Decoded>,
    connection: TcpStream,
}

impl Stream {
    fn read_head(method: &str, connection: TcpStream) -> io::Result<Self> {
        let mut reader = BufReader::new(connection.try_clone()?);
        let (status, headers) = loop {
            let head = head(&mut reader)?;
            if head.0 >= 200 {
                break head;
            }
        };
        let get = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let framing = if method == "HEAD" || status == 204 || status == 304 {
            Framing::Rest(0)
        } else if get("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            Framing::Chunk(0)
        } else {
            match get("content-length") {
                Some(length) => {
                    Framing::Rest(length.parse().map_err(|_| broken("a content-length that is no number"))?)
                }
                None => Framing::UntilClose,
            }
        };
        Ok(Self { status, headers, body: BufReader::new(Decoded { reader, framing }), connection })
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The next line of the body without its end, or `None` at the end of the body.
    ///
    /// # Panics
    /// When the connection breaks.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let n_bytes = self.body.read_line(&mut line).expect("the stream goes on or ends");
        (n_bytes > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// The next server-sent event, as its name and its data, or `None` when the stream has ended. Comments are skipped.
    pub fn event(&mut self) -> Option<(String, String)> {
        let (mut name, mut data) = (String::new(), String::new());
        loop {
            let line = self.line()?;
            match line.split_once(':').map(|(field, value)| (field, value.strip_prefix(' ').unwrap_or(value))) {
                Some(("event", value)) => name = value.to_owned(),
                Some(("data", value)) => data.push_str(value),
                None if line.is_empty() && !(name.is_empty() && data.is_empty()) => return Some((name, data)),
                _ => {}
            }
        }
    }

    /// Closes the connection.
    pub fn hang_up(&self) {
        let _ = self.connection.shutdown(Shutdown::Both);
    }
}

/// Status and headers, names in lower case.
type Head = (u16, Vec<(String, String)>);

fn head(reader: &mut impl BufRead) -> io::Result<Head> {
    let mut line = || {
        let mut line = String::new();
        match reader.read_line(&mut line)? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed before an answer")),
            _ => Ok(line.trim_end().to_owned()),
        }
    };
    let status = line()?;
    let status = status.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| broken("a first line that is not HTTP/1.1"))?;
    let mut headers = Vec::new();
    loop {
        let line = line()?;
        if line.is_empty() {
            return Ok((status, headers));
        }
        let (name, value) = line.split_once(':').ok_or_else(|| broken("a header without a colon"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

/// A body with its framing taken off.
struct Decoded {
    reader: BufReader<TcpStream>,
    framing: Framing,
}

enum Framing {
    /// This many bytes are left.
    Rest(u64),
    /// This many bytes of the current chunk are left.
    Chunk(u64),
    UntilClose,
}

impl Read for Decoded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = match self.framing {
            Framing::UntilClose => return self.reader.read(buffer),
            Framing::Rest(0) => return Ok(0),
            Framing::Chunk(0) => match self.chunk_length()? {
                0 => {
                    self.framing = Framing::Rest(0);
                    return Ok(0);
                }
                length => length,
            },
            Framing::Rest(left) | Framing::Chunk(left) => left,
        };
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let n_bytes = self.reader.read(&mut buffer[..wanted])?;
        if n_bytes == 0 && wanted > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the body ended early"));
        }
        let left = left - n_bytes as u64;
        match self.framing {
            Framing::Rest(_) => self.framing = Framing::Rest(left),
            _ => {
                self.framing = Framing::Chunk(left);
                if left == 0 {
                    self.reader.read_exact(&mut [0; 2])?;
                }
            }
        }
        Ok(n_bytes)
    }
}

impl Decoded {
    fn chunk_length(&mut self) -> io::Result<u64> {
        let mut line = String::new();
        self.reader.read_line(&mut line)?;
        if line.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the body ended without a last chunk"));
        }
        let digits = line.trim_end().split(';').next().unwrap_or_default();
        let length = u64::from_str_radix(digits, 16).map_err(|_| broken("a chunk without a length"))?;
        if length == 0 {
            while self.reader.read_line(&mut String::new())? > 2 {}
        }
        Ok(length)
    }
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// A whole answer.
#[derive(Clone)]
pub struct Answer {
    call: String,
    /// The status code.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The body, its framing taken off.
    pub body: Vec<u8>,
}

impl Answer {
    /// The answer again, if it has this status.
    ///
    /// # Panics
    /// When it has another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A header that has to be there.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn must_have(&self, name: &str) -> &str {
        self.header(name).unwrap_or_else(|| panic!("no {name} in {self}"))
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self}"))
    }

    /// The body as a list of JSON lines.
    ///
    /// # Panics
    /// When a line is not JSON.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let text = std::str::from_utf8(&self.body).expect("NDJSON is UTF-8");
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?} of {self}"));
        text.lines().filter(|line| !line.trim().is_empty()).map(parse).collect()
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the answer to {}: {}", self.call, self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "  {name}: {value}")?;
        }
        let shown = &self.body[..self.body.len().min(2000)];
        match std::str::from_utf8(shown) {
            Ok(text) => write!(f, "  {text}"),
            Err(_) => write!(f, "  {} bytes, not text", self.body.len()),
        }
    }
}
