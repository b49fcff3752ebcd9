//! What the suite has to know of `spin.toml`: which components answer requests and which listen to Redis.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use toml::{Table, Value};

use crate::app::root;

/// The interface of filters.
const FILTER: &str = "scalehoster:imaging/filter@0.1.0";

/// A manifest, as far as it matters here.
#[derive(Clone, Debug)]
pub struct Manifest {
    path: PathBuf,
    /// The components behind routes.
    pub web: Vec<String>,
    /// The components behind Redis channels.
    pub workers: Vec<String>,
    variables: Vec<String>,
}

impl Manifest {
    /// The app's own, or the one that the environment names.
    pub fn of_the_app() -> Self {
        Self::read(std::env::var_os("SCALEHOSTER_MANIFEST").map_or_else(|| root().join("spin.toml"), PathBuf::from))
    }

    fn read(path: PathBuf) -> Self {
        let table = parse(&path);
        let components = |kind: &str| {
            let triggers = table.get("trigger").and_then(|trigger| trigger.get(kind)).and_then(Value::as_array);
            let ids = triggers.into_iter().flatten().filter_map(|trigger| trigger.get("component")?.as_str());
            let mut ids: Vec<String> = ids.map(str::to_owned).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let (web, workers) = (components("http"), components("redis"));
        let variables = table.get("variables").and_then(Value::as_table).into_iter().flatten();
        let variables = variables.map(|(name, _)| name.clone()).collect();
        Self { path, web, workers, variables }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the app has a variable of that name.
    pub fn declares(&self, variable: &str) -> bool {
        self.variables.iter().any(|known| known == variable)
    }

    /// A copy in `dir`, for workers that listen to the server at `url` and publish where the others do.
    ///
    /// # Panics
    /// When it can't be written.
    #[must_use]
    pub fn listening_at(&self, url: &str, dir: &Path) -> Self {
        let mut table = self.for_other_folders();
        let triggers = table.get_mut("trigger").and_then(|trigger| trigger.get_mut("redis"));
        for trigger in triggers.and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_table_mut) {
            let address = trigger.get("address").and_then(Value::as_str).expect("triggers name their server");
            let address = address.replace("{{ redis_url }}", url);
            trigger.insert("address".to_owned(), Value::from(address));
        }
        self.written(&table, dir.join("spin-listening-elsewhere.toml"))
    }

    /// A copy in `dir` with the filters of the component `wasm`.
    ///
    /// # Panics
    /// When it can't be written.
    #[must_use]
    pub fn with_filters(&self, wasm: &Path, dir: &Path) -> Self {
        let mut table = self.for_other_folders();
        let bytes = std::fs::read(wasm).unwrap_or_else(|error| panic!("{error}: {}", wasm.display()));
        let digest: String = Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let variable = table.get_mut("variables").and_then(|variables| variables.get_mut("filter_digest"));
        let variable = variable.and_then(Value::as_table_mut).expect("the digest is a variable");
        variable.insert("default".to_owned(), Value::from(digest));
        for component in tables(table.get_mut("component")) {
            let dependencies = component.get_mut("dependencies");
            if let Some(dependency) = dependencies.and_then(|all| all.get_mut(FILTER)).and_then(Value::as_table_mut) {
                dependency.insert("path".to_owned(), Value::from(wasm.display().to_string()));
            }
        }
        self.written(&table, dir.join("spin-with-filters.toml"))
    }

    /// What it says, with absolute paths.
    fn for_other_folders(&self) -> Table {
        let mut table = parse(&self.path);
        let here = self.path.parent().expect("a file lies in a folder");
        for component in tables(table.get_mut("component")) {
            make_absolute(component, "source", here);
            tables(component.get_mut("dependencies")).for_each(|dependency| make_absolute(dependency, "path", here));
        }
        table
    }

    fn written(&self, table: &Table, path: PathBuf) -> Self {
        std::fs::write(&path, table.to_string()).expect("the folder is ours");
        Self { path, ..self.clone() }
    }
}

fn make_absolute(table: &mut Table, key: &str, folder: &Path) {
    let path = table.get(key).and_then(Value::as_str).expect("components are files").to_owned();
    table.insert(key.to_owned(), Value::from(folder.join(path).display().to_string()));
}

fn parse(path: &Path) -> Table {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{error}: {}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{error} in {}", path.display()))
}

fn tables(value: Option<&mut Value>) -> impl Iterator<Item = &mut Table> {
    let all = value.and_then(Value::as_table_mut).into_iter().flatten();
    all.filter_map(|(_, value)| value.as_table_mut())
}
