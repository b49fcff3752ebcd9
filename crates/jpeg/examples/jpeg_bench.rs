//! Times decoding and encoding of one picture: `jpeg_bench FILE [ROUNDS]`. Prints the best of the rounds, in
//! milliseconds.
//!
//! The same natively and in wasm:
//! `cargo run --release -p jpeg --example jpeg_bench -- photo.jpg`
//! `RUSTFLAGS="-C target-feature=+simd128" cargo build --release -p jpeg --example jpeg_bench --target wasm32-wasip1`,
//! then under any wasmtime.

use std::time::Instant;

use jpeg::{Options, Scale};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("usage: jpeg_bench FILE [ROUNDS]");
    let n_rounds = arguments.next().map_or(20, |text| text.parse().expect("ROUNDS is a number"));
    let file = std::fs::read(&path).expect("the file can be read");
    let header = jpeg::Header::read(&file).expect("the file is a JPEG");
    println!("{path}: {} bytes, {}x{}, {} scans", file.len(), header.width, header.height, header.n_scans);

    time("header", n_rounds, || jpeg::Header::read(&file).expect("as before").n_scans);
    for scale in [Scale::Full, Scale::Half, Scale::Quarter, Scale::Eighth] {
        let options = Options { scale, ..Options::default() };
        let decode = || jpeg::decode(&file, &options).expect("the file can be decoded");
        time(&format!("planes, 1/{}", scale.divisor()), n_rounds, || decode().planes.len());
        time(&format!("pixels, 1/{}", scale.divisor()), n_rounds, || decode().into_pixels().samples.len());
    }
}

/// Runs `work` so often, and prints the shortest time and what it returned.
fn time(name: &str, n_rounds: u32, work: impl Fn() -> usize) {
    let mut best = f64::INFINITY;
    let mut result = 0;
    for _ in 0..n_rounds {
        let start = Instant::now();
        result = work();
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!("{name:<28} {:>8.2} ms  {result}", best * 1e3);
}
