//! Times decoding and encoding of one picture: `jpeg_bench FILE [ROUNDS [NAME]]`. Prints the best of the rounds, in
//! milliseconds; of all there is to time, or of what has a name that starts with `NAME`.
//!
//! The same natively and in wasm:
//! `cargo run --release -p jpeg --example jpeg_bench -- photo.jpg`
//! `RUSTFLAGS="-C target-feature=+simd128" cargo build --release -p jpeg --example jpeg_bench --target wasm32-wasip1`,
//! then under any wasmtime.

use std::time::Instant;

use jpeg::encode::{self, Picture, Samples};
use jpeg::{Options, Process, Scale};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("usage: jpeg_bench FILE [ROUNDS [NAME]]");
    let n_rounds = arguments.next().map_or(20, |text| text.parse().expect("ROUNDS is a number"));
    let bench = Bench { n_rounds, name: arguments.next().unwrap_or_default() };
    let file = std::fs::read(&path).expect("the file can be read");
    let header = jpeg::Header::read(&file).expect("the file is a JPEG");
    println!("{path}: {} bytes, {}x{}, {} scans", file.len(), header.width, header.height, header.n_scans);

    bench.time("header", || jpeg::Header::read(&file).expect("as before").n_scans);
    for scale in [Scale::Full, Scale::Half, Scale::Quarter, Scale::Eighth] {
        let options = Options { scale, ..Options::default() };
        let decode = || jpeg::decode(&file, &options).expect("the file can be decoded");
        bench.time(&format!("planes 1/{}", scale.divisor()), || decode().planes.len());
        bench.time(&format!("pixels 1/{}", scale.divisor()), || decode().into_pixels().samples.len());
    }

    // The file's own half, as planes and as pixels, and what is read from what was written of it.
    let options = Options { scale: Scale::Half, ..Options::default() };
    let half = jpeg::decode(&file, &options).expect("as before");
    let planes: Vec<_> = half.planes.iter().map(Samples::from).collect();
    let planes = Picture::YCbCr(planes.try_into().expect("the file has three components"));
    let pixels = half.clone().into_pixels();
    let (width, height) = (pixels.width, pixels.height);
    let pixels = Picture::Rgb(Samples { samples: &pixels.samples, width, height, stride: 3 * width });
    for (name, quality, process) in [
        ("q80", 80, Process::Sequential),
        ("q92", 92, Process::Sequential),
        ("q80 progressive", 80, Process::Progressive),
    ] {
        let options = encode::Options { quality, process, ..encode::Options::default() };
        let encode = |picture| encode::encode(picture, &options).expect("it can be encoded");
        bench.time(&format!("encode planes {width}x{height} {name}"), || encode(&planes).len());
        bench.time(&format!("encode pixels {width}x{height} {name}"), || encode(&pixels).len());
        let written = encode(&planes);
        let decode = || jpeg::decode(&written, &Options::default()).expect("it can be decoded");
        bench.time(&format!("decode {width}x{height} {name}"), || decode().planes.len());
    }
}

struct Bench {
    n_rounds: u32,
    name: String,
}

impl Bench {
    /// Runs `work` so often, and prints the shortest time and what it returned.
    fn time(&self, name: &str, work: impl Fn() -> usize) {
        if !name.starts_with(&self.name) {
            return;
        }
        let mut best = f64::INFINITY;
        let mut result = 0;
        for _ in 0..self.n_rounds {
            let start = Instant::now();
            result = work();
            best = best.min(start.elapsed().as_secs_f64());
        }
        println!("{name:<40} {:>8.2} ms  {result}", best * 1e3);
    }
}
