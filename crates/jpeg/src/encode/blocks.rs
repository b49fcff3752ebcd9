//! Blocks of JPEG: from samples to what is written of them.

use super::codes::Symbol;
use crate::header::ZIGZAG;

/// Sides of a block, in samples.
pub(super) const SIDE: usize = 8;

/// Eight numbers that undergo the same arithmetic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lanes(pub(super) [f32; SIDE]);

impl std::ops::Add for Lanes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }
}

impl std::ops::Sub for Lanes {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] - other.0[i]))
    }
}

impl std::ops::Mul<f32> for Lanes {
    type Output = Self;

    fn mul(self, factor: f32) -> Self {
        Self(self.0.map(|number| number * factor))
    }
}

/// What scales a coefficient of each row or column, left out of the transform: cosines of Arai, Agui and Nakajima.
const SCALES: [f64; SIDE] =
    [1.0, 1.387_039_845, 1.306_562_965, 1.175_875_602, 1.0, 0.785_694_958, 0.541_196_100, 0.275_899_379];

/// The cosine transform of eight columns at once, by Arai, Agui and Nakajima (as in libjpeg's `jfdctflt.c`).
fn transform_columns(v: &mut [Lanes; SIDE]) {
    let (tmp0, tmp7) = (v[0] + v[7], v[0] - v[7]);
    let (tmp1, tmp6) = (v[1] + v[6], v[1] - v[6]);
    let (tmp2, tmp5) = (v[2] + v[5], v[2] - v[5]);
    let (tmp3, tmp4) = (v[3] + v[4], v[3] - v[4]);

    let (tmp10, tmp13) = (tmp0 + tmp3, tmp0 - tmp3);
    let (tmp11, tmp12) = (tmp1 + tmp2, tmp1 - tmp2);
    let z1 = (tmp12 + tmp13) * 0.707_106_77;
    (v[0], v[4]) = (tmp10 + tmp11, tmp10 - tmp11);
    (v[2], v[6]) = (tmp13 + z1, tmp13 - z1);

    let (tmp10, tmp11, tmp12) = (tmp4 + tmp5, tmp5 + tmp6, tmp6 + tmp7);
    let z5 = (tmp10 - tmp12) * 0.382_683_43;
    let z2 = tmp10 * 0.541_196_1 + z5;
    let z4 = tmp12 * 1.306_563 + z5;
    let z3 = tmp11 * 0.707_106_77;
    let (z11, z13) = (tmp7 + z3, tmp7 - z3);
    (v[5], v[3]) = (z13 + z2, z13 - z2);
    (v[1], v[7]) = (z11 + z4, z11 - z4);
}

fn transposed(block: &[Lanes; SIDE]) -> [Lanes; SIDE] {
    std::array::from_fn(|column| Lanes(std::array::from_fn(|row| block[row].0[column])))
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

/// What turns blocks of samples into coefficients: one table of quantisers.
pub(super) struct Quantizer {
    /// One divided by quantiser and scale, of each coefficient, columns first: the transform leaves it so.
    factors: [Lanes; SIDE],
}

impl Quantizer {
    pub(super) fn new(quantizers: &[u8; 64]) -> Self {
        let factor = |column: usize, row: usize| {
            let quantizer = f64::from(quantizers[row * SIDE + column]);
            (1.0 / (quantizer * SCALES[row] * SCALES[column] * 8.0)) as f32
        };
        Self { factors: std::array::from_fn(|column| Lanes(std::array::from_fn(|row| factor(column, row)))) }
    }

    /// The block's coefficients, in order.
    pub(super) fn block(&self, samples: [Lanes; SIDE]) -> Block {
        let coefficients = self.quantized(samples);
        let coefficients = coefficients.as_flattened();
        let mut in_order = [0_i16; 64];
        let mut nonzero = 0_u64;
        for (place_idx, place) in ZIGZAG_OF_COLUMNS.iter().enumerate() {
            let coefficient = coefficients[usize::from(place & 63)];
            in_order[place_idx] = coefficient;
            nonzero |= u64::from(coefficient != 0) << place_idx;
        }
        Block { in_order, nonzero }
    }

    /// Transformed and quantised, columns first.
    fn quantized(&self, mut block: [Lanes; SIDE]) -> [[i16; SIDE]; SIDE] {
        // Added to a small number, this leaves its nearest whole one in the lower bits.
        const ROUNDER: f32 = 12_582_912.0;
        transform_columns(&mut block);
        let mut block = transposed(&block);
        transform_columns(&mut block);
        std::array::from_fn(|column| {
            let (lanes, factors) = (&block[column].0, &self.factors[column].0);
            std::array::from_fn(|row| {
                let rounded = (lanes[row] * factors[row] + ROUNDER).to_bits() as i32 - ROUNDER.to_bits() as i32;
                // Ten bits is what the codes can say; only a checkerboard of black and white comes near.
                rounded.clamp(-1023, 1023) as i16
            })
        })
    }
}

/// The quantised coefficients of a block, in zigzag order.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) in_order: [i16; 64],
    /// A bit for each coefficient that is not zero, the first one lowest.
    pub(super) nonzero: u64,
}

impl Block {
    /// Of middle gray.
    pub(super) const EMPTY: Self = Self { in_order: [0; 64], nonzero: 0 };

    /// What is written of it in a sequential scan, given the mean of the component's last block.
    #[inline]
    pub(super) fn for_each_symbol(&self, last_mean: i16, mut write: impl FnMut(Symbol)) {
        write(Symbol::mean(self.in_order[0] - last_mean));
        // Each remaining one is written with the zeros before it, of which a symbol can say fifteen.
        let mut rest = self.nonzero & !1;
        let mut last_idx = 0;
        while rest != 0 {
            let place_idx = rest.trailing_zeros();
            let mut n_zeros = place_idx - last_idx - 1;
            while n_zeros > 15 {
                write(Symbol::SIXTEEN_ZEROS);
                n_zeros -= 16;
            }
            write(Symbol::other(n_zeros, self.in_order[place_idx as usize & 63]));
            last_idx = place_idx;
            rest &= rest - 1;
        }
        if last_idx < 63 {
            write(Symbol::NO_MORE);
        }
    }
}
