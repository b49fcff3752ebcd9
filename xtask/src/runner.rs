//! Which program serves the components: Spin where it is installed, the bundled runner elsewhere.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::shell::{cargo, output_of, step, target_dir};

/// The oldest Spin that runs WASI 0.3 components.
const OLDEST_SPIN: (u32, u32) = (4, 1);

/// What serves the components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Runner {
    /// Spin 4.1 or newer, from the PATH (or SPIN_BIN)
    Spin,
    /// The runner in `runner/`
    Bundled,
}

impl Runner {
    /// The one that was asked for, or Spin where it is there and new enough.
    ///
    /// # Errors
    /// When Spin was asked for and is not there.
    pub fn choose(wish: Option<Self>) -> Result<Self> {
        match wish {
            Some(Self::Bundled) => Ok(Self::Bundled),
            Some(Self::Spin) => {
                check_spin()?;
                Ok(Self::Spin)
            }
            None => Ok(if check_spin().is_ok() { Self::Spin } else { Self::Bundled }),
        }
    }

    /// As in `--runner`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::Bundled => "bundled",
        }
    }

    /// Builds it where it is ours.
    ///
    /// # Errors
    /// When the build fails.
    pub fn build(self) -> Result<()> {
        match self {
            Self::Spin => Ok(()),
            Self::Bundled => step(
                "building the bundled runner (the first time takes some minutes)",
                &mut cargo(&["build", "--profile", "native", "-p", "scalehoster-runner"]),
            ),
        }
    }

    /// The program, and what comes before its options.
    pub fn program(self) -> (PathBuf, Vec<OsString>) {
        match self {
            Self::Spin => (PathBuf::from(spin()), vec!["up".into()]),
            Self::Bundled => (target_dir().join("native/scalehoster-runner"), Vec::new()),
        }
    }
}

/// The `spin` to use.
pub fn spin() -> String {
    std::env::var("SPIN_BIN").unwrap_or_else(|_| "spin".to_owned())
}

fn check_spin() -> Result<()> {
    let spin = spin();
    let version = output_of(&spin, &["--version"]).with_context(|| format!("{spin} is not to be found"))?;
    let number = version.split_whitespace().nth(1).unwrap_or_default();
    let mut parts = number.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if found < OLDEST_SPIN {
        let (major, minor) = OLDEST_SPIN;
        bail!("{spin} is {number}; the components need {major}.{minor} or newer");
    }
    Ok(())
}
