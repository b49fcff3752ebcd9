//! What stands for a picture until it is there: a ThumbHash and one colour.

use std::borrow::Cow;

use super::PixelError;
use super::raster::Raster;
use super::resize::{resized, whole_of};

/// The longest side that ThumbHash takes, in pixels. The colour needs no more either.
const MAX_SIDE: u32 = 100;

/// Bits of a channel by which colours are sorted into bins.
const BIN_BITS: u32 = 4;

/// A ThumbHash (about 25 bytes), and the dominant colour in sRGB.
pub(super) fn placeholder(raster: &Raster) -> Result<(Vec<u8>, [u8; 3]), PixelError> {
    let longest = raster.width().max(raster.height());
    let side = |side: u32| {
        let scaled = u64::from(side) * u64::from(MAX_SIDE) / u64::from(longest.max(MAX_SIDE));
        u32::try_from(scaled).unwrap_or(MAX_SIDE).max(1)
    };
    let (width, height) = (side(raster.width()), side(raster.height()));
    let small = resized(Cow::Borrowed(raster), whole_of(raster), width, height, false)?.into_rgba();
    let hash = thumbhash::rgba_to_thumb_hash(width as usize, height as usize, small.pixels());
    Ok((hash, dominant_color(small.pixels())))
}

/// The colour that most of the picture has: colours are sorted into 4096 bins, sixteen steps a channel, by as much as
/// they are opaque; the fullest bin's average wins, the darker bin where two are as full. White for a picture of
/// which nothing is seen.
///
/// Not the average of the whole, which is a brown that appears nowhere in it.
fn dominant_color(rgba: &[u8]) -> [u8; 3] {
    let bin_of = |pixel: &[u8]| {
        let [red, green, blue] = [0, 1, 2].map(|i| usize::from(pixel[i] >> (8 - BIN_BITS)));
        (red << (2 * BIN_BITS)) | (green << BIN_BITS) | blue
    };
    let mut weights = vec![0_u64; 1 << (3 * BIN_BITS)];
    for pixel in rgba.chunks_exact(4) {
        weights[bin_of(pixel)] += u64::from(pixel[3]);
    }
    let heaviest = weights.iter().copied().max().unwrap_or(0);
    if heaviest == 0 {
        return [255; 3];
    }
    let fullest = weights.iter().position(|weight| *weight == heaviest).unwrap_or(0);
    let mut sums = [0_u64; 3];
    for pixel in rgba.chunks_exact(4).filter(|pixel| bin_of(pixel) == fullest) {
        sums.iter_mut().zip(pixel).for_each(|(sum, channel)| *sum += u64::from(*channel) * u64::from(pixel[3]));
    }
    sums.map(|sum| ((sum + heaviest / 2) / heaviest) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::raster::Layout;

    fn check(pixels: &[([u8; 4], usize)], expected: [u8; 3]) {
        let bytes: Vec<u8> = pixels.iter().flat_map(|(pixel, n)| pixel.repeat(*n)).collect();
        let raster = Raster::new((bytes.len() / 4) as u32, 1, Layout::Rgba, bytes).unwrap();
        assert_eq!(placeholder(&raster).unwrap().1, expected, "{pixels:?}");
    }

    #[test]
    fn the_dominant_colour_is_one_of_the_picture() {
        check(&[([200, 30, 30, 255], 6), ([20, 20, 200, 255], 4)], [200, 30, 30]);
        check(&[([200, 30, 30, 50], 6), ([20, 20, 200, 255], 4)], [20, 20, 200]);
        check(&[([16, 16, 16, 255], 1), ([18, 18, 18, 255], 1)], [17, 17, 17]);
        check(&[([9, 9, 9, 0], 3)], [255, 255, 255]);
        check(&[([0, 0, 0, 255], 1)], [0, 0, 0]);
    }

    #[test]
    fn every_shape_has_a_hash() {
        for (width, height) in [(1, 1), (1, 100), (100, 1), (3000, 1), (1, 3000), (100, 100), (640, 480)] {
            let raster = Raster::zeroed(width, height, Layout::Gray).unwrap();
            let (hash, _) = placeholder(&raster).unwrap();
            assert!((5..=25).contains(&hash.len()), "{width}x{height}: {} bytes", hash.len());
        }
    }
}
