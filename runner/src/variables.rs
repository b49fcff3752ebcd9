//! Application variables: templates, where values come from, and what a component sees of them.

use std::collections::{BTreeMap, HashMap};

use crate::manifest::Manifest;

/// Why a variable has no value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a name.
    #[error("{0:?} is not a variable name: lower-case letters, digits and single underscores between them")]
    InvalidName(String),
    /// A template that cannot be read, or that names an unknown variable.
    #[error("invalid template {template:?}: {reason}")]
    InvalidTemplate {
        /// The template.
        template: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Not among the component's variables.
    #[error("component {component:?} has no variable {name:?}")]
    Undefined {
        /// The component.
        component: String,
        /// The variable.
        name: String,
    },
    /// A required variable that nobody set.
    #[error("required variable {0:?} has no value: set {env} or pass --variable {0}=…", env = environment_name(.0))]
    NoValue(String),
}

/// The variables of an application, and where their values come from: `--variable` first, then the environment, then
/// the manifest's defaults.
#[derive(Debug)]
pub struct Variables {
    defaults: BTreeMap<String, Option<String>>,
    given: HashMap<String, String>,
    /// By component, then by the component's own name for it.
    templates: HashMap<String, HashMap<String, Template>>,
}

impl Variables {
    /// The variables of `manifest`, with the values `given` on the command line.
    ///
    /// # Errors
    /// Bad names and templates, and required variables without a value.
    pub fn new(manifest: &Manifest, given: HashMap<String, String>) -> Result<Self, Error> {
        let defaults: BTreeMap<_, _> =
            manifest.variables.iter().map(|(name, variable)| (name.clone(), variable.default.clone())).collect();
        let mut variables = Self { defaults, given, templates: HashMap::new() };
        for name in variables.defaults.keys() {
            check_name(name)?;
            variables.value(name)?;
        }
        for (id, component) in &manifest.component {
            let mut templates = HashMap::new();
            for (name, template) in &component.variables {
                check_name(name)?;
                templates.insert(name.clone(), variables.parse(template)?);
            }
            variables.templates.insert(id.clone(), templates);
        }
        Ok(variables)
    }

    /// What `component` gets for `name`.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn get(&self, component: &str, name: &str) -> Result<String, Error> {
        check_name(name)?;
        let template = self.templates.get(component).and_then(|templates| templates.get(name));
        let undefined = || Error::Undefined { component: component.to_owned(), name: name.to_owned() };
        self.fill(template.ok_or_else(undefined)?)
    }

    /// `template` with its variables filled in.
    ///
    /// # Errors
    /// A template that cannot be read, or a variable without a value.
    pub fn resolve(&self, template: &str) -> Result<String, Error> {
        self.fill(&self.parse(template)?)
    }

    fn parse(&self, template: &str) -> Result<Template, Error> {
        let invalid = |reason| Error::InvalidTemplate { template: template.to_owned(), reason };
        let parsed = Template::parse(template).map_err(|reason| invalid(reason.to_owned()))?;
        for part in &parsed.0 {
            if let Part::Variable(name) = part
                && !self.defaults.contains_key(name)
            {
                return Err(invalid(format!("the application has no variable {name:?}")));
            }
        }
        Ok(parsed)
    }

    fn fill(&self, template: &Template) -> Result<String, Error> {
        let mut filled = String::new();
        for part in &template.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Variable(name) => filled.push_str(&self.value(name)?),
            }
        }
        Ok(filled)
    }

    fn value(&self, name: &str) -> Result<String, Error> {
        if let Some(value) = self.given.get(name) {
            return Ok(value.clone());
        }
        if let Ok(value) = std::env::var(environment_name(name)) {
            return Ok(value);
        }
        self.defaults.get(name).cloned().flatten().ok_or_else(|| Error::NoValue(name.to_owned()))
    }
}

/// The environment variable that sets the application variable `name`.
fn environment_name(name: &str) -> String {
    format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase())
}

fn check_name(name: &str) -> Result<(), Error> {
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.split('_').all(word) {
        Ok(())
    } else {
        Err(Error::InvalidName(name.to_owned()))
    }
}

/// Text with `{{ variable }}` in it.
#[derive(Debug, PartialEq)]
struct Template(Vec<Part>);

#[derive(Debug, PartialEq)]
enum Part {
    Text(String),
    Variable(String),
}

impl Template {
    fn parse(template: &str) -> Result<Self, &'static str> {
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((text, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").ok_or("`{{` without `}}`")?;
            if !text.is_empty() {
                parts.push(Part::Text(text.to_owned()));
            }
            parts.push(Part::Variable(name.trim().to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(given: &[(&str, &str)]) -> Result<Variables, Error> {
        let manifest: Manifest = toml::from_str(
            r#"
            spin_manifest_version = 2
            application = { name = "a" }
            trigger = {}
            [variables]
            host = { default = "example.com" }
            token = { required = true }
            [component.one]
            source = "x"
            [component.one.variables]
            url = "https://{{ host }}/{{token}}"
            plain = "as it is"
            "#,
        )
        .expect("a manifest");
        Variables::new(&manifest, given.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    #[test]
    fn fills_templates_from_the_command_line_and_the_defaults() {
        let variables = variables(&[("token", "t")]).expect("complete");
        assert_eq!(variables.get("one", "url").unwrap(), "https://example.com/t");
        assert_eq!(variables.get("one", "plain").unwrap(), "as it is");
        assert_eq!(variables.resolve("{{ host }}:1").unwrap(), "example.com:1");
    }

    #[test]
    fn the_command_line_wins_over_the_default() {
        let variables = variables(&[("token", "t"), ("host", "other")]).expect("complete");
        assert_eq!(variables.get("one", "url").unwrap(), "https://other/t");
    }

    #[test]
    fn refuses_to_start_without_a_required_value() {
        let error = variables(&[]).expect_err("no token").to_string();
        assert!(error.contains("SPIN_VARIABLE_TOKEN"), "{error}");
    }

    #[test]
    fn tells_unknown_from_invalid_names() {
        let variables = variables(&[("token", "t")]).expect("complete");
        assert!(matches!(variables.get("one", "host"), Err(Error::Undefined { .. })));
        assert!(matches!(variables.get("two", "url"), Err(Error::Undefined { .. })));
        for name in ["", "Url", "_url", "url_", "a__b", "1a", "a-b"] {
            assert!(matches!(variables.get("one", name), Err(Error::InvalidName(_))), "{name}");
        }
    }

    #[test]
    fn refuses_bad_templates() {
        let variables = variables(&[("token", "t")]).expect("complete");
        for template in ["{{ host", "{{ nobody }}"] {
            assert!(matches!(variables.resolve(template), Err(Error::InvalidTemplate { .. })), "{template}");
        }
    }
}
