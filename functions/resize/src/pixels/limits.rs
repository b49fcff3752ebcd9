//! How much one picture may take, checked before anything is allocated.

use probe::Probe;

use super::PixelError;

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
        self.check_pixels(probe.pixels)?;
        if probe.frames > self.max_frames {
            return Err(PixelError::TooManyFrames { limit: self.max_frames.into(), actual: probe.frames.into() });
        }
        Ok(())
    }

    /// Refuses more pixels than one frame may have.
    pub(super) fn check_pixels(&self, pixels: u64) -> Result<(), PixelError> {
        if pixels > self.max_pixels {
            return Err(PixelError::TooManyPixels { limit: self.max_pixels, actual: pixels });
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
