//! Checks of what is in `deploy/`, which no compiler reads.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::manifest;
use crate::redis_mode::runtime_config;
use crate::shell::root;

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yaml");
    files.into_iter().filter(is_yaml).chain(folders.iter().flat_map(|folder| yaml_files(folder))).collect()
}

/// Every document of every YAML file.
fn documents() -> Vec<(PathBuf, Value)> {
    let mut found = Vec::new();
    for path in yaml_files(&root().join("deploy")) {
        let text = std::fs::read_to_string(&path).expect("a file");
        for document in serde_yaml_ng::Deserializer::from_str(&text) {
            let value = serde::Deserialize::deserialize(document).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            found.push((path.clone(), value));
        }
    }
    found
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

/// What follows each `-c`, in a list of arguments of which one may be a line of shell.
fn after_minus_c(arguments: &Value) -> Vec<&str> {
    let mut words = texts(arguments).into_iter().flat_map(str::split_whitespace);
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        // `sh -c` is followed by `exec`.
        found.extend((word == "-c").then(|| words.next()).flatten().filter(|word| *word != "exec"));
    }
    found
}

#[test]
fn web_and_workers_are_the_components_of_spin_toml() {
    let manifest = manifest::read().expect("spin.toml");
    let (http, redis) = (manifest::triggered(&manifest, "http"), manifest::triggered(&manifest, "redis"));
    let documents = documents();
    let mut apps = 0;
    for (path, document) in &documents {
        let named = match document["kind"].as_str() {
            Some("SpinApp") => vec![texts(&document["spec"]["components"])],
            None => vec![
                after_minus_c(&document["services"]["web"]["entrypoint"]),
                after_minus_c(&document["services"]["worker"]["command"]),
            ],
            Some(_) => continue,
        };
        for named in named {
            assert!(named == http || named == redis, "{path:?}: {named:?}");
            apps += 1;
        }
    }
    assert_eq!(apps, 4, "web and workers, of Kubernetes and of Docker");
}

#[test]
fn the_runtime_configuration_for_docker_is_what_would_be_made() {
    let path = "deploy/compose/runtime-config.toml";
    let documents = documents();
    let compose = documents.iter().find(|(path, _)| path.ends_with("compose.yaml")).expect("it is there");
    let services = &compose.1["services"];
    let address = services["redis"]["networks"]["inside"]["ipv4_address"].as_str().expect("an address");
    let url = format!("redis://{address}:6379");
    assert_eq!(services["web"]["environment"]["SPIN_VARIABLE_REDIS_URL"], Value::Null, "it is merged in");
    assert_eq!(compose.1["x-app"]["environment"]["SPIN_VARIABLE_REDIS_URL"], url.as_str());
    let open = address.parse::<std::net::IpAddr>().expect("an address");
    let expected = runtime_config(&url, Some(&[open.into()])).expect("runtime-config.toml");
    let found = std::fs::read_to_string(root().join(path)).unwrap_or_default();
    assert_eq!(found, expected, "make it again: cargo xtask runtime-config --redis {url} --output {path}");
}
