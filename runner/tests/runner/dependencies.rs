//! Components in components: what they do, and what they may not.

use crate::support::{App, Setup, dependency, one_component, serve_always};

/// An application whose guest gets its variables from the dependency, under the grants `more`.
fn setup(dependencies: &str, more: &str) -> Setup {
    let setup = Setup::new(&one_component(&format!("{more}\n[component.guest.dependencies]\n{dependencies}")));
    std::os::unix::fs::symlink(dependency(), setup.folder().join("dependency.wasm")).expect("a link");
    setup
}

const WHOLE: &str = r#""spin:variables/variables@3.0.0" = { path = "dependency.wasm" }"#;

/// What the dependency answers to `action`.
fn ask(app: &App, action: &str) -> String {
    app.get(&format!("/variable?name={}", action.replace(' ', "%20"))).ok().to_owned()
}

#[test]
fn a_dependency_meets_an_import() {
    for name in ["spin:variables/variables@3.0.0", "spin:variables/variables", "spin:variables", "spin:variables@3.0.0"]
    {
        let app = setup(&format!("{name:?} = {{ path = \"dependency.wasm\" }}"), "").start();
        assert_eq!(ask(&app, "shout hello"), "HELLO", "{name}");
        let response = app.get("/variable?name=nothing");
        assert!(response.error().contains("Undefined(\"nothing\")"), "{}", response.text());
        // The guest's other imports are met as ever.
        app.post("/kv/set?key=k", "v").ok();
        assert_eq!(app.get("/kv/get?key=k").ok(), "v");
    }
}

#[test]
fn an_import_may_be_met_by_an_export_of_another_name() {
    let export = r#""spin:variables/variables" = { path = "dependency.wasm", export = "test:dependency/other" }"#;
    assert_eq!(ask(&setup(export, "").start(), "thing"), "other thing");
}

#[test]
fn a_dependency_is_granted_nothing() {
    let elsewhere = serve_always("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let grants = "environment = { MINE = \"yes\" }\nallowed_outbound_hosts = [\"*://127.0.0.1:*\"]";
    let app = setup(WHOLE, grants).start();
    // The component itself has all of it.
    assert_eq!(app.get("/environment?name=MINE").ok(), "yes");
    app.get(&format!("/fetch?url=http://{elsewhere}/")).ok();
    app.post("/kv/set?key=k", "v").ok();

    assert_eq!(ask(&app, "environment MINE"), "None of []");
    let fetch = format!("fetch http://{elsewhere}/");
    for (action, error) in [
        ("store default", "AccessDenied"),
        ("bucket default", "AccessDenied"),
        ("variable anything", "not permitted"),
        ("redis redis://127.0.0.1", "not permitted"),
        (&fetch, "HttpRequestDenied"),
    ] {
        let answer = ask(&app, action);
        assert!(answer.contains(error), "{action}: {answer}");
    }
}

#[test]
fn a_dependency_prints_as_the_component() {
    let app = setup(WHOLE, "").start();
    ask(&app, "print something");
    app.wait_for_log("[guest] something\n");
}

#[test]
fn a_trap_of_a_dependency_is_a_500_of_that_instance_alone() {
    let app = setup(WHOLE, "").start();
    assert_eq!(app.get("/variable?name=trap").status, 500);
    app.wait_for_log("[guest] trapped on request\n");
    assert_eq!(ask(&app, "shout again"), "AGAIN");
}

#[test]
fn a_dependency_has_a_memory_of_its_own_within_the_limit() {
    let limit = (64 << 20).to_string();
    let app = setup(WHOLE, "").argument(format!("--max-instance-memory={limit}")).start();
    assert_eq!(ask(&app, "allocate 40000000"), "40000000");
    assert_eq!(app.get("/allocate?bytes=40000000").ok(), "40000000");
    assert_eq!(app.get("/variable?name=allocate%2080000000").status, 500);
}

#[test]
fn refuses_dependencies_that_do_not_fit() {
    let other = |name: &str| format!("{name:?} = {{ path = \"dependency.wasm\" }}");
    for (dependencies, expected) in [
        (
            other("foo:bar/baz"),
            &["component guest", "\"foo:bar/baz\" meets no import", "spin:variables/variables@3.0.0"][..],
        ),
        (other("spin:variables/variables@3.0.1"), &["meets no import"]),
        (
            format!("{WHOLE}\n{}", other("spin:variables")),
            &["\"spin:variables\"", "both meet the import spin:variables/variables@3.0.0"],
        ),
        (other("spin:key-value"), &["can't meet the import spin:key-value/key-value@3.0.0"]),
        (
            r#""spin:key-value" = { path = "dependency.wasm" }"#
                .replace("spin:key-value", "spin:key-value/key-value")
                .replace(" }", ", export = \"spin:variables/variables@3.0.0\" }"),
            &["another type of the import spin:key-value/key-value@3.0.0"],
        ),
        (
            WHOLE.replace("dependency.wasm", "missing.wasm"),
            &["component guest", "missing.wasm", "is the component built?"],
        ),
        (
            WHOLE.replace("dependency.wasm", "spin.toml"),
            &["\"spin:variables/variables@3.0.0\"", "it is not a component"],
        ),
    ] {
        let refusal = setup(&dependencies, "").refusal();
        for part in expected {
            assert!(refusal.contains(part), "{part} is not in {refusal}");
        }
    }
}
