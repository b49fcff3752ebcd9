//! How much one picture may take, checked before anything is allocated.

use probe::Probe;

use super::PixelError;
use super::decode::{Shrink, jpeg};

/// How much one picture may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of one frame, decoded or made.
    pub max_pixels: u64,
    /// Length of a side of the source, in pixels. Filter tables grow with it.
    pub max_side: u32,
    /// Frames of an animation. All are walked through, also where only the first is wanted.
    pub max_frames: u32,
    /// Bytes of pixels held at once, as estimated before anything is allocated; [`derive`](super::derive()) says how.
    pub max_memory_bytes: u64,
}

impl Default for Limits {
    /// 50 megapixels, 65,535 pixels a side, 256 frames, 448 MiB: with the file and the result less than 512 MiB.
    fn default() -> Self {
        Self { max_pixels: 50_000_000, max_side: 65_535, max_frames: 256, max_memory_bytes: 448 << 20 }
    }
}

impl Limits {
    /// Refuses what the header claims if it is over a limit.
    pub(super) fn check(&self, probe: &Probe) -> Result<(), PixelError> {
        let side = probe.width.max(probe.height);
        if side > self.max_side {
            return Err(PixelError::SideTooLong { limit: self.max_side.into(), actual: side.into() });
        }
        if probe.pixels > self.max_pixels {
            return Err(PixelError::TooManyPixels { limit: self.max_pixels, actual: probe.pixels });
        }
        if probe.frames > self.max_frames {
            return Err(PixelError::TooManyFrames { limit: self.max_frames.into(), actual: probe.frames.into() });
        }
        Ok(())
    }

    /// Refuses work that would hold `bytes` bytes of pixels at once.
    pub(super) fn check_memory(&self, bytes: u64) -> Result<(), PixelError> {
        if bytes > self.max_memory_bytes {
            return Err(PixelError::TooMuchMemory { limit: self.max_memory_bytes, actual: bytes });
        }
        Ok(())
    }
}

/// The most bytes that decoding holds at once, the result included, in the worst layout a header leaves open.
///
/// | Format | Bytes a pixel |
/// |---|---|
/// | JPEG | of the shrunk picture planes, then interleaved; progressive: the coefficients that matter at that size, too |
/// | PNG | 6: gray with opacity, while it becomes four channels; 12 if of 16 bits, while it becomes one of 8 |
/// | WebP | 11: planes, four channels, and opacity that was compressed as four channels of its own |
/// | GIF | 9: indices, the frame in four channels, the canvas in four |
/// | TIFF | 12: a strip that may be all, the channels as stored, and as they are wanted; 16 if of 16 bits |
/// | the others | 12: the same |
pub(super) fn decoding_bytes(file: &[u8], probe: &Probe, shrink: Shrink) -> u64 {
    let pixels = probe.pixels;
    match probe.format {
        probe::Format::Jpeg => jpeg::decoding_bytes(file, shrink),
        probe::Format::Png if probe.bits == 16 => pixels.saturating_mul(12),
        probe::Format::Png => pixels.saturating_mul(6),
        probe::Format::WebP => pixels.saturating_mul(11),
        probe::Format::Gif => pixels.saturating_mul(9),
        probe::Format::Tiff if probe.bits == 16 => pixels.saturating_mul(16),
        _ => pixels.saturating_mul(12),
    }
}
