//! What `spin.toml` says, and the manifest for clouds that know no Redis triggers, which is made from it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use toml_edit::{DocumentMut, Item, TableLike, value};

use crate::filter;
use crate::shell::{root, write_whole};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo xtask manifest --http-only --output spin-http.toml\n  spin up -f spin-http.toml --runtime-config-file runtime-config.toml\n\nThe file differs from spin.toml in the Redis triggers alone. The components that only they start stay in it, and are never started."
)]
pub struct Options {
    /// Leave out the Redis triggers: for clouds that offer HTTP triggers alone
    #[arg(long, required = true)]
    http_only: bool,
    /// Where to write it; in another folder than spin.toml's, its paths are made absolute [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes the manifest without Redis triggers.
///
/// # Errors
/// When spin.toml can't be read, or the file can't be written.
pub fn write(options: &Options) -> Result<()> {
    let mut manifest = read()?;
    filter::check(&manifest)?;
    drop_redis_triggers(&mut manifest);
    let Some(output) = &options.output else {
        print!("{manifest}");
        return Ok(());
    };
    let output = std::path::absolute(output)?;
    let folder = output.parent().context("a file is in a folder")?;
    if output == root().join("spin.toml") {
        bail!("that is spin.toml itself, which has both kinds of triggers: give another file");
    }
    if folder != root() {
        move_to_other_folder(&mut manifest)?;
    }
    write_whole(&output, &manifest.to_string())
}

/// `spin.toml`, with its comments.
///
/// # Errors
/// When it can't be read.
pub fn read() -> Result<DocumentMut> {
    let path = root().join("spin.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
    text.parse().with_context(|| format!("{} is not TOML", path.display()))
}

/// The components that triggers of a kind (`http`, `redis`) start, each once, in the order of the file.
pub fn triggered(manifest: &DocumentMut, kind: &str) -> Vec<String> {
    let triggers = manifest.get("trigger").and_then(|trigger| trigger.get(kind)).and_then(Item::as_array_of_tables);
    let mut found: Vec<String> = Vec::new();
    for id in triggers.into_iter().flatten().filter_map(|trigger| trigger.get("component")?.as_str()) {
        if !found.iter().any(|known| known == id) {
            found.push(id.to_owned());
        }
    }
    found
}

fn drop_redis_triggers(manifest: &mut DocumentMut) {
    if let Some(triggers) = manifest.get_mut("trigger").and_then(Item::as_table_like_mut) {
        triggers.remove("redis");
    }
}

/// Makes absolute what is relative to the folder of `spin.toml`: what is built, and where.
fn move_to_other_folder(manifest: &mut DocumentMut) -> Result<()> {
    let components =
        manifest.get_mut("component").and_then(Item::as_table_mut).context("spin.toml has no component")?;
    for (_, component) in components.iter_mut() {
        let component = component.as_table_mut().context("a component of spin.toml is no table")?;
        make_absolute(component, "source", None)?;
        for (_, dependency) in component
            .get_mut("dependencies")
            .and_then(Item::as_table_like_mut)
            .into_iter()
            .flat_map(|table| table.iter_mut())
        {
            make_absolute(dependency.as_table_like_mut().context("a dependency is no table")?, "path", None)?;
        }
        if let Some(build) = component.get_mut("build").and_then(Item::as_table_mut) {
            make_absolute(build, "workdir", Some(""))?;
        }
    }
    Ok(())
}

fn make_absolute(table: &mut dyn TableLike, key: &str, default: Option<&str>) -> Result<()> {
    let path = table.get(key).and_then(Item::as_str).or(default).with_context(|| format!("`{key}` is no path"))?;
    let path = if path.is_empty() { root() } else { root().join(Path::new(path)) };
    table.insert(key, value(path.to_str().context("the checkout's path is not UTF-8")?));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"
spin_manifest_version = 2
[application]
name = "app"
[application.trigger.redis]
address = "redis://127.0.0.1"

# The web.
[[trigger.http]]
route = "/..."
component = "web"
[[trigger.http]]
route = "/more"
component = "web"

[component.web]
source = "target/web.wasm" # built
[component.web.build]
command = "make"
[component.web.dependencies]
"a:b/c" = { path = "c.wasm" }

# The workers.
[[trigger.redis]]
channel = "c"
component = "worker"

[component.worker]
source = "target/web.wasm"
"#;

    fn parse(text: &str) -> DocumentMut {
        text.parse().expect("TOML")
    }

    /// What the text means, without how it is written.
    fn meaning(text: &str) -> serde_json::Value {
        fn convert(item: &toml_edit::Value) -> serde_json::Value {
            match item {
                toml_edit::Value::Array(array) => array.iter().map(convert).collect(),
                toml_edit::Value::InlineTable(table) => {
                    table.iter().map(|(key, value)| (key.to_owned(), convert(value))).collect()
                }
                toml_edit::Value::String(text) => text.value().as_str().into(),
                other => other.to_string().trim().into(),
            }
        }
        convert(&toml_edit::Value::InlineTable(parse(text).as_table().clone().into_inline_table()))
    }

    fn http_only(text: &str) -> String {
        let mut manifest = parse(text);
        drop_redis_triggers(&mut manifest);
        manifest.to_string()
    }

    #[test]
    fn differs_in_the_redis_triggers_alone() {
        let spin_toml = read().expect("spin.toml").to_string();
        for text in [FULL, &spin_toml] {
            let mut full = meaning(text);
            full["trigger"].as_object_mut().expect("triggers").remove("redis");
            assert_eq!(full, meaning(&http_only(text)));
        }
        assert!(http_only(FULL).contains("# The web.") && http_only(FULL).contains("# built"));
        assert!(!http_only(FULL).contains("[[trigger.redis]]"));
    }

    #[test]
    fn names_each_triggered_component_once() {
        assert_eq!(triggered(&parse(FULL), "http"), ["web"]);
        assert_eq!(triggered(&parse(FULL), "redis"), ["worker"]);
        assert_eq!(triggered(&parse(FULL), "timer"), Vec::<String>::new());
    }

    #[test]
    fn makes_paths_absolute_in_another_folder() {
        let mut manifest = parse(FULL);
        move_to_other_folder(&mut manifest).expect("paths");
        let root = root().to_str().expect("UTF-8").to_owned();
        assert_eq!(manifest["component"]["web"]["source"].as_str(), Some(format!("{root}/target/web.wasm").as_str()));
        assert_eq!(manifest["component"]["web"]["build"]["workdir"].as_str(), Some(root.as_str()));
        let dependency = &manifest["component"]["web"]["dependencies"]["a:b/c"];
        assert_eq!(dependency["path"].as_str(), Some(format!("{root}/c.wasm").as_str()));
        assert!(manifest["component"]["worker"].get("build").is_none());
    }
}
