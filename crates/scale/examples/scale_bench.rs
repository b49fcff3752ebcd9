//! Times scaling of planes, ours beside `fast_image_resize`. Prints the best of so many rounds, in milliseconds.
//!
//! The same natively and in wasm:
//! `cargo run --release -p scale --example scale_bench`
//! `RUSTFLAGS="-C target-feature=+simd128" cargo build --release -p scale --example scale_bench --target wasm32-wasip1`,
//! then under any wasmtime.

use std::time::Instant;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{Filter, FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use scale::{Area, LOBES, Scaler, lanczos};

const ROUNDS: usize = 40;

fn main() {
    for ((width, height), (new_width, new_height)) in [
        ((1024, 836), (720, 588)),
        ((512, 418), (360, 294)),
        ((1363, 1113), (720, 588)),
        ((2725, 2225), (720, 588)),
        ((1500, 1000), (720, 480)),
        ((1024, 836), (1024, 588)),
        ((1024, 836), (720, 836)),
    ] {
        let samples: Vec<u8> = (0..width * height).map(|i| (i * 7 + i / width * 13) as u8).collect();
        let area = Area { left: 0.0, top: 0.0, width: width as f64, height: height as f64 };
        let weights = best(|| drop(Scaler::new((width, height), area, (new_width, new_height))));
        let scaler = Scaler::new((width, height), area, (new_width, new_height));
        let ours = best(|| drop(scaler.scaled(&samples)));
        let theirs = best(|| {
            let source = ImageRef::new(width as u32, height as u32, &samples, PixelType::U8).expect("it fits");
            let mut target = Image::new(new_width as u32, new_height as u32, PixelType::U8);
            let filter = Filter::new("Lanczos", lanczos, LOBES).expect("it reaches somewhere");
            let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Custom(filter)));
            Resizer::new().resize(&source, &mut target, &options).expect("both are planes");
        });
        println!(
            "{width}x{height} to {new_width}x{new_height}: weights {weights:.2} ms, then {ours:.2} ms; theirs {theirs:.2} ms"
        );
    }
}

fn best(mut work: impl FnMut()) -> f64 {
    let time = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..ROUNDS).map(|_| time(&mut work)).fold(f64::INFINITY, f64::min)
}
