//! Filters of the operator's own: what they make, and what is refused. The component is the example in Rust.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use blackbox::app::{Options, root};
use blackbox::{App, fixtures};
use fixtures::quadrants;

/// The example in Rust, built first where it is missing or old.
fn duotone() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--target", "wasm32-wasip2", "-p", "filter-duotone"])
        .current_dir(root())
        .status();
    assert!(built.expect("cargo can be started").success(), "the example can't be built");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    root().join(target).join("wasm32-wasip2/release/filter_duotone.wasm")
}

/// An app with the filters of the example, and a picture in it of 400 by 300 in four colours.
fn app() -> &'static (App, String) {
    static APP: OnceLock<(App, String)> = OnceLock::new();
    APP.get_or_init(|| {
        let app = App::start(Options::for_tests().filters(duotone()));
        let id = app.image(&fixtures::png(&quadrants(400, 300)));
        (app, id)
    })
}

#[test]
fn a_filter_changes_the_pixels_and_not_the_size() {
    let (app, id) = app();
    let picture = app.delivered(id, "w=200,f=png,filter=duotone:102030:102030").picture();
    assert_eq!(picture.size(), (200, 150));
    for (x, y) in [(0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9)] {
        assert_eq!(picture.at(x, y), [0x10, 0x20, 0x30, 255]);
    }
    let dots = app.delivered(id, "w=200,f=png,filter=halftone").picture();
    assert!([[0, 0, 0, 255], [255; 4]].contains(&dots.at(0.3, 0.3)), "{:?}", dots.at(0.3, 0.3));
}

#[test]
fn what_a_filter_refuses_is_the_clients_to_mend() {
    let (app, id) = app();
    for (call, expected) in [
        ("no-such-filter", "no-such-filter"),
        ("duotone:red", "`red`"),
        ("duotone:000000:ffffff:000000", "two colours"),
        ("halftone:1", "from 2 to 64"),
    ] {
        let problem = app.delivered(id, &format!("w=100,filter={call}")).problem(422, "filter-refused");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(expected)), "{call}: {problem}");
    }
}

#[test]
fn an_app_without_filters_says_so() {
    let id = App::shared().image(&fixtures::png(&quadrants(40, 30)));
    App::shared().delivered(&id, "w=20,filter=duotone").problem(501, "filter-unknown");
}
