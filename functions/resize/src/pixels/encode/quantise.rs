//! From millions of colours to a table of at most 256: median cut where it gains most, refined by k-means, and
//! Floyd-Steinberg dithering.
//!
//! Colours are compared as they look on black and on white. With the premultiplied channel p and the opacity a, a
//! channel is p on black and p + 255 - a on white; the two squared differences summed are (2p - a)² / 2 + a² / 2, so
//! 2p - a of three channels and a are the coordinates in which distances are plain. Whole numbers throughout, but for
//! the choice of a cut, which is a few sums and quotients in a fixed order: every machine gives the same bytes.

use super::super::raster::{Layout, Raster};

/// The most colours a table has.
pub(in crate::pixels) const MAX_COLORS: usize = 256;
/// Colours that the table is chosen for; of more, the nearest are taken together.
const MAX_POINTS: usize = 8192;
/// Pixels that are looked at to choose it.
const MAX_SAMPLES: usize = 1 << 19;
/// Rounds of refinement.
const N_ROUNDS: usize = 3;
/// How much a difference counts, for red, green, blue, and for opacity (which shows in all three).
const WEIGHTS: [i32; 4] = [3, 5, 2, 10];
/// Colours that are remembered with their place in the table; a power of two.
const N_REMEMBERED: usize = 1 << 15;

/// A table of colours, not premultiplied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pixels) struct Palette {
    colors: Vec<[u8; 4]>,
}

impl Palette {
    /// At most `n_colors` colours (at least 1) for these pixels, which are RGBA. Those that are not opaque come first.
    pub(in crate::pixels) fn of(pixels: impl Iterator<Item = [u8; 4]> + Clone, n_colors: usize) -> Self {
        let n_colors = n_colors.clamp(1, MAX_COLORS);
        let mut colors = few_colors(pixels.clone(), n_colors).unwrap_or_else(|| chosen(pixels, n_colors));
        colors.sort_unstable_by_key(|color| (color[3] == 255, *color));
        colors.dedup();
        if colors.is_empty() {
            colors.push([0; 4]);
        }
        Self { colors }
    }

    pub(in crate::pixels) fn colors(&self) -> &[[u8; 4]] {
        &self.colors
    }
}

/// All colours, if there are not more than `n_colors`.
fn few_colors(pixels: impl Iterator<Item = [u8; 4]>, n_colors: usize) -> Option<Vec<[u8; 4]>> {
    let mut colors: Vec<[u8; 4]> = Vec::with_capacity(n_colors);
    let mut last = None;
    for pixel in pixels.map(plain) {
        if last == Some(pixel) {
            continue;
        }
        last = Some(pixel);
        if let Err(at) = colors.binary_search(&pixel) {
            if colors.len() == n_colors {
                return None;
            }
            colors.insert(at, pixel);
        }
    }
    Some(colors)
}

/// What can't be seen has no colour.
fn plain(pixel: [u8; 4]) -> [u8; 4] {
    if pixel[3] == 0 { [0; 4] } else { pixel }
}

/// Rounded `value * share / 255`.
fn scaled(value: u8, share: u8) -> i32 {
    let product = i32::from(value) * i32::from(share) + 128;
    (product + (product >> 8)) >> 8
}

fn premultiplied([red, green, blue, alpha]: [u8; 4]) -> [i32; 4] {
    [scaled(red, alpha), scaled(green, alpha), scaled(blue, alpha), alpha.into()]
}

/// Coordinates of a premultiplied colour.
fn point([red, green, blue, alpha]: [i32; 4]) -> [i32; 4] {
    [2 * red - alpha, 2 * green - alpha, 2 * blue - alpha, alpha]
}

/// The colour at these coordinates, which need not be those of any.
fn color([red, green, blue, alpha]: [i32; 4]) -> [u8; 4] {
    let alpha = alpha.clamp(0, 255);
    if alpha == 0 {
        return [0; 4];
    }
    // (x + alpha) / 2 is premultiplied.
    let channel = |x: i32| (((x + alpha) * 255 + alpha) / (2 * alpha)).clamp(0, 255) as u8;
    [channel(red), channel(green), channel(blue), alpha as u8]
}

/// Colours that were taken together.
#[derive(Clone, Copy)]
struct Point {
    at: [i32; 4],
    weight: u32,
}

fn chosen(pixels: impl Iterator<Item = [u8; 4]> + Clone, n_colors: usize) -> Vec<[u8; 4]> {
    let mut points = points(pixels);
    let mut centres = cut(&mut points, n_colors);
    for _ in 0..N_ROUNDS {
        refine(&points, &mut centres);
    }
    centres.into_iter().map(color).collect()
}

/// The colours that there are, and how often.
fn points(pixels: impl Iterator<Item = [u8; 4]> + Clone) -> Vec<Point> {
    let n_pixels = pixels.clone().count();
    // An odd step, so that it doesn't stay in the same columns.
    let step = n_pixels.div_ceil(MAX_SAMPLES) | 1;
    let mut samples: Vec<u32> = pixels.step_by(step).map(|pixel| u32::from_be_bytes(plain(pixel))).collect();
    samples.sort_unstable();
    let mut counted: Vec<(u32, u32)> = Vec::new();
    for &sample in &samples {
        match counted.last_mut() {
            Some((last, count)) if *last == sample => *count += 1,
            _ => counted.push((sample, 1)),
        }
    }
    drop(samples);
    for n_bits in 0..=8 {
        let points = together(&mut counted, n_bits);
        if points.len() <= MAX_POINTS {
            return points;
        }
    }
    Vec::new()
}

/// Takes colours together that are the same but for the lowest bits, as their mean.
fn together(counted: &mut [(u32, u32)], n_bits: u32) -> Vec<Point> {
    let mask = 0x0101_0101 * (0xFF_u32 << n_bits & 0xFF);
    counted.sort_unstable_by_key(|&(sample, _)| (sample & mask, sample));
    let groups = counted.chunk_by(|a, b| a.0 & mask == b.0 & mask);
    groups
        .map(|group| {
            let mut sums = [0_i64; 4];
            let weight: u32 = group.iter().map(|(_, count)| count).sum();
            for &(sample, count) in group {
                let at = point(premultiplied(sample.to_be_bytes()));
                for (sum, x) in sums.iter_mut().zip(at) {
                    *sum += i64::from(x) * i64::from(count);
                }
            }
            Point { at: mean(sums, weight), weight }
        })
        .collect()
}

/// Rounded quotients.
fn mean(sums: [i64; 4], weight: u32) -> [i32; 4] {
    let weight = i64::from(weight.max(1));
    sums.map(|sum| (2 * sum + weight).div_euclid(2 * weight) as i32)
}

/// A part of the points.
struct Part {
    start: usize,
    end: usize,
    /// What is gained by cutting it, and where.
    gain: f64,
    axis: usize,
    middle: usize,
}

/// Cuts the points into parts, each time where the squared differences shrink most, and returns the parts' means.
fn cut(points: &mut [Point], n_parts: usize) -> Vec<[i32; 4]> {
    let mut parts = vec![best_cut(points, 0, points.len())];
    while parts.len() < n_parts {
        let Some(best) = (0..parts.len()).max_by(|&a, &b| parts[a].gain.total_cmp(&parts[b].gain)) else { break };
        let Part { start, end, gain, axis, middle } = parts[best];
        if gain <= 0.0 {
            break;
        }
        points[start..end].sort_unstable_by_key(|point| (point.at[axis], point.at));
        parts[best] = best_cut(points, start, middle);
        parts.push(best_cut(points, middle, end));
    }
    parts.iter().map(|part| centre(&points[part.start..part.end])).collect()
}

fn centre(points: &[Point]) -> [i32; 4] {
    let mut sums = [0; 4];
    for point in points {
        for (sum, x) in sums.iter_mut().zip(point.at) {
            *sum += i64::from(x) * i64::from(point.weight);
        }
    }
    mean(sums, points.iter().map(|point| point.weight).sum())
}

/// The cut of a range that gains most, over all axes.
fn best_cut(points: &mut [Point], start: usize, end: usize) -> Part {
    let mut best = Part { start, end, gain: 0.0, axis: 0, middle: start };
    let points = &mut points[start..end];
    let (weight, sums) = (total(points, |_| 1), [0, 1, 2, 3].map(|axis| total(points, |at| at[axis])));
    for axis in 0..4 {
        points.sort_unstable_by_key(|point| (point.at[axis], point.at));
        let (mut below, mut sum_below) = (0_i64, 0_i64);
        for at in 1..points.len() {
            let last = points[at - 1];
            below += i64::from(last.weight);
            sum_below += i64::from(last.weight) * i64::from(last.at[axis]);
            if points[at].at[axis] == last.at[axis] {
                continue;
            }
            let (above, sum_above) = (weight - below, sums[axis] - sum_below);
            // What the two means explain beyond the one.
            let apart = sum_below as f64 / below as f64 - sum_above as f64 / above as f64;
            let share = below as f64 * above as f64 / weight as f64;
            let gain = apart * apart * share * f64::from(WEIGHTS[axis]);
            if gain > best.gain {
                best = Part { gain, axis, middle: start + at, ..best };
            }
        }
    }
    best
}

fn total(points: &[Point], value: impl Fn(&[i32; 4]) -> i32) -> i64 {
    points.iter().map(|point| i64::from(point.weight) * i64::from(value(&point.at))).sum()
}

/// Moves every centre to the mean of the points that are nearest to it.
fn refine(points: &[Point], centres: &mut [[i32; 4]]) {
    let table = Nearest::new(centres.iter().copied());
    let mut sums = vec![([0_i64; 4], 0_u32); centres.len()];
    for point in points {
        let (sum, weight) = &mut sums[table.find(point.at)];
        for (sum, x) in sum.iter_mut().zip(point.at) {
            *sum += i64::from(x) * i64::from(point.weight);
        }
        *weight += point.weight;
    }
    for (centre, (sum, weight)) in centres.iter_mut().zip(sums) {
        if weight > 0 {
            *centre = mean(sum, weight);
        }
    }
}

/// Finds the nearest of some coordinates. The distances are whole numbers below 2^24, which `f32` holds exactly, and
/// multiplies faster.
struct Nearest {
    axes: [[f32; MAX_COLORS]; 4],
    n: usize,
}

/// Coordinates that are compared at once.
const N_LANES: usize = 8;
/// Farther away than any colour is from any other.
const FAR: f32 = 4000.0;

impl Nearest {
    fn new(points: impl Iterator<Item = [i32; 4]>) -> Self {
        let mut nearest = Self { axes: [[FAR; MAX_COLORS]; 4], n: 0 };
        for point in points.take(MAX_COLORS) {
            for (axis, x) in nearest.axes.iter_mut().zip(point) {
                axis[nearest.n] = x as f32;
            }
            nearest.n += 1;
        }
        nearest
    }

    /// The place of the nearest; of equals, the first.
    fn find(&self, at: [i32; 4]) -> usize {
        let at = at.map(|x| x as f32);
        let weights = WEIGHTS.map(|weight| weight as f32);
        let (mut least, mut blocks) = ([f32::MAX; N_LANES], [0_u32; N_LANES]);
        let [red, green, blue, alpha] = self.axes.each_ref().map(|axis| axis.as_chunks::<N_LANES>().0);
        for block in 0..self.n.div_ceil(N_LANES) {
            let (red, green, blue, alpha) = (&red[block], &green[block], &blue[block], &alpha[block]);
            for lane in 0..N_LANES {
                let off = [red[lane] - at[0], green[lane] - at[1], blue[lane] - at[2], alpha[lane] - at[3]];
                let distance = weights[0] * (off[0] * off[0])
                    + weights[1] * (off[1] * off[1])
                    + weights[2] * (off[2] * off[2])
                    + weights[3] * (off[3] * off[3]);
                let is_less = distance < least[lane];
                least[lane] = if is_less { distance } else { least[lane] };
                blocks[lane] = if is_less { block as u32 } else { blocks[lane] };
            }
        }
        let places = (0..N_LANES).map(|lane| (least[lane], N_LANES * blocks[lane] as usize + lane));
        let nearest = places.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        nearest.map_or(0, |(_, place)| place)
    }
}

/// Finds places in a palette, and remembers them.
struct Lookup {
    nearest: Nearest,
    remembered: Vec<(u32, u8)>,
}

impl Lookup {
    fn new(palette: &Palette) -> Self {
        let nearest = Nearest::new(palette.colors.iter().map(|color| point(premultiplied(*color))));
        let mut lookup = Self { nearest, remembered: Vec::new() };
        let place = lookup.nearest.find(point([0; 4])) as u8;
        lookup.remembered = vec![(0, place); N_REMEMBERED];
        lookup
    }

    /// The place of a premultiplied colour.
    fn find(&mut self, color: [i32; 4]) -> u8 {
        let key = u32::from_be_bytes(color.map(|channel| channel as u8));
        let slot = key.wrapping_mul(0x9E37_79B1) as usize >> 7 & (N_REMEMBERED - 1);
        let (known, place) = self.remembered[slot];
        if known == key {
            return place;
        }
        let place = self.nearest.find(point(color)) as u8;
        self.remembered[slot] = (key, place);
        place
    }
}

/// The place in `palette` for every pixel of `raster`, which is RGBA. Where `is_wanted` says no, `other` stands, and
/// nothing is carried on to there. With `is_dithered`, what a colour is off by is carried on to the neighbours.
pub(in crate::pixels) fn places(
    raster: &Raster,
    palette: &Palette,
    is_dithered: bool,
    is_wanted: impl Fn(usize) -> bool,
    other: u8,
) -> Vec<u8> {
    debug_assert_eq!(raster.layout(), Layout::Rgba);
    let width = raster.width() as usize;
    let pixels = raster.pixels().as_chunks::<4>().0;
    let colors: Vec<[i32; 4]> = palette.colors.iter().map(|color| premultiplied(*color)).collect();
    let mut lookup = Lookup::new(palette);
    let mut places = vec![other; pixels.len()];
    // In sixteenths, with a place to spare on either side.
    let (mut here, mut below) = (vec![[0_i32; 4]; width + 2], vec![[0_i32; 4]; width + 2]);
    for (y, row) in pixels.chunks_exact(width.max(1)).enumerate() {
        let is_backward = y % 2 == 1;
        for step in 0..width {
            let x = if is_backward { width - 1 - step } else { step };
            if !is_wanted(y * width + x) {
                continue;
            }
            let exact = premultiplied(row[x]);
            let mut wanted = exact;
            if is_dithered {
                // No channel is more than the opacity.
                wanted[3] = (exact[3] + ((here[x + 1][3] + 8) >> 4)).clamp(0, 255);
                for channel in 0..3 {
                    wanted[channel] = (exact[channel] + ((here[x + 1][channel] + 8) >> 4)).clamp(0, wanted[3]);
                }
            }
            let place = lookup.find(wanted);
            places[y * width + x] = place;
            if is_dithered {
                let found = colors[usize::from(place)];
                let (ahead, behind) = if is_backward { (x, x + 2) } else { (x + 2, x) };
                for channel in 0..4 {
                    let error = wanted[channel] - found[channel];
                    here[ahead][channel] += 7 * error;
                    below[behind][channel] += 3 * error;
                    below[x + 1][channel] += 5 * error;
                    below[ahead][channel] += error;
                }
            }
        }
        std::mem::swap(&mut here, &mut below);
        below.fill([0; 4]);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::samples::{CLEAR, quadrants};

    fn gradient(has_alpha: bool) -> Raster {
        let pixels = (0..64 * 64_u32).flat_map(|at| {
            let (x, y) = ((at % 64 * 4) as u8, (at / 64 * 4) as u8);
            [x, y, 255 - x, if has_alpha { y } else { 255 }]
        });
        Raster::new(64, 64, Layout::Rgba, pixels.collect()).unwrap()
    }

    fn pixels(raster: &Raster) -> impl Iterator<Item = [u8; 4]> + Clone {
        raster.pixels().as_chunks::<4>().0.iter().copied()
    }

    /// The mean square of what the premultiplied channels are off by.
    fn error(raster: &Raster, palette: &Palette, places: &[u8]) -> f64 {
        let off = pixels(raster).zip(places).map(|(pixel, &place)| {
            let (a, b) = (premultiplied(pixel), premultiplied(palette.colors()[usize::from(place)]));
            a.iter().zip(b).map(|(a, b)| f64::from((a - b) * (a - b))).sum::<f64>()
        });
        off.sum::<f64>() / places.len() as f64 / 4.0
    }

    #[test]
    fn few_colours_are_kept_as_they_are() {
        let raster = quadrants(8, 8, CLEAR);
        let palette = Palette::of(pixels(&raster), 4);
        assert_eq!(palette.colors().len(), 4);
        assert_eq!(palette.colors()[0], CLEAR);
        let found = places(&raster, &palette, true, |_| true, 0);
        assert_eq!(error(&raster, &palette, &found), 0.0);
    }

    #[test]
    fn more_colours_are_nearer() {
        for (has_alpha, limits) in [(false, [3200.0, 500.0, 130.0, 40.0]), (true, [3200.0, 500.0, 130.0, 40.0])] {
            let raster = gradient(has_alpha);
            for (n_colors, limit) in [2, 16, 64, 256].into_iter().zip(limits) {
                let palette = Palette::of(pixels(&raster), n_colors);
                assert!(palette.colors().len() <= n_colors);
                let found = error(&raster, &palette, &places(&raster, &palette, false, |_| true, 0));
                assert!(found < limit, "{n_colors} colours, alpha {has_alpha}: {found}");
            }
        }
    }

    #[test]
    fn dithering_keeps_the_mean() {
        let gray = Raster::new(64, 64, Layout::Rgba, [100, 100, 100, 255].repeat(64 * 64)).unwrap();
        let palette = Palette { colors: vec![[0, 0, 0, 255], [255; 4]] };
        let found = places(&gray, &palette, true, |_| true, 0);
        let white = found.iter().filter(|&&place| place == 1).count();
        assert!(white.abs_diff(64 * 64 * 100 / 255) < 40, "{white}");
        assert!(places(&gray, &palette, false, |_| true, 0).iter().all(|&place| place == 0));
    }

    #[test]
    fn what_is_not_wanted_is_left_out() {
        let raster = gradient(false);
        let palette = Palette::of(pixels(&raster), 8);
        let found = places(&raster, &palette, true, |at| at % 2 == 0, 99);
        assert!(found.iter().enumerate().all(|(at, &place)| (place == 99) == (at % 2 == 1)));
    }

    #[test]
    fn the_nearest_is_the_nearest() {
        let raster = gradient(true);
        let palette = Palette::of(pixels(&raster), 200);
        let points: Vec<_> = palette.colors().iter().map(|color| point(premultiplied(*color))).collect();
        let nearest = Nearest::new(points.iter().copied());
        for pixel in pixels(&raster) {
            let at = point(premultiplied(pixel));
            let distance = |other: &[i32; 4]| -> i32 {
                (0..4).map(|axis| WEIGHTS[axis] * (at[axis] - other[axis]) * (at[axis] - other[axis])).sum()
            };
            assert_eq!(distance(&points[nearest.find(at)]), points.iter().map(distance).min().unwrap());
        }
    }

    #[test]
    fn coordinates_lead_back_to_the_colour() {
        for color_in in [[0, 0, 0, 255], [255, 255, 255, 255], [200, 100, 3, 255], [200, 100, 3, 128], [9, 9, 9, 0]] {
            let found = color(point(premultiplied(color_in)));
            let is_close = plain(color_in).iter().zip(found).all(|(a, b)| a.abs_diff(b) <= 1);
            assert!(is_close, "{color_in:?} became {found:?}");
        }
    }
}
