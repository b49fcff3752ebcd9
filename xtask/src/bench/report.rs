//! docs/benchmarks.md: what is measured replaces its own block and leaves the rest of the file as it is.

use std::path::Path;

use anyhow::{Context, Result};

use super::machine;
use crate::runner::Runner;
use crate::shell::{output_of, root};

/// What the file says before the blocks, when it is made.
const INTRODUCTION: &str = "\
# Benchmarks

`cargo xtask bench` measures and writes this file. `--only cached|render|image|ingest|start|pipeline` measures one part
and replaces that part alone; `--runner spin` measures under Spin, beside what is said of the bundled runner. `--help`
has the rest.

All servers and the load on them run on one machine and talk over its loopback interface. The numbers are for comparing
on that machine, and the ratios are what to read: a ratio above 1 is in our favour, wherever it stands.
";

/// Replaces the block `name` of the report, or adds it.
///
/// # Errors
/// When the file can't be read or written.
pub fn write(name: &str, runner: Runner, body: &str) -> Result<()> {
    let path = root().join("docs/benchmarks.md");
    let text = if path.exists() { read(&path)? } else { INTRODUCTION.to_owned() };
    let name = format!("{name}-{}", runner.name());
    std::fs::write(&path, replaced(&text, &name, body))
        .with_context(|| format!("{} can't be written", path.display()))?;
    eprintln!("=== {name} is in docs/benchmarks.md\n\n{body}");
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))
}

fn replaced(text: &str, name: &str, body: &str) -> String {
    let (first, last) = (format!("<!-- bench: {name} -->"), format!("<!-- end of {name} -->"));
    let block = format!("{first}\n{}\n{last}", body.trim());
    let known = text.find(&first).zip(text.find(&last)).filter(|(start, end)| start < end);
    match known {
        Some((start, end)) => format!("{}{block}{}", &text[..start], &text[end + last.len()..]),
        None => format!("{}\n\n{block}\n", text.trim_end()),
    }
}

/// When, on what and with which `versions` a block was measured. `load` is the machine's before it began.
pub fn circumstances(runner: Runner, load: f64, versions: &[(&str, String)]) -> String {
    let date = output_of("date", &["-u", "+%Y-%m-%d"]).unwrap_or_default();
    let commit = output_of("git", &["-C", &root().to_string_lossy(), "describe", "--always", "--dirty"]);
    let commit = commit.map(|commit| format!(" of commit {}", commit.trim())).unwrap_or_default();
    let versions: String = versions.iter().map(|(name, version)| format!("; {name} {version}")).collect();
    format!(
        "Measured {}{commit} under the {} runner{versions}. Machine: {}; load before the start {load:.1}.",
        date.trim(),
        runner.name(),
        machine::description(),
    )
}

/// A table of Markdown.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let rule = vec!["---".to_owned(); head.len()];
    line(&head) + &line(&rule) + &rows.iter().map(|row| line(row)).collect::<String>()
}

/// A ratio, to be read as a factor, with two digits that say something.
pub fn factor(ratio: f64) -> String {
    let n_decimals = match ratio {
        ..0.1 => 3,
        ..10.0 => 2,
        _ => 0,
    };
    format!("{ratio:.n_decimals$}×")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_replaces_itself_and_nothing_else() {
        let first = replaced("# Title\n", "a", "one");
        assert_eq!(first, "# Title\n\n<!-- bench: a -->\none\n<!-- end of a -->\n");
        let both = replaced(&first, "b", "two");
        let again = replaced(&both, "a", "three\n");
        assert_eq!(again, both.replace("one", "three"));
    }
}
