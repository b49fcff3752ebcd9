//! Building the components.

use std::process::Command;

use anyhow::{Result, bail};

use crate::shell::{cargo, output_of, step};

/// The target that components are built for.
const TARGET: &str = "wasm32-wasip2";

/// The packages that are components of the app.
pub const COMPONENTS: [&str; 4] = ["category", "ingest", "resize", "retrieve"];

/// The package that has the filters of those who bring none.
const NO_FILTERS: &str = "filter-none";

/// Builds every component of the app.
///
/// # Errors
/// When the wasm target can't be had, or the build fails.
pub fn build() -> Result<()> {
    need_target()?;
    step("building the components", cargo(&["build", "--release", "--target", TARGET]).args(packages()))
}

/// `-p NAME` for each component, and for what meets an import of theirs.
pub fn packages() -> impl Iterator<Item = &'static str> {
    COMPONENTS.into_iter().chain([NO_FILTERS]).flat_map(|name| ["-p", name])
}

/// Sees that the wasm target is installed.
///
/// # Errors
/// When it is not and rustup can't install it.
pub fn need_target() -> Result<()> {
    if has_target() {
        return Ok(());
    }
    if output_of("rustup", &["--version"]).is_none() {
        bail!("the Rust target {TARGET} is missing, and rustup, which would add it, is not on the PATH");
    }
    step(&format!("adding the Rust target {TARGET}"), Command::new("rustup").args(["target", "add", TARGET]))
}

fn has_target() -> bool {
    let Some(sysroot) = output_of("rustc", &["--print", "sysroot"]) else { return false };
    std::path::Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).join("lib").is_dir()
}
