//! From planes to pixels: RFC 6386 leaves it open, and everybody does as libwebp: a pixel's colour is nine sixteenths of
//! the nearest sample, three of each of the two beside it, and one of the one across; then BT.601 in limited range, in
//! fourteen bits.

use crate::picture::PlaneSlices;

/// Pixels that undergo the same arithmetic side by side.
const LANES: usize = 16;

/// The red, green and blue of all pixels.
pub fn rgb(planes: &PlaneSlices, width: usize, height: usize) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(width * height * 3);
    let (columns, rows) = (width.div_ceil(2), height.div_ceil(2));
    // One more than there are pixels, where their number is odd.
    let (mut cb, mut cr) = (vec![0; columns * 2], vec![0; columns * 2]);
    let mut sums = vec![0; columns + 2];
    for y in 0..height {
        let near = y / 2;
        let far = if y % 2 == 0 { near.saturating_sub(1) } else { (near + 1).min(rows - 1) };
        for (plane, out) in [(planes.cb, &mut cb), (planes.cr, &mut cr)] {
            let row = |y: usize| &plane[y * planes.chroma_stride..][..columns];
            upsample(row(near), row(far), &mut sums, out);
        }
        append(&planes.y[y * planes.y_stride..][..width], &cb, &cr, &mut pixels);
    }
    pixels
}

/// A row of colour from the samples nearest to it and those on its other side.
fn upsample(near: &[u8], far: &[u8], sums: &mut [u16], out: &mut [u8]) {
    let n = near.len();
    for (sum, (near, far)) in sums[1..].iter_mut().zip(near.iter().zip(far)) {
        *sum = 3 * u16::from(*near) + u16::from(*far);
    }
    (sums[0], sums[n + 1]) = (sums[1], sums[n]);
    let neighbours = sums.iter().zip(&sums[1..]).zip(&sums[2..]);
    for (((before, sum), after), pair) in neighbours.zip(out.as_chunks_mut::<2>().0) {
        *pair = [((3 * sum + before + 8) >> 4) as u8, ((3 * sum + after + 8) >> 4) as u8];
    }
}

fn append(y: &[u8], cb: &[u8], cr: &[u8], pixels: &mut Vec<u8>) {
    let (ys, rest) = y.as_chunks::<LANES>();
    let (cbs, crs) = (cb.as_chunks::<LANES>().0, cr.as_chunks::<LANES>().0);
    for ((y, cb), cr) in ys.iter().zip(cbs).zip(crs) {
        let mut channels = [[0; LANES]; 3];
        for i in 0..LANES {
            let [red, green, blue] = pixel(y[i], cb[i], cr[i]);
            (channels[0][i], channels[1][i], channels[2][i]) = (red, green, blue);
        }
        let mut row = [[0; 3]; LANES];
        for (i, pixel) in row.iter_mut().enumerate() {
            *pixel = [channels[0][i], channels[1][i], channels[2][i]];
        }
        pixels.extend_from_slice(row.as_flattened());
    }
    let at = y.len() - rest.len();
    for (y, (cb, cr)) in rest.iter().zip(cb[at..].iter().zip(&cr[at..])) {
        pixels.extend_from_slice(&pixel(*y, *cb, *cr));
    }
}

#[inline(always)]
fn pixel(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let times = |value: u8, factor: i32| (i32::from(value) * factor) >> 8;
    let luma = times(y, 19_077);
    [
        luma + times(cr, 26_149) - 14_234,
        luma - times(cb, 6_419) - times(cr, 13_320) + 8_708,
        luma + times(cb, 33_050) - 17_685,
    ]
    .map(|channel| (channel >> 6).clamp(0, 255) as u8)
}
