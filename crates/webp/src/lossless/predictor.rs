//! The predictor transform (the specification's section 4.1): tile by tile the difference from the best prediction.

/// The prediction modes that are tried, by the specification's numbers: left, above, both averaged in three ways, the
/// better of both, and the gradient.
const MODES: [u8; 7] = [1, 2, 7, 5, 10, 11, 12];

/// Pixels before the first: opaque black.
const BLACK: u32 = 0xff00_0000;

/// Tiles have `1 << TILE_BITS` pixels each way.
pub const TILE_BITS: u32 = 4;

/// What is left over after prediction, and the mode of each tile.
pub fn predict(pixels: &[u32], width: usize) -> (Vec<u32>, Vec<u8>) {
    let height = pixels.len() / width;
    let tiles = width.div_ceil(1 << TILE_BITS);
    let mut left_over = vec![0; pixels.len()];
    let mut modes = Vec::new();
    for tile in 0..tiles * height.div_ceil(1 << TILE_BITS) {
        let (left, top) = ((tile % tiles) << TILE_BITS, (tile / tiles) << TILE_BITS);
        let rows = top..(top + (1 << TILE_BITS)).min(height);
        let columns = left..(left + (1 << TILE_BITS)).min(width);
        let cost = |mode: u8| -> u32 {
            let places = rows.clone().flat_map(|y| columns.clone().map(move |x| (x, y)));
            places.map(|(x, y)| weight(difference(pixels, width, x, y, mode))).sum()
        };
        let mode = MODES.into_iter().min_by_key(|&mode| cost(mode)).unwrap_or(MODES[0]);
        for y in rows.clone() {
            for x in columns.clone() {
                left_over[y * width + x] = difference(pixels, width, x, y, mode);
            }
        }
        modes.push(mode);
    }
    (left_over, modes)
}

/// About what a difference costs: the sum of its channels' magnitudes.
fn weight(difference: u32) -> u32 {
    difference.to_le_bytes().into_iter().map(|byte| u32::from((byte as i8).unsigned_abs())).sum()
}

#[inline(always)]
fn difference(pixels: &[u32], width: usize, x: usize, y: usize, mode: u8) -> u32 {
    let at = y * width + x;
    let predicted = match (x, y) {
        (0, 0) => BLACK,
        (_, 0) => pixels[at - 1],
        (0, _) => pixels[at - width],
        _ => interior(pixels[at - 1], pixels[at - width], pixels[at - width - 1], pixels[at - width + 1], mode),
    };
    channels(pixels[at], predicted, |a, b| a.wrapping_sub(b))
}

#[inline(always)]
fn interior(left: u32, above: u32, corner: u32, above_right: u32, mode: u8) -> u32 {
    match mode {
        1 => left,
        2 => above,
        5 => average(average(left, above_right), above),
        7 => average(left, above),
        10 => average(average(left, corner), average(above, above_right)),
        11 => select(left, above, corner),
        _ => gradient(left, above, corner),
    }
}

#[inline(always)]
fn channels(a: u32, b: u32, f: impl Fn(u8, u8) -> u8) -> u32 {
    let (a, b) = (a.to_le_bytes(), b.to_le_bytes());
    u32::from_le_bytes([f(a[0], b[0]), f(a[1], b[1]), f(a[2], b[2]), f(a[3], b[3])])
}

/// The mean of each channel, rounded down.
#[inline(always)]
fn average(a: u32, b: u32) -> u32 {
    (((a ^ b) & 0xfefe_fefe) >> 1) + (a & b)
}

/// Whichever of left and above is nearer to the gradient, over all channels.
fn select(left: u32, above: u32, corner: u32) -> u32 {
    let distance = |a: u32, b: u32| -> u32 {
        a.to_le_bytes().into_iter().zip(b.to_le_bytes()).map(|(a, b)| u32::from(a.abs_diff(b))).sum()
    };
    // The gradient is left + above - corner: its distance from left is that of above from the corner.
    if distance(above, corner) < distance(left, corner) { left } else { above }
}

fn gradient(left: u32, above: u32, corner: u32) -> u32 {
    let (l, a, c) = (left.to_le_bytes(), above.to_le_bytes(), corner.to_le_bytes());
    u32::from_le_bytes(std::array::from_fn(|i| {
        (i16::from(l[i]) + i16::from(a[i]) - i16::from(c[i])).clamp(0, 255) as u8
    }))
}

/// Takes green from red and blue (section 4.3).
pub fn subtract_green(pixels: &mut [u32]) {
    for pixel in pixels {
        let [b, g, r, a] = pixel.to_le_bytes();
        *pixel = u32::from_le_bytes([b.wrapping_sub(g), g, r.wrapping_sub(g), a]);
    }
}
