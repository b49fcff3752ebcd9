//! Animations: frames on a canvas, one after the other (the container specification's `ANIM` and `ANMF`).
//!
//! A frame is encoded when it is added; only its bytes are kept.

use crate::container::{File, Image, flags, put_u24};
use crate::error::Error;
use crate::options::Options;
use crate::picture::{MAX_SIDE, Picture};

/// The longest a frame can be shown, in milliseconds: 24 bits.
const MAX_DURATION: u32 = (1 << 24) - 1;

/// What holds for a whole animation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AnimationOptions<'a> {
    /// How often it is played; 0 for ever.
    pub loop_count: u16,
    /// The colour that a viewer may show behind it: red, green, blue, alpha.
    pub background: [u8; 4],
    /// An ICC profile to store.
    pub icc_profile: Option<&'a [u8]>,
}

/// How a frame is put on the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Blend {
    /// Over what is there.
    #[default]
    Over,
    /// In place of what is there.
    Replace,
}

/// What becomes of a frame's area when its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dispose {
    /// It stays.
    #[default]
    Keep,
    /// It becomes the background.
    Background,
}

/// A frame to add.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Its pixels.
    pub picture: Picture<'a>,
    /// Pixels from the left of the canvas; an even number.
    pub x: u32,
    /// Pixels from the top of the canvas; an even number.
    pub y: u32,
    /// Milliseconds; more than 16,777,215 counts as that.
    pub duration: u32,
    /// How it is put on the canvas.
    pub blend: Blend,
    /// What becomes of its area.
    pub dispose: Dispose,
}

/// An animation being written.
pub struct Animation {
    file: File,
    canvas: (u32, u32),
    frames: usize,
}

impl Animation {
    /// An animation on a canvas of the given size.
    ///
    /// # Errors
    ///
    /// [`Error::Size`].
    pub fn new(width: u32, height: u32, options: &AnimationOptions) -> Result<Self, Error> {
        if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
            return Err(Error::Size { width, height });
        }
        let mut file = File::new(1 << 16);
        let icc = if options.icc_profile.is_some() { flags::ICC } else { 0 };
        file.extended(flags::ANIMATION | icc, width, height);
        if let Some(profile) = options.icc_profile {
            file.chunk(b"ICCP", profile);
        }
        let [r, g, b, a] = options.background;
        let [low, high] = options.loop_count.to_le_bytes();
        file.chunk(b"ANIM", &[b, g, r, a, low, high]);
        Ok(Self { file, canvas: (width, height), frames: 0 })
    }

    /// Encodes a frame. Its colour profile is the animation's.
    ///
    /// # Errors
    ///
    /// [`Error::Frame`] if it does not lie on the canvas, and those of [`crate::encode`].
    pub fn add(&mut self, frame: &Frame, options: &Options) -> Result<(), Error> {
        let (x, y, width, height) = (frame.x, frame.y, frame.picture.width, frame.picture.height);
        let fits = |at: u32, side: u32, canvas: u32| {
            at.is_multiple_of(2) && at.checked_add(side).is_some_and(|end| end <= canvas)
        };
        if !fits(x, width, self.canvas.0) || !fits(y, height, self.canvas.1) {
            return Err(Error::Frame { x, y, width, height, canvas: self.canvas });
        }
        let image = Image::new(&frame.picture, options)?;
        let mut header = Vec::with_capacity(16);
        for value in [x / 2, y / 2, width - 1, height - 1, frame.duration.min(MAX_DURATION)] {
            put_u24(&mut header, value);
        }
        header.push(u8::from(frame.blend == Blend::Replace) << 1 | u8::from(frame.dispose == Dispose::Background));
        self.file.nested(b"ANMF", &header, |file| image.write(file));
        if image.has_alpha {
            self.file.add_flags(flags::ALPHA);
        }
        self.frames += 1;
        Ok(())
    }

    /// How many bytes the file has so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.file.len()
    }

    /// Whether no frame was added yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames == 0
    }

    /// The file.
    ///
    /// # Errors
    ///
    /// [`Error::NoFrames`] and [`Error::TooLarge`].
    pub fn finish(self) -> Result<Vec<u8>, Error> {
        if self.frames == 0 { Err(Error::NoFrames) } else { self.file.finish() }
    }
}
