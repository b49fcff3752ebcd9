//! `cargo xtask lint`.

use anyhow::Result;

use crate::shell::{cargo, step};
use crate::{components, filter, manifest};

/// Formatting and clippy, and the digest of the filters.
///
/// # Errors
/// When either finds something.
pub fn lint() -> Result<()> {
    filter::check(&manifest::read()?)?;
    components::need_target()?;
    step("formatting", &mut cargo(&["fmt", "--all", "--check"]))?;
    step(
        "clippy for the host",
        &mut cargo(&["clippy", "--profile", "native", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    )?;
    // What only components have is compiled for wasm alone.
    let mut wasm = cargo(&["clippy", "--release", "--target", "wasm32-wasip2", "-p", "host"]);
    wasm.args(["-p", "runner-guest", "-p", "runner-dependency", "-p", "filter-duotone"])
        .args(components::packages())
        .args(["--", "-D", "warnings"]);
    step("clippy for wasm", &mut wasm)
}
