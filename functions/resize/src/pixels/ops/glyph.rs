//! Filling the outline of a glyph.
//!
//! Whole numbers only: points lie on 256ths of a pixel, and each row of pixels is cut by sixteen lines, along which
//! what is inside is measured. So every machine gets the same bytes.

use skrifa::outline::OutlinePen;

/// Parts of a pixel that a point is placed in.
pub(super) const PARTS: i64 = 256;

/// Lines that a row of pixels is cut by.
const N_LINES: i64 = 16;

/// Straight pieces of a curve: enough for a letter as high as a page.
const MIN_PIECES: i64 = 2;
const MAX_PIECES: i64 = 24;

/// A point, in [`PARTS`] of a pixel.
type Place = (i64, i64);

/// The outline of a glyph on a picture, in straight pieces.
pub(super) struct Outline {
    /// Parts of a pixel that a unit of the font is, as a fraction.
    scale: (i64, i64),
    origin: Place,
    start: Place,
    last: Place,
    edges: Vec<(Place, Place)>,
}

impl Outline {
    /// For a font of `units` to the em, at `size` pixels, with its origin at `origin`.
    pub(super) fn new(origin: Place, size: u32, units: u16) -> Self {
        let scale = (i64::from(size) * PARTS, i64::from(units.max(1)));
        Self { scale, origin, start: origin, last: origin, edges: Vec::new() }
    }

    /// A point of the font on the picture. In a font up is positive.
    fn place(&self, x: f32, y: f32) -> Place {
        // Points of the font are whole numbers or, between two of them, halves.
        let scaled = |value: f32| {
            let halves = (value.clamp(-1e6, 1e6) * 2.0) as i64;
            (halves * self.scale.0 + self.scale.1).div_euclid(2 * self.scale.1)
        };
        (self.origin.0 + scaled(x), self.origin.1 - scaled(y))
    }

    fn line(&mut self, to: Place) {
        if self.last.1 != to.1 {
            self.edges.push((self.last, to));
        }
        self.last = to;
    }

    /// Pieces of a curve with this longest distance between its ends or handles.
    fn n_pieces(points: &[Place]) -> i64 {
        let length: i64 =
            points.windows(2).map(|pair| (pair[0].0 - pair[1].0).abs() + (pair[0].1 - pair[1].1).abs()).sum();
        (length / (2 * PARTS)).clamp(MIN_PIECES, MAX_PIECES)
    }

    /// Adds to `row`, one number a pixel from `left` on, how much of each pixel in row `y` is inside, in parts of
    /// [`Outline::WHOLE`].
    pub(super) fn fill_row(&self, y: i64, left: i64, row: &mut [u32]) {
        let mut crossings = Vec::new();
        for line in 0..N_LINES {
            let level = y * PARTS + (2 * line + 1) * PARTS / (2 * N_LINES);
            crossings.clear();
            crossings.extend(self.edges.iter().filter_map(|edge| crossing(*edge, level)));
            crossings.sort_unstable();
            let mut winding = 0;
            for pair in crossings.windows(2) {
                winding += pair[0].1;
                if winding != 0 {
                    add_span(row, pair[0].0 - left * PARTS, pair[1].0 - left * PARTS);
                }
            }
        }
    }

    /// A pixel that is all inside.
    pub(super) const WHOLE: u32 = (N_LINES * PARTS) as u32;

    /// Left, upper, right and lower end, in pixels; the latter two are the first ones outside.
    pub(super) fn bounds(&self) -> Option<(i64, i64, i64, i64)> {
        let points = || self.edges.iter().flat_map(|(from, to)| [from, to]);
        let before = |value: i64| value.div_euclid(PARTS);
        let after = |value: i64| value.div_euclid(PARTS) + 1;
        Some((
            before(points().map(|point| point.0).min()?),
            before(points().map(|point| point.1).min()?),
            after(points().map(|point| point.0).max()?),
            after(points().map(|point| point.1).max()?),
        ))
    }
}

/// Where an edge crosses the line at `level`, and whether downwards (1) or upwards (-1).
fn crossing((from, to): (Place, Place), level: i64) -> Option<(i64, i32)> {
    let (upper, lower, direction) = if from.1 < to.1 { (from, to, 1) } else { (to, from, -1) };
    (upper.1 <= level && level < lower.1).then(|| {
        let x = upper.0 + ((lower.0 - upper.0) * (level - upper.1)).div_euclid(lower.1 - upper.1);
        (x, direction)
    })
}

/// Adds a span of one line, in parts of a pixel from the row's start.
fn add_span(row: &mut [u32], from: i64, to: i64) {
    let end = row.len() as i64 * PARTS;
    let (from, to) = (from.clamp(0, end), to.clamp(0, end));
    if from >= to {
        return;
    }
    let (first, last) = ((from / PARTS) as usize, ((to - 1) / PARTS) as usize);
    for (x, pixel) in (first as i64..).zip(&mut row[first..=last]) {
        *pixel += (to.min((x + 1) * PARTS) - from.max(x * PARTS)) as u32;
    }
}

impl OutlinePen for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.close();
        self.start = self.place(x, y);
        self.last = self.start;
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.line(self.place(x, y));
    }

    fn quad_to(&mut self, handle_x: f32, handle_y: f32, x: f32, y: f32) {
        let (from, handle, to) = (self.last, self.place(handle_x, handle_y), self.place(x, y));
        let n = Self::n_pieces(&[from, handle, to]);
        for i in 1..=n {
            let (a, b, c) = ((n - i) * (n - i), 2 * i * (n - i), i * i);
            let along = |from: i64, handle: i64, to: i64| (a * from + b * handle + c * to).div_euclid(n * n);
            self.line((along(from.0, handle.0, to.0), along(from.1, handle.1, to.1)));
        }
    }

    fn curve_to(&mut self, x0: f32, y0: f32, x1: f32, y1: f32, x: f32, y: f32) {
        let points = [self.last, self.place(x0, y0), self.place(x1, y1), self.place(x, y)];
        let n = Self::n_pieces(&points);
        for i in 1..=n {
            let rest = n - i;
            let weights = [rest * rest * rest, 3 * rest * rest * i, 3 * rest * i * i, i * i * i];
            let sum = |values: [i64; 4]| {
                values.iter().zip(weights).map(|(value, weight)| value * weight).sum::<i64>().div_euclid(n * n * n)
            };
            self.line((sum(points.map(|point| point.0)), sum(points.map(|point| point.1))));
        }
    }

    fn close(&mut self) {
        self.line(self.start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much of each pixel is inside, in hundredths.
    fn filled(outline: &Outline, width: usize, height: i64) -> Vec<Vec<u32>> {
        (0..height)
            .map(|y| {
                let mut row = vec![0; width];
                outline.fill_row(y, 0, &mut row);
                row.into_iter().map(|parts| parts * 100 / Outline::WHOLE).collect()
            })
            .collect()
    }

    fn rectangle(outline: &mut Outline, (left, top, right, bottom): (f32, f32, f32, f32)) {
        outline.move_to(left, -top);
        outline.line_to(right, -top);
        outline.line_to(right, -bottom);
        outline.line_to(left, -bottom);
        outline.close();
    }

    #[test]
    fn pixels_are_filled_by_the_share_that_is_inside() {
        let mut outline = Outline::new((0, 0), 4, 4);
        rectangle(&mut outline, (0.5, 0.5, 3.0, 2.0));
        assert_eq!(filled(&outline, 4, 3), [[25, 50, 50, 0], [50, 100, 100, 0], [0, 0, 0, 0]]);
        assert_eq!(outline.bounds(), Some((0, 0, 4, 3)));
        assert_eq!(Outline::new((0, 0), 4, 4).bounds(), None);
    }

    #[test]
    fn what_is_drawn_twice_is_filled_once_and_holes_stay_empty() {
        let mut outline = Outline::new((0, 0), 1, 1);
        rectangle(&mut outline, (0.0, 0.0, 2.0, 1.0));
        rectangle(&mut outline, (1.0, 0.0, 3.0, 1.0));
        assert_eq!(filled(&outline, 4, 1), [[100, 100, 100, 0]]);
        let mut ring = Outline::new((0, 0), 1, 1);
        rectangle(&mut ring, (0.0, 0.0, 3.0, 1.0));
        // The other way around.
        rectangle(&mut ring, (2.0, 0.0, 1.0, 1.0));
        assert_eq!(filled(&ring, 4, 1), [[100, 0, 100, 0]]);
    }

    #[test]
    fn curves_are_round() {
        // A circle of radius 8 around (8, 8), by four cubic and by eight quadratic arcs.
        let mut cubic = Outline::new((0, 0), 1, 1);
        let handle = 8.0 * 0.552_285;
        cubic.move_to(16.0, -8.0);
        for (x, y) in [(0.0_f32, 1.0_f32), (-1.0, 0.0), (0.0, -1.0), (1.0, 0.0)] {
            // From the direction (y, -x) to (x, y), downwards positive.
            let at = |along: f32, across: f32| (8.0 + along * y + across * x, -8.0 - (across * y - along * x));
            let ((ax, ay), (bx, by), (cx, cy)) = (at(8.0, handle), at(handle, 8.0), at(0.0, 8.0));
            cubic.curve_to(ax, ay, bx, by, cx, cy);
        }
        cubic.close();
        let area: u32 = filled(&cubic, 17, 17).concat().iter().sum();
        assert!(area.abs_diff(20_106) < 500, "{area}");
        let mut bow = Outline::new((0, 0), 1, 1);
        bow.move_to(0.0, 0.0);
        bow.quad_to(10.0, -20.0, 20.0, 0.0);
        bow.close();
        // Two thirds of the box around a parabola.
        let area: u32 = filled(&bow, 21, 11).concat().iter().sum();
        assert!(area.abs_diff(13_333) < 250, "{area}");
    }

    #[test]
    fn what_lies_outside_the_row_is_left_out() {
        let mut outline = Outline::new((-5 * PARTS, 0), 1, 1);
        rectangle(&mut outline, (0.0, 0.0, 100.0, 1.0));
        assert_eq!(filled(&outline, 3, 2), [[100; 3], [0; 3]]);
        let mut row = vec![0; 3];
        outline.fill_row(0, 94, &mut row);
        assert_eq!(row, [Outline::WHOLE, 0, 0]);
    }
}
