//! How long one picture takes: `webp_bench PICTURE.rgb WIDTH HEIGHT [QUALITY [EFFORT [ROUNDS [OUT.webp]]]]`, the picture
//! being three bytes a pixel, and a quality above 100 meaning lossless. Prints the bytes, a checksum of them (the same natively and in wasm) and milliseconds.

use std::time::Instant;

use webp::{Options, Picture, Pixels};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize, default: u32| arguments.get(i).map_or(Ok(default), |argument| argument.parse());
    let pixels = std::fs::read(arguments.first().ok_or("which picture?")?)?;
    let picture = Picture { width: number(1, 0)?, height: number(2, 0)?, pixels: Pixels::Rgb(&pixels) };
    let quality = number(3, 80)?;
    let (lossless, quality, effort) = (quality > 100, quality.min(100) as u8, number(4, 4)?.min(6) as u8);
    let options = Options { quality, effort, lossless, icc_profile: None };
    let mut best = f64::INFINITY;
    let mut file = Vec::new();
    for _ in 0..number(5, 10)?.max(1) {
        let start = Instant::now();
        file = webp::encode(&picture, &options)?;
        best = best.min(start.elapsed().as_secs_f64() * 1000.0);
    }
    let checksum =
        file.iter().fold(0xcbf29ce484222325u64, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x100000001b3));
    println!("{} bytes, checksum {checksum:016x}, best of rounds {best:.2} ms", file.len());
    if let Some(out) = arguments.get(6) {
        std::fs::write(out, &file)?;
    }
    Ok(())
}
