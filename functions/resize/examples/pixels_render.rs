//! Carries out one transform: `pixels_render FILE TRANSFORM OUT`, with `original` for the stripped original.

use resize::pixels::{Extras, Facts, Limits, render};
use transform::{Accept, Plan, Spec};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, transform, out] = &arguments[..] else { panic!("usage: pixels_render FILE TRANSFORM OUT") };
    let file = std::fs::read(path).expect("the file can be read");
    let limits = Limits::default();
    let facts = Facts::read(&file, &limits).expect("the file is a picture");
    let plan = match Spec::parse(transform).expect("the transform is good") {
        Spec::Original => Plan::Original,
        Spec::Preset(name) => panic!("presets are not known here: {name}"),
        Spec::Transform(transform) => {
            Plan::resolve(&transform, &facts.source, Accept::default()).expect("within limits")
        }
    };
    let encoded = render(&file, &plan, &Extras::default(), &limits).expect("the picture can be rendered");
    println!(
        "{facts:?}\n{plan}\n{}x{} {}, {} bytes",
        encoded.width,
        encoded.height,
        encoded.format,
        encoded.bytes.len()
    );
    std::fs::write(out, encoded.bytes).expect("the result can be written");
}
