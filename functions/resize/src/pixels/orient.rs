//! Turning and mirroring.

use transform::Orientation;

use super::PixelError;
use super::raster::Raster;

/// The picture, turned and mirrored.
pub(super) fn oriented(raster: Raster, orientation: Orientation) -> Result<Raster, PixelError> {
    if orientation == Orientation::UPRIGHT {
        return Ok(raster);
    }
    match raster.layout().channels() {
        1 => moved::<1>(&raster, orientation),
        3 => moved::<3>(&raster, orientation),
        _ => moved::<4>(&raster, orientation),
    }
}

/// Fetches each pixel of the result from where it was. Along a row of the result that place moves by a fixed step.
fn moved<const N: usize>(raster: &Raster, orientation: Orientation) -> Result<Raster, PixelError> {
    let (width, height) = (raster.width() as isize, raster.height() as isize);
    let (new_width, new_height) = orientation.sides(raster.width(), raster.height());
    let mut result = Raster::zeroed(new_width, new_height, raster.layout())?;
    let source = raster.pixels().as_chunks::<N>().0;

    // Where the first pixel of the result was, and the steps to its right and lower neighbour, in pixels.
    let (mut first, mut right, down) = match orientation.quarter_turns() {
        0 => (0, 1, width),
        1 => ((height - 1) * width, -width, 1),
        2 => (width * height - 1, -1, -width),
        _ => (width - 1, width, -1),
    };
    if orientation.is_mirrored() {
        first += right * (new_width as isize - 1);
        right = -right;
    }
    let stride = result.stride();
    let mut row_start = first;
    for row in result.pixels_mut().chunks_exact_mut(stride) {
        let mut position = row_start;
        for pixel in row.as_chunks_mut::<N>().0 {
            if let Some(found) = usize::try_from(position).ok().and_then(|position| source.get(position)) {
                *pixel = *found;
            }
            position += right;
        }
        row_start += down;
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::raster::Layout;

    #[test]
    fn turns_and_mirrors_as_the_orientation_says() {
        let check = |(turns, is_mirrored): (u8, bool), expected: &str| {
            // a b c
            // d e f
            let raster = Raster::new(3, 2, Layout::Gray, b"abcdef".to_vec()).unwrap();
            let turned = oriented(raster, Orientation::new(turns, is_mirrored)).unwrap();
            let rows: Vec<_> = turned.pixels().chunks(turned.width() as usize).map(String::from_utf8_lossy).collect();
            assert_eq!(rows.join(" "), expected, "{turns} quarters, mirrored: {is_mirrored}");
        };
        check((0, false), "abc def");
        check((1, false), "da eb fc");
        check((2, false), "fed cba");
        check((3, false), "cf be ad");
        check((0, true), "cba fed");
        check((1, true), "ad be cf");
        check((2, true), "def abc");
        check((3, true), "fc eb da");
    }

    #[test]
    fn keeps_pixels_of_every_layout_together() {
        for layout in [Layout::Gray, Layout::Rgb, Layout::Rgba] {
            let pixels: Vec<u8> = (0..2 * layout.channels() as u8).collect();
            let raster = Raster::new(2, 1, layout, pixels.clone()).unwrap();
            let turned = oriented(raster, Orientation::new(2, false)).unwrap();
            let (first, second) = pixels.split_at(layout.channels());
            assert_eq!(turned.pixels(), [second, first].concat(), "{layout:?}");
        }
    }
}
