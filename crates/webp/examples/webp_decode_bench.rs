//! How long decoding takes: `webp_decode_bench FILE.webp [ROUNDS]`, of a simple lossy file. Prints a checksum of the
//! planes (the same natively and in wasm) and milliseconds: to planes, and to pixels.

use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let file = std::fs::read(arguments.first().ok_or("which picture?")?)?;
    let frame = file.get(20..).ok_or("too short")?;
    let rounds = arguments.get(1).map_or(Ok(10), |argument| argument.parse())?;
    let (mut planes, mut pixels) = (f64::INFINITY, f64::INFINITY);
    let mut sum = 0;
    for _ in 0..rounds {
        let start = Instant::now();
        let picture = webp::decode(frame)?;
        planes = planes.min(start.elapsed().as_secs_f64() * 1000.0);
        let rgb = picture.to_rgb();
        pixels = pixels.min(start.elapsed().as_secs_f64() * 1000.0);
        sum = rgb.iter().fold(0xcbf29ce484222325u64, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x100000001b3));
    }
    println!("checksum {sum:016x}, best of rounds {planes:.2} ms to planes, {pixels:.2} ms to pixels");
    Ok(())
}
