//! Encodes a picture and decodes it again: bytes, their hash, and time.
//!
//! `avif_bench PICTURE.ppm QUALITY EFFORT [OUT.avif]`. Built for `wasm32-wasip1` it shows that bytes are the same there.

use std::time::Instant;

use anyhow::{Context, bail};
use avif::{Layout, Limits, Options, Pixels};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, picture, quality, effort, ..] = arguments.as_slice() else {
        bail!("avif_bench PICTURE.ppm QUALITY EFFORT [OUT.avif]");
    };
    let file = std::fs::read(picture)?;
    let pixels = ppm(&file).context("not a plain PPM")?;
    let megapixels = f64::from(pixels.width) * f64::from(pixels.height) / 1e6;

    let start = Instant::now();
    let encoded = avif::encode(&pixels, &Options { quality: quality.parse()?, effort: effort.parse()? })?;
    let encoding = start.elapsed().as_secs_f64() * 1e3;
    let start = Instant::now();
    let decoded = avif::decode(&encoded, &Limits::default())?;
    let decoding = start.elapsed().as_secs_f64() * 1e3;

    println!(
        "q {quality} effort {effort}: {} bytes {:016x}, {encoding:.0} ms, {:.0} ms/MP; decoding {:016x}, {decoding:.1} ms, {:.0} ms/MP",
        encoded.len(),
        hash(&encoded),
        encoding / megapixels,
        hash(&decoded.bytes),
        decoding / megapixels,
    );
    if let Some(path) = arguments.get(4) {
        std::fs::write(path, encoded)?;
    }
    Ok(())
}

/// A binary PPM of eight bits without comments.
fn ppm(file: &[u8]) -> Option<Pixels<'_>> {
    let mut rest = file.strip_prefix(b"P6")?;
    let mut numbers = [0; 3];
    for number in &mut numbers {
        rest = rest.trim_ascii_start();
        let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
        *number = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
        rest = &rest[end..];
    }
    let [width, height, 255] = numbers else { return None };
    Some(Pixels { width, height, layout: Layout::Rgb, bytes: rest.get(1..)? })
}

fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3))
}
