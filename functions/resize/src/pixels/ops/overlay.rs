//! Laying one picture over another: watermarks.
//!
//! Codes are mixed as they are, weighted by opacity ("over"), as libvips and browsers do.

use super::Point;
use crate::pixels::raster::{Layout, Raster};

/// Where a mark is laid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pixels) enum Place {
    /// Once, with its upper left corner here. What lies outside is cut off.
    At(Point),
    /// Again and again from the top left, this many pixels apart and from the edges.
    Tiled {
        /// Pixels between two marks.
        gap: u32,
    },
}

/// All, in the unit of a gravity.
const WHOLE: i64 = 10_000;

/// The upper left corner of a mark of the size `mark` on a picture of the size `canvas`, `margin` pixels from its edges.
///
/// `gravity` is the position to the right and down, in ten-thousandths of the room there is; halves round up, as in
/// sharp. Where there is no room for the margin it is left out, and a mark larger than the picture sticks out.
pub(in crate::pixels) fn placed(canvas: (u32, u32), mark: (u32, u32), gravity: (u16, u16), margin: u32) -> Point {
    let along = |canvas: u32, mark: u32, gravity: u16| {
        let room = i64::from(canvas) - i64::from(mark);
        let margin = if room >= 2 * i64::from(margin) { i64::from(margin) } else { 0 };
        margin + ((room - 2 * margin) * i64::from(gravity) + WHOLE / 2).div_euclid(WHOLE)
    };
    Point { x: along(canvas.0, mark.0, gravity.0), y: along(canvas.1, mark.1, gravity.1) }
}

/// The picture with `mark` over it, whose opacity counts `percent` in a hundred (100 at most).
///
/// The result has the layout of the picture, but is in colour if either is.
pub(in crate::pixels) fn overlaid(raster: Raster, mark: &Raster, place: Place, percent: u8) -> Raster {
    let is_gray = raster.layout() == Layout::Gray && mark.layout() == Layout::Gray;
    let mut raster = if is_gray { raster } else { raster.into_rgb() };
    let mark = mark.clone().into_rgba();
    let percent = u32::from(percent.min(100));
    match place {
        Place::At(point) => lay(&mut raster, &mark, point, percent),
        Place::Tiled { gap } => {
            let starts = |side: u32, mark: u32| {
                let n_steps = u64::from(side.saturating_sub(gap)).div_ceil(u64::from(mark) + u64::from(gap));
                (0..n_steps).map(move |step| i64::from(gap) + step as i64 * (i64::from(mark) + i64::from(gap)))
            };
            for y in starts(raster.height(), mark.height()) {
                for x in starts(raster.width(), mark.width()) {
                    lay(&mut raster, &mark, Point { x, y }, percent);
                }
            }
        }
    }
    raster
}

/// Lays `mark`, in four channels, over the picture.
pub(super) fn lay(raster: &mut Raster, mark: &Raster, Point { x, y }: Point, percent: u32) {
    match raster.layout() {
        Layout::Gray => lay_over::<1>(raster, mark, (x, y), |below, above| over_opaque(below, above, percent)),
        Layout::Rgb => lay_over::<3>(raster, mark, (x, y), |below, above| over_opaque(below, above, percent)),
        Layout::Rgba => lay_over::<4>(raster, mark, (x, y), |below, above| over(below, above, percent)),
        Layout::Cmyk => {}
    }
}

/// Calls `mix` for each pixel that lies under one of `mark`.
fn lay_over<const N: usize>(
    raster: &mut Raster,
    mark: &Raster,
    (x, y): (i64, i64),
    mix: impl Fn(&mut [u8; N], [u8; 4]),
) {
    let (columns, mark_x) = overlap(raster.width(), mark.width(), x);
    let (rows, mark_y) = overlap(raster.height(), mark.height(), y);
    let (stride, mark_stride) = (raster.stride(), mark.stride());
    let below_rows = raster.pixels_mut().chunks_exact_mut(stride).skip(rows.start).take(rows.len());
    for (below, above) in below_rows.zip(mark.pixels().chunks_exact(mark_stride).skip(mark_y)) {
        let below = &mut below.as_chunks_mut::<N>().0[columns.clone()];
        let above = &above.as_chunks::<4>().0[mark_x..];
        below.iter_mut().zip(above).for_each(|(below, above)| mix(below, *above));
    }
}

/// The part of a side of the picture that a side of a mark covers, and where in the mark that begins.
fn overlap(side: u32, mark: u32, start: i64) -> (std::ops::Range<usize>, usize) {
    let within = |position: i64| position.clamp(0, side.into()) as usize;
    let first = within(start);
    let skipped = (first as i64).saturating_sub(start).clamp(0, mark.into()) as usize;
    (first..within(start.saturating_add(mark.into())), skipped)
}

/// Opacity of a mark times percent: all of it.
const OPAQUE: u32 = 255 * 100;

fn over_opaque<const N: usize>(below: &mut [u8; N], above: [u8; 4], percent: u32) {
    let alpha = u32::from(above[3]) * percent;
    for (below, above) in below.iter_mut().zip(above) {
        let sum = u32::from(above) * alpha + u32::from(*below) * (OPAQUE - alpha);
        *below = ((sum + OPAQUE / 2) / OPAQUE) as u8;
    }
}

fn over(below: &mut [u8; 4], above: [u8; 4], percent: u32) {
    let alpha = u32::from(above[3]) * percent;
    let (above_weight, below_weight) = (255 * alpha, u32::from(below[3]) * (OPAQUE - alpha));
    let total = above_weight + below_weight;
    if total == 0 {
        return;
    }
    for i in 0..3 {
        let sum = u32::from(above[i]) * above_weight + u32::from(below[i]) * below_weight;
        below[i] = ((sum + total / 2) / total) as u8;
    }
    below[3] = ((total + OPAQUE / 2) / OPAQUE) as u8;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gray(width: u32, height: u32, code: u8) -> Raster {
        Raster::new(width, height, Layout::Gray, vec![code; (width * height) as usize]).unwrap()
    }

    fn pixel(pixel: [u8; 4]) -> Raster {
        Raster::new(1, 1, Layout::Rgba, pixel.to_vec()).unwrap()
    }

    #[test]
    fn mixes_as_sharp_does() {
        // Below, above, and what composite() of sharp 0.35.5 makes of them.
        let cases: [([u8; 4], [u8; 4], [u8; 4]); 6] = [
            ([10, 20, 30, 255], [200, 100, 50, 128], [105, 60, 40, 255]),
            ([10, 20, 30, 100], [200, 100, 50, 128], [146, 77, 44, 177]),
            ([10, 20, 30, 0], [200, 100, 50, 77], [200, 100, 50, 77]),
            ([255, 255, 255, 255], [0, 0, 0, 1], [254, 254, 254, 255]),
            ([90, 180, 240, 200], [250, 5, 99, 254], [249, 5, 99, 254]),
            ([1, 2, 3, 4], [5, 6, 7, 8], [3, 4, 5, 11]),
        ];
        for (below, above, expected) in cases {
            let found = overlaid(pixel(below), &pixel(above), Place::At(Point::default()), 100);
            let is_close = found.pixels().iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 1);
            assert!(is_close, "{below:?} {above:?} {expected:?} {found:?}");
        }
    }

    #[test]
    fn opacity_is_a_share_of_the_marks_own() {
        let mixed = |alpha, percent| {
            let found =
                overlaid(gray(1, 1, 0).into_rgb(), &pixel([200, 100, 50, alpha]), Place::At(Point::default()), percent);
            <[u8; 3]>::try_from(found.pixels()).unwrap()
        };
        assert_eq!(mixed(255, 100), [200, 100, 50]);
        assert_eq!(mixed(255, 50), [100, 50, 25]);
        assert_eq!(mixed(51, 50), [20, 10, 5]);
        assert_eq!(mixed(255, 0), [0; 3]);
        assert_eq!(mixed(255, 255), [200, 100, 50]);
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        let at = |x, y| {
            let mark = Raster::new(2, 2, Layout::Gray, vec![1, 2, 3, 4]).unwrap();
            overlaid(gray(3, 2, 0), &mark, Place::At(Point { x, y }), 100).pixels().to_vec()
        };
        assert_eq!(at(0, 0), [1, 2, 0, 3, 4, 0]);
        assert_eq!(at(2, 1), [0, 0, 0, 0, 0, 1]);
        assert_eq!(at(-1, -1), [4, 0, 0, 0, 0, 0]);
        for (x, y) in [(3, 0), (0, 2), (-2, 0), (0, -2), (i64::MAX, 0), (i64::MIN, i64::MIN)] {
            assert_eq!(at(x, y), [0; 6]);
        }
    }

    #[test]
    fn tiles_keep_their_distance() {
        let tiled = overlaid(gray(5, 4, 0), &gray(1, 1, 9), Place::Tiled { gap: 1 }, 100);
        assert_eq!(tiled.pixels(), [[0; 5], [0, 9, 0, 9, 0], [0; 5], [0, 9, 0, 9, 0]].concat());
        let tiled = overlaid(gray(3, 2, 0), &gray(2, 3, 9), Place::Tiled { gap: 0 }, 100);
        assert_eq!(tiled.pixels(), [9; 6]);
        assert_eq!(overlaid(gray(3, 2, 0), &gray(2, 3, 9), Place::Tiled { gap: u32::MAX }, 100), gray(3, 2, 0));
    }

    #[test]
    fn gravity_places_within_the_margin() {
        let at = |mark, gravity, margin| {
            let Point { x, y } = placed((100, 50), mark, gravity, margin);
            (x, y)
        };
        assert_eq!(at((20, 10), (10_000, 10_000), 10), (70, 30));
        assert_eq!(at((20, 10), (0, 5_000), 10), (10, 20));
        assert_eq!(at((21, 11), (5_000, 5_000), 10), (40, 20));
        assert_eq!(at((90, 45), (10_000, 0), 10), (10, 0));
        assert_eq!(at((120, 50), (5_000, 0), 10), (-10, 0));
    }
}
