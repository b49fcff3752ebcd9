//! What components print, line by line, with the component's name in front.

use std::io::{self, Write as _};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

/// The longest line kept back for its end; a longer one is cut.
const MAX_LINE: usize = 16 * 1024;

/// Standard output or standard error of one instance. Both go to the runner's standard error.
#[derive(Clone)]
pub struct Log {
    component: Arc<str>,
    /// The beginning of a line.
    line: Arc<Mutex<Vec<u8>>>,
}

impl Log {
    /// A log with `component` in front of each line.
    pub fn new(component: Arc<str>) -> Self {
        Self { component, line: Arc::default() }
    }

    /// Takes `bytes`, and prints the lines that they complete.
    fn take(&self, bytes: &[u8]) {
        let mut line = self.line.lock().expect("nothing panics in between");
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            line.extend_from_slice(piece);
            if piece.ends_with(b"\n") || line.len() >= MAX_LINE {
                print(&self.component, &line);
                line.clear();
            }
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if Arc::strong_count(&self.line) == 1 {
            let line = self.line.lock().expect("nothing panics in between");
            if !line.is_empty() {
                print(&self.component, &line);
            }
        }
    }
}

/// Prints one line. The log being gone is no reason to stop.
fn print(component: &str, line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    let _ = writeln!(io::stderr().lock(), "[{component}] {}", text.trim_end_matches(['\r', '\n']));
}

impl IsTerminal for Log {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Log {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Log {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
