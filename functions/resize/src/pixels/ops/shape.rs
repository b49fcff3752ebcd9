//! Rounded corners.

use crate::pixels::raster::Raster;

/// How round corners are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pixels) enum Radius {
    /// This many pixels, or half of the shorter side if that is less.
    Pixels(u32),
    /// Half of the shorter side: a circle, or a pill.
    Max,
}

/// Parts of a pixel that an edge is placed in, to the right.
const PARTS: u64 = 256;

/// Lines of a pixel, from top to bottom, that an edge is found for.
const N_LINES: u64 = 16;

/// All parts of all lines of a pixel.
const WHOLE: u64 = PARTS * N_LINES;

/// The picture in four channels with round, transparent corners; as it is if the radius is zero.
///
/// A pixel on the edge keeps as much of its opacity as there is of it inside, counted on sixteen lines.
pub(in crate::pixels) fn rounded(raster: Raster, radius: Radius) -> Raster {
    let (width, height) = (raster.width() as usize, u64::from(raster.height()));
    let diameter = match radius {
        Radius::Pixels(radius) => radius.saturating_mul(2).min(raster.width()).min(raster.height()),
        Radius::Max => raster.width().min(raster.height()),
    };
    if diameter == 0 {
        return raster;
    }
    let mut raster = raster.into_rgba();
    let corner = Corner { radius: u64::from(diameter) * PARTS / 2, height: height * PARTS };
    // Pixels of a row, from the left, that a corner can reach.
    let mut outside = vec![0; (diameter as usize).div_ceil(2)];
    for (y, row) in (0..).zip(raster.pixels_mut().chunks_exact_mut(4 * width)) {
        corner.outside(y, &mut outside);
        if outside[0] == 0 {
            continue;
        }
        let pixels = row.as_chunks_mut::<4>().0;
        let outside_at = |x: usize| outside.get(x).copied().unwrap_or(0);
        for x in 0..outside.len() {
            let opposite = width - 1 - x;
            // In a circle with an odd diameter, the middle pixel is cut from both sides.
            let left = WHOLE - (outside_at(x) + outside_at(opposite)).min(WHOLE);
            fade(&mut pixels[x], left);
            if opposite != x && opposite >= outside.len() {
                fade(&mut pixels[opposite], left);
            }
        }
    }
    raster
}

/// Leaves `parts` of the [`WHOLE`] of a pixel's opacity.
fn fade(pixel: &mut [u8; 4], parts: u64) {
    pixel[3] = ((u64::from(pixel[3]) * parts + WHOLE / 2) / WHOLE) as u8;
}

/// The left corners of a picture. Lengths in [`PARTS`] of a pixel.
struct Corner {
    radius: u64,
    /// Of the whole picture.
    height: u64,
}

impl Corner {
    /// How much of each pixel of row `y` lies outside, from the left.
    fn outside(&self, y: u64, pixels: &mut [u64]) {
        pixels.fill(0);
        for line in 0..N_LINES {
            let edge = self.edge(y * PARTS + (2 * line + 1) * PARTS / (2 * N_LINES));
            for (x, outside) in (0..).zip(&mut *pixels) {
                *outside += edge.saturating_sub(x * PARTS).min(PARTS);
            }
        }
    }

    /// Where the picture begins on the line at `y`.
    fn edge(&self, y: u64) -> u64 {
        let from_center = self.radius.saturating_sub(y.min(self.height - y));
        self.radius - (self.radius * self.radius - from_center * from_center).isqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::raster::Layout;

    fn white(width: u32, height: u32) -> Raster {
        Raster::new(width, height, Layout::Gray, vec![255; (width * height) as usize]).unwrap()
    }

    fn opacities(raster: &Raster) -> Vec<Vec<u8>> {
        raster.pixels().chunks(raster.stride()).map(|row| row.chunks(4).map(|pixel| pixel[3]).collect()).collect()
    }

    #[test]
    fn corners_are_transparent_and_edges_soft() {
        let found = opacities(&rounded(white(8, 6), Radius::Pixels(2)));
        // A quarter of a disc of radius 2 in its square: 0.485 of the next pixels, and 0.137 of the first.
        let middle = [255; 8];
        assert_eq!(found[2..4], [middle, middle]);
        assert_eq!(found[0], found[5]);
        for row in [&found[0], &found[1]] {
            assert_eq!(row[2..6], [255; 4]);
            assert_eq!((row[0], row[1]), (row[7], row[6]));
        }
        // The area that is left of the square of 2 by 2 pixels: pi.
        let area: u32 = found[..2].iter().map(|row| u32::from(row[0]) + u32::from(row[1])).sum();
        assert!(area.abs_diff((std::f64::consts::PI * 255.0) as u32) <= 4, "{found:?}");
        assert_eq!((found[0][0] < 128, found[1][1]), (true, 255));
    }

    #[test]
    fn circles_have_the_area_of_circles() {
        for side in [1, 2, 3, 5, 8, 33, 100] {
            let found = opacities(&rounded(white(side, side), Radius::Max));
            let area: u64 = found.concat().into_iter().map(u64::from).sum();
            let expected = std::f64::consts::FRAC_PI_4 * f64::from(side * side) * 255.0;
            assert!((area as f64 - expected).abs() < 3.0 * f64::from(side), "{side}: {area} {expected}");
            for row in &found {
                assert!(row.iter().eq(row.iter().rev()));
            }
            // As wide as high.
            let columns: Vec<u8> = found.iter().map(|row| row[row.len() / 2]).collect();
            assert!(columns.iter().zip(&found[found.len() / 2]).all(|(a, b)| a.abs_diff(*b) <= 6), "{found:?}");
        }
    }

    #[test]
    fn a_pill_is_round_at_its_short_sides() {
        let found = opacities(&rounded(white(20, 7), Radius::Max));
        assert_eq!(found[3][1..19], [255; 18]);
        assert!(found[0][0] == 0 && found[6][19] == 0 && found[0][10] == 255);
        assert_eq!(rounded(white(20, 7), Radius::Pixels(u32::MAX)), rounded(white(20, 7), Radius::Max));
    }

    #[test]
    fn opacity_that_was_there_stays() {
        let half = Raster::new(4, 4, Layout::Rgba, [7, 8, 9, 100].repeat(16)).unwrap();
        assert_eq!(rounded(half.clone(), Radius::Pixels(0)), half);
        let found = rounded(half, Radius::Pixels(1));
        assert_eq!(found.pixels()[4..8], [7, 8, 9, 100]);
        assert!((70..90).contains(&found.pixels()[3]), "{:?}", &found.pixels()[..4]);
    }
}
