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
        // The first row and column have predictions of their own.
        let rows = top.max(1)..(top + (1 << TILE_BITS)).min(height);
        let columns = left.max(1)..(left + (1 << TILE_BITS)).min(width);
        let cost = |mode: u8| -> u32 {
            let mut row = [0; 1 << TILE_BITS];
            let row = &mut row[..columns.len()];
            let costs = rows.clone().map(|y| {
                differences(pixels, width, y * width + columns.start, mode, row);
                row.iter().map(|&difference| weight(difference)).sum::<u32>()
            });
            costs.sum()
        };
        let mode = MODES.into_iter().min_by_key(|&mode| cost(mode)).unwrap_or(MODES[0]);
        for y in rows {
            let at = y * width + columns.start;
            differences(pixels, width, at, mode, &mut left_over[at..at + columns.len()]);
        }
        modes.push(mode);
    }
    left_over[0] = subtract(pixels[0], BLACK);
    (1..width).for_each(|x| left_over[x] = subtract(pixels[x], pixels[x - 1]));
    (1..height).for_each(|y| left_over[y * width] = subtract(pixels[y * width], pixels[(y - 1) * width]));
    (left_over, modes)
}

/// About what a difference costs: the sum of its channels' magnitudes.
#[inline(always)]
fn weight(difference: u32) -> u32 {
    difference.to_le_bytes().into_iter().map(|byte| u32::from((byte as i8).unsigned_abs())).sum()
}

/// The differences of a run of pixels, none of them in the first row or column, from their predictions.
fn differences(pixels: &[u32], width: usize, at: usize, mode: u8, out: &mut [u32]) {
    let n = out.len();
    let (here, left) = (&pixels[at..at + n], &pixels[at - 1..at - 1 + n]);
    let (above, corner) = (&pixels[at - width..at - width + n], &pixels[at - width - 1..at - width - 1 + n]);
    let above_right = &pixels[at - width + 1..at - width + 1 + n];
    match mode {
        1 => fill(out, here, |i| left[i]),
        2 => fill(out, here, |i| above[i]),
        5 => fill(out, here, |i| average(average(left[i], above_right[i]), above[i])),
        7 => fill(out, here, |i| average(left[i], above[i])),
        10 => fill(out, here, |i| average(average(left[i], corner[i]), average(above[i], above_right[i]))),
        11 => fill(out, here, |i| select(left[i], above[i], corner[i])),
        _ => fill(out, here, |i| gradient(left[i], above[i], corner[i])),
    }
}

#[inline(always)]
fn fill(out: &mut [u32], here: &[u32], predict: impl Fn(usize) -> u32) {
    for (i, (out, &here)) in out.iter_mut().zip(here).enumerate() {
        *out = subtract(here, predict(i));
    }
}

/// The difference of each channel, without borrows between them.
#[inline(always)]
fn subtract(a: u32, b: u32) -> u32 {
    const HIGH: u32 = 0x8080_8080;
    ((a | HIGH) - (b & !HIGH)) ^ ((a ^ !b) & HIGH)
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
