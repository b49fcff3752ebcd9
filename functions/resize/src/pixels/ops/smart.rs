//! Where to crop: by what draws attention, or by where the detail is.
//!
//! Both are libvips' measures, which sharp offers under the same names, taken on a small copy of the picture. Attention
//! adds edges, likeness to skin and redness, on 32 by 32 pixels, and puts the window's middle on the highest place
//! after a blur of the window's size. Entropy takes slices off the sides with less of it until the window is left.

use super::faces::{Face, MAX_SIDE, faces, is_fit};
use super::light::LabTables;
use crate::pixels::PixelError;
use crate::pixels::profile::into_srgb;
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::resize::{premultiply, resized_copy, whole_of};

/// What a crop looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pixels) enum Interest {
    /// What people look at.
    Attention,
    /// Where there is much detail.
    Entropy,
    /// Where faces are; what people look at if there are none.
    Faces,
}

/// The upper left corner of the window, in pixels of the scaled picture.
///
/// `raster` is the whole picture at any size (a rung will do), the right way up; `scaled` the size it is scaled to, and
/// `window` what is cut out of that, no larger than it.
pub(in crate::pixels) fn smart_window(
    raster: &Raster,
    scaled: (u32, u32),
    window: (u32, u32),
    interest: Interest,
) -> Result<(u32, u32), PixelError> {
    let room = (scaled.0.saturating_sub(window.0), scaled.1.saturating_sub(window.1));
    if room == (0, 0) {
        return Ok(room);
    }
    let middle = match interest {
        Interest::Entropy => return richest(raster, scaled, window),
        Interest::Attention => most_attractive(raster, scaled, window)?,
        Interest::Faces => match middle_of_faces(raster, scaled, window)? {
            Some(middle) => middle,
            None => most_attractive(raster, scaled, window)?,
        },
    };
    let along = |middle: u32, window: u32, room: u32| middle.saturating_sub(window / 2).min(room);
    Ok((along(middle.0, window.0, room.0), along(middle.1, window.1, room.1)))
}

/// The middle of all faces if the window holds them, or else of the largest; in pixels of the scaled picture.
fn middle_of_faces(raster: &Raster, scaled: (u32, u32), window: (u32, u32)) -> Result<Option<(u32, u32)>, PixelError> {
    let longer = scaled.0.max(scaled.1);
    let smaller = |length: u32| (u64::from(length) * u64::from(MAX_SIDE) / u64::from(longer.max(1))) as u32;
    let (mut width, mut height) = (smaller(scaled.0), smaller(scaled.1));
    // A pixel more on the shorter side distorts nothing.
    let Some(shorter) = (width.min(height)..=MAX_SIDE).find(|side| is_fit(*side)) else { return Ok(None) };
    if shorter > width.min(height) + 2 {
        return Ok(None);
    }
    *(if width < height { &mut width } else { &mut height }) = shorter;
    let faces = faces(reduced(raster, width, height)?)?;
    let Some(largest) = faces.first() else { return Ok(None) };
    let all = faces.iter().fold(*largest, |all, face| Face {
        left: all.left.min(face.left),
        top: all.top.min(face.top),
        right: all.right.max(face.right),
        bottom: all.bottom.max(face.bottom),
    });
    let on_scaled = |position: u32, scaled: u32, side: u32| u64::from(position) * u64::from(scaled) / u64::from(side);
    let holds_all = on_scaled(all.right - all.left, scaled.0, width) <= window.0.into()
        && on_scaled(all.bottom - all.top, scaled.1, height) <= window.1.into();
    let Face { left, top, right, bottom } = if holds_all { all } else { *largest };
    let middle = |from: u32, to: u32, scaled: u32, side: u32| (on_scaled(from + to, scaled, side) / 2) as u32;
    Ok(Some((middle(left, right, scaled.0, width), middle(top, bottom, scaled.1, height))))
}

/// A small copy: opaque, or on black, in sRGB, in three channels.
fn reduced(raster: &Raster, width: u32, height: u32) -> Result<Raster, PixelError> {
    let area = whole_of(raster);
    let small = if raster.layout() == Layout::Rgba {
        let mut raster = raster.clone();
        premultiply(&mut raster)?;
        resized_copy(&raster, area, width, height)?.map(Layout::Rgb, |pixel| [pixel[0], pixel[1], pixel[2]])
    } else {
        resized_copy(raster, area, width, height)?
    };
    Ok(into_srgb(small, None).into_rgb())
}

/// Places to each side, of which one is the most attractive.
const N_PLACES: u32 = 32;

/// The direction of skin in X, Y and Z.
const SKIN: [f32; 3] = [0.78, 0.57, 0.44];

/// Less light than this, in hundredths, and colours are not looked at.
const MIN_LUMINANCE: f32 = 5.0;

/// The middle of the place, of [`N_PLACES`] to each side, that draws most attention around it; in pixels of the scaled
/// picture.
fn most_attractive(raster: &Raster, scaled: (u32, u32), window: (u32, u32)) -> Result<(u32, u32), PixelError> {
    let small = reduced(raster, N_PLACES, N_PLACES)?;
    let tables = LabTables::new();
    let colors: Vec<[f32; 3]> = small
        .pixels()
        .as_chunks::<3>()
        .0
        .iter()
        .map(|rgb| LabTables::xyz(rgb.map(|code| tables.light.of(code))).map(|value| 100.0 * value))
        .collect();

    let side = N_PLACES as usize;
    let luminance = |x: usize, y: usize| colors[y.min(side - 1) * side + x.min(side - 1)][1];
    let mut scores = Grid { side, values: vec![0.0; side * side] };
    for y in 0..side {
        for x in 0..side {
            let beside = luminance(x.saturating_sub(1), y) + luminance(x + 1, y);
            let above = luminance(x, y.saturating_sub(1)) + luminance(x, y + 1);
            let edge = 5.0 * (4.0 * luminance(x, y) - beside - above).abs();
            let color = colors[y * side + x];
            let is_lit = color[1] > MIN_LUMINANCE;
            let [_, redness, _] = tables.lab_of_xyz(color.map(|value| value / 100.0));
            scores.values[y * side + x] = edge + if is_lit { likeness_to_skin(color) + redness } else { 0.0 };
        }
    }

    let share = |window: u32, scaled: u32| f64::from(window) / f64::from(scaled.max(1)) * f64::from(N_PLACES);
    let (width, height) = (share(window.0, scaled.0), share(window.1, scaled.1));
    scores.blur(((width * width + height * height).sqrt() / 10.0).max(1.0));
    let best = scores.highest();
    let middle =
        |place: usize, scaled: u32| ((2 * place as u64 + 1) * u64::from(scaled) / (2 * u64::from(N_PLACES))) as u32;
    Ok((middle(best % side, scaled.0), middle(best / side, scaled.1)))
}

/// 100 for the colour of skin, however light; less the further from it.
fn likeness_to_skin(color: [f32; 3]) -> f32 {
    let length = |[x, y, z]: [f32; 3]| (x * x + y * y + z * z).sqrt();
    let brightness = length(color);
    let distance = length(std::array::from_fn(|i| color[i] / brightness - SKIN[i]));
    100.0 - 100.0 * distance
}

/// A square of numbers.
struct Grid {
    side: usize,
    values: Vec<f32>,
}

impl Grid {
    /// A Gaussian blur whose far ends, a fifth of its height and less, are cut off; the edges repeat.
    fn blur(&mut self, sigma: f64) {
        let weight = |x: usize| libm::exp(-((x * x) as f64) / (2.0 * sigma * sigma));
        let weights: Vec<f32> =
            (0..self.side).map(weight).take_while(|weight| *weight >= 0.2).map(|weight| weight as f32).collect();
        for _ in 0..2 {
            // Rows become columns, so that both directions are done by the second round.
            let mut turned = vec![0.0; self.values.len()];
            for (y, row) in self.values.chunks_exact(self.side).enumerate() {
                for x in 0..self.side {
                    let mut sum = weights[0] * row[x];
                    for (offset, weight) in weights.iter().enumerate().skip(1) {
                        sum += weight * (row[x.saturating_sub(offset)] + row[(x + offset).min(self.side - 1)]);
                    }
                    turned[x * self.side + y] = sum;
                }
            }
            self.values = turned;
        }
    }

    /// Where the highest number is; the first of several.
    fn highest(&self) -> usize {
        let mut best = 0;
        for (index, value) in self.values.iter().enumerate() {
            if *value > self.values[best] {
                best = index;
            }
        }
        best
    }
}

/// Pixels of the longer side of the copy that entropy is taken of.
const MAX_ENTROPY_SIDE: u32 = 192;

/// Slices that are taken off the side that is too long by more.
const N_SLICES: u32 = 8;

/// The corner of what is left when the poorer of two opposite slices is taken off again and again.
fn richest(raster: &Raster, scaled: (u32, u32), window: (u32, u32)) -> Result<(u32, u32), PixelError> {
    let longer = u64::from(scaled.0.max(scaled.1));
    let side = longer.min(MAX_ENTROPY_SIDE.into());
    let smaller = |length: u32| ((2 * u64::from(length) * side + longer) / (2 * longer)).max(1) as u32;
    let size = (smaller(scaled.0), smaller(scaled.1));
    let target = (smaller(window.0).min(size.0), smaller(window.1).min(size.1));
    let small = reduced(raster, size.0, size.1)?;

    let mut rest = Part { x: 0, y: 0, width: size.0, height: size.1 };
    let slice = (size.0 - target.0).div_ceil(N_SLICES).max((size.1 - target.1).div_ceil(N_SLICES));
    while (rest.width, rest.height) != target {
        let width = slice.min(rest.width - target.0);
        if width > 0 {
            let left = Part { width, ..rest };
            let right = Part { x: rest.x + rest.width - width, ..left };
            rest.width -= width;
            rest.x += if left.is_poorer_than(right, &small) { width } else { 0 };
        }
        let height = slice.min(rest.height - target.1);
        if height > 0 {
            let upper = Part { height, ..rest };
            let lower = Part { y: rest.y + rest.height - height, ..upper };
            rest.height -= height;
            rest.y += if upper.is_poorer_than(lower, &small) { height } else { 0 };
        }
    }

    // The share of the room that lies before the window is the same on the large picture.
    let along = |start: u32, room: u32, target_room: u32| match target_room {
        0 => room / 2,
        _ => ((2 * u64::from(start) * u64::from(room) + u64::from(target_room)) / (2 * u64::from(target_room))) as u32,
    };
    let room = (scaled.0.saturating_sub(window.0), scaled.1.saturating_sub(window.1));
    Ok((along(rest.x, room.0, size.0 - target.0), along(rest.y, room.1, size.1 - target.1)))
}

/// A part of a picture, in pixels.
#[derive(Debug, Clone, Copy)]
struct Part {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

impl Part {
    /// Whether there is less entropy in this than in `other`, which has as many pixels.
    fn is_poorer_than(self, other: Self, raster: &Raster) -> bool {
        self.monotony(raster) > other.monotony(raster)
    }

    /// The sum of n log n over the numbers n of pixels that share a code: entropy is a constant less this.
    fn monotony(self, raster: &Raster) -> u64 {
        let mut counts = [[0_u32; 3]; 256];
        let (from, to) = (self.x as usize * 3, (self.x + self.width) as usize * 3);
        let rows = raster.pixels().chunks_exact(raster.stride()).skip(self.y as usize).take(self.height as usize);
        for pixel in rows.flat_map(|row| row[from..to].as_chunks::<3>().0) {
            for (channel, code) in pixel.iter().enumerate() {
                counts[usize::from(*code)][channel] += 1;
            }
        }
        // Whole numbers, so that two slices alike are as rich as each other whatever the order of their codes.
        let term = |n: &u32| (f64::from(*n) * libm::log2(f64::from(*n)) * f64::from(1 << 16)) as u64;
        counts.as_flattened().iter().filter(|n| **n > 1).map(term).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of `width` by `height` where `inside` says so, on a ground of a soft gray or blue.
    fn picture(width: u32, height: u32, subject: impl Fn(u32, u32) -> Option<[u8; 3]>) -> Raster {
        let ground = |x: u32, y: u32| [90 + (x * 20 / width) as u8, 110 + (y * 20 / height) as u8, 140];
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let pixels = pixels.flat_map(|(x, y)| subject(x, y).unwrap_or_else(|| ground(x, y)));
        Raster::new(width, height, Layout::Rgb, pixels.collect()).unwrap()
    }

    /// Something with edges, skin and red in it, on the square of `side` pixels at (`left`, `top`).
    fn with_subject(size: (u32, u32), (left, top): (u32, u32), side: u32) -> Raster {
        picture(size.0, size.1, |x, y| {
            let (x, y) = (x.checked_sub(left)?, y.checked_sub(top)?);
            (x < side && y < side).then(|| match (x / 5 + y / 5) % 4 {
                0 => [224, 172, 140],
                1 => [60, 30, 20],
                2 => [200, 40, 50],
                _ => [240, 200, 170],
            })
        })
    }

    #[test]
    fn the_window_holds_the_subject() {
        for (size, window) in [((300, 200), (100, 100)), ((200, 300), (200, 100)), ((640, 160), (160, 160))] {
            for corner in
                [(0, 0), (size.0 - 40, 0), (0, size.1 - 40), (size.0 - 40, size.1 - 40), (size.0 / 3, size.1 / 3)]
            {
                let raster = with_subject(size, corner, 40);
                for interest in [Interest::Attention, Interest::Entropy] {
                    let (x, y) = smart_window(&raster, size, window, interest).unwrap();
                    let holds = |start: u32, window: u32, corner: u32| start <= corner && corner + 40 <= start + window;
                    let is_held = holds(x, window.0, corner.0) && holds(y, window.1, corner.1);
                    assert!(is_held, "{interest:?} {size:?} {window:?} {corner:?}: {x} {y}");
                }
            }
        }
    }

    #[test]
    fn the_window_holds_the_face() {
        let face = super::super::faces::tests::portrait().into_rgb();
        for (left, top) in [(0, 0), (220, 0), (5, 110), (215, 108), (110, 50)] {
            let raster = picture(300, 200, |x, y| {
                // A red ball draws more attention.
                if x.abs_diff(150).pow(2) + y.abs_diff(left / 2 + 20).pow(2) < 300 {
                    return Some([230, 20, 30]);
                }
                let (x, y) = (x.checked_sub(left)?, y.checked_sub(top)?);
                (x < 80 && y < 90).then(|| {
                    let start = (y * 80 + x) as usize * 3;
                    [0, 1, 2].map(|i| face.pixels()[start + i])
                })
            });
            for (scaled, window) in [((300, 200), (90, 200)), ((900, 600), (900, 300))] {
                let (x, y) = smart_window(&raster, scaled, window, Interest::Faces).unwrap();
                let (middle_x, middle_y) = ((left + 40) * scaled.0 / 300, (top + 45) * scaled.1 / 200);
                let is_held = (x..x + window.0).contains(&middle_x) && (y..y + window.1).contains(&middle_y);
                assert!(is_held, "{left} {top} {scaled:?}: {x} {y}");
            }
        }
        let none = with_subject((200, 100), (10, 30), 40);
        let found = [Interest::Faces, Interest::Attention].map(|i| smart_window(&none, (200, 100), (80, 100), i));
        assert_eq!(found[0], found[1]);
        for scaled in [(8000, 3), (1000, 160), (1, 1000)] {
            smart_window(&none, scaled, (1, 1), Interest::Faces).unwrap();
        }
    }

    #[test]
    fn the_window_lies_inside() {
        let raster = with_subject((97, 61), (50, 9), 30);
        for (scaled, window) in
            [((1940, 1220), (1, 1220)), ((97, 61), (96, 60)), ((10, 6), (6, 6)), ((5000, 3), (1, 3))]
        {
            for interest in [Interest::Attention, Interest::Entropy] {
                let (x, y) = smart_window(&raster, scaled, window, interest).unwrap();
                assert!(x + window.0 <= scaled.0 && y + window.1 <= scaled.1, "{interest:?} {scaled:?}: {x} {y}");
            }
        }
        assert_eq!(smart_window(&raster, (50, 50), (50, 50), Interest::Entropy).unwrap(), (0, 0));
    }

    #[test]
    fn every_layout_and_a_black_picture_have_a_window() {
        let raster = with_subject((120, 60), (80, 10), 30);
        let gray = raster.map(Layout::Gray, |pixel| [pixel[1]]);
        let black = Raster::zeroed(120, 60, Layout::Rgb).unwrap();
        let clear = Raster::zeroed(120, 60, Layout::Rgba).unwrap();
        let ink = Raster::zeroed(120, 60, Layout::Cmyk).unwrap();
        for raster in [gray, black, clear, ink, raster.into_rgba()] {
            for interest in [Interest::Attention, Interest::Entropy] {
                let (x, y) = smart_window(&raster, (120, 60), (60, 60), interest).unwrap();
                assert!(x <= 60 && y == 0);
            }
        }
    }

    #[test]
    fn what_cannot_be_seen_draws_no_attention() {
        let mut raster = with_subject((200, 100), (10, 30), 40).into_rgba();
        for (index, pixel) in raster.pixels_mut().chunks_exact_mut(4).enumerate() {
            let (x, y) = (index % 200, index / 200);
            // Only a red square at the right can be seen.
            let is_seen = (150..180).contains(&x) && (30..60).contains(&y);
            pixel[3] = if is_seen { 255 } else { 0 };
            if is_seen {
                pixel[..3].copy_from_slice(&[220, 40, 40]);
            }
        }
        for interest in [Interest::Attention, Interest::Entropy] {
            let (x, _) = smart_window(&raster, (200, 100), (100, 100), interest).unwrap();
            assert!((80..=100).contains(&x), "{interest:?} {x}");
        }
    }
}
