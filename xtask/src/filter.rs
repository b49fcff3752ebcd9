//! `cargo xtask filter`: which component has the user's filters, and its digest in `spin.toml`.
//!
//! What a filter makes is stored under a key that has the digest, so that another component makes other keys. A wrong
//! digest would serve what an older component made, for good: so every command that starts or checks the app compares.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use toml_edit::{DocumentMut, InlineTable, Item, Table, value};
use wasmparser::{Parser, Payload};

use crate::manifest;
use crate::shell::{root, write_whole};

/// The interface, as components import and export it.
const INTERFACE: &str = "scalehoster:imaging/filter@0.1.0";

/// The components that import it.
const USERS: [&str; 2] = ["resize", "resize-worker"];

/// The variable that has the digest.
const VARIABLE: &str = "filter_digest";

/// The component without filters, which is built with the app. Its digest is empty: it has nothing to tell apart.
const NONE: &str = "target/wasm32-wasip2/release/filter_none.wasm";

/// Hex digits of a digest.
const DIGITS: usize = 16;

#[derive(clap::Args)]
pub struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Write a component with filters, and its digest, to spin.toml
    Use(UseOptions),
}

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask filter use filters/pixelate-js/filter.wasm\n  cargo xtask filter use --none\n\nAgain after every build of the component: its digest is part of the key of each variant that it makes."
)]
struct UseOptions {
    /// The component
    #[arg(value_name = "FILE", required_unless_present = "none", conflicts_with = "none")]
    file: Option<PathBuf>,
    /// Use no filters
    #[arg(long)]
    none: bool,
}

/// Does what was asked for.
///
/// # Errors
/// When the file is no filter, or spin.toml can't be read or written.
pub fn filter(options: &Options) -> Result<()> {
    let Action::Use(options) = &options.action;
    let mut manifest = manifest::read()?;
    match &options.file {
        None => set(&mut manifest, NONE, "")?,
        Some(file) => {
            let file = std::path::absolute(file)?;
            let bytes = std::fs::read(&file).with_context(|| format!("{} can't be read", file.display()))?;
            let is_filter = exports_filters(&bytes).with_context(|| format!("{} is no component", file.display()))?;
            ensure!(is_filter, "{} does not export {INTERFACE}", file.display());
            let path = file.strip_prefix(root()).unwrap_or(&file);
            set(&mut manifest, path.to_str().context("the path is not UTF-8")?, &digest(&bytes))?;
        }
    }
    write_whole(&root().join("spin.toml"), &manifest.to_string())?;
    match &options.file {
        None => println!("spin.toml has no filters now"),
        Some(file) => println!("spin.toml has the filters of {} now", file.display()),
    }
    Ok(())
}

/// Whether the bytes are a component with filters.
///
/// # Errors
/// When they are not WebAssembly.
fn exports_filters(bytes: &[u8]) -> Result<bool> {
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.context("that is no WebAssembly")? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) if depth > 0 => depth -= 1,
            Payload::ComponentExportSection(exports) if depth == 0 => {
                for export in exports {
                    if export?.name.name == INTERFACE {
                        return Ok(true);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(false)
}

/// The digest that goes into keys.
fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    hex[..DIGITS].to_owned()
}

/// Writes the path and the digest, and leaves the rest as it is.
fn set(manifest: &mut DocumentMut, path: &str, digest: &str) -> Result<()> {
    for user in USERS {
        let component = manifest.get_mut("component").and_then(|components| components.get_mut(user));
        let component = component.and_then(Item::as_table_mut);
        let component = component.with_context(|| format!("spin.toml has no component {user}"))?;
        put(component, "dependencies", INTERFACE, "path", path)?;
    }
    put(manifest.as_table_mut(), "variables", VARIABLE, "default", digest)
}

/// Sets `[outer] inner = { key = "text" }`.
fn put(table: &mut Table, outer: &str, inner: &str, key: &str, text: &str) -> Result<()> {
    let outer = table.entry(outer).or_insert_with(|| Item::Table(Table::new()));
    let outer = outer.as_table_like_mut().context("spin.toml has something else where a table should be")?;
    let inner = outer.entry(inner).or_insert_with(|| value(InlineTable::new()));
    let inner = inner.as_table_like_mut().context("spin.toml has something else where a table should be")?;
    inner.insert(key, value(text));
    Ok(())
}

/// Sees that the digest in `spin.toml` is that of the component there.
///
/// # Errors
/// When it is not, with the command that mends it.
pub fn check(manifest: &DocumentMut) -> Result<()> {
    check_in(manifest, &root())
}

fn check_in(manifest: &DocumentMut, folder: &Path) -> Result<()> {
    let paths = USERS.map(|user| path_of(manifest, user));
    let [Some(path), Some(other)] = paths else {
        ensure!(
            paths == [None, None],
            "of {}, one has filters and the other has none: {}",
            USERS.join(" and "),
            mend(NONE)
        );
        return Ok(());
    };
    ensure!(path == other, "{} have different filters, {path} and {other}: {}", USERS.join(" and "), mend(path));
    let default = manifest.get("variables").and_then(|variables| variables.get(VARIABLE)?.get("default")?.as_str());
    let written = default.with_context(|| format!("spin.toml has no variable {VARIABLE}: {}", mend(path)))?;
    let actual = if path == NONE {
        String::new()
    } else {
        let file = folder.join(path);
        digest(&std::fs::read(&file).with_context(|| format!("the filters in {} can't be read", file.display()))?)
    };
    if written != actual {
        bail!("{VARIABLE} in spin.toml is {written:?}, but that of {path} is {actual:?}: {}", mend(path));
    }
    Ok(())
}

/// The file that meets a component's import of filters.
fn path_of<'a>(manifest: &'a DocumentMut, user: &str) -> Option<&'a str> {
    manifest.get("component")?.get(user)?.get("dependencies")?.get(INTERFACE)?.get("path")?.as_str()
}

/// What to do about a wrong digest.
fn mend(path: &str) -> String {
    let what = if path == NONE { "--none" } else { path };
    format!("run `cargo xtask filter use {what}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
# The settings.
[variables]
# The filters.
filter_digest = { default = "" } # see above

[component.resize]
source = "resize.wasm" # built

[component.resize.dependencies]
# What meets it.
"scalehoster:imaging/filter@0.1.0" = { path = "target/wasm32-wasip2/release/filter_none.wasm" } # here

[component.resize.build]
command = "make"

[component.resize-worker]
source = "resize.wasm"
"#;

    fn parse(text: &str) -> DocumentMut {
        text.parse().expect("TOML")
    }

    /// `MANIFEST` with the file `x.wasm` and a digest.
    fn using(digest: &str) -> DocumentMut {
        let mut manifest = parse(MANIFEST);
        set(&mut manifest, "x.wasm", digest).expect("it can be set");
        manifest
    }

    fn refusal(manifest: &DocumentMut, folder: &Path) -> String {
        format!("{:#}", check_in(manifest, folder).expect_err("refused"))
    }

    #[test]
    fn writes_both_components_and_the_digest_and_keeps_the_rest() {
        let expected = MANIFEST
            .replace(r#"default = """#, r#"default = "0123456789abcdef""#)
            .replace("target/wasm32-wasip2/release/filter_none.wasm", "x.wasm")
            + "\n[component.resize-worker.dependencies]\n\"scalehoster:imaging/filter@0.1.0\" = { path = \"x.wasm\" }\n";
        assert_eq!(using("0123456789abcdef").to_string(), expected);
    }

    #[test]
    fn writes_the_variable_where_there_is_none() {
        let mut manifest = parse("[component.resize]\n[component.resize-worker]\n");
        set(&mut manifest, "x.wasm", "ab").expect("it can be set");
        assert_eq!(manifest["variables"][VARIABLE]["default"].as_str(), Some("ab"));
        assert!(set(&mut parse("[component.resize]\n"), "x.wasm", "ab").is_err());
    }

    #[test]
    fn the_digest_is_the_beginning_of_the_sha_256() {
        assert_eq!(digest(b"abc"), "ba7816bf8f01cfea");
    }

    #[test]
    fn accepts_the_digest_of_the_file_and_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("x.wasm"), "abc").expect("written");
        check_in(&using("ba7816bf8f01cfea"), folder.path()).expect("the digest");
        for wrong in ["", "ba7816bf8f01cfeb"] {
            let refusal = refusal(&using(wrong), folder.path());
            assert!(refusal.contains("run `cargo xtask filter use x.wasm`"), "{refusal}");
            assert!(refusal.contains("\"ba7816bf8f01cfea\""), "{refusal}");
        }
        std::fs::remove_file(folder.path().join("x.wasm")).expect("removed");
        assert!(refusal(&using("ba7816bf8f01cfea"), folder.path()).contains("x.wasm can't be read"));
    }

    #[test]
    fn no_filters_have_no_digest() {
        let folder = Path::new("/nowhere");
        let mut manifest = parse(MANIFEST);
        set(&mut manifest, NONE, "").expect("it can be set");
        check_in(&manifest, folder).expect("nothing to compare");
        set(&mut manifest, NONE, "ab").expect("it can be set");
        assert!(refusal(&manifest, folder).contains("run `cargo xtask filter use --none`"));
        check_in(&parse("[component.resize]\n[component.resize-worker]\n"), folder).expect("nothing is imported");
    }

    #[test]
    fn both_components_must_have_the_same() {
        let manifest = parse(MANIFEST);
        assert!(refusal(&manifest, Path::new("/")).contains("one has filters and the other has none"));
        let mut manifest = using("ab");
        manifest["component"]["resize"]["dependencies"][INTERFACE]["path"] = value("y.wasm");
        assert!(refusal(&manifest, Path::new("/")).contains("different filters, y.wasm and x.wasm"));
    }

    #[test]
    fn spin_toml_is_right() {
        check(&manifest::read().expect("spin.toml")).expect("its digest");
    }

    #[test]
    fn tells_filters_from_other_files() {
        let empty = b"\0asm\x0d\0\x01\0";
        assert!(!exports_filters(empty).expect("a component"));
        assert!(exports_filters(b"no WebAssembly").is_err());
        // A type of an instance, an import of one, and an export of it under the name of the interface.
        let mut filters = [&empty[..], b"\x07\x03\x01\x42\x00"].concat();
        let named = |id: u8, before: &[u8], after: &[u8]| {
            let length = u8::try_from(before.len() + 1 + INTERFACE.len() + after.len()).expect("short");
            [&[id, length], before, &[INTERFACE.len() as u8], INTERFACE.as_bytes(), after].concat()
        };
        filters.extend(named(10, b"\x01\x00", b"\x05\x00"));
        assert!(!exports_filters(&filters).expect("a component"), "an import is no export");
        filters.extend(named(11, b"\x01\x00", b"\x05\x00\x00"));
        assert!(exports_filters(&filters).expect("a component"));
    }
}
