//! The way from accepted to ready: how fast, through which faults, and what of the store it takes.

mod faults;
mod operations;
mod speed;

use anyhow::Result;

use super::report::circumstances;
use super::{Bench, machine};
use crate::shell::{need_packages, output_of};

/// The size of the pictures, in pixels.
const PICTURE: (u32, u32) = (640, 480);

/// Measures; returns the report.
///
/// # Errors
/// When something can't be measured.
pub fn measure(bench: &Bench) -> Result<String> {
    need_packages(&[("redis-server", "redis-server"), ("nginx", "nginx-light"), ("setpriv", "util-linux")])?;
    let load_before = machine::load();
    let jpeg = bench.pictures.sized(PICTURE)?;
    let n_bytes = jpeg.len();
    let source = super::source::serve(jpeg)?;
    let speed = speed::measure(bench, source)?;
    let faults = faults::measure(bench, source)?;
    let operations = operations::measure(bench, source)?;
    let redis = output_of("redis-server", &["--version"]).unwrap_or_default();
    let redis = redis.split("v=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default().to_owned();
    Ok(format!(
        "## The pipeline, {runner} runner\n\n\
         All pictures are JPEGs of {width}x{height} pixels and {n_bytes} bytes, made of {origin}, no two with the same \
         bytes, fetched by URL from a small server on loopback. *Embedded* is one process with its store in a file; \
         *Redis* is what `cargo xtask cluster` starts: nginx, web processes, workers, and a Redis server that writes to \
         disk every second.\n\n{speed}\n\n{faults}\n\n{operations}\n\n{circumstances}",
        runner = bench.runner.name(),
        width = PICTURE.0,
        height = PICTURE.1,
        origin = bench.pictures.origin,
        circumstances = circumstances(bench.runner, load_before, &[("Redis", redis)]),
    ))
}
