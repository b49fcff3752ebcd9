//! A picture in memory.

use super::PixelError;

/// How the bytes of a pixel are to be read. Eight bits a channel throughout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One byte: brightness.
    Gray,
    /// Three bytes: red, green, blue.
    Rgb,
    /// Four bytes: red, green, blue, opacity; not premultiplied.
    Rgba,
    /// Four bytes: amounts of cyan, magenta, yellow and black ink.
    Cmyk,
}

impl Layout {
    /// Bytes of a pixel.
    pub(super) const fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::Rgba | Self::Cmyk => 4,
        }
    }
}

/// A picture in memory: rows from the top, without padding. No side is zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Raster {
    width: u32,
    height: u32,
    layout: Layout,
    pixels: Vec<u8>,
}

impl Raster {
    /// Takes `pixels`, which must be exactly as many bytes as the sides and the layout say.
    ///
    /// # Errors
    /// `Corrupt` when they are not, or a side is zero: a decoder that broke its word.
    pub(super) fn new(width: u32, height: u32, layout: Layout, pixels: Vec<u8>) -> Result<Self, PixelError> {
        let n_bytes = n_bytes(width, height, layout);
        if width == 0 || height == 0 || n_bytes != Some(pixels.len()) {
            return Err(PixelError::corrupt("the picture has not as many pixels as its header says"));
        }
        Ok(Self { width, height, layout, pixels })
    }

    /// A picture of zeros. The sides have been checked against a limit before.
    pub(super) fn zeroed(width: u32, height: u32, layout: Layout) -> Result<Self, PixelError> {
        let n_bytes = n_bytes(width, height, layout).unwrap_or(0);
        Self::new(width, height, layout, vec![0; n_bytes])
    }

    pub(super) fn width(&self) -> u32 {
        self.width
    }

    pub(super) fn height(&self) -> u32 {
        self.height
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    pub(super) fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    pub(super) fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    pub(super) fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// Bytes of a row.
    pub(super) fn stride(&self) -> usize {
        self.width as usize * self.layout.channels()
    }

    /// Bytes of all pixels.
    pub(super) fn n_bytes(&self) -> u64 {
        self.pixels.len() as u64
    }

    /// The same picture in three or four channels; a no-op for the layouts that have them.
    pub(super) fn into_rgb(self) -> Self {
        match self.layout {
            Layout::Gray => self.map(Layout::Rgb, |gray| [gray[0]; 3]),
            Layout::Rgb | Layout::Rgba | Layout::Cmyk => self,
        }
    }

    /// The same picture in four channels with opacity. Not for `Cmyk`, which is converted before.
    pub(super) fn into_rgba(self) -> Self {
        match self.layout {
            Layout::Gray => self.map(Layout::Rgba, |gray| [gray[0], gray[0], gray[0], 255]),
            Layout::Rgb => self.map(Layout::Rgba, |rgb| [rgb[0], rgb[1], rgb[2], 255]),
            Layout::Rgba | Layout::Cmyk => self,
        }
    }

    /// A part, which lies inside.
    ///
    /// # Errors
    /// `Corrupt` where it does not.
    pub(super) fn cut(&self, window: transform::Window) -> Result<Self, PixelError> {
        let n = self.layout.channels();
        let (left, length) = (window.x as usize * n, window.width as usize * n);
        let rows = self.pixels.chunks_exact(self.stride()).skip(window.y as usize).take(window.height as usize);
        let pixels: Option<Vec<&[u8]>> = rows.map(|row| row.get(left..left + length)).collect();
        let pixels = pixels.ok_or_else(|| PixelError::corrupt("a part lies outside of the picture"))?;
        Self::new(window.width, window.height, self.layout, pixels.concat())
    }

    /// Drops the opacity channel if every pixel is opaque. In place: this may be the largest picture there is.
    pub(super) fn without_useless_alpha(mut self) -> Self {
        let is_opaque = self.layout == Layout::Rgba && self.pixels.chunks_exact(4).all(|pixel| pixel[3] == 255);
        if !is_opaque {
            return self;
        }
        let n_pixels = self.pixels.len() / 4;
        for pixel_idx in 0..n_pixels {
            self.pixels.copy_within(4 * pixel_idx..4 * pixel_idx + 3, 3 * pixel_idx);
        }
        self.pixels.truncate(3 * n_pixels);
        self.layout = Layout::Rgb;
        self
    }

    /// A picture of another layout, each pixel from `convert`.
    pub(super) fn map<const N: usize>(&self, layout: Layout, convert: impl Fn(&[u8]) -> [u8; N]) -> Self {
        debug_assert_eq!(layout.channels(), N);
        let pixels = self.pixels.chunks_exact(self.layout.channels()).flat_map(&convert).collect();
        Self { layout, pixels, ..*self }
    }
}

fn n_bytes(width: u32, height: u32, layout: Layout) -> Option<usize> {
    (width as usize).checked_mul(height as usize)?.checked_mul(layout.channels())
}
