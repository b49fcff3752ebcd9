//! How long a comparison takes: `cargo run --profile native -p score --example score_bench`.

use std::time::Instant;

use score::Reference;

const WIDTH: usize = 720;
const HEIGHT: usize = 588;
const RUNS: usize = 9;

fn main() -> Result<(), score::ScoreError> {
    let pixel = |i: usize| [i % WIDTH / 3, i / WIDTH / 3, (i ^ (i >> 5)) % 240].map(|value| value as u8);
    let rgb: Vec<u8> = (0..WIDTH * HEIGHT).flat_map(pixel).collect();
    let coarse: Vec<u8> = rgb.iter().map(|value| value / 10 * 10).collect();
    let reference = Reference::new(&rgb, WIDTH, HEIGHT)?;
    println!("{WIDTH}x{HEIGHT}, score {:.3}, best of {RUNS} in milliseconds", reference.score(&coarse)?);
    println!("reference  {:.1}", best(|| Reference::new(&rgb, WIDTH, HEIGHT).is_ok()));
    println!("comparison {:.1}", best(|| reference.score(&coarse).is_ok()));
    Ok(())
}

fn best(run: impl Fn() -> bool) -> f64 {
    let times = (0..RUNS).map(|_| {
        let start = Instant::now();
        assert!(run());
        start.elapsed().as_secs_f64() * 1000.0
    });
    times.fold(f64::INFINITY, f64::min)
}
