//! The machine that is measured on.

use std::process::Command;

use crate::shell::output_of;

/// What it is, without its name.
pub fn description() -> String {
    let n_cores = allowed_cpus().len();
    let plural = if n_cores == 1 { "" } else { "s" };
    let release = output_of("uname", &["-sr"]).unwrap_or_default();
    format!("{n_cores} core{plural} ({}), {} of memory, {}", cpu_model(), memory(), release.trim())
}

/// Processes that ran or waited to on average of the last minute.
pub fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// The version of a program that answers `-v`, wherever it writes it to and however it exits.
pub fn version_of(program: &str) -> String {
    let Ok(output) = Command::new(program).arg("-v").output() else { return String::new() };
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let mut words = text.split(|c: char| c.is_whitespace() || c == '/');
    let version = words.find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    version.unwrap_or_default().to_owned()
}

/// The processors for a server and for the load on it, as taskset lists them: the first, and the others. Both on all of
/// them where there is one only.
pub fn split_cpus() -> Option<(String, String)> {
    let cpus: Vec<String> = allowed_cpus().iter().map(u32::to_string).collect();
    let (first, others) = cpus.split_first()?;
    (!others.is_empty()).then(|| (first.clone(), others.join(",")))
}

fn allowed_cpus() -> Vec<u32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    list.map(|list| parsed(list.trim())).filter(|cpus| !cpus.is_empty()).unwrap_or_else(|| vec![0])
}

/// A list as `0-2,5`.
fn parsed(list: &str) -> Vec<u32> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    list.split(',').filter_map(range).flatten().collect()
}

fn cpu_model() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(':'));
    line.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, model)| model.trim().to_owned())
}

fn memory() -> String {
    let info = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let field = info.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = field.and_then(|field| field.trim().strip_suffix(" kB")?.parse::<f64>().ok()).unwrap_or_default();
    format!("{:.0} GB", kilobytes * 1024.0 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_processors_are_read() {
        assert_eq!(parsed("0-2,5"), [0, 1, 2, 5]);
        assert_eq!(parsed("3"), [3]);
        assert_eq!(parsed(""), [] as [u32; 0]);
    }
}
