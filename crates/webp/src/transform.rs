//! The transforms between pixels and coefficients: RFC 6386, section 14.3 (Walsh-Hadamard) and 14.4 (discrete cosine).
//!
//! Pixels of a 4x4 block are held column by column, coefficients row by row. In that layout each direction needs one
//! transposition, between its two passes. The inverse transforms are the RFC's, bit for bit.

use crate::simd::I16x8;

/// A pair of blocks: see `simd`.
pub type Pair = [I16x8; 4];

/// sqrt(2) * cos(pi / 8) - 1 in 16 bits.
const COS: i16 = 20091;
/// sqrt(2) * sin(pi / 8) in 16 bits, less one: `mul_high` takes signed factors, so the number itself is added back.
const SIN: i16 = (35468 - 65536) as i16;

/// `a - b`, line by line.
#[inline(always)]
pub fn difference(a: &Pair, b: &Pair) -> Pair {
    [a[0].sub(b[0]), a[1].sub(b[1]), a[2].sub(b[2]), a[3].sub(b[3])]
}

/// The forward cosine transform of differences, at twice the orthonormal scale.
#[inline(always)]
pub fn forward(columns: &Pair) -> Pair {
    let [a0, a1, a2, a3] = butterfly(columns);
    let across = [
        a0.add(a1).shl::<3>(),
        I16x8::rotate::<9>(a2, 2217, a3, 5352, 1812),
        a0.sub(a1).shl::<3>(),
        I16x8::rotate::<9>(a3, 2217, a2, -5352, 937),
    ];
    let [a0, a1, a2, a3] = butterfly(&I16x8::transpose(across));
    let seven = I16x8::splat(7);
    [
        a0.add(a1).add(seven).shr::<4>(),
        I16x8::rotate::<16>(a2, 2217, a3, 5352, 12000).add(a3.is_nonzero()),
        a0.sub(a1).add(seven).shr::<4>(),
        I16x8::rotate::<16>(a3, 2217, a2, -5352, 51000),
    ]
}

/// Sums and differences of the outer and the inner lines.
#[inline(always)]
fn butterfly(x: &Pair) -> Pair {
    [x[0].add(x[3]), x[1].add(x[2]), x[1].sub(x[2]), x[0].sub(x[3])]
}

/// The inverse cosine transform added to the prediction; the pixels are clamped by whoever stores them.
#[inline(always)]
pub fn inverse(coefficients: &Pair, prediction: &Pair) -> Pair {
    let [a, b, c, d] = residual(coefficients);
    [a.add(prediction[0]), b.add(prediction[1]), c.add(prediction[2]), d.add(prediction[3])]
}

/// The inverse cosine transform: differences from the prediction, column by column.
#[inline(always)]
pub fn residual(coefficients: &Pair) -> Pair {
    let down = inverse_pass(coefficients);
    let mut across = I16x8::transpose(down);
    across[0] = across[0].add(I16x8::splat(4));
    let [a, b, c, d] = inverse_pass(&across);
    [a.shr::<3>(), b.shr::<3>(), c.shr::<3>(), d.shr::<3>()]
}

#[inline(always)]
fn inverse_pass(x: &Pair) -> Pair {
    let (even, odd) = (x[0].add(x[2]), x[0].sub(x[2]));
    let (sine1, sine3) = I16x8::mul_high(x[1], x[3], SIN);
    let (cosine1, cosine3) = I16x8::mul_high(x[1], x[3], COS);
    let c = sine1.add(x[1]).sub(cosine3.add(x[3]));
    let d = cosine1.add(x[1]).add(sine3.add(x[3]));
    [even.add(d), odd.add(c), odd.sub(c), even.sub(d)]
}

/// The forward Walsh-Hadamard transform of the sixteen DC coefficients of a macroblock.
pub fn forward_wht(dc: &[i16; 16]) -> [i16; 16] {
    let mut rows = [[0i32; 4]; 4];
    for (row, input) in rows.iter_mut().zip(dc.chunks_exact(4)) {
        *row = hadamard([input[0].into(), input[1].into(), input[2].into(), input[3].into()]);
    }
    let mut out = [0; 16];
    for column in 0..4 {
        let sums = hadamard([rows[0][column], rows[1][column], rows[2][column], rows[3][column]]);
        for (row, sum) in sums.into_iter().enumerate() {
            out[row * 4 + column] = (sum >> 1) as i16;
        }
    }
    out
}

/// The inverse Walsh-Hadamard transform: the DC coefficients of the sixteen blocks.
pub fn inverse_wht(coefficients: &[i16; 16]) -> [i16; 16] {
    let mut columns = [[0i32; 4]; 4];
    for (i, column) in columns.iter_mut().enumerate() {
        let at = |row: usize| i32::from(coefficients[row * 4 + i]);
        *column = hadamard([at(0), at(1), at(2), at(3)]);
    }
    let mut out = [0; 16];
    for row in 0..4 {
        let sums = hadamard([columns[0][row], columns[1][row], columns[2][row], columns[3][row]]);
        for (column, sum) in sums.into_iter().enumerate() {
            out[row * 4 + column] = ((sum + 3) >> 3) as i16;
        }
    }
    out
}

/// One pass of four, the same in both directions.
fn hadamard(x: [i32; 4]) -> [i32; 4] {
    let (a, b, c, d) = (x[0] + x[3], x[1] + x[2], x[1] - x[2], x[0] - x[3]);
    [a + b, c + d, a - b, d - c]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transforms_undo_each_other() {
        let mut state = 7u32;
        let mut next = || {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            (state >> 16) as i16 % 256
        };
        for _ in 0..500 {
            let pixels: Pair = std::array::from_fn(|_| I16x8::from_array(std::array::from_fn(|_| next())));
            let back = inverse(&forward(&pixels), &[I16x8::splat(0); 4]);
            for (line, back) in pixels.iter().zip(back) {
                let pairs = line.to_array().into_iter().zip(back.to_array());
                assert!(pairs.clone().all(|(a, b)| a.abs_diff(b) <= 1), "{pairs:?}");
            }
            let dc: [i16; 16] = std::array::from_fn(|_| next() * 8);
            let back = inverse_wht(&forward_wht(&dc));
            assert!(dc.iter().zip(back).all(|(a, b)| a.abs_diff(b) <= 1), "{dc:?} {back:?}");
        }
    }
}
