//! Ports for servers that can't be asked which one they took, or have to come back on the same.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range that the system takes from for outgoing connections, so that none of those is in the way of a
/// server that comes back.
const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;

/// An address on 127.0.0.1 that nobody listens on, a different one with each call.
///
/// # Panics
/// When all are taken.
pub fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test processes that run side by side begin at different places.
    let start = (std::process::id() % u32::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + ((u32::from(start) * 37 + u32::from(step)) % u32::from(COUNT)) as u16;
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener.local_addr().expect("a bound socket has an address");
        }
    }
    panic!("no port is free on 127.0.0.1");
}
