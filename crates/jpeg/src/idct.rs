//! The inverse cosine transform of blocks, to 8, 4, 2 or 1 samples a side.
//!
//! At 8 it is that of libjpeg's `jidctint.c`, which is Loeffler, Ligtenberg and Moschytz's with 13 bits of fraction and
//! two more between the passes, to the bit: only its sums of products are multiplied out, so that each is a pairwise
//! product of two coefficients. At 4 it is the four-point transform of the sixteen lowest coefficients, at 2 that of
//! four: a low-pass filter that cuts at the new limit, where averaging the full block would blur below it and alias
//! above it.

use simd::{Simd, Vector};

/// Which place in rows each kept coefficient has is that of [`ZIGZAG`](crate::header::ZIGZAG); of a block reduced to
/// `SIZE` samples a side, none later than this in the zigzag is needed.
pub(crate) const fn last_needed(size: usize) -> usize {
    match size {
        8 => 63,
        4 => 24,
        2 => 4,
        _ => 0,
    }
}

/// The last in zigzag order of those in the upper left quarter, all before which are in it.
const LAST_OF_QUARTER: usize = 9;

/// Transforms a block to `SIZE` samples a side and writes them to `out`, whose rows are `stride` apart.
///
/// `block` holds dequantised coefficients in rows of eight, of which those after `last` in zigzag order are zero.
#[inline(always)]
pub(crate) fn write<const SIZE: usize>(block: &[i16; 64], last: usize, out: &mut [u8], stride: usize) {
    if last == 0 || SIZE == 1 {
        return fill::<SIZE>(block[0], out, stride);
    }
    match SIZE {
        8 if last <= LAST_OF_QUARTER => store_quarter(block, out, stride),
        8 => store_whole(block, out, stride),
        4 => store_four(block, out, stride),
        _ => store(&two(block), out, stride),
    }
}

// Functions of their own, so that all registers are theirs.

#[inline(never)]
fn store_whole(block: &[i16; 64], out: &mut [u8], stride: usize) {
    store(&whole::<Vector>(block), out, stride);
}

#[inline(never)]
fn store_quarter(block: &[i16; 64], out: &mut [u8], stride: usize) {
    store(&quarter::<Vector>(block), out, stride);
}

#[inline(never)]
fn store_four(block: &[i16; 64], out: &mut [u8], stride: usize) {
    store(&four::<Vector>(block), out, stride);
}

#[inline(always)]
fn store<const SIZE: usize>(rows: &[[u8; SIZE]; SIZE], out: &mut [u8], stride: usize) {
    let rows_out = out.chunks_mut(stride);
    for (row, row_out) in rows.iter().zip(rows_out) {
        if let Some(samples) = row_out.first_chunk_mut() {
            *samples = *row;
        }
    }
}

/// A block that is even.
#[inline(always)]
fn fill<const SIZE: usize>(mean: i16, out: &mut [u8], stride: usize) {
    let sample = (((i32::from(mean) + 4) >> 3) + 128).clamp(0, 255) as u8;
    store(&[[sample; SIZE]; SIZE], out, stride);
}

/// Fraction bits of the factors below, and those kept between the passes.
const FRACTION: i32 = 13;
const BETWEEN: i32 = 2;
const FIRST_SHIFT: i32 = FRACTION - BETWEEN;
const LAST_SHIFT: i32 = FRACTION + BETWEEN + 3;
/// Half of the last place, and for the second pass the middle gray as well.
const FIRST_ROUNDER: i32 = 1 << (FIRST_SHIFT - 1);
const LAST_ROUNDER: i32 = (1 << (LAST_SHIFT - 1)) + (128 << LAST_SHIFT);
const ONE: i16 = 1 << FRACTION;

/// Four lanes of the eight-point transform, from coefficients in pairs: (0, 4), (2, 6), (1, 7), (5, 3).
#[inline(always)]
fn eight_points<V: Simd, const SHIFT: i32>([p04, p26, p17, p53]: [V; 4], rounder: V) -> [V; 8] {
    let sum = p04.dot(V::pair(ONE, ONE)).add32(rounder);
    let difference = p04.dot(V::pair(ONE, -ONE)).add32(rounder);
    let outer = p26.dot(V::pair(10_703, 4_433));
    let inner = p26.dot(V::pair(4_433, -10_704));
    let even = [sum.add32(outer), difference.add32(inner), difference.sub32(inner), sum.sub32(outer)];
    let odd = [
        p17.dot(V::pair(11_363, 2_260)).add32(p53.dot(V::pair(6_437, 9_633))),
        p17.dot(V::pair(9_633, -6_436)).add32(p53.dot(V::pair(-11_362, -2_259))),
        p17.dot(V::pair(6_437, 9_633)).add32(p53.dot(V::pair(2_261, -11_362))),
        p17.dot(V::pair(2_260, -11_363)).add32(p53.dot(V::pair(9_633, -6_436))),
    ];
    butterfly::<V, SHIFT>(even, odd)
}

/// The same where coefficients from the fourth on are zero, from pairs (0, 2), (1, 3).
#[inline(always)]
fn eight_points_of_four<V: Simd, const SHIFT: i32>([p02, p13]: [V; 2], rounder: V) -> [V; 8] {
    let even = [10_703, 4_433, -4_433, -10_703].map(|factor| p02.dot(V::pair(ONE, factor)).add32(rounder));
    let odd = [(11_363, 9_633), (9_633, -2_259), (6_437, -11_362), (2_260, -6_436)];
    butterfly::<V, SHIFT>(even, odd.map(|(first, third)| p13.dot(V::pair(first, third))))
}

#[inline(always)]
fn butterfly<V: Simd, const SHIFT: i32>(even: [V; 4], odd: [V; 4]) -> [V; 8] {
    std::array::from_fn(|i| {
        let point = if i < 4 { even[i].add32(odd[i]) } else { even[7 - i].sub32(odd[7 - i]) };
        point.shift32::<SHIFT>()
    })
}

/// Rows become columns.
#[inline(always)]
fn transposed<V: Simd>(rows: [V; 8]) -> [V; 8] {
    let [a, b, c, d, e, f, g, h] = rows;
    let [ae, bf, cg, dh] = [(a, e), (b, f), (c, g), (d, h)].map(|(x, y)| [x.zip_low16(y), x.zip_high16(y)]);
    let zip = |x: [V; 2], y: [V; 2]| {
        [x[0].zip_low16(y[0]), x[0].zip_high16(y[0]), x[1].zip_low16(y[1]), x[1].zip_high16(y[1])]
    };
    let (even, odd) = (zip(ae, cg), zip(bf, dh));
    std::array::from_fn(
        |i| if i % 2 == 0 { even[i / 2].zip_low16(odd[i / 2]) } else { even[i / 2].zip_high16(odd[i / 2]) },
    )
}

/// The pairs of [`eight_points`], of lanes 0 to 3 and of lanes 4 to 7.
#[inline(always)]
fn paired<V: Simd>(rows: [V; 8]) -> [[V; 4]; 2] {
    let pairs = [(0, 4), (2, 6), (1, 7), (5, 3)].map(|(a, b)| (rows[a], rows[b]));
    [pairs.map(|(a, b)| a.zip_low16(b)), pairs.map(|(a, b)| a.zip_high16(b))]
}

/// Columns of eight samples each, to rows of bytes.
#[inline(always)]
fn rows_of_bytes<V: Simd>(columns: [V; 8]) -> [[u8; 8]; 8] {
    let [a, b, c, d] = [0, 1, 2, 3].map(|i| columns[i].pack8(columns[i + 4]));
    let left = [a.zip_low8(b), c.zip_low8(d)];
    let right = [a.zip_high8(b), c.zip_high8(d)];
    let [left, right] = [left, right].map(|[x, y]| [x.zip_low16(y), x.zip_high16(y)]);
    let [[r0, r1], [r2, r3]] =
        [0, 1].map(|i| [left[i].zip_low32(right[i]).halves(), left[i].zip_high32(right[i]).halves()]);
    [r0[0], r0[1], r1[0], r1[1], r2[0], r2[1], r3[0], r3[1]]
}

#[inline(always)]
fn whole<V: Simd>(block: &[i16; 64]) -> [[u8; 8]; 8] {
    let (coefficients, _) = block.as_chunks::<8>();
    let rows = std::array::from_fn(|i| V::load(&coefficients[i]));
    let [low, high] = paired(rows).map(|pairs| eight_points::<V, FIRST_SHIFT>(pairs, V::splat32(FIRST_ROUNDER)));
    let columns = transposed(std::array::from_fn(|i| low[i].pack16(high[i])));
    let [low, high] = paired(columns).map(|pairs| eight_points::<V, LAST_SHIFT>(pairs, V::splat32(LAST_ROUNDER)));
    rows_of_bytes(std::array::from_fn(|i| low[i].pack16(high[i])))
}

/// The same where only the four lowest rows and columns are not zero.
#[inline(always)]
fn quarter<V: Simd>(block: &[i16; 64]) -> [[u8; 8]; 8] {
    let (coefficients, _) = block.as_chunks::<8>();
    let [r0, r1, r2, r3] = [0, 1, 2, 3].map(|i| V::load(&coefficients[i]));
    let pairs = [r0.zip_low16(r2), r1.zip_low16(r3)];
    let rows = eight_points_of_four::<V, FIRST_SHIFT>(pairs, V::splat32(FIRST_ROUNDER));
    // Two rows to a vector: rows 0 and 4, 1 and 5, 2 and 6, 3 and 7.
    let [r04, r15, r26, r37] = [0, 1, 2, 3].map(|i| rows[i].pack16(rows[i + 4]));
    let halves = [[r04.zip_low16(r26), r15.zip_low16(r37)], [r04.zip_high16(r26), r15.zip_high16(r37)]];
    // Of four rows each: columns 0 and 1, then columns 2 and 3.
    let [upper, lower] = halves.map(|[x, y]| [x.zip_low16(y), x.zip_high16(y)]);
    let [low, high] = [upper, lower].map(|[c01, c23]| {
        let pairs = [c01.zip_low16(c23), c01.zip_high16(c23)];
        eight_points_of_four::<V, LAST_SHIFT>(pairs, V::splat32(LAST_ROUNDER))
    });
    rows_of_bytes(std::array::from_fn(|i| low[i].pack16(high[i])))
}

/// Four lanes of the four-point transform, from pairs (0, 2), (1, 3).
#[inline(always)]
fn four_points<V: Simd, const SHIFT: i32>([p02, p13]: [V; 2], rounder: V) -> [V; 4] {
    let sum = p02.dot(V::pair(ONE, ONE)).add32(rounder);
    let difference = p02.dot(V::pair(ONE, -ONE)).add32(rounder);
    let outer = p13.dot(V::pair(10_703, 4_433));
    let inner = p13.dot(V::pair(4_433, -10_704));
    [sum.add32(outer), difference.add32(inner), difference.sub32(inner), sum.sub32(outer)].map(V::shift32::<SHIFT>)
}

#[inline(always)]
fn four<V: Simd>(block: &[i16; 64]) -> [[u8; 4]; 4] {
    let (coefficients, _) = block.as_chunks::<8>();
    let [r0, r1, r2, r3] = [0, 1, 2, 3].map(|i| V::load(&coefficients[i]));
    // Two rows or columns to a vector, four numbers each.
    let transposed = |[r01, r23]: [V; 2]| {
        let (even, odd) = (r01.zip_low16(r23), r01.zip_high16(r23));
        [even.zip_low16(odd), even.zip_high16(odd)]
    };
    let packed = |[a, b, c, d]: [V; 4]| [a.pack16(b), c.pack16(d)];
    let pairs = [r0.zip_low16(r2), r1.zip_low16(r3)];
    let rows = packed(four_points::<V, FIRST_SHIFT>(pairs, V::splat32(FIRST_ROUNDER)));
    let [c01, c23] = transposed(rows);
    let pairs = [c01.zip_low16(c23), c01.zip_high16(c23)];
    let columns = packed(four_points::<V, LAST_SHIFT>(pairs, V::splat32(LAST_ROUNDER)));
    let [r01, r23] = transposed(columns);
    let [upper, lower] = r01.pack8(r23).halves();
    let rows = [upper.as_chunks::<4>().0, lower.as_chunks::<4>().0];
    [rows[0][0], rows[0][1], rows[1][0], rows[1][1]]
}

#[inline(always)]
fn two(block: &[i16; 64]) -> [[u8; 2]; 2] {
    let [mean, across, down, both] = [0, 1, 8, 9].map(|place: usize| i32::from(block[place]));
    let sample = |sum: i32| (((sum + 4) >> 3) + 128).clamp(0, 255) as u8;
    let (left, right) = (mean + across, mean - across);
    let (left_down, right_down) = (down + both, down - both);
    [[sample(left + left_down), sample(right + right_down)], [sample(left - left_down), sample(right - right_down)]]
}

/// Transforms a block of samples of twelve bits, and rounds them to eight.
///
/// `block` holds coefficients in rows of eight, not dequantised, for which the vectors above have no room.
pub(crate) fn write_12_bit<const SIZE: usize>(
    block: &[i16; 64],
    quantizers: &[u16; 64],
    out: &mut [u8],
    stride: usize,
) {
    // One bit between the passes, in `jidctint.c` as well.
    const BETWEEN: u32 = 1;
    const FRACTION: u32 = 13;
    let mut numbers = [[0_i64; 8]; 8];
    for (place, number) in numbers.as_flattened_mut().iter_mut().enumerate() {
        *number = i64::from(block[place]) * i64::from(quantizers[place]);
    }
    let rounded = |sum: i64, n_bits: u32| (sum + (1 << (n_bits - 1))) >> n_bits;
    for column in 0..SIZE {
        let points = points::<SIZE>(numbers.map(|row| row[column]));
        numbers.iter_mut().zip(points).for_each(|(row, point)| row[column] = rounded(point, FRACTION - BETWEEN));
    }
    for (row, row_out) in numbers.iter().zip(out.chunks_mut(stride)).take(SIZE) {
        let points = points::<SIZE>(*row);
        for (point, sample) in points[..SIZE].iter().zip(row_out) {
            let twelve_bits = (rounded(*point, FRACTION + BETWEEN + 3) + 2048).clamp(0, 4095);
            *sample = ((twelve_bits + 8) >> 4).min(255) as u8;
        }
    }
}

/// The transform of `SIZE` points, with [`FRACTION`] bits more than its input.
fn points<const SIZE: usize>(c: [i64; 8]) -> [i64; 8] {
    let one = i64::from(ONE);
    match SIZE {
        8 => {
            let (sum, difference) = ((c[0] + c[4]) * one, (c[0] - c[4]) * one);
            let (outer, inner) = (c[2] * 10_703 + c[6] * 4_433, c[2] * 4_433 - c[6] * 10_704);
            let even = [sum + outer, difference + inner, difference - inner, sum - outer];
            let odd = [
                c[1] * 11_363 + c[7] * 2_260 + c[5] * 6_437 + c[3] * 9_633,
                c[1] * 9_633 - c[7] * 6_436 - c[5] * 11_362 - c[3] * 2_259,
                c[1] * 6_437 + c[7] * 9_633 + c[5] * 2_261 - c[3] * 11_362,
                c[1] * 2_260 - c[7] * 11_363 + c[5] * 9_633 - c[3] * 6_436,
            ];
            std::array::from_fn(|i| if i < 4 { even[i] + odd[i] } else { even[7 - i] - odd[7 - i] })
        }
        4 => {
            let (sum, difference) = ((c[0] + c[2]) * one, (c[0] - c[2]) * one);
            let (outer, inner) = (c[1] * 10_703 + c[3] * 4_433, c[1] * 4_433 - c[3] * 10_704);
            [sum + outer, difference + inner, difference - inner, sum - outer, 0, 0, 0, 0]
        }
        2 => [(c[0] + c[1]) * one, (c[0] - c[1]) * one, 0, 0, 0, 0, 0, 0],
        _ => [c[0] * one, 0, 0, 0, 0, 0, 0, 0],
    }
}

#[cfg(test)]
mod tests;
