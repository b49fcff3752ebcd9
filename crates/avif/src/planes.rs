//! Pixels to samples: brightness and two colours by BT.601 with every value used, in whole numbers.

use crate::{Layout, Pixels};

/// Binary digits behind the point of the factors.
const SHIFT: u32 = 16;

/// How much red, green and blue weigh in brightness. They add up to 1.
const LUMA: [i32; 3] = [19_595, 38_470, 7_471];

/// The same for the difference of blue from brightness. They add up to 0, and half is the largest.
const BLUE: [i32; 3] = [-11_059, -21_709, 32_768];

/// The same for the difference of red from brightness.
const RED: [i32; 3] = [32_768, -27_439, -5_329];

/// Brightness, one sample for each pixel.
pub(crate) fn luma(pixels: &Pixels<'_>) -> Vec<u8> {
    let channels = pixels.layout.channels();
    if pixels.layout == Layout::Gray {
        return pixels.bytes.to_vec();
    }
    pixels.bytes.chunks_exact(channels).map(|pixel| sample(weighed(rgb(pixel), LUMA), 1)).collect()
}

/// The two colour planes, blue first: a sample for each pixel, or the average of each two by two.
pub(crate) fn chroma(pixels: &Pixels<'_>, is_halved: bool) -> [Vec<u8>; 2] {
    let channels = pixels.layout.channels();
    let middle = 128;
    if !is_halved {
        let plane = |weights| {
            let samples = pixels.bytes.chunks_exact(channels);
            samples.map(|pixel| sample(weighed(rgb(pixel), weights) + (middle << SHIFT), 1)).collect()
        };
        return [plane(BLUE), plane(RED)];
    }
    let row_bytes = usize::try_from(pixels.width).unwrap_or_default() * channels;
    let mut planes = [Vec::new(), Vec::new()];
    for rows in pixels.bytes.chunks(row_bytes * 2) {
        // Beyond the last column and row, the last is meant once more.
        let (upper, lower) = rows.split_at(row_bytes);
        let lower = if lower.is_empty() { upper } else { lower };
        for (upper, lower) in upper.chunks(channels * 2).zip(lower.chunks(channels * 2)) {
            let mut sum = [0; 3];
            for pair in [upper, lower] {
                let (left, right) = pair.split_at(channels);
                let right = if right.is_empty() { left } else { right };
                for pixel in [left, right] {
                    sum.iter_mut().zip(rgb(pixel)).for_each(|(sum, channel)| *sum += channel);
                }
            }
            planes[0].push(sample(weighed(sum, BLUE) + 4 * (middle << SHIFT), 4));
            planes[1].push(sample(weighed(sum, RED) + 4 * (middle << SHIFT), 4));
        }
    }
    planes
}

/// How far the colour of a pixel may be from the average of its two by two before that counts, in steps of 255.
const FAR: i32 = 12;

/// Of how many samples one may be far. Photographs have less than one in 500, drawings and text one in 20.
const ONE_IN: usize = 100;

/// Whether much would be lost by halving the colour planes.
pub(crate) fn has_fine_colors(pixels: &Pixels<'_>) -> bool {
    let [blue, red] = chroma(pixels, false);
    let width = usize::try_from(pixels.width).unwrap_or_default();
    let (mut n_far, mut n_all) = (0_usize, 0_usize);
    for plane in [blue, red] {
        for rows in plane.chunks_exact(width * 2) {
            let (upper, lower) = rows.split_at(width);
            for (upper, lower) in upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0) {
                let four = [upper[0], upper[1], lower[0], lower[1]].map(i32::from);
                let sum: i32 = four.iter().sum();
                n_far += usize::from(four.iter().any(|sample| (sample * 4 - sum).abs() > FAR * 4));
                n_all += 1;
            }
        }
    }
    n_far * ONE_IN > n_all
}

/// Opacity, one sample for each pixel, if any pixel is not opaque.
pub(crate) fn alpha(pixels: &Pixels<'_>) -> Option<Vec<u8>> {
    if pixels.layout != Layout::Rgba {
        return None;
    }
    let alpha: Vec<u8> = pixels.bytes.as_chunks::<4>().0.iter().map(|[.., alpha]| *alpha).collect();
    Some(alpha).filter(|alpha| alpha.iter().any(|alpha| *alpha != u8::MAX))
}

fn rgb(pixel: &[u8]) -> [i32; 3] {
    match *pixel {
        [r, g, b, ..] => [r, g, b].map(i32::from),
        _ => [0; 3],
    }
}

fn weighed(rgb: [i32; 3], weights: [i32; 3]) -> i32 {
    rgb.iter().zip(weights).map(|(channel, weight)| channel * weight).sum()
}

/// The sum of `n` samples with binary digits behind the point, as the average in eight bits.
fn sample(sum: i32, n: i32) -> u8 {
    let whole = n << SHIFT;
    u8::try_from(((sum + whole / 2) / whole).clamp(0, 255)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planes(layout: Layout, width: u32, bytes: &[u8], is_halved: bool) -> (Vec<u8>, [Vec<u8>; 2]) {
        let height = u32::try_from(bytes.len() / layout.channels()).unwrap() / width;
        let pixels = Pixels { width, height, layout, bytes };
        (luma(&pixels), chroma(&pixels, is_halved))
    }

    #[test]
    fn the_weights_are_those_of_bt_601() {
        let weights = [0.299, 0.587, 0.114];
        for ((luma, blue), (red, weight)) in LUMA.iter().zip(BLUE).zip(RED.iter().zip(weights)) {
            let is_blue = f64::from(u8::from(weight == 0.114));
            let is_red = f64::from(u8::from(weight == 0.299));
            for (found, expected) in
                [(*luma, weight), (blue, (is_blue - weight) / 1.772), (*red, (is_red - weight) / 1.402)]
            {
                assert!((f64::from(found) / 65536.0 - expected).abs() < 2e-5, "{found} for {expected}");
            }
        }
        assert_eq!([LUMA, BLUE, RED].map(|weights| weights.iter().sum::<i32>()), [1 << SHIFT, 0, 0]);
    }

    #[test]
    fn colours_become_samples() {
        let colors = [255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255];
        let (luma, chroma) = planes(Layout::Rgb, 5, &colors, false);
        assert_eq!(luma, [255, 0, 76, 150, 29]);
        assert_eq!(chroma, [vec![128, 128, 85, 44, 255], vec![128, 128, 255, 21, 107]]);
    }

    #[test]
    fn four_pixels_share_colours_and_edges_count_twice() {
        let row = |n: u8| [n, n, n, 0, 0, 255, 255, 0, 0];
        let bytes = [row(9), row(99), row(0)].concat();
        let (luma, chroma) = planes(Layout::Rgb, 3, &bytes, true);
        assert_eq!(luma.len(), 9);
        assert_eq!(chroma, [vec![192, 85, 192, 85], vec![118, 255, 118, 255]]);
    }

    #[test]
    fn colours_are_fine_where_neighbours_differ() {
        let check = |name: &str, pixel: fn(u32, u32) -> [u8; 3], expected: bool| {
            let bytes: Vec<u8> = (0..64).flat_map(|y| (0..64).flat_map(move |x| pixel(x, y))).collect();
            let pixels = Pixels { width: 64, height: 64, layout: Layout::Rgb, bytes: &bytes };
            assert_eq!(has_fine_colors(&pixels), expected, "{name}");
        };
        check("slopes", |x, y| [x as u8 * 4, y as u8 * 4, 128], false);
        check("red lines", |x, _| if x % 5 == 0 { [255, 0, 0] } else { [255; 3] }, true);
        check("gray lines", |x, _| [if x % 5 == 0 { 0 } else { 255 }; 3], false);
        check("one red line", |x, _| if x == 5 { [255, 0, 0] } else { [255; 3] }, true);
        check("one red dot", |x, y| if (x, y) == (5, 5) { [255, 0, 0] } else { [255; 3] }, false);
    }

    #[test]
    fn opacity_is_left_out_where_there_is_nothing_to_see_through() {
        let alpha = |bytes: &[u8]| super::alpha(&Pixels { width: 2, height: 1, layout: Layout::Rgba, bytes });
        assert_eq!(alpha(&[1, 2, 3, 255, 4, 5, 6, 255]), None);
        assert_eq!(alpha(&[1, 2, 3, 255, 4, 5, 6, 7]), Some(vec![255, 7]));
    }
}
