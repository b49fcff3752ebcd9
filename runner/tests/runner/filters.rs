//! The filter components in `filters/`, called as a component that renders calls them.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::support::{Part, component};

mod bindings {
    wasmtime::component::bindgen!({ path: "../wit", world: "user-filter" });
}

use bindings::UserFilter;
use bindings::exports::scalehoster::imaging::filter::{FilterError, FilterInfo, Image};

#[derive(Default)]
struct Host {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// An instance of a filter component.
struct Filters {
    store: Store<Host>,
    component: UserFilter,
}

impl Filters {
    fn load(wasm: &Path) -> Self {
        let engine = Engine::default();
        let component = Component::from_file(&engine, wasm).expect("a component");
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("linked");
        let mut store = Store::new(&engine, Host::default());
        let component = UserFilter::instantiate(&mut store, &component, &linker).expect("a filter component");
        Self { store, component }
    }

    fn describe(&mut self) -> Vec<FilterInfo> {
        self.component.scalehoster_imaging_filter().call_describe(&mut self.store).expect("no trap")
    }

    fn names(&mut self) -> Vec<String> {
        self.describe().into_iter().map(|filter| filter.name).collect()
    }

    fn apply(&mut self, name: &str, args: &[&str], image: &Image) -> Result<Image, FilterError> {
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        let filter = self.component.scalehoster_imaging_filter();
        filter.call_apply(&mut self.store, name, &args, image).expect("no trap")
    }
}

fn picture(width: u32, height: u32) -> Image {
    let pixels = (0..width * height * 4).map(|byte| (byte * 37 % 251) as u8).collect();
    Image { width, height, pixels }
}

/// Whether it keeps what the interface says, for each filter that it describes.
fn keeps_the_interface(filters: &mut Filters) {
    for filter in filters.describe() {
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
        assert!(filter.name.bytes().all(is_word), "{}", filter.name);
        assert!(!filter.help.is_empty() && !filter.help.contains('\n'));
        for (width, height) in [(1, 1), (1, 20), (20, 1), (40, 33)] {
            let picture = picture(width, height);
            let first = filters.apply(&filter.name, &[], &picture).expect("the defaults");
            assert_eq!((first.width, first.height), (width, height), "{}", filter.name);
            assert_eq!(first.pixels.len(), picture.pixels.len(), "{}", filter.name);
            let second = filters.apply(&filter.name, &[], &picture).expect("the defaults");
            assert!(first.pixels == second.pixels, "{} is not the same twice", filter.name);
        }
        let too_many = vec!["8"; filter.parameters.len() + 1];
        assert!(matches!(filters.apply(&filter.name, &too_many, &picture(2, 2)), Err(FilterError::BadParameter(_))));
    }
    assert!(matches!(filters.apply("no-such-filter", &[], &picture(2, 2)), Err(FilterError::Unknown)));
}

#[test]
fn the_component_without_filters_has_none() {
    static NONE: Part = Part::new("filter-none", "../filters/none");
    let mut filters = Filters::load(&component(&NONE));
    assert!(filters.names().is_empty());
    keeps_the_interface(&mut filters);
}

#[test]
fn the_rust_example_has_three() {
    static DUOTONE: Part = Part::new("filter-duotone", "../filters/duotone");
    let mut filters = Filters::load(&component(&DUOTONE));
    assert_eq!(filters.names(), ["duotone", "halftone", "vignette"]);
    keeps_the_interface(&mut filters);
    let gray = Image { width: 2, height: 1, pixels: vec![0, 0, 0, 255, 255, 255, 255, 7] };
    let toned = filters.apply("duotone", &["102030", "ffeedd"], &gray).expect("two colours");
    assert_eq!(toned.pixels, [0x10, 0x20, 0x30, 255, 0xff, 0xee, 0xdd, 7]);
    let refused = filters.apply("duotone", &["red"], &gray);
    assert!(matches!(refused, Err(FilterError::BadParameter(text)) if text.contains("`red`")));
}

#[test]
fn the_javascript_example_has_one() {
    let Some(built) = build_javascript() else { return };
    let mut filters = Filters::load(&built.path().join("filters/pixelate-js/filter.wasm"));
    assert_eq!(filters.names(), ["pixelate"]);
    keeps_the_interface(&mut filters);
    let halves = Image { width: 4, height: 1, pixels: [[0; 4], [200, 100, 0, 255], [10; 4], [20; 4]].concat() };
    let squares = filters.apply("pixelate", &["2"], &halves).expect("a size");
    // What is transparent has no say in the colour.
    assert_eq!(squares.pixels[..8], [200, 100, 0, 128, 200, 100, 0, 128]);
    assert_eq!(squares.pixels[8..12], squares.pixels[12..]);
    assert!(matches!(filters.apply("pixelate", &["1"], &halves), Err(FilterError::BadParameter(_))));
}

/// The JavaScript example, built as its documentation says, in a folder of the test's: no build gives the same bytes as the
/// last, and whoever uses the example has its digest in spin.toml. Nothing where npm, or the way to its registry, is
/// missing.
fn build_javascript() -> Option<TempDir> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let copy = tempfile::tempdir().expect("a folder");
    let folder = copy.path().join("filters/pixelate-js");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::os::unix::fs::symlink(root.join("wit"), copy.path().join("wit")).expect("a link");
    for file in ["package.json", "filter.js"] {
        std::fs::copy(root.join("filters/pixelate-js").join(file), folder.join(file)).expect("a copy");
    }
    let npm = |arguments: &[&str]| {
        Command::new("npm").args(arguments).current_dir(&folder).stdin(Stdio::null()).stdout(Stdio::null()).status()
    };
    if !npm(&["install", "--no-package-lock", "--no-audit", "--no-fund"]).is_ok_and(|status| status.success()) {
        eprintln!("skipped: npm can't install what builds the JavaScript example");
        return None;
    }
    assert!(npm(&["run", "build"]).expect("npm can be started").success(), "it can't be built: see above");
    Some(copy)
}
