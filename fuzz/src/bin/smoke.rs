//! A fuzz run of seconds, on stable: a plain mutator over the seeds, the same mutations each time.
//!
//! `smoke [SECONDS] [TARGET...]`, 5 seconds for each target by default. Prints what it did, and ends with 1 when a
//! promise was broken; the input is then in `artifacts/`.

#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use fuzz::{TARGETS, Target};

/// No input may take longer than that; it is far above what the slowest sound one takes.
const TOO_SLOW: Duration = Duration::from_secs(10);

/// The longest input tried, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// Pieces of text and numbers at which formats and grammars branch.
const WORDS: &[&[u8]] = &[
    b"w=",
    b"h=",
    b"fit=cover",
    b"g=0.5:1",
    b",",
    b"=",
    b"8192",
    b"dpr=1.5",
    b"rotate=90",
    b"bg=ff000080",
    b"f=webp",
    b"trim",
    b"crop=1:1:9p:9p",
    b"/imgproxy/_/",
    b"/thumbor/unsafe/",
    b"/iiif/3/",
    b"01hzy3v7q8e9r0t1a2b3c4d5e6",
    b"--X-boundary",
    b"\r\n\r\n",
    b"Content-Disposition: form-data; name=\"file\"",
    b"name=\"tags\"",
    b"\xFF\xD8\xFF",
    b"\xFF\xC0",
    b"\xFF\xDA",
    b"Exif\0\0II*\0",
    b"IHDR",
    b"IDAT",
    b"acTL",
    b"VP8X",
    b"VP8L",
    b"ANMF",
    b"\x21\xF9\x04",
    b"ftypavif",
    b"iloc",
    b"ispe",
    b"II*\0",
    b"\x03\0\x01\0\0\0",
    b"<g transform=\"scale(9)\">",
    b"<use href=\"#a\"/>",
    b" filter=\"url(#a)\"",
    b"\0\0\0\0",
    b"\xFF\xFF\xFF\xFF",
    b"\x80",
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    let seconds = arguments.next_if(|argument| argument.parse::<u64>().is_ok());
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(5);
    let wanted: Vec<String> = arguments.collect();
    if let Some(unknown) = wanted.iter().find(|name| TARGETS.iter().all(|(known, _)| known != name)) {
        eprintln!("{unknown:?} is not a target; these are: {}", TARGETS.map(|(name, _)| name).join(", "));
        return ExitCode::FAILURE;
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    let mut outcome = ExitCode::SUCCESS;
    for target in TARGETS.into_iter().filter(|(name, _)| is_wanted(name)) {
        // All of them, even after a failure: each finding counts.
        if run(target, Duration::from_secs(seconds)).is_err() {
            outcome = ExitCode::FAILURE;
        }
    }
    outcome
}

/// Runs one target for `time`.
fn run((name, function): Target, time: Duration) -> Result<(), ()> {
    let seeds = seeds(name);
    let mut random = Random(0x5CA1_E405_7E12_0001);
    let mut slowest = Duration::ZERO;
    let mut n_runs = 0_u64;
    let started = Instant::now();
    let mut next_report = Duration::from_secs(5);
    loop {
        let input = match seeds.get(usize::try_from(n_runs).unwrap_or(usize::MAX)) {
            Some(seed) => seed.clone(),
            None => random.mutated(&seeds),
        };
        let before = Instant::now();
        let is_sound = catch_unwind(AssertUnwindSafe(|| function(&input))).is_ok();
        slowest = slowest.max(before.elapsed());
        n_runs += 1;
        if !is_sound || before.elapsed() > TOO_SLOW {
            let what = if is_sound { "took too long" } else { "broke a promise" };
            println!("{name}: run {n_runs} {what}; the input is in {}", keep(name, &input).display());
            return Err(());
        }
        let elapsed = started.elapsed();
        if elapsed >= time && n_runs >= seeds.len() as u64 {
            println!("{name}: {n_runs} runs in {elapsed:.1?} from {} seeds, slowest {slowest:.1?}, sound", seeds.len());
            return Ok(());
        }
        if elapsed >= next_report {
            println!("{name}: {n_runs} runs so far");
            next_report += Duration::from_secs(5);
        }
    }
}

/// The seeds of a target in the order of their names, and the empty input.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.sort();
    let read = |path: PathBuf| std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    std::iter::once(Vec::new()).chain(paths.into_iter().map(read)).collect()
}

/// Writes an input where `cargo fuzz` would.
fn keep(name: &str, input: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("artifacts").join(name);
    let hash = input
        .iter()
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3));
    let path = folder.join(format!("smoke-{hash:016x}"));
    std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, input)).expect("the folder can be written");
    path
}

/// Numbers that look random and are the same each time (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `end`, or 0 if there is none.
    fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.next() >> 32) as usize % end }
    }

    /// Some seed with a few changes.
    fn mutated(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(6) {
            self.mutate(&mut input, seeds);
        }
        input.truncate(MAX_BYTES);
        input
    }

    fn mutate(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        match self.below(9) {
            0 => input.truncate(at),
            1 => _ = input.drain(at..(at + 1 + self.below(16)).min(input.len())),
            2 => {
                let word = WORDS[self.below(WORDS.len())];
                input.splice(at..at, word.iter().copied());
            }
            3 => {
                let word = WORDS[self.below(WORDS.len())];
                let end = (at + word.len()).min(input.len());
                input.splice(at..end, word.iter().copied());
            }
            4 => {
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend(&other[from..]);
            }
            5 => {
                let end = (at + 1 + self.below(32)).min(input.len());
                let copy = input[at..end].to_vec();
                let to = self.below(input.len() + 1);
                input.splice(to..to, copy);
            }
            change => {
                let Some(byte) = input.get_mut(at) else { return };
                *byte = match change {
                    6 => *byte ^ 1 << self.below(8),
                    7 => [0, 1, 0x7F, 0x80, 0xFF, b'0', b'9', b','][self.below(8)],
                    _ => byte.wrapping_add(self.below(9) as u8).wrapping_sub(4),
                };
            }
        }
    }
}
