//! What a component's dependencies are not given: all that the component itself is granted.

use wasmtime::component::types::{ComponentFunc, ComponentItem, Type};
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType, Val};
use wasmtime::{Engine, Result, bail};
use wasmtime_wasi_http::p3::{Request, Response};

/// What stands in front of the name of a denied import, with the dependency's number after it.
const PREFIX: &str = "denied";

/// Interfaces that reach what a manifest grants, by package or by package and name, whatever their version. Files and
/// sockets are not among them, because here no component has any.
const GRANTS: [&str; 7] = [
    "fermyon:spin",
    "spin:",
    "wasi:cli/environment",
    "wasi:config",
    "wasi:http/client",
    "wasi:http/outgoing-handler",
    "wasi:keyvalue",
];

/// Errors that say no, in the order in which they are looked for.
const REFUSALS: [&str; 3] = ["access-denied", "HTTP-request-denied", "other"];

/// Whether an import reaches what the manifest grants to the component that the importer is part of.
pub fn is_grant(import: &str) -> bool {
    let name = import.split_once('@').map_or(import, |(name, _)| name);
    GRANTS.iter().any(|grant| {
        name.strip_prefix(grant).is_some_and(|rest| grant.ends_with(':') || rest.is_empty() || rest.starts_with('/'))
    })
}

/// The name under which the dependency `number` imports what is denied.
pub fn name(number: usize, import: &str) -> String {
    format!("{PREFIX}{number}-{import}")
}

fn is_denied(import: &str) -> bool {
    let number = import.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-'));
    number.is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Links what is denied to the dependencies of a component: lists are empty, what may be there is not, what can fail
/// fails, and everything else ends the instance.
///
/// # Errors
/// When a name is taken.
pub fn add_to_linker<T: Send + 'static>(linker: &mut Linker<T>, engine: &Engine, component: &Component) -> Result<()> {
    for (name, import) in component.component_type().imports(engine) {
        if let (true, ComponentItem::ComponentInstance(interface)) = (is_denied(name), import.ty) {
            let mut instance = linker.instance(name)?;
            for (item, export) in interface.exports(engine) {
                deny(&mut instance, name, item, export.ty)?;
            }
        }
    }
    Ok(())
}

fn deny<T: Send + 'static>(
    instance: &mut LinkerInstance<'_, T>,
    name: &str,
    item: &str,
    ty: ComponentItem,
) -> Result<()> {
    let call = format!("{name}#{item}");
    match ty {
        ComponentItem::ComponentFunc(function) if function.async_() => {
            instance.func_new_concurrent(item, move |_, ty, _, results| {
                let refused = refuse(&call, &ty, results);
                Box::pin(async move { refused })
            })
        }
        ComponentItem::ComponentFunc(_) => {
            instance.func_new(item, move |_, ty, _, results| refuse(&call, &ty, results))
        }
        ComponentItem::Resource(_) => instance.resource(item, resource(name, item), |_, _| Ok(())),
        _ => Ok(()),
    }
}

/// The host's side of a resource. Requests and responses are those of `wasi:http/types`, which is not denied; what others
/// there are, nobody ever holds.
fn resource(interface: &str, item: &str) -> ResourceType {
    match item {
        "request" if interface.contains("wasi:http/") => ResourceType::host::<Request>(),
        "response" if interface.contains("wasi:http/") => ResourceType::host::<Response>(),
        _ => ResourceType::host::<()>(),
    }
}

fn refuse(call: &str, ty: &ComponentFunc, results: &mut [Val]) -> Result<()> {
    for (result, ty) in results.iter_mut().zip(ty.results()) {
        let Some(value) = refusal(&ty) else { bail!("{call} was called, which no dependency may do") };
        *result = value;
    }
    Ok(())
}

/// A value that gives nothing away.
fn refusal(ty: &Type) -> Option<Val> {
    match ty {
        Type::List(_) => Some(Val::List(Vec::new())),
        Type::Option(_) => Some(Val::Option(None)),
        Type::Result(result) => {
            let Some(Type::Variant(errors)) = result.err() else { return None };
            let error = REFUSALS.iter().find_map(|&refusal| {
                let case = errors.cases().find(|case| case.name == refusal)?;
                let text = match case.ty {
                    None => None,
                    Some(Type::String) => Some(Box::new(Val::String("not permitted".into()))),
                    Some(_) => return None,
                };
                Some(Val::Variant(refusal.to_owned(), text))
            })?;
            Some(Val::Result(Err(Some(Box::new(error)))))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_is_granted() {
        for import in [
            "spin:key-value/key-value@3.0.0",
            "spin:variables/variables",
            "fermyon:spin/llm@2.0.0",
            "wasi:cli/environment@0.2.6",
            "wasi:cli/environment@0.3.0",
            "wasi:http/client@0.3.0",
            "wasi:http/outgoing-handler@0.2.6",
            "wasi:keyvalue/atomics@0.2.0-draft2",
        ] {
            assert!(is_grant(import), "{import}");
        }
        for import in
            ["wasi:cli/stdout@0.2.6", "wasi:io/streams@0.2.6", "wasi:http/types@0.3.0", "spinach:leaf/leaf", "x"]
        {
            assert!(!is_grant(import), "{import}");
        }
    }

    #[test]
    fn tells_its_names_from_others() {
        assert!(is_denied(&name(12, "wasi:cli/environment@0.2.6")));
        for other in ["wasi:cli/environment@0.2.6", "denied-wasi:cli/x", "denied", "deniedx-wasi:cli/x"] {
            assert!(!is_denied(other), "{other}");
        }
    }
}
