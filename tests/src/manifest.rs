//! What the suite has to know of `spin.toml`: which components answer requests and which listen to Redis.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::app::root;

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
        let mut table = parse(&self.path);
        let here = self.path.parent().expect("a file lies in a folder");
        for component in tables(table.get_mut("component")) {
            let source = component.get("source").and_then(Value::as_str).expect("components are files").to_owned();
            component.insert("source".to_owned(), Value::from(here.join(source).display().to_string()));
        }
        let triggers = table.get_mut("trigger").and_then(|trigger| trigger.get_mut("redis"));
        for trigger in triggers.and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_table_mut) {
            let address = trigger.get("address").and_then(Value::as_str).expect("triggers name their server");
            let address = address.replace("{{ redis_url }}", url);
            trigger.insert("address".to_owned(), Value::from(address));
        }
        let path = dir.join("spin-listening-elsewhere.toml");
        std::fs::write(&path, table.to_string()).expect("the folder is ours");
        Self { path, ..self.clone() }
    }
}

fn parse(path: &Path) -> Table {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{error}: {}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{error} in {}", path.display()))
}

fn tables(value: Option<&mut Value>) -> impl Iterator<Item = &mut Table> {
    let all = value.and_then(Value::as_table_mut).into_iter().flatten();
    all.filter_map(|(_, value)| value.as_table_mut())
}
