//! Times what the pixel engine does with one picture: `pixels_bench FILE [ROUNDS]`. Prints the best of the rounds.

use std::time::Instant;

use resize::pixels::{Extras, Facts, Limits, derive, pick_rung, render, strip};
use transform::{Accept, Plan, Transform};

const REQUESTS: [&str; 8] = [
    "w=720,h=588",
    "w=320",
    "w=100,h=100,fit=cover",
    "w=1600",
    "w=720,f=webp",
    "w=720,f=png",
    "w=720,sharpen=1",
    "w=720,blur=8",
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("usage: pixels_bench FILE [ROUNDS]");
    let n_rounds = arguments.next().map_or(10, |text| text.parse().expect("ROUNDS is a number"));
    let file = std::fs::read(&path).expect("the file can be read");
    let limits = Limits::default();
    let facts = Facts::read(&file, &limits).expect("the file is a picture");
    println!("{path}: {} bytes, {facts:?}", file.len());

    let plan = |options: &str| {
        let transform: Transform = options.parse().expect("the bench's own options are good");
        Plan::resolve(&transform, &facts.source, Accept::default()).expect("within limits")
    };
    let presets = [
        ("thumb", plan("w=200,h=200,fit=cover,f=auto")),
        ("small", plan("w=480,f=auto")),
        ("medium", plan("w=960,f=auto")),
        ("large", plan("w=1920,f=auto")),
    ];
    time("strip", n_rounds, || (strip(&file), 0));
    let rungs_only = |file: &[u8]| derive(file, &[], &limits).expect("the picture can be derived from");
    let derived = time("derive, rungs only", n_rounds, || (rungs_only(&file), 0));
    time("derive, four presets", n_rounds, || (derive(&file, &presets, &limits).expect("as before"), 0));
    for rung in &derived.rungs {
        println!("  rung {}x{} {}: {} bytes", rung.width, rung.height, rung.format, rung.bytes.len());
    }
    let sizes: Vec<_> = derived.rungs.iter().map(|rung| (rung.width, rung.height)).collect();
    for options in REQUESTS {
        let plan = plan(options);
        let make = |input: &[u8]| {
            let encoded = render(input, &plan, &Extras::default(), &limits).expect("the picture can be rendered");
            let n_bytes = encoded.bytes.len();
            (encoded, n_bytes)
        };
        time(&format!("{options} of the original"), n_rounds, || make(&file));
        if let Some(rung_idx) = pick_rung(&plan, &sizes) {
            let rung = &derived.rungs[rung_idx];
            time(&format!("{options} of the rung of {}", rung.width), n_rounds, || make(&rung.bytes));
        }
    }
}

/// Runs `work` some times, prints the best, returns what it made the last time.
fn time<T>(name: &str, n_rounds: usize, work: impl Fn() -> (T, usize)) -> T {
    let mut best = f64::INFINITY;
    let mut last = None;
    for _ in 0..n_rounds.max(1) {
        let start = Instant::now();
        last = Some(work());
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    let (result, n_bytes) = last.expect("at least one round");
    println!("{name:50} {best:8.2} ms {n_bytes:9} bytes");
    result
}
