//! A web server that pictures are ingested from.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use anyhow::{Context, Result};

use super::pictures::numbered;

/// Serves `/N`: the picture with the number N in its bytes. Until the program ends.
///
/// # Errors
/// When no port is free.
pub fn serve(jpeg: Vec<u8>) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no port of 127.0.0.1 is free")?;
    let address = listener.local_addr()?;
    let jpeg = Arc::new(jpeg);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let jpeg = Arc::clone(&jpeg);
            // Who hangs up in the middle misses the rest.
            std::thread::spawn(move || drop(answer(&connection, &jpeg)));
        }
    });
    Ok(address)
}

/// One answer, then the end of the connection.
fn answer(mut connection: &TcpStream, jpeg: &[u8]) -> std::io::Result<()> {
    let mut lines = BufReader::new(connection).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let number = request.split_whitespace().nth(1).and_then(|path| path.trim_start_matches('/').parse().ok());
    let Some(number) = number else {
        return connection.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    };
    let body = numbered(jpeg, number);
    let n_bytes = body.len();
    write!(
        connection,
        "HTTP/1.1 200 OK\r\ncontent-type: image/jpeg\r\ncontent-length: {n_bytes}\r\nconnection: close\r\n\r\n"
    )?;
    connection.write_all(&body)
}
