//! `cargo xtask lint`.

use anyhow::Result;

use crate::components;
use crate::shell::{cargo, step};

/// Formatting and clippy.
///
/// # Errors
/// When either finds something.
pub fn lint() -> Result<()> {
    components::need_target()?;
    step("formatting", &mut cargo(&["fmt", "--all", "--check"]))?;
    step(
        "clippy for the host",
        &mut cargo(&["clippy", "--profile", "native", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    )?;
    // What only components have is compiled for wasm alone.
    let mut wasm = cargo(&["clippy", "--release", "--target", "wasm32-wasip2", "-p", "host", "-p", "runner-guest"]);
    wasm.args(components::packages()).args(["--", "-D", "warnings"]);
    step("clippy for wasm", &mut wasm)
}
