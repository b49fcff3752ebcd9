//! Starting other programs, and saying what is done.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

/// The root of the checkout.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where cargo puts what it builds.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A cargo command in the checkout.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// Runs a command under a heading and says how long it took.
///
/// # Errors
/// When it can't be started or does not succeed.
pub fn step(heading: &str, command: &mut Command) -> Result<()> {
    eprintln!("\n=== {heading}");
    let started = Instant::now();
    let status =
        command.status().with_context(|| format!("{heading}: {:?} could not be started", command.get_program()))?;
    if !status.success() {
        bail!("{heading}: {status}");
    }
    eprintln!("=== {heading}: {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// What a command prints, if it can be started and succeeds.
pub fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Sees that programs of Debian's packages are there: each is a program and the package that has it.
///
/// # Errors
/// When one is missing and can't be installed.
pub fn need_packages(programs: &[(&str, &str)]) -> Result<()> {
    let missing = missing_packages(programs);
    if missing.is_empty() {
        return Ok(());
    }
    let is_root = output_of("id", &["-u"]).is_some_and(|id| id.trim() == "0");
    if !(is_root && is_on_path("apt-get")) {
        return check_packages(programs);
    }
    step("apt-get update", Command::new("apt-get").args(["update", "-q"]))?;
    let mut install = Command::new("apt-get");
    install.args(["install", "-q", "-y", "--no-install-recommends"]).args(&missing);
    // A package that brings a server would start it; here each test starts its own.
    install.env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1");
    step(&format!("apt-get install {}", missing.join(" ")), &mut install)
}

/// The same without installing anything.
///
/// # Errors
/// When one is missing, with what installs it.
pub fn check_packages(programs: &[(&str, &str)]) -> Result<()> {
    let missing = missing_packages(programs).join(" ");
    ensure!(missing.is_empty(), "missing: {missing}. Install with: sudo apt-get install {missing}");
    Ok(())
}

fn missing_packages<'a>(programs: &[(&str, &'a str)]) -> Vec<&'a str> {
    programs.iter().filter(|(program, _)| !is_on_path(program)).map(|(_, package)| *package).collect()
}

/// Whether a program is there to be called.
pub fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).any(|file| file.is_file())
}

/// Writes a file of which nobody ever sees half.
///
/// # Errors
/// When it can't be written.
pub fn write_whole(path: &Path, text: &str) -> Result<()> {
    let context = || format!("{} can't be written", path.display());
    let part = path.with_added_extension("part");
    std::fs::write(&part, text).with_context(context)?;
    std::fs::rename(&part, path).with_context(context)
}
