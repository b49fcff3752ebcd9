//! What came out, looked at as a viewer would.

use image::{DynamicImage, GrayImage, ImageFormat, RgbImage, Rgba};
use jpeg_decoder::PixelFormat;

use crate::Answer;

/// A decoded answer.
pub struct Picture {
    /// Which format it is in, by content.
    pub format: ImageFormat,
    /// The pixels.
    pub image: DynamicImage,
}

impl Picture {
    /// Decodes bytes.
    ///
    /// # Panics
    /// When they are no sound image.
    #[track_caller]
    pub fn decode(bytes: &[u8]) -> Self {
        let format = image::guess_format(bytes).unwrap_or_else(|error| panic!("{error}: {} bytes", bytes.len()));
        let image = match format {
            ImageFormat::Jpeg => jpeg(bytes),
            _ => image::load_from_memory_with_format(bytes, format).unwrap_or_else(|error| panic!("{error}")),
        };
        Self { format, image }
    }

    /// Width and height.
    pub fn size(&self) -> (u32, u32) {
        (self.image.width(), self.image.height())
    }

    /// The pixel at these fractions of width and height.
    pub fn at(&self, x: f64, y: f64) -> [u8; 4] {
        let (width, height) = self.size();
        let place = |fraction: f64, side: u32| ((fraction * f64::from(side)) as u32).min(side - 1);
        let Rgba(pixel) = self.image.to_rgba8()[(place(x, width), place(y, height))];
        pixel
    }

    /// Checks the colours in the four quarters, from the upper left, row by row, give or take `tolerance`.
    ///
    /// # Panics
    /// When one of them is another; `what` says of which picture.
    #[track_caller]
    pub fn has_quarters(&self, what: &str, expected: [[u8; 4]; 4], tolerance: u8) {
        let places = [(0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8)];
        for ((x, y), expected) in places.into_iter().zip(expected) {
            let found = self.at(x, y);
            let is_close = found.iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) <= tolerance);
            // What lies under nothing is nobody's business.
            let is_nothing = found[3] == 0 && expected[3] == 0;
            assert!(is_close || is_nothing, "{what} at {x},{y}: {found:?}, expected about {expected:?}");
        }
    }

    /// Checks the pixel at these fractions, give or take what a lossy format does.
    ///
    /// # Panics
    /// When it is another colour.
    #[track_caller]
    pub fn looks(&self, x: f64, y: f64, expected: [u8; 4]) {
        let found = self.at(x, y);
        let is_close = found.iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) <= 24);
        assert!(is_close, "at {x},{y}: {found:?}, expected about {expected:?}");
    }
}

fn jpeg(bytes: &[u8]) -> DynamicImage {
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    let pixels = decoder.decode().unwrap_or_else(|error| panic!("{error}"));
    let info = decoder.info().expect("it was decoded");
    let (width, height) = (info.width.into(), info.height.into());
    let sized = "the decoder returns whole pictures";
    match info.pixel_format {
        PixelFormat::L8 => GrayImage::from_raw(width, height, pixels).expect(sized).into(),
        PixelFormat::RGB24 => RgbImage::from_raw(width, height, pixels).expect(sized).into(),
        // Inks: each takes away its colour, black takes away all.
        PixelFormat::CMYK32 => {
            let paper = |ink: u8| u16::from(255 - ink);
            let mixed = |inks: &[u8]| [0, 1, 2].map(|idx| (paper(inks[idx]) * paper(inks[3]) / 255) as u8);
            let rgb = pixels.chunks_exact(4).flat_map(mixed).collect();
            RgbImage::from_raw(width, height, rgb).expect(sized).into()
        }
        PixelFormat::L16 => panic!("a JPEG of 16 bits"),
    }
}

impl Answer {
    /// The body as a picture.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn picture(&self) -> Picture {
        assert!(self.status == 200, "{self}");
        Picture::decode(&self.body)
    }
}
