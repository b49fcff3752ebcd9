//! The file around the coded pictures: RIFF chunks, as the WebP container specification has them.

use crate::error::Error;
use crate::options::{Options, Tuning};
use crate::picture::{Picture, Pixels};
use crate::yuv::Planes;
use crate::{alpha, frame, lossless};

/// Flags of the `VP8X` chunk.
pub mod flags {
    /// Frames follow.
    pub const ANIMATION: u8 = 1 << 1;
    /// Some pixels are not opaque.
    pub const ALPHA: u8 = 1 << 4;
    /// A colour profile follows.
    pub const ICC: u8 = 1 << 5;
}

/// Encodes one picture as a file.
///
/// # Errors
///
/// [`Error`] if the picture is not one that WebP can hold.
pub fn encode(picture: &Picture, options: &Options) -> Result<Vec<u8>, Error> {
    let image = Image::new(picture, options)?;
    let mut file = File::new(image.bytes.len() + image.alpha.as_ref().map_or(0, Vec::len) + 1024);
    let mut flags = if image.has_alpha { flags::ALPHA } else { 0 };
    // A lossless stream has alpha in itself.
    let mut is_extended = image.alpha.is_some();
    if options.icc_profile.is_some() {
        flags |= flags::ICC;
        is_extended = true;
    }
    if is_extended {
        file.extended(flags, picture.width, picture.height);
    }
    if let Some(profile) = options.icc_profile {
        file.chunk(b"ICCP", profile);
    }
    image.write(&mut file);
    file.finish()
}

/// A coded picture: the chunks of a still file, and of a frame.
pub struct Image {
    alpha: Option<Vec<u8>>,
    tag: &'static [u8; 4],
    bytes: Vec<u8>,
    /// Whether some pixels are not opaque.
    pub has_alpha: bool,
}

impl Image {
    /// Encodes a picture.
    ///
    /// # Errors
    ///
    /// Those of [`encode`].
    pub fn new(picture: &Picture, options: &Options) -> Result<Self, Error> {
        picture.check()?;
        if options.lossless {
            let (bytes, has_alpha) = lossless::encode(picture)?;
            return Ok(Self { alpha: None, tag: b"VP8L", bytes, has_alpha });
        }
        let (width, height) = (picture.width, picture.height);
        let mut planes = Planes::new(picture);
        let mut alpha = None;
        if let Pixels::Rgba(pixels) = &picture.pixels {
            alpha = alpha::encode(pixels, width);
            if alpha.is_some() {
                alpha::flatten_hidden(&mut planes, pixels, width as usize, height as usize);
            }
        }
        let tuning = Tuning::default();
        let bytes = frame::encode(&planes, (width, height), options.quality, options.effort, &tuning, false)?.bytes;
        Ok(Self { has_alpha: alpha.is_some(), alpha, tag: b"VP8 ", bytes })
    }

    /// Writes the chunks.
    pub fn write(&self, file: &mut File) {
        if let Some(alpha) = &self.alpha {
            file.chunk(b"ALPH", alpha);
        }
        file.chunk(self.tag, &self.bytes);
    }
}

/// A RIFF file, or the inside of a chunk that holds chunks.
pub struct File {
    bytes: Vec<u8>,
}

impl File {
    /// The length of the header: `RIFF`, the size, `WEBP`.
    const HEADER: usize = 12;

    /// An empty file.
    pub fn new(capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity + Self::HEADER);
        bytes.extend_from_slice(b"RIFF\0\0\0\0WEBP");
        Self { bytes }
    }

    /// Writes a chunk, padded to an even length.
    pub fn chunk(&mut self, tag: &[u8; 4], payload: &[u8]) {
        self.bytes.extend_from_slice(tag);
        self.bytes.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(payload);
        if payload.len() % 2 == 1 {
            self.bytes.push(0);
        }
    }

    /// Writes the `VP8X` chunk.
    pub fn extended(&mut self, flags: u8, width: u32, height: u32) {
        let mut payload = vec![flags, 0, 0, 0];
        put_u24(&mut payload, width - 1);
        put_u24(&mut payload, height - 1);
        self.chunk(b"VP8X", &payload);
    }

    /// Adds flags to a `VP8X` chunk, which comes first where there is one.
    pub fn add_flags(&mut self, flags: u8) {
        if let Some(byte) = self.bytes.get_mut(Self::HEADER + 8) {
            *byte |= flags;
        }
    }

    /// Writes a chunk of a header and chunks.
    pub fn nested(&mut self, tag: &[u8; 4], header: &[u8], write: impl FnOnce(&mut File)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(tag);
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(header);
        write(self);
        let length = (self.bytes.len() - start - 8) as u32;
        self.bytes[start + 4..start + 8].copy_from_slice(&length.to_le_bytes());
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Writes the size and gives the file.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] if the size does not fit into 32 bits.
    pub fn finish(mut self) -> Result<Vec<u8>, Error> {
        let size = u32::try_from(self.bytes.len() - 8).map_err(|_| Error::TooLarge)?;
        self.bytes[4..8].copy_from_slice(&size.to_le_bytes());
        Ok(self.bytes)
    }
}

/// Appends the lower three bytes, lowest first.
pub fn put_u24(bytes: &mut Vec<u8>, value: u32) {
    bytes.extend_from_slice(&value.to_le_bytes()[..3]);
}
