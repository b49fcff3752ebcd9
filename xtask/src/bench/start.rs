//! Starting, with and without compiled components at hand; and how large the components are.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::app::{App, Start};
use super::report::{circumstances, factor, table};
use super::stats::median;
use super::{Bench, machine};
use crate::components::COMPONENTS;
use crate::shell::root;

/// How many starts of each kind are measured.
const N_STARTS: usize = 5;

/// Measures; returns the report.
///
/// # Errors
/// When something can't be measured.
pub fn measure(bench: &Bench) -> Result<String> {
    let load_before = machine::load();
    let folder = bench.folder("start")?;
    let compiled = folder.join("compiled");
    let cold = starts(bench, &folder, &compiled, true)?;
    let warm = starts(bench, &folder, &compiled, false)?;
    let rows = [row("cold", &cold), row("warm", &warm)];
    let times = table(&["compile cache", "median", "fastest", "slowest"], &rows);
    let ratio = factor(median(&cold) / median(&warm));
    Ok(format!(
        "## Start, {runner} runner\n\n{times}\nThe cache makes a start {ratio} as fast.\n\n{sizes}\n\
         How: from the start of the process to the first 200 on `/healthz`, asked again a millisecond after each \
         refusal; {N_STARTS} starts of each kind, each with an empty store. Cold: the folder of compiled components is \
         removed before each. Warm: a start before has filled it.\n\n\
         What distorts it: the program and the components lie in the page cache. Compiling takes all cores.\n\n\
         {circumstances}",
        runner = bench.runner.name(),
        sizes = table(&["component", "size"], &sizes()?),
        circumstances = circumstances(bench.runner, load_before, &[]),
    ))
}

/// The times of some starts, in milliseconds. Starts that are not cold find what the one before left.
fn starts(bench: &Bench, folder: &Path, compiled: &Path, is_cold: bool) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for _ in 0..N_STARTS {
        remove(&folder.join("state"))?;
        if is_cold {
            remove(compiled)?;
        }
        let app = App::start(&Start { runner: bench.runner, folder, compiled, cpus: None, redis: None })?;
        eprintln!("{}: {:.0} ms", if is_cold { "cold" } else { "warm" }, milliseconds(app.start_time));
        times.push(milliseconds(app.start_time));
    }
    Ok(times)
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("{} can't be removed", folder.display()))?;
    }
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn row(name: &str, times: &[f64]) -> Vec<String> {
    let fastest = times.iter().copied().fold(f64::INFINITY, f64::min);
    let slowest = times.iter().copied().fold(0.0, f64::max);
    let shown = [median(times), fastest, slowest].map(|time| format!("{time:.0} ms"));
    std::iter::once(name.to_owned()).chain(shown).collect()
}

/// The size of each component.
fn sizes() -> Result<Vec<Vec<String>>> {
    let size = |name: &&str| {
        let path = root().join(format!("target/wasm32-wasip2/release/{name}.wasm"));
        let n_bytes = path.metadata().with_context(|| format!("{} is not built", path.display()))?.len();
        Ok(vec![format!("`{name}.wasm`"), format!("{:.2} MB", n_bytes as f64 / 1e6)])
    };
    COMPONENTS.iter().map(size).collect()
}
