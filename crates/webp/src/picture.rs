//! The pixels that are given to the encoder.

use crate::error::Error;

/// The longest side, in pixels: 14 bits in the frame header.
pub const MAX_SIDE: u32 = 16383;

/// A picture to encode.
#[derive(Debug, Clone, Copy)]
pub struct Picture<'a> {
    /// Pixels, 1 to 16383.
    pub width: u32,
    /// Pixels, 1 to 16383.
    pub height: u32,
    /// The pixels, row by row from the top without gaps.
    pub pixels: Pixels<'a>,
}

/// The pixels of a picture.
#[derive(Debug, Clone, Copy)]
pub enum Pixels<'a> {
    /// Three bytes a pixel.
    Rgb(&'a [u8]),
    /// Four bytes a pixel, alpha not multiplied in.
    Rgba(&'a [u8]),
    /// Luma and chroma in planes.
    Planes(PlaneSlices<'a>),
}

/// Luma and chroma in planes, row by row.
#[derive(Debug, Clone, Copy)]
pub struct PlaneSlices<'a> {
    /// Luma, one byte a pixel.
    pub y: &'a [u8],
    /// Blue-difference chroma.
    pub cb: &'a [u8],
    /// Red-difference chroma.
    pub cr: &'a [u8],
    /// Bytes from one row of luma to the next.
    pub y_stride: usize,
    /// Bytes from one row of chroma to the next.
    pub chroma_stride: usize,
    /// The range of the values.
    pub range: Range,
    /// The size of the chroma planes.
    pub chroma: Chroma,
}

/// The range of luma and chroma values, both by the matrix of BT.601.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// 16 to 235 and 16 to 240: what VP8 has.
    Limited,
    /// 0 to 255: what JPEG has.
    Full,
}

/// The size of chroma planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chroma {
    /// Half the width and half the height, rounded up.
    Half,
    /// As wide and high as luma.
    Full,
}

impl Picture<'_> {
    /// Checks the size, and that the slices are as long as it asks for.
    ///
    /// # Errors
    ///
    /// [`Error::Size`] and [`Error::Length`].
    pub(crate) fn check(&self) -> Result<(), Error> {
        let (width, height) = (self.width, self.height);
        if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
            return Err(Error::Size { width, height });
        }
        let (width, height) = (width as usize, height as usize);
        match &self.pixels {
            Pixels::Rgb(pixels) => exactly(pixels, width * height * 3),
            Pixels::Rgba(pixels) => exactly(pixels, width * height * 4),
            Pixels::Planes(planes) => {
                let (chroma_width, chroma_height) = planes.chroma.size(width, height);
                enough(planes.y, planes.y_stride, width, height)?;
                enough(planes.cb, planes.chroma_stride, chroma_width, chroma_height)?;
                enough(planes.cr, planes.chroma_stride, chroma_width, chroma_height)
            }
        }
    }
}

impl Chroma {
    /// The width and height of a chroma plane.
    pub(crate) fn size(self, width: usize, height: usize) -> (usize, usize) {
        match self {
            Chroma::Half => (width.div_ceil(2), height.div_ceil(2)),
            Chroma::Full => (width, height),
        }
    }
}

fn exactly(pixels: &[u8], needed: usize) -> Result<(), Error> {
    if pixels.len() == needed { Ok(()) } else { Err(Error::Length { given: pixels.len(), needed }) }
}

fn enough(plane: &[u8], stride: usize, width: usize, height: usize) -> Result<(), Error> {
    let needed = stride.max(width).saturating_mul(height - 1).saturating_add(width);
    if plane.len() >= needed && stride >= width { Ok(()) } else { Err(Error::Length { given: plane.len(), needed }) }
}
