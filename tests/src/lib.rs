//! What the black-box tests stand on: the app as a process, an HTTP client without opinions, a source server that
//! misbehaves on command, and pictures of every kind.
//!
//! Environment:
//! - `SCALEHOSTER_RUNNER`: `bundled` (default) or `spin`.
//! - `SCALEHOSTER_RUNNER_BIN`, `SPIN_BIN`: the executables, where they are not in their usual places.
//! - `SCALEHOSTER_WIRING`: `embedded` (default), `redis` or `cluster`.
//! - `SCALEHOSTER_FAULTS`: `full` for the long form of the tests of faults.
//! - `SCALEHOSTER_MANIFEST`: another `spin.toml` than the repository's.
//! - `SCALEHOSTER_KEEP`: a folder to leave state and logs of every instance in.

#![forbid(unsafe_code)]

pub mod api;
pub mod app;
pub mod audit;
pub mod faults;
pub mod files;
pub mod fixtures;
pub mod http;
pub mod icc;
pub mod manifest;
pub mod multipart;
pub mod node;
pub mod peers;
pub mod pixels;
pub mod poll;
pub mod ports;
pub mod problem;
pub mod process;
pub mod proxy;
pub mod redis_server;
pub mod source;

pub use app::App;
pub use http::{Answer, Call};
pub use source::Source;

use std::sync::atomic::{AtomicU32, Ordering};

/// `stem` with something behind it that no other test of this run uses.
pub fn fresh(stem: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{stem}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
