//! No more memory than was said before, counted by the allocator.

mod pictures;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use jpeg::encode::{self, Chroma, CodeChoice, Picture, Samples};
use jpeg::{Header, Options, Process, Scale, decoding_bytes};
use libjpeg_turbo_rs::{Encoder, PixelFormat, Subsampling};

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

// One test, because others would be counted with it.
#[test]
fn takes_no_more_memory_than_was_said() {
    for (width, height) in [(1, 1), (33, 65), (1000, 700)] {
        let pixels = pictures::picture(width, height, 3);
        for sampling in [Subsampling::S444, Subsampling::S420, Subsampling::S411] {
            for (is_progressive, is_arithmetic) in [(false, false), (true, false), (false, true), (true, true)] {
                let encoder = Encoder::new(&pixels, width, height, PixelFormat::Rgb).quality(75).subsampling(sampling);
                let file = encoder.progressive(is_progressive).arithmetic(is_arithmetic).encode().unwrap();
                check_decoding(&file);
            }
        }
        check_encoding(&pixels, width, height);
    }
    a_large_progressive_picture_takes_little_at_a_quarter();
}

fn check_decoding(file: &[u8]) {
    let header = Header::read(file).unwrap();
    for scale in [Scale::Full, Scale::Half, Scale::Quarter, Scale::Eighth] {
        for even_planes in [false, true] {
            let options = Options { scale, even_planes, tolerate_damage: false };
            let said = decoding_bytes(&header, &options);
            let (peak, planes) = peak_of(|| jpeg::decode(file, &options).unwrap());
            assert!(peak <= said, "{peak} bytes, not {said}: {header:?} {options:?}");
            assert!(peak + (200 << 10) >= said, "{peak} bytes, and {said} were said: {header:?} {options:?}");
            let said = planes.pixel_bytes();
            let (peak, _) = peak_of(|| planes.into_pixels());
            assert!(peak <= said, "{peak} bytes of pixels, not {said}: {header:?} {options:?}");
        }
    }
}

fn check_encoding(pixels: &[u8], width: usize, height: usize) {
    let picture = Picture::Rgb(Samples { samples: pixels, width, height, stride: 3 * width });
    for process in [Process::Sequential, Process::Progressive] {
        for codes in [CodeChoice::Standard, CodeChoice::Fitted] {
            for chroma in [Chroma::Quarter, Chroma::Full] {
                let options = encode::Options { process, codes, chroma, ..encode::Options::default() };
                let (peak, file) = peak_of(|| encode::encode(&picture, &options).unwrap());
                // The file grows by doubling.
                let said = encode::encoding_bytes(&picture, &options) + 3 * file.capacity() as u64;
                assert!(peak <= said, "{peak} bytes, not {said}: {width}x{height} {options:?}");
            }
        }
    }
}

/// Fifty megapixels, even, so that making them takes no time.
fn a_large_progressive_picture_takes_little_at_a_quarter() {
    let (width, height) = (8192_usize, 6144_usize);
    let plane = |width: usize, height: usize| vec![90; width * height];
    let (luma, chroma) = (plane(width, height), plane(width / 2, height / 2));
    let samples = |samples, width, height| Samples { samples, width, height, stride: width };
    let half = samples(&chroma[..], width / 2, height / 2);
    let picture = Picture::YCbCr([samples(&luma, width, height), half, half]);
    let options = encode::Options { process: Process::Progressive, ..encode::Options::default() };
    let file = encode::encode(&picture, &options).unwrap();
    drop((luma, chroma));
    let options = Options { scale: Scale::Quarter, ..Options::default() };
    let (peak, planes) = peak_of(|| jpeg::decode(&file, &options).unwrap());
    assert!(planes.is_complete);
    assert_eq!((planes.width, planes.height), (2048, 1536));
    assert!(peak <= decoding_bytes(&Header::read(&file).unwrap(), &options));
    assert!(peak < 60 << 20, "{peak} bytes");
}
