//! The lanes as a `v128`.

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

    /// Eight bytes.
    #[inline(always)]
    pub fn of_bytes(bytes: [u8; 8]) -> Self {
        Self(u16x8_extend_low_u8x16(i64x2_splat(i64::from_le_bytes(bytes))))
    }

    /// The lanes as bytes, clamped to 0 to 255.
    #[inline(always)]
    pub fn to_bytes(self) -> [u8; 8] {
        i64x2_extract_lane::<0>(u8x16_narrow_i16x8(self.0, self.0)).to_le_bytes()
    }

    /// Two blocks side by side as one and the other, each in two halves of two rows.
    #[inline(always)]
    pub fn split_pair(rows: [Self; 4]) -> [[Self; 2]; 2] {
        let [r0, r1, r2, r3] = rows.map(|row| row.0);
        [
            [Self(i64x2_shuffle::<0, 2>(r0, r1)), Self(i64x2_shuffle::<0, 2>(r2, r3))],
            [Self(i64x2_shuffle::<1, 3>(r0, r1)), Self(i64x2_shuffle::<1, 3>(r2, r3))],
        ]
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

/// Sixteen lanes of 8 bits, without a sign but where an operation says so.
#[derive(Clone, Copy)]
pub struct U8x16(v128);

impl U8x16 {
    #[inline(always)]
    pub fn splat(value: u8) -> Self {
        Self(u8x16_splat(value))
    }

    #[inline(always)]
    pub fn load(lanes: &[u8; 16]) -> Self {
        Self(bytes(lanes))
    }

    #[inline(always)]
    pub fn to_array(self) -> [u8; 16] {
        to_bytes(self.0)
    }

    /// The sum, at most 255.
    #[inline(always)]
    pub fn add(self, other: Self) -> Self {
        Self(u8x16_add_sat(self.0, other.0))
    }

    /// The distance.
    #[inline(always)]
    pub fn difference(self, other: Self) -> Self {
        Self(v128_or(u8x16_sub_sat(self.0, other.0), u8x16_sub_sat(other.0, self.0)))
    }

    #[inline(always)]
    pub fn max(self, other: Self) -> Self {
        Self(u8x16_max(self.0, other.0))
    }

    #[inline(always)]
    pub fn shr<const N: u32>(self) -> Self {
        Self(u8x16_shr(self.0, N))
    }

    /// All bits where a lane is at most as large as the other.
    #[inline(always)]
    pub fn at_most(self, other: Self) -> Self {
        Self(u8x16_eq(u8x16_min(self.0, other.0), self.0))
    }

    #[inline(always)]
    pub fn and(self, other: Self) -> Self {
        Self(v128_and(self.0, other.0))
    }

    #[inline(always)]
    pub fn not(self) -> Self {
        Self(v128_not(self.0))
    }

    /// Whether any bit is set.
    #[inline(always)]
    pub fn any(self) -> bool {
        v128_any_true(self.0)
    }

    /// From 0 to 255 to -128 to 127, and back.
    #[inline(always)]
    pub fn flip_sign(self) -> Self {
        Self(v128_xor(self.0, u8x16_splat(128)))
    }

    /// The sum of lanes with a sign, -128 to 127.
    #[inline(always)]
    pub fn add_signed(self, other: Self) -> Self {
        Self(i8x16_add_sat(self.0, other.0))
    }

    /// The difference of lanes with a sign, -128 to 127.
    #[inline(always)]
    pub fn sub_signed(self, other: Self) -> Self {
        Self(i8x16_sub_sat(self.0, other.0))
    }

    /// Shifts lanes with a sign.
    #[inline(always)]
    pub fn shr_signed<const N: u32>(self) -> Self {
        Self(i8x16_shr(self.0, N))
    }

    /// 9, 18 and 27 128ths of lanes with a sign, rounded, as the loop filter has them.
    #[inline(always)]
    pub fn scaled_by_nines(self) -> [Self; 3] {
        let low = i16x8_mul(i16x8_extend_low_i8x16(self.0), i16x8_splat(9));
        let high = i16x8_mul(i16x8_extend_high_i8x16(self.0), i16x8_splat(9));
        let round = |low, high| {
            let round = |half| i16x8_shr(i16x8_add(half, i16x8_splat(63)), 7);
            Self(i8x16_narrow_i16x8(round(low), round(high)))
        };
        let (low2, high2) = (i16x8_add(low, low), i16x8_add(high, high));
        [round(low, high), round(low2, high2), round(i16x8_add(low2, low), i16x8_add(high2, high))]
    }

    /// The columns of sixteen rows.
    #[inline(always)]
    pub fn columns(rows: &[[u8; 8]; 16]) -> [Self; 8] {
        let half = |i: usize| i64x2_splat(i64::from_le_bytes(rows[i]));
        let by_eight: [v128; 8] = std::array::from_fn(|i| zip_low(half(i), half(i + 8)));
        let by_four = zips(by_eight, 4);
        let by_two = zips(by_four, 2);
        zips(by_two, 1).map(Self)
    }

    /// Sixteen rows of these columns.
    #[inline(always)]
    pub fn rows(columns: &[Self; 8]) -> [[u8; 8]; 16] {
        let columns = columns.map(|column| column.0);
        let low: [v128; 4] = std::array::from_fn(|i| zip_low(columns[i], columns[i + 4]));
        let high: [v128; 4] = std::array::from_fn(|i| zip_high(columns[i], columns[i + 4]));
        let quarter = |half: [v128; 4]| {
            let (a, b) = (zip_low(half[0], half[2]), zip_high(half[0], half[2]));
            let (c, d) = (zip_low(half[1], half[3]), zip_high(half[1], half[3]));
            [zip_low(a, c), zip_high(a, c), zip_low(b, d), zip_high(b, d)]
        };
        let pairs = [quarter(low), quarter(high)];
        std::array::from_fn(|i| {
            let pair = pairs[i / 8][i % 8 / 2];
            let row = if i % 2 == 0 { i64x2_extract_lane::<0>(pair) } else { i64x2_extract_lane::<1>(pair) };
            row.to_le_bytes()
        })
    }
}

/// Zips each vector with the one `n` further on, in groups of twice `n`: first their lower halves, then the upper ones.
#[inline(always)]
fn zips(vectors: [v128; 8], n: usize) -> [v128; 8] {
    std::array::from_fn(|i| {
        let first = i / (2 * n) * 2 * n + i % n;
        let (a, b) = (vectors[first], vectors[first + n]);
        if i % (2 * n) < n { zip_low(a, b) } else { zip_high(a, b) }
    })
}

/// Lanes of 8 bits of the lower halves in turn.
#[inline(always)]
fn zip_low(a: v128, b: v128) -> v128 {
    i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(a, b)
}

/// Lanes of 8 bits of the upper halves in turn.
#[inline(always)]
fn zip_high(a: v128, b: v128) -> v128 {
    i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(a, b)
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
