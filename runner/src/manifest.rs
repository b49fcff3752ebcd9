//! `spin.toml`, as far as the runner knows it.
//!
//! Every table refuses fields it does not list, so that a manifest either means here what it means to Spin or does not
//! start. The lists are what this project uses of Spin's manifest, version 2.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

/// A manifest and where it was read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    spin_manifest_version: u32,
    /// `[application]`
    pub application: Application,
    /// `[variables]`
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    /// `[[trigger.…]]`
    pub trigger: Triggers,
    /// `[component.…]`
    #[serde(default)]
    pub component: BTreeMap<String, Component>,
    /// The folder that relative paths start from.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// `[application]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// The application's name.
    pub name: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
    #[serde(default, rename = "description")]
    _description: String,
    #[serde(default, rename = "authors")]
    _authors: Vec<String>,
    /// `[application.trigger.…]`
    #[serde(default)]
    pub trigger: ApplicationTriggers,
}

/// Settings for all triggers of a kind.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationTriggers {
    /// `[application.trigger.redis]`
    #[serde(default)]
    pub redis: ApplicationRedis,
}

/// `[application.trigger.redis]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationRedis {
    /// The server of those Redis triggers that name none. May use variables.
    #[serde(default)]
    pub address: String,
}

/// A variable of the application.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// The value when nothing else gives one.
    pub default: Option<String>,
    /// Whether the application may not start without a value.
    #[serde(default)]
    pub required: bool,
    #[serde(default, rename = "secret")]
    _secret: bool,
    #[serde(default, rename = "description")]
    _description: String,
}

/// Every trigger, by kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triggers {
    /// `[[trigger.http]]`
    #[serde(default)]
    pub http: Vec<HttpTrigger>,
    /// `[[trigger.redis]]`
    #[serde(default)]
    pub redis: Vec<RedisTrigger>,
}

/// A route and the component behind it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTrigger {
    #[serde(default, rename = "id")]
    _id: String,
    /// Where the component is reached.
    pub route: Route,
    /// The component's id.
    pub component: ComponentId,
}

/// The route of an HTTP trigger.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a route must be a string such as \"/things/...\", or { private = true }")]
pub enum Route {
    /// A pattern over paths.
    Pattern(String),
    /// Reached by service chaining only.
    Private(Private),
}

/// `{ private = true }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Private {
    private: bool,
}

/// A channel and the component that gets its messages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisTrigger {
    #[serde(default, rename = "id")]
    _id: String,
    /// The channel. May use variables.
    pub channel: String,
    /// The server, in place of `[application.trigger.redis]`. May use variables.
    pub address: Option<String>,
    /// The component's id.
    pub component: ComponentId,
}

/// A reference to a component.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a trigger's component must be the id of a [component.…] table, not a table of its own")]
pub enum ComponentId {
    /// The id.
    Id(String),
}

impl ComponentId {
    /// The id.
    pub fn as_str(&self) -> &str {
        let ComponentId::Id(id) = self;
        id
    }
}

/// `[component.ID]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The file.
    pub source: Source,
    #[serde(default, rename = "description")]
    _description: String,
    /// The component's own variables, each a template over those of the application.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Environment variables.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Where the component may connect to.
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    /// The labels of the stores that the component may open.
    #[serde(default)]
    pub key_value_stores: Vec<String>,
    /// The components that meet imports of this one, by the names of those imports.
    #[serde(default)]
    pub dependencies: BTreeMap<String, Dependency>,
    #[serde(rename = "build")]
    _build: Option<Build>,
}

/// A component that meets imports of another, and is granted nothing itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(
    deny_unknown_fields,
    expecting = "a dependency must be { path = \"...\" }; registries, URLs and versions are not supported"
)]
pub struct Dependency {
    /// The file, relative to the manifest.
    pub path: PathBuf,
    /// The export that meets the import, where it is called otherwise.
    pub export: Option<String>,
}

/// Where a component's code is.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a component's source must be a path; registries and URLs are not supported")]
pub enum Source {
    /// A file, relative to the manifest.
    Path(PathBuf),
}

impl Source {
    /// The file, relative to the manifest.
    pub fn path(&self) -> &Path {
        let Source::Path(path) = self;
        path
    }
}

/// How the component is built: of no concern here, and checked all the same.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Build {
    #[serde(rename = "command")]
    _command: Command,
    #[serde(rename = "workdir")]
    _workdir: Option<String>,
    #[serde(default, rename = "watch")]
    _watch: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a build command must be a string or a list of strings")]
#[expect(dead_code, reason = "read to be checked, then ignored")]
enum Command {
    One(String),
    Several(Vec<String>),
}

impl Manifest {
    /// Reads the manifest at `path`, which may be the folder that holds `spin.toml`.
    ///
    /// # Errors
    /// What does not parse, is not known here or contradicts itself, with the file's name.
    pub fn read(path: &Path) -> Result<Self> {
        let path = if path.is_dir() { path.join("spin.toml") } else { path.to_owned() };
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut manifest = Self::parse(&text).with_context(|| format!("in {}", path.display()))?;
        manifest.folder = std::path::absolute(&path)?.parent().map(Path::to_owned).unwrap_or_default();
        Ok(manifest)
    }

    fn parse(text: &str) -> Result<Self> {
        let manifest: Self = toml::from_str(text)?;
        manifest.validate()?;
        Ok(manifest)
    }

    fn validate(&self) -> Result<()> {
        ensure!(
            self.spin_manifest_version == 2,
            "spin_manifest_version is {}, and only 2 is supported",
            self.spin_manifest_version
        );
        for (name, variable) in &self.variables {
            ensure!(
                variable.required != variable.default.is_some(),
                "variable `{name}` must either be `required = true` or have a `default`"
            );
        }
        for trigger in &self.trigger.http {
            if let Route::Private(Private { private: false }) = trigger.route {
                bail!(
                    "the route of component `{}` is {{ private = false }}: give it a pattern",
                    trigger.component.as_str()
                );
            }
        }
        for id in self.triggered() {
            ensure!(self.component.contains_key(id), "a trigger names component `{id}`, which is not defined");
        }
        for (id, component) in &self.component {
            ensure!(is_kebab_case(id), "component id `{id}` must be words of letters and digits joined by `-`");
            for (name, dependency) in &component.dependencies {
                ensure!(
                    dependency.export.is_none() || !name.contains(':') || name.contains('/'),
                    "dependency `{name}` of component `{id}` is a package, for which one `export` can't stand"
                );
            }
        }
        Ok(())
    }

    /// The components that some trigger names.
    pub fn triggered(&self) -> BTreeSet<&str> {
        let http = self.trigger.http.iter().map(|trigger| trigger.component.as_str());
        let redis = self.trigger.redis.iter().map(|trigger| trigger.component.as_str());
        http.chain(redis).collect()
    }

    /// Drops everything but the components `ids`, and the triggers of the others. No `ids` keeps all.
    ///
    /// # Errors
    /// An id that is not defined.
    pub fn retain(&mut self, ids: &[String]) -> Result<()> {
        for id in ids {
            ensure!(self.component.contains_key(id), "there is no component `{id}` to select");
        }
        let chosen = |id: &str| ids.is_empty() || ids.iter().any(|chosen| chosen == id);
        self.trigger.http.retain(|trigger| chosen(trigger.component.as_str()));
        self.trigger.redis.retain(|trigger| chosen(trigger.component.as_str()));
        let triggered: BTreeSet<String> = self.triggered().into_iter().map(str::to_owned).collect();
        self.component.retain(|id, _| triggered.contains(id));
        ensure!(!self.component.is_empty(), "nothing to run: no selected component has a trigger");
        Ok(())
    }
}

/// Spin's rule for component ids: what may stand in front of `.spin.internal`.
fn is_kebab_case(id: &str) -> bool {
    id.split('-').all(|word| {
        word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: &str = r#"
        spin_manifest_version = 2
        [application]
        name = "app"
        [[trigger.http]]
        route = "/..."
        component = "one"
        [component.one]
        source = "one.wasm"
    "#;

    /// The error that `SMALLEST` plus `more` is refused with.
    fn refusal(more: &str) -> String {
        format!("{:#}", Manifest::parse(&format!("{SMALLEST}\n{more}")).expect_err("it should be refused"))
    }

    #[test]
    fn reads_what_spin_reads() {
        let manifest = Manifest::parse(
            r#"
            spin_manifest_version = 2
            [application]
            name = "app"
            version = "1.0.0"
            authors = ["a"]
            description = "d"
            [application.trigger.redis]
            address = "redis://{{ host }}"
            [variables]
            host = { default = "h" }
            token = { required = true, secret = true }
            [[trigger.http]]
            id = "first"
            route = "/..."
            component = "one"
            [[trigger.http]]
            route = { private = true }
            component = "two"
            [[trigger.redis]]
            channel = "c"
            component = "two"
            [component.one]
            source = "one.wasm"
            allowed_outbound_hosts = ["http://two.spin.internal"]
            key_value_stores = ["default"]
            environment = { A = "b" }
            [component.one.dependencies]
            "a:b/c@1.0.0" = { path = "c.wasm" }
            plain = { path = "plain.wasm", export = "d:e/f" }
            [component.one.variables]
            token = "{{ token }}"
            [component.one.build]
            command = ["make"]
            workdir = "x"
            watch = ["src/**"]
            [component.two]
            source = "two.wasm"
            "#,
        )
        .expect("valid");
        assert_eq!(manifest.triggered(), BTreeSet::from(["one", "two"]));
        assert!(matches!(manifest.trigger.http[1].route, Route::Private(_)));
    }

    #[test]
    fn refuses_by_name() {
        for (more, expected) in [
            ("files = [\"a\"]", "unknown field `files`, expected one of `source`"),
            ("sqlite_databases = [\"default\"]", "unknown field `sqlite_databases`"),
            ("[[trigger.cron]]\ncomponent = \"one\"", "unknown field `cron`, expected `http` or `redis`"),
            ("[[trigger.http]]\nroute = \"/x\"\ncomponent = \"two\"", "names component `two`, which is not defined"),
            ("[[trigger.http]]\nroute = { private = false }\ncomponent = \"one\"", "give it a pattern"),
            ("[[trigger.http]]\nroute = 1\ncomponent = \"one\"", "a route must be a string"),
            ("[[trigger.http]]\nroute = \"/x\"\ncomponent = { source = \"x\" }", "must be the id of a"),
            (
                "[component.two]\nsource = { url = \"https://x\", digest = \"y\" }",
                "registries and URLs are not supported",
            ),
            ("[component.Two_]\nsource = \"x\"", "component id `Two_`"),
            ("[variables]\nx = {}", "variable `x` must either be"),
            ("[component.one.dependencies]\n\"a:b\" = \"1.0\"", "registries, URLs and versions are not supported"),
            ("[component.one.dependencies]\n\"a:b\" = { version = \"1.0\" }", "unknown field `version`"),
            ("[component.one.dependencies]\n\"a:b\" = { url = \"https://x\" }", "unknown field `url`"),
            ("[component.one.dependencies]\n\"a:b\" = { component = \"two\" }", "unknown field `component`"),
            (
                "[component.one.dependencies]\n\"a:b\" = { path = \"x\", inherit_configuration = true }",
                "unknown field `inherit_configuration`, expected `path` or `export`",
            ),
            (
                "[component.one.dependencies]\n\"a:b\" = { path = \"x\", export = \"c\" }",
                "dependency `a:b` of component",
            ),
            ("dependencies_inherit_configuration = true", "unknown field `dependencies_inherit_configuration`"),
            ("[component.one.build]\ncommand = \"x\"\nshell = \"sh\"", "unknown field `shell`"),
        ] {
            let refusal = refusal(more);
            assert!(refusal.contains(expected), "{more}: {refusal}");
        }
    }

    #[test]
    fn refuses_other_manifest_versions() {
        let text = SMALLEST.replace("= 2", "= 1");
        assert!(format!("{:#}", Manifest::parse(&text).unwrap_err()).contains("only 2 is supported"));
    }

    #[test]
    fn keeps_only_the_selected_components() {
        let more = "[[trigger.http]]\nroute = \"/two\"\ncomponent = \"two\"\n[component.two]\nsource = \"x\"";
        let mut manifest = Manifest::parse(&format!("{SMALLEST}\n{more}")).expect("valid");
        manifest.retain(&["two".into()]).expect("defined");
        assert_eq!(manifest.triggered(), BTreeSet::from(["two"]));
        assert_eq!(manifest.component.len(), 1);
        assert!(manifest.retain(&["three".into()]).is_err());
    }
}
