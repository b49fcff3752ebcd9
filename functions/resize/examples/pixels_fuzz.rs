//! Breaks pictures and exercises the pixel engine with them: `pixels_fuzz SECONDS SEED FILE...`.
//!
//! Needs no nightly compiler. A panic prints the seed and writes the file to `pixels_fuzz.bin`; so does a file that
//! takes more than ten seconds.

use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use resize::pixels::exercise;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().and_then(|text| text.parse().ok()).expect("usage: pixels_fuzz SECONDS SEED FILE...");
    let seed = arguments.next().and_then(|text| text.parse().ok()).expect("SEED is a number");
    let files: Vec<Vec<u8>> = arguments.map(|path| std::fs::read(path).expect("the file can be read")).collect();
    assert!(!files.is_empty(), "no files");

    let mut random = Random(seed);
    let start = Instant::now();
    let mut n_files = 0_u64;
    while start.elapsed() < Duration::from_secs(seconds) {
        let file = broken(&files, &mut random);
        let begun = Instant::now();
        let result = catch_unwind(|| exercise(&file));
        let is_slow = begun.elapsed() > Duration::from_secs(10);
        if result.is_err() || is_slow {
            std::fs::write("pixels_fuzz.bin", &file).expect("the file can be written");
            panic!("file {n_files} of seed {seed}: slow: {is_slow}");
        }
        n_files += 1;
    }
    println!("{n_files} broken files, none of them a panic");
}

/// One of the files, with a few bytes changed, some cut out, doubled or taken from another.
fn broken(files: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut file = files[random.below(files.len())].clone();
    for _ in 0..=random.below(6) {
        let position = random.below(file.len());
        let n_bytes = random.below(64).min(file.len() - position);
        match random.below(8) {
            0 => file.truncate(position),
            1 => drop(file.drain(position..position + n_bytes)),
            2 => file.extend_from_within(position..position + n_bytes),
            3 => {
                let other = &files[random.below(files.len())];
                let start = random.below(other.len());
                let end = other.len().min(start + random.below(200));
                file.splice(position..position + n_bytes, other[start..end].iter().copied());
            }
            _ if n_bytes > 0 => {
                file[position] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF, random.below(256) as u8][random.below(7)]
            }
            _ => {}
        }
        if file.is_empty() {
            break;
        }
    }
    file
}

/// Good enough, and the same everywhere.
struct Random(u64);

impl Random {
    /// A number below `n`, or 0.
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }
}
