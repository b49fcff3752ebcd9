//! A web server to download from, which does what a test tells it to, most of it wrong.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::Duration;

use crate::{fresh, peers};

/// What happens when a path is asked for. `number` counts from 1.
type Script = Arc<dyn Fn(&mut Peer, usize) -> io::Result<()> + Send + Sync>;

/// The server: one for all tests, with a path of its own for each script.
pub struct Source {
    address: SocketAddr,
    scripts: Mutex<HashMap<String, Entry>>,
}

#[derive(Clone)]
struct Entry {
    script: Script,
    n_hits: Arc<AtomicUsize>,
}

/// A path that was given a script.
pub struct Offer {
    /// Where to download it.
    pub url: String,
    n_hits: Arc<AtomicUsize>,
}

impl Offer {
    /// How often it was asked for.
    pub fn n_hits(&self) -> usize {
        self.n_hits.load(Ordering::SeqCst)
    }
}

/// Who asks, at the moment of the answer.
pub struct Peer {
    connection: TcpStream,
    head: String,
}

impl Source {
    /// The server on 127.0.0.1.
    pub fn here() -> &'static Source {
        static HERE: OnceLock<&'static Source> = OnceLock::new();
        HERE.get_or_init(|| Source::start("127.0.0.1:0"))
    }

    /// A second server, on another loopback address.
    pub fn elsewhere() -> &'static Source {
        static ELSEWHERE: OnceLock<&'static Source> = OnceLock::new();
        ELSEWHERE.get_or_init(|| Source::start("127.0.0.2:0"))
    }

    fn start(address: &str) -> &'static Source {
        let listener = TcpListener::bind(address).expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let source: &'static Source = Box::leak(Box::new(Source { address, scripts: Mutex::default() }));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                std::thread::spawn(move || source.answer(connection));
            }
        });
        source
    }

    /// `http://ADDRESS` without a path.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Gives a new path this script.
    pub fn offer(&self, script: impl Fn(&mut Peer, usize) -> io::Result<()> + Send + Sync + 'static) -> Offer {
        let path = format!("/{}", fresh("file"));
        let n_hits = Arc::new(AtomicUsize::new(0));
        let entry = Entry { script: Arc::new(script), n_hits: n_hits.clone() };
        self.scripts.lock().expect("no script panics").insert(path.clone(), entry);
        Offer { url: self.origin() + &path, n_hits }
    }

    /// Offers these bytes, as a well-behaved server does.
    pub fn serve(&self, bytes: impl Into<Vec<u8>>) -> Offer {
        let bytes = bytes.into();
        self.offer(move |peer, _| peer.respond("200 OK", &[("content-type", "image/whatever")], &bytes))
    }

    /// Offers a status and an HTML page.
    pub fn status(&self, status: &'static str) -> Offer {
        self.offer(move |peer, _| peer.respond(status, &[("content-type", "text/html")], b"<!doctype html><h1>no</h1>"))
    }

    /// Offers a redirect.
    pub fn redirect(&self, to: impl Into<String>) -> Offer {
        let to = to.into();
        self.offer(move |peer, _| peer.respond("302 Found", &[("location", &to)], b""))
    }

    fn answer(&self, connection: TcpStream) {
        let Ok(mut peer) = Peer::read(connection) else { return };
        let path = peer.head.split(' ').nth(1).unwrap_or_default().to_owned();
        let path = path.split('?').next().unwrap_or_default();
        let entry = self.scripts.lock().expect("no script panics").get(path).cloned();
        // A peer that hangs up is part of many tests.
        let _ = match entry {
            None => peer.respond("404 Not Found", &[], b"no such path"),
            Some(entry) => {
                let number = entry.n_hits.fetch_add(1, Ordering::SeqCst) + 1;
                (entry.script)(&mut peer, number)
            }
        };
    }
}

impl Peer {
    fn read(mut connection: TcpStream) -> io::Result<Self> {
        connection.set_nodelay(true)?;
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            connection.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        Ok(Self { connection, head: String::from_utf8_lossy(&head).into_owned() })
    }

    /// The request line and the headers.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// The process group that asks, as the system knows it, as long as the connection is open.
    pub fn process_group(&self) -> Option<u32> {
        let (peer, here) = (self.connection.peer_addr().ok()?, self.connection.local_addr().ok()?);
        peers::group_of(peer, here)
    }

    /// Answers as a well-behaved server does.
    ///
    /// # Errors
    /// When the peer is gone.
    pub fn respond(&mut self, status: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<()> {
        let length = body.len().to_string();
        let headers = [headers, &[("content-length", length.as_str())]].concat();
        self.head_only(status, &headers)?;
        self.send(body)
    }

    /// Sends a head with exactly these headers.
    ///
    /// # Errors
    /// When the peer is gone.
    pub fn head_only(&mut self, status: &str, headers: &[(&str, &str)]) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n");
        headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        head.push_str("\r\n");
        self.send(head.as_bytes())
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the peer is gone.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.connection.write_all(bytes)
    }

    /// Sends nothing until the peer hangs up.
    ///
    /// # Errors
    /// When the connection breaks, which is an end as good as any.
    pub fn fall_silent(&mut self) -> io::Result<()> {
        io::copy(&mut self.connection, &mut io::sink()).map(|_| ())
    }

    /// Sends `bytes` one at a time with `pause` between them. That it is slow is the point.
    ///
    /// # Errors
    /// When the peer is gone.
    pub fn trickle(&mut self, bytes: &[u8], pause: Duration) -> io::Result<()> {
        for byte in bytes {
            self.send(&[*byte])?;
            std::thread::sleep(pause);
        }
        Ok(())
    }
}

/// Something that scripts wait at until a test opens it.
#[derive(Clone, Default)]
pub struct Gate {
    inner: Arc<(Mutex<bool>, Condvar)>,
}

impl Gate {
    /// A closed one.
    pub fn closed() -> Self {
        Self::default()
    }

    /// Lets everyone through from now on.
    ///
    /// # Panics
    /// Never: nobody panics while holding it.
    pub fn open(&self) {
        *self.inner.0.lock().expect("nobody panics at a gate") = true;
        self.inner.1.notify_all();
    }

    /// Waits until it is open.
    ///
    /// # Panics
    /// Never: nobody panics while holding it.
    pub fn pass(&self) {
        let is_open = self.inner.0.lock().expect("nobody panics at a gate");
        let _guard = self.inner.1.wait_while(is_open, |is_open| !*is_open).expect("nobody panics at a gate");
    }
}
