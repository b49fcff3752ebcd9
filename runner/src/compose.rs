//! Components in components: a component's imports, met by the exports of others, before it is compiled.
//!
//! As Spin does it, with the same library: the parts become one component, each part with a memory of its own, and calls
//! between them go through the types of the interface. A part is given nothing of what the component may use: what it
//! imports of that is renamed here, and refuses every call ([`crate::denied`]).

use std::collections::HashMap;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use wac_graph::types::{Interface, InterfaceId, ItemKind, Package, UsedType, WorldId};
use wac_graph::{CompositionGraph, EncodeOptions, NodeId};

use crate::denied;

/// A component that meets imports of another.
pub struct Dependency<'a> {
    /// Which imports: `package:name`, `package:name/interface`, either with `@version`, or the name of a plain import.
    pub name: &'a str,
    /// The export that meets them, where its name is not the import's.
    pub export: Option<&'a str>,
    /// The component.
    pub bytes: Vec<u8>,
}

/// The component `bytes` with `dependencies` inside.
///
/// # Errors
/// A dependency that meets no import, or one that another meets too, or that does not have the export or has another
/// type of it; with the names of all concerned.
pub fn compose(bytes: Vec<u8>, dependencies: Vec<Dependency<'_>>) -> Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let (world, node) = add(&mut graph, "component", bytes).context("it is not a component")?;
    let mut met: HashMap<String, String> = HashMap::new();
    for (number, dependency) in dependencies.into_iter().enumerate() {
        let Dependency { name, export, bytes } = dependency;
        let imports: Vec<String> =
            graph.types()[world].imports.keys().filter(|import| matches(name, import)).cloned().collect();
        ensure!(!imports.is_empty(), "dependency {name:?} meets no import of the component: {}", list(&graph, world));
        let instance = add_part(&mut graph, number, bytes).with_context(|| format!("dependency {name:?}"))?;
        for import in imports {
            if let Some(other) = met.insert(import.clone(), name.to_owned()) {
                bail!("dependencies {other:?} and {name:?} both meet the import {import}");
            }
            let export = graph.alias_instance_export(instance, export.unwrap_or(&import));
            let export = export.with_context(|| format!("dependency {name:?} can't meet the import {import}"))?;
            let connected = graph.set_instantiation_argument(node, &import, export).map_err(anyhow::Error::from);
            connected.with_context(|| format!("dependency {name:?} has another type of the import {import}"))?;
        }
    }
    let exports: Vec<String> = graph.types()[world].exports.keys().cloned().collect();
    for name in exports {
        let export = graph.alias_instance_export(node, &name)?;
        graph.export(export, name)?;
    }
    graph.encode(EncodeOptions::default()).context("the component and its dependencies do not go together")
}

/// The imports of a component, for an error.
fn list(graph: &CompositionGraph, world: WorldId) -> String {
    graph.types()[world].imports.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn add(graph: &mut CompositionGraph, name: &str, bytes: Vec<u8>) -> Result<(WorldId, NodeId)> {
    let package = Package::from_bytes(name, None, bytes, graph.types_mut())?;
    let world = package.ty();
    let package = graph.register_package(package)?;
    Ok((world, graph.instantiate(package)))
}

/// Adds a dependency that is granted nothing.
fn add_part(graph: &mut CompositionGraph, number: usize, bytes: Vec<u8>) -> Result<NodeId> {
    let (world, node) = add(graph, &format!("dependency{number}"), bytes).context("it is not a component")?;
    let imports = graph.types()[world].imports.clone();
    let mut renamed = HashMap::new();
    for (name, kind) in imports {
        if !denied::is_grant(&name) {
            continue;
        }
        let ItemKind::Instance(interface) = kind else { continue };
        let new_name = denied::name(number, &name);
        let copy = rename(graph, interface, &new_name, &renamed);
        renamed.insert(interface, copy);
        let import = graph.import(new_name, ItemKind::Instance(copy))?;
        graph.set_instantiation_argument(node, &name, import).map_err(|error| anyhow!("import {name}: {error}"))?;
    }
    Ok(node)
}

/// A copy of an interface under another name. Without it, a part's import and the component's import of that interface
/// would become one.
fn rename(
    graph: &mut CompositionGraph,
    interface: InterfaceId,
    name: &str,
    renamed: &HashMap<InterfaceId, InterfaceId>,
) -> InterfaceId {
    let Interface { uses, exports, .. } = graph.types()[interface].clone();
    let follow = |(name, used): (String, UsedType)| {
        let interface = renamed.get(&used.interface).copied().unwrap_or(used.interface);
        (name, UsedType { interface, name: used.name })
    };
    let uses = uses.into_iter().map(follow).collect();
    graph.types_mut().add_interface(Interface { id: Some(name.to_owned()), uses, exports })
}

/// Whether a dependency's name stands for `import`. Versions, where the name has one, must be the same.
fn matches(name: &str, import: &str) -> bool {
    if !name.contains(':') {
        return name == import;
    }
    let (name, version) = split_version(name);
    let (import, import_version) = split_version(import);
    let is_package = import.split_once('/').is_some_and(|(package, _)| package == name);
    (name == import || is_package) && (version.is_none() || version == import_version)
}

fn split_version(name: &str) -> (&str, Option<&str>) {
    name.split_once('@').map_or((name, None), |(name, version)| (name, Some(version)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_for_the_imports_that_spin_takes_them_for() {
        for (name, import) in [
            ("foo:bar/baz@0.1.0", "foo:bar/baz@0.1.0"),
            ("foo:bar/baz", "foo:bar/baz@0.1.0"),
            ("foo:bar/baz", "foo:bar/baz"),
            ("foo:bar", "foo:bar/baz@0.1.0"),
            ("foo:bar", "foo:bar/baz"),
            ("foo:bar@0.1.0", "foo:bar/baz@0.1.0"),
            ("foo-bar", "foo-bar"),
        ] {
            assert!(matches(name, import), "{name} {import}");
        }
        for (name, import) in [
            ("foo:bar/baz@0.1.0", "foo:bar/baz"),
            ("foo:bar/baz@0.1.0", "foo:bar/baz@0.1.1"),
            ("foo:bar/baz", "foo:bar/bub"),
            ("foo:bar", "foo:bub/bib"),
            ("foo:bar", "foo:barn/baz"),
            ("foo:bar@0.1.0", "foo:bar/baz"),
            ("foo:bar/baz", "foo:bar/baz-bub"),
            ("foo-bar", "foo:foo-bar/foo-bar"),
            ("foo-bar", "foo-bar-baz"),
        ] {
            assert!(!matches(name, import), "{name} {import}");
        }
    }

    #[test]
    fn what_is_no_component_is_refused_by_name() {
        let empty = || b"\0asm\x0d\0\x01\0".to_vec();
        let refusal = |bytes, dependency| {
            let dependency = Dependency { name: "foo:bar", export: None, bytes: dependency };
            format!("{:#}", compose(bytes, vec![dependency]).expect_err("refused"))
        };
        assert!(refusal(b"no".to_vec(), empty()).contains("it is not a component"));
        assert!(refusal(empty(), empty()).contains("dependency \"foo:bar\" meets no import"));
    }
}
