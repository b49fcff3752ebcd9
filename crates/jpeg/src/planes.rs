//! Decoded samples, as they are stored.

use crate::color;
use crate::header::Color;
use crate::upsample::Upsampler;

/// The samples of one component.
///
/// Each stands for a rectangle of the picture, and lies in its middle. The first row and column of rectangles begin
/// where the picture does; the last ones may reach beyond its end, by what `width` and `height` are more than `extent`.
/// So a plane is scaled together with the others by taking the rectangle from (0, 0) to `extent` of each.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// Row by row, `stride` apart; behind each row and after the last one there may be more, of no use.
    pub samples: Vec<u8>,
    /// Samples across.
    pub width: usize,
    /// Samples down.
    pub height: usize,
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Width and height of the picture in samples of this plane, exactly: at most `width` and `height`, and more than
    /// those less one. A picture of 101 pixels across has 50.5 samples of a component at half its resolution.
    pub extent: (f64, f64),
    /// How many pixels there are to how many samples, across and down.
    pub(crate) ratios: [(usize, usize); 2],
}

impl Plane {
    /// The samples of row `y`, which is less than `height`.
    pub fn row(&self, y: usize) -> &[u8] {
        let start = y * self.stride;
        self.samples.get(start..start + self.width).unwrap_or_default()
    }
}

/// A decoded picture, component by component, each at the resolution that the file has it in.
#[derive(Debug, Clone, PartialEq)]
pub struct Planes {
    /// Width in pixels, as decoded.
    pub width: usize,
    /// Height in pixels, as decoded.
    pub height: usize,
    /// What the planes are.
    pub color: Color,
    /// Whether inks are stored as what they leave of the paper.
    pub is_inverted: bool,
    /// Whether nothing was missing or damaged.
    pub is_complete: bool,
    /// As many as `color` has components.
    pub planes: Vec<Plane>,
    /// Whether finer samples are interpolated, and not repeated.
    pub(crate) is_fancy: bool,
}

/// What a pixel is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelLayout {
    /// Brightness.
    Gray,
    /// Red, green, blue.
    Rgb,
    /// Cyan, magenta, yellow, black; 255 is full ink.
    Cmyk,
}

impl PixelLayout {
    /// Bytes of a pixel.
    pub fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::Cmyk => 4,
        }
    }
}

/// A picture pixel by pixel, without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// What a pixel is made of.
    pub layout: PixelLayout,
    /// Row by row.
    pub samples: Vec<u8>,
}

impl Planes {
    /// What the pixels will be made of.
    pub fn pixel_layout(&self) -> PixelLayout {
        match self.color {
            Color::Gray => PixelLayout::Gray,
            Color::YCbCr | Color::Rgb => PixelLayout::Rgb,
            Color::Cmyk | Color::Ycck => PixelLayout::Cmyk,
        }
    }

    /// How much memory [`Planes::into_pixels`] takes beside the planes, in bytes.
    pub fn pixel_bytes(&self) -> u64 {
        let n_samples = self.width as u64 * self.pixel_layout().channels() as u64;
        n_samples * (self.height as u64 + 1) + 4 * 2 * (self.width as u64 + 64)
    }

    /// Turns the planes into pixels, to the bit as libjpeg does by default: between two samples of colour it
    /// interpolates, where the picture has twice as many pixels, and repeats them elsewhere and at an eighth of the
    /// size.
    pub fn into_pixels(self) -> Pixels {
        let (width, height, layout) = (self.width, self.height, self.pixel_layout());
        let mut samples = Vec::with_capacity(width * height * layout.channels());
        let mut upsamplers: Vec<_> =
            self.planes.iter().map(|plane| Upsampler::new(plane, width, self.is_fancy)).collect();
        for y in 0..height {
            match &mut upsamplers[..] {
                [gray] => samples.extend_from_slice(gray.row(y)),
                [first, second, third] => {
                    let rows = [first.row(y), second.row(y), third.row(y)];
                    match self.color {
                        Color::Rgb => color::interleave(rows, &mut samples),
                        _ => color::rgb_of_ycc(rows, &mut samples),
                    }
                }
                [first, second, third, fourth] => {
                    let (rows, black) = ([first.row(y), second.row(y), third.row(y)], fourth.row(y));
                    let is_ycc = self.color == Color::Ycck;
                    color::cmyk(rows, black, is_ycc, self.is_inverted, &mut samples);
                }
                _ => {}
            }
        }
        Pixels { width, height, layout, samples }
    }
}
