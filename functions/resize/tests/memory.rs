//! No picture takes more memory than was said before it was decoded, counted by the allocator, for every format.
//!
//! Prints the table of `docs/benchmarks.md`:
//! `cargo test --profile native -p resize --test memory -- --nocapture`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Cursor;
use std::sync::atomic::{AtomicUsize, Ordering};

use probe::LimitError;
use resize::pixels::{Extras, Facts, Limits, PixelError, derive, render};
use transform::{Accept, Plan, Transform};

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[expect(unsafe_code, reason = "an allocator cannot be written otherwise")]
// SAFETY: all is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(held, Ordering::Relaxed);
        // SAFETY: as for this function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(held, Ordering::Relaxed);
        // SAFETY: as for this function. Zeroed by the system, so that pages that are never used cost nothing.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as for this function.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that `work` held at once, in bytes, and what it returned.
fn peak_of<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let result = work();
    ((PEAK.load(Ordering::Relaxed) - before) as u64, result)
}

/// What is held besides pixels, in bytes: tables of the codecs, fonts, the detector of faces, a result that grows.
const BESIDES: u64 = 6 << 20;

/// What a request may take, in bytes: pixels, the file (40 MB at most), and what is held besides.
const MOST: u64 = 512_000_000;

/// A file, and what it is called in the table.
struct Case {
    name: &'static str,
    file: Vec<u8>,
    width: u32,
    height: u32,
}

fn case(name: &'static str, (width, height): (u32, u32), file: Vec<u8>) -> Case {
    Case { name, file, width, height }
}

/// A smooth picture with some noise, of so many channels.
fn pixels(width: u32, height: u32, channels: usize) -> Vec<u8> {
    let mut pixels = Vec::with_capacity((width * height) as usize * channels);
    for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
        let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 27;
        let pixel = [(x * 255 / width) as u8, (y * 255 / height) as u8, (64 + noise) as u8, (x % 255) as u8];
        pixels.extend_from_slice(&pixel[..channels]);
    }
    pixels
}

fn jpeg((width, height): (u32, u32), is_progressive: bool) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 80);
    encoder.set_progressive(is_progressive);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
    let pixels = pixels(width, height, 3);
    encoder.encode(&pixels, width as u16, height as u16, jpeg_encoder::ColorType::Rgb).unwrap();
    file
}

fn png((width, height): (u32, u32), color: png::ColorType, depth: png::BitDepth) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.set_compression(png::Compression::Fastest);
    let n_channels = color.samples() * if depth == png::BitDepth::Sixteen { 2 } else { 1 };
    let pixels = pixels(width, height, 4).into_iter().cycle().take((width * height) as usize * n_channels);
    encoder.write_header().unwrap().write_image_data(&pixels.collect::<Vec<u8>>()).unwrap();
    file
}

fn webp((width, height): (u32, u32), lossless: bool) -> Vec<u8> {
    encoded(&webp::Picture { width, height, pixels: webp::Pixels::Rgba(&pixels(width, height, 4)) }, lossless)
}

fn opaque_webp((width, height): (u32, u32)) -> Vec<u8> {
    encoded(&webp::Picture { width, height, pixels: webp::Pixels::Rgb(&pixels(width, height, 3)) }, false)
}

fn encoded(picture: &webp::Picture, lossless: bool) -> Vec<u8> {
    webp::encode(picture, &webp::Options { effort: 0, lossless, ..webp::Options::default() }).unwrap()
}

fn avif((width, height): (u32, u32)) -> Vec<u8> {
    let pixels = pixels(width, height, 4);
    let pixels = avif::Pixels { width, height, layout: avif::Layout::Rgba, bytes: &pixels };
    avif::encode(&pixels, &avif::Options { effort: 0, ..avif::Options::default() }).unwrap()
}

fn gif((width, height): (u32, u32), n_frames: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let palette: Vec<u8> = (0..=255).flat_map(|gray| [gray; 3]).collect();
    let mut encoder = gif::Encoder::new(&mut file, width as u16, height as u16, &palette).unwrap();
    for n in 0..n_frames {
        let pixels: Vec<u8> = pixels(width, height, 1).into_iter().map(|pixel| pixel.wrapping_add(n as u8)).collect();
        let frame = gif::Frame::from_indexed_pixels(width as u16, height as u16, pixels, None);
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    file
}

fn bmp((width, height): (u32, u32)) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = image::codecs::bmp::BmpEncoder::new(&mut file);
    encoder.encode(&pixels(width, height, 3), width, height, image::ExtendedColorType::Rgb8).unwrap();
    file
}

fn tiff((width, height): (u32, u32)) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut file).unwrap();
    encoder.write_image::<tiff::encoder::colortype::RGBA8>(width, height, &pixels(width, height, 4)).unwrap();
    file.into_inner()
}

fn svg((width, height): (u32, u32)) -> Vec<u8> {
    let circles: String = (0..50).map(|n| format!("<circle cx='{0}' cy='{0}' r='99' fill='#48c'/>", n * 40)).collect();
    format!("<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}'>{circles}</svg>").into_bytes()
}

fn cases() -> Vec<Case> {
    use png::{BitDepth::*, ColorType::*};
    let (fifty, twelve, six, one) = ((8640, 5760), (4096, 3072), (3000, 2000), (1024, 768));
    vec![
        case("JPEG", fifty, jpeg(fifty, false)),
        case("JPEG, progressive", fifty, jpeg(fifty, true)),
        case("PNG, RGB", twelve, png(twelve, Rgb, Eight)),
        case("PNG, RGBA", twelve, png(twelve, Rgba, Eight)),
        case("PNG, gray with opacity, 16 bits", twelve, png(twelve, GrayscaleAlpha, Sixteen)),
        case("WebP, lossy", twelve, opaque_webp(twelve)),
        case("WebP, lossy with opacity", six, webp(six, false)),
        case("WebP, lossless", six, webp(six, true)),
        case("AVIF, with opacity", one, avif(one)),
        case("GIF", twelve, gif(twelve, 1)),
        case("GIF, 8 frames", six, gif(six, 8)),
        case("BMP", twelve, bmp(twelve)),
        case("TIFF, RGBA", twelve, tiff(twelve)),
        case("SVG", six, svg(six)),
    ]
}

/// What `work` asks for under its limit, in bytes, and what it took.
fn said_and_taken<T>(work: impl Fn(&Limits) -> Result<T, PixelError>) -> (u64, u64) {
    let mut limits = Limits { max_memory_bytes: 0, ..Limits::default() };
    loop {
        match peak_of(|| work(&limits)) {
            (peak, Ok(_)) => return (limits.max_memory_bytes, peak),
            (_, Err(PixelError::Limit(LimitError::TooMuchMemory { limit, actual }))) if actual > limit => {
                limits.max_memory_bytes = actual;
            }
            (_, Err(other)) => panic!("{other}"),
        }
    }
}

// One test, because others would be counted with it.
#[test]
fn takes_no_more_memory_than_was_said() {
    println!("| file | size | one of 800 pixels, said | taken | all at ingest, said | taken |");
    println!("|---|---|---|---|---|---|");
    let limits = Limits::default();
    for Case { name, file, width, height } in cases() {
        let transform: Transform = "w=800,f=jpeg".parse().unwrap();
        let source = Facts::read(&file, &limits).unwrap().source;
        let plan = Plan::resolve(&transform, &source, Accept::default()).unwrap();
        let (render_said, render_taken) =
            said_and_taken(|limits| render(&file, &plan, &Extras::default(), limits).map(drop));
        let (derive_said, derive_taken) = said_and_taken(|limits| derive(&file, &[], limits).map(drop));
        for (said, taken) in [(render_said, render_taken), (derive_said, derive_taken)] {
            assert!(taken <= said + BESIDES, "{name}: {taken} bytes, and {said} were said");
            assert!(file.len() as u64 + said + BESIDES <= MOST, "{name}: {said} bytes, and more may be accepted");
        }
        if name.starts_with("JPEG") {
            assert!(render_taken < 120_000_000, "{name}: {render_taken} bytes for 50 megapixels to 800 pixels");
        }
        let megapixels = f64::from(width) * f64::from(height) / 1e6;
        println!(
            "| {name} | {megapixels:.1} MP | {} MB | {} MB | {} MB | {} MB |",
            render_said.div_ceil(1_000_000),
            render_taken.div_ceil(1_000_000),
            derive_said.div_ceil(1_000_000),
            derive_taken.div_ceil(1_000_000),
        );
    }
    let most = limits.max_memory_bytes + 40_000_000;
    assert!(most <= MOST, "the limit and the largest file are {most} bytes");
}
