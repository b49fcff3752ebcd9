//! `cargo xtask bench`.

use anyhow::Result;

#[derive(clap::Args)]
pub struct Options {}

/// Measures.
///
/// # Errors
/// When something can't be measured.
pub fn bench(_options: &Options) -> Result<()> {
    anyhow::bail!("not written yet")
}
