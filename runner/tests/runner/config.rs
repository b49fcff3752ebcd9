//! What is configured, and what is refused: always by name.

use crate::support::{Setup, one_component};

#[test]
fn refuses_unknown_fields_with_the_file_and_what_there_is() {
    let refusal = Setup::new(&one_component("files = [\"a\"]")).refusal();
    for part in ["spin.toml", "unknown field `files`", "allowed_outbound_hosts"] {
        assert!(refusal.contains(part), "{part} is not in {refusal}");
    }
    let refusal = Setup::new(&one_component("")).runtime_config("[llm_compute]\ntype = \"spin\"").refusal();
    for part in ["runtime.toml", "unknown field `llm_compute`", "key_value_store"] {
        assert!(refusal.contains(part), "{part} is not in {refusal}");
    }
}

#[test]
fn refuses_missing_components() {
    let refusal = Setup::new(&one_component("").replace("guest.wasm", "missing.wasm")).refusal();
    assert!(refusal.contains("component guest") && refusal.contains("is the component built?"), "{refusal}");
}

#[test]
fn refuses_files_that_are_no_components() {
    let setup = Setup::new(&one_component("").replace("guest.wasm", "spin.toml"));
    assert!(setup.refusal().contains("not a component that can be compiled"));
}

#[test]
fn refuses_imports_that_it_does_not_serve() {
    let setup = Setup::new(&one_component("").replace("guest.wasm", "import.wasm"));
    std::fs::write(setup.folder().join("import.wasm"), importing("fermyon:spin/sqlite@2.0.0")).expect("written");
    let refusal = setup.refusal();
    assert!(refusal.contains("component guest") && refusal.contains("fermyon:spin/sqlite@2.0.0"), "{refusal}");
}

/// A component that imports a function `run` of the interface `name`.
fn importing(name: &str) -> Vec<u8> {
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    // An instance type, which declares the type of a function without parameters, and exports one of it.
    section(&mut component, 7, b"\x01\x42\x02\x01\x40\0\x01\0\x04\0\x03run\x01\0");
    let mut import = vec![1, 0, u8::try_from(name.len()).expect("a short name")];
    import.extend(name.bytes());
    import.extend([5, 0]);
    section(&mut component, 10, &import);
    component
}

fn section(component: &mut Vec<u8>, id: u8, content: &[u8]) {
    component.extend([id, u8::try_from(content.len()).expect("a short section")]);
    component.extend(content);
}

#[test]
fn refuses_triggers_that_a_component_has_no_export_for() {
    let setup = Setup::new(&one_component("").replace("guest.wasm", "empty.wasm"));
    std::fs::write(setup.folder().join("empty.wasm"), b"\0asm\x0d\0\x01\0").expect("written");
    assert!(setup.refusal().contains("component guest does not export wasi:http/handler@0.3.0"));
}

#[test]
fn refuses_rules_that_make_no_sense() {
    let refusal = Setup::new(&one_component("allowed_outbound_hosts = [\"example.com\"]")).refusal();
    assert!(refusal.contains("component guest") && refusal.contains("\"example.com\""), "{refusal}");
}

#[test]
fn refuses_chaining_to_components_that_are_not_there() {
    let refusal = Setup::new(&one_component("allowed_outbound_hosts = [\"http://other.spin.internal\"]")).refusal();
    assert!(refusal.contains("component other is not defined or not selected"), "{refusal}");
}

#[test]
fn refuses_ports_in_use() {
    let app = Setup::new(&one_component("")).start();
    let refusal = Setup::new(&one_component("")).listen(&app.address().to_string()).refusal();
    assert!(refusal.contains(&format!("cannot listen on {}", app.address())), "{refusal}");
}

/// Two components, the second with a file that does not exist.
const ONE_IS_MISSING: &str = r#"
    [[trigger.http]]
    route = "/missing"
    component = "missing"
    [component.missing]
    source = "missing.wasm"
"#;

#[test]
fn runs_selected_components_only() {
    let manifest = one_component(ONE_IS_MISSING);
    let app = Setup::new(&manifest).argument("--component-id=guest").start();
    assert_eq!(app.get("/hello").ok(), "hello");
    assert_eq!(app.greeting, "/... -> guest\n");
    assert!(Setup::new(&manifest).argument("--component-id=nobody").refusal().contains("no component `nobody`"));
}

/// A variable with a default, one without, and a component that sees both.
const VARIABLES: &str = r#"
    [component.guest.variables]
    greeting = "hello {{ who }}"
    token = "{{ token }}"
    [variables]
    who = { default = "world" }
    token = { required = true, secret = true }
"#;

#[test]
fn variables_come_from_the_command_line_the_environment_and_the_defaults() {
    let manifest = one_component(VARIABLES);
    let app = Setup::new(&manifest).environment("SPIN_VARIABLE_TOKEN", "secret").start();
    assert_eq!(app.get("/variable?name=greeting").ok(), "hello world");
    assert_eq!(app.get("/variable?name=token").ok(), "secret");

    let app = Setup::new(&manifest)
        .environment("SPIN_VARIABLE_TOKEN", "lost")
        .environment("SPIN_VARIABLE_WHO", "you")
        .argument("--variable=token=won=t")
        .start();
    assert_eq!(app.get("/variable?name=greeting").ok(), "hello you");
    assert_eq!(app.get("/variable?name=token").ok(), "won=t");
}

#[test]
fn a_component_sees_its_own_variables_only() {
    let app = Setup::new(&one_component(VARIABLES)).argument("--variable=token=t").start();
    for (name, error) in [("who", "Undefined"), ("nobody", "Undefined"), ("No-Name", "InvalidName")] {
        let response = app.get(&format!("/variable?name={name}"));
        assert!(response.error().contains(error), "{name}: {}", response.text());
    }
}

#[test]
fn refuses_to_start_without_a_required_variable() {
    let refusal = Setup::new(&one_component(VARIABLES)).refusal();
    assert!(refusal.contains("SPIN_VARIABLE_TOKEN"), "{refusal}");
}

#[test]
fn components_have_their_own_environment_and_not_the_runners() {
    let manifest = one_component("environment = { MINE = \"yes\" }");
    let app = Setup::new(&manifest).environment("THEIRS", "no").start();
    assert_eq!(app.get("/environment?name=MINE").ok(), "yes");
    app.get("/environment?name=THEIRS").error();
}

#[test]
fn help_names_every_option() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_scalehoster-runner")).arg("--help").output();
    let help = String::from_utf8(help.expect("it starts").stdout).expect("text");
    for option in
        ["--from", "--listen", "--state-dir", "--runtime-config-file", "--variable", "--component-id", "--cache-dir"]
    {
        assert!(help.contains(option), "{option}");
    }
}
