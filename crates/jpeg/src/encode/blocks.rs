//! Blocks of JPEG: from samples to what is written of them.

use simd::{Simd, Vector};

use super::codes::{Kind, Symbol};
use crate::header::ZIGZAG;

/// Sides of a block, in samples.
pub(super) const SIDE: usize = 8;

/// Samples of a block around zero, row by row.
pub(super) type Samples = [[f32; SIDE]; SIDE];

/// Four columns of a block, or four rows, of eight numbers.
type Half<V> = [V; SIDE];

/// What scales a coefficient of each row or column, left out of the transform: cosines of Arai, Agui and Nakajima.
const SCALES: [f64; SIDE] =
    [1.0, 1.387_039_845, 1.306_562_965, 1.175_875_602, 1.0, 0.785_694_958, 0.541_196_100, 0.275_899_379];

/// The cosine transform of four columns at once, by Arai, Agui and Nakajima (as in libjpeg's `jfdctflt.c`).
#[inline(always)]
fn transform_columns<V: Simd>(v: &mut Half<V>) {
    let (tmp0, tmp7) = (v[0].add_f32(v[7]), v[0].sub_f32(v[7]));
    let (tmp1, tmp6) = (v[1].add_f32(v[6]), v[1].sub_f32(v[6]));
    let (tmp2, tmp5) = (v[2].add_f32(v[5]), v[2].sub_f32(v[5]));
    let (tmp3, tmp4) = (v[3].add_f32(v[4]), v[3].sub_f32(v[4]));

    let (tmp10, tmp13) = (tmp0.add_f32(tmp3), tmp0.sub_f32(tmp3));
    let (tmp11, tmp12) = (tmp1.add_f32(tmp2), tmp1.sub_f32(tmp2));
    let z1 = tmp12.add_f32(tmp13).mul_f32(V::splat_f32(0.707_106_77));
    (v[0], v[4]) = (tmp10.add_f32(tmp11), tmp10.sub_f32(tmp11));
    (v[2], v[6]) = (tmp13.add_f32(z1), tmp13.sub_f32(z1));

    let (tmp10, tmp11, tmp12) = (tmp4.add_f32(tmp5), tmp5.add_f32(tmp6), tmp6.add_f32(tmp7));
    let z5 = tmp10.sub_f32(tmp12).mul_f32(V::splat_f32(0.382_683_43));
    let z2 = tmp10.mul_f32(V::splat_f32(0.541_196_1)).add_f32(z5);
    let z4 = tmp12.mul_f32(V::splat_f32(1.306_563)).add_f32(z5);
    let z3 = tmp11.mul_f32(V::splat_f32(0.707_106_77));
    let (z11, z13) = (tmp7.add_f32(z3), tmp7.sub_f32(z3));
    (v[5], v[3]) = (z13.add_f32(z2), z13.sub_f32(z2));
    (v[1], v[7]) = (z11.add_f32(z4), z11.sub_f32(z4));
}

/// Four rows of four, columns first.
#[inline(always)]
fn transposed<V: Simd>(rows: &[V; 4]) -> [V; 4] {
    let [a, b, c, d] = *rows;
    let (ac_low, ac_high) = (a.zip_low32(c), a.zip_high32(c));
    let (bd_low, bd_high) = (b.zip_low32(d), b.zip_high32(d));
    [ac_low.zip_low32(bd_low), ac_low.zip_high32(bd_low), ac_high.zip_low32(bd_high), ac_high.zip_high32(bd_high)]
}

/// [`ZIGZAG`], for coefficients that lie columns first.
const ZIGZAG_OF_COLUMNS: [u8; 64] = {
    let mut order = ZIGZAG;
    let mut place_idx = 0;
    while place_idx < 64 {
        order[place_idx] = ZIGZAG[place_idx] % 8 * 8 + ZIGZAG[place_idx] / 8;
        place_idx += 1;
    }
    order
};

/// For each byte of a bit mask that goes columns first, the same in zigzag order.
static ZIGZAG_BITS: [[u64; 256]; SIDE] = {
    let mut bits = [[0; 256]; SIDE];
    let mut place_idx = 0;
    while place_idx < 64 {
        let place = ZIGZAG_OF_COLUMNS[place_idx] as usize;
        let mut byte = 0;
        while byte < 256 {
            bits[place / 8][byte] |= ((byte as u64 >> (place % 8)) & 1) << place_idx;
            byte += 1;
        }
        place_idx += 1;
    }
    bits
};

/// What turns blocks of samples into coefficients: one table of quantisers.
pub(super) struct Quantizer {
    /// One divided by quantiser and scale, of each coefficient, columns first: the transform leaves it so.
    factors: Samples,
}

impl Quantizer {
    pub(super) fn new(quantizers: &[u8; 64]) -> Self {
        let factor = |column: usize, row: usize| {
            let quantizer = f64::from(quantizers[row * SIDE + column]);
            (1.0 / (quantizer * SCALES[row] * SCALES[column] * 8.0)) as f32
        };
        Self { factors: std::array::from_fn(|column| std::array::from_fn(|row| factor(column, row))) }
    }

    /// The block's coefficients.
    #[inline]
    pub(super) fn block(&self, samples: &Samples) -> Block {
        self.block_by::<Vector>(samples)
    }

    #[inline(always)]
    fn block_by<V: Simd>(&self, samples: &Samples) -> Block {
        // Added to a small number, this leaves its nearest whole one in the lower bits.
        const ROUNDER: f32 = 12_582_912.0;
        let (rounder, rounder_bits) = (V::splat_f32(ROUNDER), V::splat32(ROUNDER.to_bits() as i32));
        let half = |which: usize| samples.each_ref().map(|row| V::load_f32(halves(row)[which]));
        let (mut left, mut right) = (half(0), half(1));
        transform_columns(&mut left);
        transform_columns(&mut right);
        let quarter = |half: &Half<V>, start: usize| {
            transposed(&[half[start], half[start + 1], half[start + 2], half[start + 3]])
        };
        let joined = |[a, b, c, d]: [V; 4], [e, f, g, h]: [V; 4]| [a, b, c, d, e, f, g, h];
        let (mut upper, mut lower) =
            (joined(quarter(&left, 0), quarter(&right, 0)), joined(quarter(&left, 4), quarter(&right, 4)));
        transform_columns(&mut upper);
        transform_columns(&mut lower);
        let columns: [V; SIDE] = std::array::from_fn(|column| {
            let [first, last] = halves(&self.factors[column]);
            let rounded = |v: V, factors| v.mul_f32(V::load_f32(factors)).add_f32(rounder).sub32(rounder_bits);
            // Ten bits is what the codes can say; only a checkerboard of black and white comes near.
            rounded(upper[column], first).pack16(rounded(lower[column], last)).clamp16(-1023, 1023)
        });
        let mut nonzero = 0;
        for (pair_idx, [a, b]) in columns.as_chunks::<2>().0.iter().enumerate() {
            let [low, high] = a.nonzero16(*b).to_le_bytes();
            nonzero |= ZIGZAG_BITS[2 * pair_idx][usize::from(low)] | ZIGZAG_BITS[2 * pair_idx + 1][usize::from(high)];
        }
        Block { columns: columns.map(V::lanes16), nonzero }
    }
}

/// The first and the last four of eight.
fn halves(row: &[f32; SIDE]) -> [&[f32; 4]; 2] {
    match row.as_chunks::<4>().0 {
        [first, last] => [first, last],
        _ => [&[0.0; 4]; 2],
    }
}

/// The quantised coefficients of a block.
#[derive(Debug, Clone)]
pub(super) struct Block {
    columns: [[i16; SIDE]; SIDE],
    /// A bit for each coefficient that is not zero, in zigzag order, the first one lowest.
    nonzero: u64,
}

impl Block {
    pub(super) fn mean(&self) -> i16 {
        self.columns[0][0]
    }

    /// All, in zigzag order.
    pub(super) fn in_order(&self) -> [i16; 64] {
        ZIGZAG_OF_COLUMNS.map(|place| self.columns.as_flattened()[usize::from(place & 63)])
    }

    /// What is written of it in a sequential scan, given the mean of the component's last block.
    #[inline]
    pub(super) fn for_each_symbol(&self, kind: Kind, last_mean: i16, mut write: impl FnMut(Symbol)) {
        write(kind.mean(self.mean() - last_mean));
        let coefficients = self.columns.as_flattened();
        // Each remaining one is written with the zeros before it, of which a symbol can say fifteen.
        let mut rest = self.nonzero & !1;
        let mut last_idx = 0;
        while rest != 0 {
            let place_idx = rest.trailing_zeros();
            let mut n_zeros = place_idx - last_idx - 1;
            while n_zeros > 15 {
                write(kind.sixteen_zeros());
                n_zeros -= 16;
            }
            let place = ZIGZAG_OF_COLUMNS[place_idx as usize & 63];
            write(kind.other(n_zeros, coefficients[usize::from(place & 63)]));
            last_idx = place_idx;
            rest &= rest - 1;
        }
        if last_idx < 63 {
            write(kind.no_more());
        }
    }
}

#[cfg(test)]
mod tests {
    use simd::portable;

    use super::*;

    #[test]
    fn vectors_of_all_kinds_make_the_same_blocks() {
        let mut state = 1_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        for round in 0..500 {
            // From nearly nothing to black and white.
            let contrast = [1.0, 9.0, 60.0, 127.0][round % 4];
            let samples = [(); SIDE].map(|()| [(); SIDE].map(|()| (random() % 3) as f32 * contrast - contrast));
            let quantizer = Quantizer::new(&[(); 64].map(|()| (random() % [2, 20, 255][round % 3] + 1) as u8));
            let block = quantizer.block(&samples);
            assert_eq!(block.columns, quantizer.block_by::<portable::Vector>(&samples).columns);
            let in_order = block.in_order();
            for (idx, coefficient) in in_order.into_iter().enumerate() {
                assert_eq!(block.nonzero >> idx & 1 == 1, coefficient != 0, "{in_order:?}");
                let place = usize::from(ZIGZAG[idx]);
                assert_eq!(coefficient, block.columns[place % SIDE][place / SIDE]);
            }
        }
    }
}
