//! Eight 16-bit lanes: one `v128` in wasm, an array everywhere else.
//!
//! The array version is written so that each operation says exactly what the wasm instruction does; both give the same
//! bits. Two 4x4 blocks are always worked on at once, in "pair layout": vector `i` holds line `i` of the first block in
//! lanes 0 to 3 and line `i` of the second in lanes 4 to 7.

#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
mod lanes {
    use std::arch::wasm32::*;

    /// Eight signed 16-bit lanes.
    #[derive(Clone, Copy)]
    pub struct I16x8(v128);

    impl I16x8 {
        #[inline(always)]
        pub fn splat(value: i16) -> Self {
            Self(i16x8_splat(value))
        }

        #[inline(always)]
        pub fn from_array(a: [i16; 8]) -> Self {
            Self(i16x8(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]))
        }

        #[inline(always)]
        pub fn to_array(self) -> [i16; 8] {
            let v = self.0;
            [
                i16x8_extract_lane::<0>(v),
                i16x8_extract_lane::<1>(v),
                i16x8_extract_lane::<2>(v),
                i16x8_extract_lane::<3>(v),
                i16x8_extract_lane::<4>(v),
                i16x8_extract_lane::<5>(v),
                i16x8_extract_lane::<6>(v),
                i16x8_extract_lane::<7>(v),
            ]
        }

        #[inline(always)]
        pub fn first_and_fifth(self) -> (i16, i16) {
            (i16x8_extract_lane::<0>(self.0), i16x8_extract_lane::<4>(self.0))
        }

        #[inline(always)]
        pub fn with_first_and_fifth(self, first: i16, fifth: i16) -> Self {
            Self(i16x8_replace_lane::<4>(i16x8_replace_lane::<0>(self.0, first), fifth))
        }

        #[inline(always)]
        pub fn add(self, other: Self) -> Self {
            Self(i16x8_add(self.0, other.0))
        }

        #[inline(always)]
        pub fn sub(self, other: Self) -> Self {
            Self(i16x8_sub(self.0, other.0))
        }

        #[inline(always)]
        pub fn mul(self, other: Self) -> Self {
            Self(i16x8_mul(self.0, other.0))
        }

        #[inline(always)]
        pub fn abs(self) -> Self {
            Self(i16x8_abs(self.0))
        }

        #[inline(always)]
        pub fn min(self, other: Self) -> Self {
            Self(i16x8_min(self.0, other.0))
        }

        #[inline(always)]
        pub fn max(self, other: Self) -> Self {
            Self(i16x8_max(self.0, other.0))
        }

        #[inline(always)]
        pub fn shl<const N: u32>(self) -> Self {
            Self(i16x8_shl(self.0, N))
        }

        #[inline(always)]
        pub fn shr<const N: u32>(self) -> Self {
            Self(i16x8_shr(self.0, N))
        }

        /// One where the lane is not zero, else zero.
        #[inline(always)]
        pub fn is_nonzero(self) -> Self {
            Self(v128_and(i16x8_ne(self.0, i16x8_splat(0)), i16x8_splat(1)))
        }

        /// The upper halves of the signed products of two vectors with a constant.
        #[inline(always)]
        pub fn mul_high(x: Self, y: Self, factor: i16) -> (Self, Self) {
            let low = i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(x.0, y.0);
            let high = i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(x.0, y.0);
            let (even, odd) = (i32x4_splat(i32::from(factor) & 0xffff), i32x4_splat(i32::from(factor) << 16));
            let half = |v, factors| i32x4_shr(i32x4_dot_i16x8(v, factors), 16);
            (
                Self(i16x8_narrow_i32x4(half(low, even), half(high, even))),
                Self(i16x8_narrow_i32x4(half(low, odd), half(high, odd))),
            )
        }

        /// The product in units of 1 / 32768, rounded.
        #[inline(always)]
        pub fn mul_fraction(self, other: Self) -> Self {
            Self(i16x8_q15mulr_sat(self.0, other.0))
        }

        /// Gives `self` the signs of `from`.
        #[inline(always)]
        pub fn with_sign_of(self, from: Self) -> Self {
            let sign = i16x8_shr(from.0, 15);
            Self(i16x8_sub(v128_xor(self.0, sign), sign))
        }

        /// `(a * x + b * y + round) >> shift` in 32 bits, for each lane of `x` and `y`.
        #[inline(always)]
        pub fn rotate<const SHIFT: u32>(x: Self, a: i16, y: Self, b: i16, round: i32) -> Self {
            let factors = i16x8(a, b, a, b, a, b, a, b);
            let low = i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(x.0, y.0);
            let high = i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(x.0, y.0);
            let round = i32x4_splat(round);
            let low = i32x4_shr(i32x4_add(i32x4_dot_i16x8(low, factors), round), SHIFT);
            let high = i32x4_shr(i32x4_add(i32x4_dot_i16x8(high, factors), round), SHIFT);
            Self(i16x8_narrow_i32x4(low, high))
        }

        /// Both blocks of a pair turned about their diagonals.
        #[inline(always)]
        pub fn transpose(rows: [Self; 4]) -> [Self; 4] {
            let [r0, r1, r2, r3] = rows.map(|row| row.0);
            let a01 = i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(r0, r1);
            let b01 = i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(r0, r1);
            let a23 = i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(r2, r3);
            let b23 = i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(r2, r3);
            let a_low = i32x4_shuffle::<0, 4, 1, 5>(a01, a23);
            let a_high = i32x4_shuffle::<2, 6, 3, 7>(a01, a23);
            let b_low = i32x4_shuffle::<0, 4, 1, 5>(b01, b23);
            let b_high = i32x4_shuffle::<2, 6, 3, 7>(b01, b23);
            [
                Self(i64x2_shuffle::<0, 2>(a_low, b_low)),
                Self(i64x2_shuffle::<1, 3>(a_low, b_low)),
                Self(i64x2_shuffle::<0, 2>(a_high, b_high)),
                Self(i64x2_shuffle::<1, 3>(a_high, b_high)),
            ]
        }

        /// Two blocks of bytes, four bytes a line, as a pair.
        #[inline(always)]
        pub fn load_pair(a: &[u8; 16], b: &[u8; 16]) -> [Self; 4] {
            let (a, b) = (bytes(a), bytes(b));
            let low = i32x4_shuffle::<0, 4, 1, 5>(a, b);
            let high = i32x4_shuffle::<2, 6, 3, 7>(a, b);
            [
                Self(u16x8_extend_low_u8x16(low)),
                Self(u16x8_extend_high_u8x16(low)),
                Self(u16x8_extend_low_u8x16(high)),
                Self(u16x8_extend_high_u8x16(high)),
            ]
        }

        /// The reverse of [`I16x8::load_pair`], clamped to 0 to 255.
        #[inline(always)]
        pub fn store_pair(rows: [Self; 4]) -> ([u8; 16], [u8; 16]) {
            let low = u8x16_narrow_i16x8(rows[0].0, rows[1].0);
            let high = u8x16_narrow_i16x8(rows[2].0, rows[3].0);
            let a = i32x4_shuffle::<0, 2, 4, 6>(low, high);
            let b = i32x4_shuffle::<1, 3, 5, 7>(low, high);
            (to_bytes(a), to_bytes(b))
        }

        /// The two blocks of a pair, each in the order in which coefficients are coded, and the mask of those that are
        /// not zero (bit 0 is the first coefficient).
        #[inline(always)]
        pub fn zigzag(rows: [Self; 4]) -> [([i16; 16], u32); 2] {
            let [r0, r1, r2, r3] = rows.map(|row| row.0);
            let (a_low, a_high) = (i64x2_shuffle::<0, 2>(r0, r1), i64x2_shuffle::<0, 2>(r2, r3));
            let (b_low, b_high) = (i64x2_shuffle::<1, 3>(r0, r1), i64x2_shuffle::<1, 3>(r2, r3));
            [zigzag(a_low, a_high), zigzag(b_low, b_high)]
        }

        /// The sums over a pair of the products `x * y`: of the first block, and of the second.
        #[inline(always)]
        pub fn dot_pair(x: [Self; 4], y: [Self; 4]) -> (i32, i32) {
            let mut sum = i32x4_dot_i16x8(x[0].0, y[0].0);
            for i in 1..4 {
                sum = i32x4_add(sum, i32x4_dot_i16x8(x[i].0, y[i].0));
            }
            let sum = i32x4_add(sum, i32x4_shuffle::<1, 0, 3, 2>(sum, sum));
            (i32x4_extract_lane::<0>(sum), i32x4_extract_lane::<2>(sum))
        }
    }

    #[inline(always)]
    fn bytes(b: &[u8; 16]) -> v128 {
        let (low, high) = b.split_at(8);
        let word = |half: &[u8]| i64::from_le_bytes(half.try_into().unwrap_or([0; 8]));
        i64x2(word(low), word(high))
    }

    #[inline(always)]
    fn to_bytes(v: v128) -> [u8; 16] {
        let mut out = [0; 16];
        out[..8].copy_from_slice(&i64x2_extract_lane::<0>(v).to_le_bytes());
        out[8..].copy_from_slice(&i64x2_extract_lane::<1>(v).to_le_bytes());
        out
    }

    #[inline(always)]
    fn zigzag(low: v128, high: v128) -> ([i16; 16], u32) {
        let first = i16x8_shuffle::<0, 1, 4, 8, 5, 2, 3, 6>(low, high);
        let second = i16x8_shuffle::<9, 12, 13, 10, 7, 11, 14, 15>(low, high);
        let zero = i16x8_splat(0);
        let mask = i8x16_narrow_i16x8(i16x8_ne(first, zero), i16x8_ne(second, zero));
        let mut levels = [0; 16];
        levels[..8].copy_from_slice(&I16x8(first).to_array());
        levels[8..].copy_from_slice(&I16x8(second).to_array());
        (levels, u32::from(i8x16_bitmask(mask)))
    }

    /// The means of neighbours that 4x4 prediction is made of: see `predict::neighbour_means`.
    #[inline(always)]
    pub fn means(edge: &[u8; 16]) -> ([u8; 16], [u8; 16]) {
        let x = bytes(edge);
        let next = i8x16_shuffle::<1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15>(x, x);
        let last = i8x16_shuffle::<0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14>(x, x);
        let two = u8x16_avgr(x, next);
        let odd = v128_and(v128_xor(last, next), u8x16_splat(1));
        let outer = u8x16_sub(u8x16_avgr(last, next), odd);
        (to_bytes(two), to_bytes(u8x16_avgr(x, outer)))
    }

    /// Picks bytes: index 0 to 15 from `a`, 16 to 31 from `b`.
    #[inline(always)]
    pub fn pick(a: &[u8; 16], b: &[u8; 16], index: &[u8; 16]) -> [u8; 16] {
        let index = bytes(index);
        let from_a = u8x16_swizzle(bytes(a), index);
        let from_b = u8x16_swizzle(bytes(b), u8x16_sub(index, u8x16_splat(16)));
        to_bytes(v128_or(from_a, from_b))
    }
}

#[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
mod lanes {
    use crate::tables::ZIGZAG;
    use std::array::from_fn;

    /// Eight signed 16-bit lanes.
    #[derive(Clone, Copy)]
    pub struct I16x8([i16; 8]);

    impl I16x8 {
        #[inline(always)]
        fn map(self, f: impl Fn(i16) -> i16) -> Self {
            Self(self.0.map(f))
        }

        #[inline(always)]
        fn zip(self, other: Self, f: impl Fn(i16, i16) -> i16) -> Self {
            Self(from_fn(|i| f(self.0[i], other.0[i])))
        }

        #[inline(always)]
        pub fn splat(value: i16) -> Self {
            Self([value; 8])
        }

        #[inline(always)]
        pub fn from_array(a: [i16; 8]) -> Self {
            Self(a)
        }

        #[inline(always)]
        pub fn to_array(self) -> [i16; 8] {
            self.0
        }

        #[inline(always)]
        pub fn first_and_fifth(self) -> (i16, i16) {
            (self.0[0], self.0[4])
        }

        #[inline(always)]
        pub fn with_first_and_fifth(mut self, first: i16, fifth: i16) -> Self {
            self.0[0] = first;
            self.0[4] = fifth;
            self
        }

        #[inline(always)]
        pub fn add(self, other: Self) -> Self {
            self.zip(other, i16::wrapping_add)
        }

        #[inline(always)]
        pub fn sub(self, other: Self) -> Self {
            self.zip(other, i16::wrapping_sub)
        }

        #[inline(always)]
        pub fn mul(self, other: Self) -> Self {
            self.zip(other, i16::wrapping_mul)
        }

        #[inline(always)]
        pub fn abs(self) -> Self {
            self.map(i16::wrapping_abs)
        }

        #[inline(always)]
        pub fn min(self, other: Self) -> Self {
            self.zip(other, i16::min)
        }

        #[inline(always)]
        pub fn max(self, other: Self) -> Self {
            self.zip(other, i16::max)
        }

        #[inline(always)]
        pub fn shl<const N: u32>(self) -> Self {
            self.map(|x| x << N)
        }

        #[inline(always)]
        pub fn shr<const N: u32>(self) -> Self {
            self.map(|x| x >> N)
        }

        /// One where the lane is not zero, else zero.
        #[inline(always)]
        pub fn is_nonzero(self) -> Self {
            self.map(|x| i16::from(x != 0))
        }

        /// The upper halves of the signed products of two vectors with a constant.
        #[inline(always)]
        pub fn mul_high(x: Self, y: Self, factor: i16) -> (Self, Self) {
            let half = |v: i16| ((i32::from(v) * i32::from(factor)) >> 16) as i16;
            (x.map(half), y.map(half))
        }

        /// The product in units of 1 / 32768, rounded.
        #[inline(always)]
        pub fn mul_fraction(self, other: Self) -> Self {
            self.zip(other, |x, y| ((i32::from(x) * i32::from(y) + 0x4000) >> 15).min(32767) as i16)
        }

        /// Gives `self` the signs of `from`.
        #[inline(always)]
        pub fn with_sign_of(self, from: Self) -> Self {
            self.zip(from, |x, y| (x ^ (y >> 15)).wrapping_sub(y >> 15))
        }

        /// `(a * x + b * y + round) >> shift` in 32 bits, for each lane of `x` and `y`.
        #[inline(always)]
        pub fn rotate<const SHIFT: u32>(x: Self, a: i16, y: Self, b: i16, round: i32) -> Self {
            let (a, b) = (i32::from(a), i32::from(b));
            x.zip(y, |x, y| ((i32::from(x) * a + i32::from(y) * b + round) >> SHIFT) as i16)
        }

        /// Both blocks of a pair turned about their diagonals.
        #[inline(always)]
        pub fn transpose(rows: [Self; 4]) -> [Self; 4] {
            from_fn(|column| Self(from_fn(|i| rows[i % 4].0[column + (i & 4)])))
        }

        /// Two blocks of bytes, four bytes a line, as a pair.
        #[inline(always)]
        pub fn load_pair(a: &[u8; 16], b: &[u8; 16]) -> [Self; 4] {
            from_fn(|row| Self(from_fn(|i| i16::from(if i < 4 { a[row * 4 + i] } else { b[row * 4 + i - 4] }))))
        }

        /// The reverse of [`I16x8::load_pair`], clamped to 0 to 255.
        #[inline(always)]
        pub fn store_pair(rows: [Self; 4]) -> ([u8; 16], [u8; 16]) {
            let byte = |i: usize, half: usize| rows[i / 4].0[i % 4 + half].clamp(0, 255) as u8;
            (from_fn(|i| byte(i, 0)), from_fn(|i| byte(i, 4)))
        }

        /// The two blocks of a pair, each in the order in which coefficients are coded, and the mask of those that are
        /// not zero (bit 0 is the first coefficient).
        #[inline(always)]
        pub fn zigzag(rows: [Self; 4]) -> [([i16; 16], u32); 2] {
            [0, 4].map(|half| {
                let levels: [i16; 16] = from_fn(|n| rows[ZIGZAG[n] / 4].0[ZIGZAG[n] % 4 + half]);
                let mask = levels.iter().enumerate().fold(0, |mask, (n, &level)| mask | (u32::from(level != 0) << n));
                (levels, mask)
            })
        }

        /// The sums over a pair of the products `x * y`: of the first block, and of the second.
        #[inline(always)]
        pub fn dot_pair(x: [Self; 4], y: [Self; 4]) -> (i32, i32) {
            let mut sums = [0; 8];
            for (x, y) in x.iter().zip(&y) {
                for (sum, (&x, &y)) in sums.iter_mut().zip(x.0.iter().zip(&y.0)) {
                    *sum += i32::from(x) * i32::from(y);
                }
            }
            (sums[..4].iter().sum(), sums[4..].iter().sum())
        }
    }

    /// The means of neighbours that 4x4 prediction is made of: see `predict::neighbour_means`.
    #[inline(always)]
    pub fn means(edge: &[u8; 16]) -> ([u8; 16], [u8; 16]) {
        let at = |i: usize| u16::from(edge[i.min(15)]);
        let two = from_fn(|i| ((at(i) + at(i + 1) + 1) >> 1) as u8);
        let three = from_fn(|i| ((at(i.saturating_sub(1)) + 2 * at(i) + at(i + 1) + 2) >> 2) as u8);
        (two, three)
    }

    /// Picks bytes: index 0 to 15 from `a`, 16 to 31 from `b`.
    #[inline(always)]
    pub fn pick(a: &[u8; 16], b: &[u8; 16], index: &[u8; 16]) -> [u8; 16] {
        index.map(|i| if i < 16 { a[usize::from(i)] } else { b[usize::from(i & 15)] })
    }
}

pub use lanes::{I16x8, means, pick};
