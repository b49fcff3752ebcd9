//! Finding the edges of one colour around a picture.
//!
//! The meaning is sharp's: the ground is the pixel at the top left, and the picture is the box of all pixels that are
//! not like it. A median over three by three pixels keeps single noisy pixels from counting; it differs from the
//! ground by more than the threshold where at least five of the nine do so in one direction, which is how it is found
//! here. Colours are looked at on the ground's colour, opacity for itself.

use std::ops::Range;

use crate::pixels::raster::{Layout, Raster};

/// Left edge, upper edge, width and height of a part of a picture, in pixels.
pub(in crate::pixels) type Region = (u32, u32, u32, u32);

/// Pixels of three by three that make the majority.
const MAJORITY: u8 = 5;

/// The box that is left when edges like the top left pixel are cut off, up to a difference of `threshold` (1–255) in
/// any channel. `None` if there is nothing else: the whole picture is to be kept then.
pub(in crate::pixels) fn trim_box(raster: &Raster, threshold: u8) -> Option<Region> {
    let mut search = Search::new(raster, threshold);
    let (width, height) = (search.width, search.height);
    let top = (0..height).find(|y| search.first_in(*y, 0..width).is_some())?;
    let bottom = (top..height).rev().find(|y| search.first_in(*y, 0..width).is_some())?;
    let (mut left, mut right) = (width, 0);
    for y in top..=bottom {
        left = search.first_in(y, 0..left).unwrap_or(left);
        right = search.last_in(y, right..width).map_or(right, |x| x + 1);
    }
    Some((left as u32, top as u32, (right - left) as u32, (bottom + 1 - top) as u32))
}

/// A picture, and what its ground looks like.
struct Search<'a> {
    raster: &'a Raster,
    width: usize,
    height: usize,
    ground: [u8; 4],
    /// For each channel, from where to where it is like the ground.
    alike: [(u8, u8); 4],
    /// Of three rows, how many pixels at each place are above and below it, channel after channel.
    counts: Vec<[[u8; 2]; 4]>,
}

impl<'a> Search<'a> {
    fn new(raster: &'a Raster, threshold: u8) -> Self {
        let (width, height) = (raster.width() as usize, raster.height() as usize);
        let mut ground = [0; 4];
        let n_channels = raster.layout().channels();
        ground[..n_channels].copy_from_slice(&raster.pixels()[..n_channels]);
        let alike = ground.map(|code| (code.saturating_sub(threshold), code.saturating_add(threshold)));
        Self { raster, width, height, ground, alike, counts: vec![[[0; 2]; 4]; width + 2] }
    }

    /// The first place among `places` of row `y` where the picture is not like the ground.
    fn first_in(&mut self, y: usize, places: Range<usize>) -> Option<usize> {
        self.count(y, places.clone());
        places.into_iter().find(|x| self.differs_at(*x))
    }

    /// The last such place.
    fn last_in(&mut self, y: usize, places: Range<usize>) -> Option<usize> {
        self.count(y, places.clone());
        places.into_iter().rev().find(|x| self.differs_at(*x))
    }

    /// Counts rows `y - 1` to `y + 1` at `places` and their neighbours; past an edge, the pixels there repeat.
    fn count(&mut self, y: usize, places: Range<usize>) {
        if places.is_empty() {
            return;
        }
        let columns = places.start.saturating_sub(1)..(places.end + 1).min(self.width);
        self.counts[columns.start + 1..columns.end + 1].fill([[0; 2]; 4]);
        for row in [y.saturating_sub(1), y, (y + 1).min(self.height - 1)] {
            match self.raster.layout() {
                Layout::Gray => self.count_row::<1>(row, columns.clone()),
                Layout::Rgb => self.count_row::<3>(row, columns.clone()),
                Layout::Rgba | Layout::Cmyk => self.count_row::<4>(row, columns.clone()),
            }
        }
        self.counts[0] = self.counts[1];
        self.counts[self.width + 1] = self.counts[self.width];
    }

    fn count_row<const N: usize>(&mut self, y: usize, columns: Range<usize>) {
        let start = y * self.width;
        let pixels = &self.raster.pixels().as_chunks::<N>().0[start + columns.start..start + columns.end];
        let is_rgba = self.raster.layout() == Layout::Rgba;
        for (pixel, counts) in pixels.iter().zip(&mut self.counts[columns.start + 1..]) {
            let mut pixel = *pixel;
            if is_rgba && pixel[N - 1] != u8::MAX {
                on_ground(&mut pixel, self.ground);
            }
            for ((code, counts), (low, high)) in pixel.iter().zip(counts).zip(self.alike) {
                counts[0] += u8::from(*code < low);
                counts[1] += u8::from(*code > high);
            }
        }
    }

    fn differs_at(&self, x: usize) -> bool {
        let [before, at, after] = [&self.counts[x], &self.counts[x + 1], &self.counts[x + 2]];
        before.iter().zip(at).zip(after).any(|((before, at), after)| {
            before[0] + at[0] + after[0] >= MAJORITY || before[1] + at[1] + after[1] >= MAJORITY
        })
    }
}

/// The colours of a pixel on the opaque ground; its opacity stays. Cut off, not rounded, as libvips does.
fn on_ground<const N: usize>(pixel: &mut [u8; N], ground: [u8; 4]) {
    let alpha = u32::from(pixel[N - 1]);
    for (code, below) in pixel[..N - 1].iter_mut().zip(ground) {
        *code = ((u32::from(*code) * alpha + u32::from(below) * (255 - alpha)) / 255) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of one letter a pixel: `.` is the ground.
    fn drawn(rows: &[&str]) -> Raster {
        let code = |letter: u8| match letter {
            b'.' => 200,
            b'~' => 195,
            b',' => 190,
            b';' => 189,
            _ => 20,
        };
        let pixels = rows.iter().flat_map(|row| row.bytes().map(code)).collect();
        Raster::new(rows[0].len() as u32, rows.len() as u32, Layout::Gray, pixels).unwrap()
    }

    #[test]
    fn finds_the_box_of_what_differs() {
        let rows = ["........", "..###...", "..####..", "...###..", "........"];
        // The median rounds single corners off.
        assert_eq!(trim_box(&drawn(&rows), 10), Some((2, 1, 4, 3)));
        assert_eq!(trim_box(&drawn(&rows), 179), Some((2, 1, 4, 3)));
        assert_eq!(trim_box(&drawn(&rows), 180), None);
        for raster in [drawn(&rows).into_rgb(), drawn(&rows).into_rgba()] {
            assert_eq!(trim_box(&raster, 10), Some((2, 1, 4, 3)));
        }
    }

    #[test]
    fn noise_and_small_differences_do_not_count() {
        assert_eq!(trim_box(&drawn(&["........", ".#......", "......#.", "........"]), 10), None);
        assert_eq!(trim_box(&drawn(&["........", ".~~~,,,.", ".~~~,,,.", ".~~~,,,.", "........"]), 10), None);
        assert_eq!(
            trim_box(&drawn(&["........", ".~~~;;;.", ".~~~;;;.", ".~~~;;;.", "........"]), 10),
            Some((4, 1, 3, 3))
        );
    }

    #[test]
    fn edges_of_the_picture_repeat() {
        assert_eq!(trim_box(&drawn(&["....", "..##", "..##"]), 10), Some((2, 1, 2, 2)));
        assert_eq!(trim_box(&drawn(&["."]), 10), None);
        assert_eq!(trim_box(&drawn(&["..#"]), 10), Some((2, 0, 1, 1)));
        assert_eq!(trim_box(&drawn(&["..", "##"]), 10), Some((0, 1, 2, 1)));
    }

    #[test]
    fn opacity_counts_for_itself() {
        let clear = |opaque: [u8; 4]| {
            let pixel = |i: usize| if i % 9 > 3 && i % 9 < 7 && i / 9 > 1 && i / 9 < 5 { opaque } else { [9, 9, 9, 0] };
            Raster::new(9, 7, Layout::Rgba, (0..63).flat_map(pixel).collect()).unwrap()
        };
        assert_eq!(trim_box(&clear([9, 9, 9, 255]), 10), Some((4, 2, 3, 3)));
        assert_eq!(trim_box(&clear([9, 9, 9, 10]), 10), None);
        // Colour that can hardly be seen does not count.
        assert_eq!(trim_box(&clear([255, 9, 9, 8]), 10), None);
        assert_eq!(trim_box(&clear([255, 9, 9, 11]), 10), Some((4, 2, 3, 3)));
    }
}
