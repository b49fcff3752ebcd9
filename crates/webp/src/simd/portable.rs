//! The lanes as an array.

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

    /// Eight bytes.
    #[inline(always)]
    pub fn of_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes.map(i16::from))
    }

    /// The lanes as bytes, clamped to 0 to 255.
    #[inline(always)]
    pub fn to_bytes(self) -> [u8; 8] {
        self.0.map(|lane| lane.clamp(0, 255) as u8)
    }

    /// Two blocks side by side as one and the other, each in two halves of two rows.
    #[inline(always)]
    pub fn split_pair(rows: [Self; 4]) -> [[Self; 2]; 2] {
        let half = |block: usize, row: usize| Self(from_fn(|i| rows[row + i / 4].0[i % 4 + block * 4]));
        [[half(0, 0), half(0, 2)], [half(1, 0), half(1, 2)]]
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

/// Sixteen lanes of 8 bits, without a sign but where an operation says so.
#[derive(Clone, Copy)]
pub struct U8x16([u8; 16]);

impl U8x16 {
    #[inline(always)]
    fn map(self, f: impl Fn(u8) -> u8) -> Self {
        Self(self.0.map(f))
    }

    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(u8, u8) -> u8) -> Self {
        Self(from_fn(|i| f(self.0[i], other.0[i])))
    }

    #[inline(always)]
    pub fn splat(value: u8) -> Self {
        Self([value; 16])
    }

    #[inline(always)]
    pub fn load(lanes: &[u8; 16]) -> Self {
        Self(*lanes)
    }

    #[inline(always)]
    pub fn to_array(self) -> [u8; 16] {
        self.0
    }

    /// The sum, at most 255.
    #[inline(always)]
    pub fn add(self, other: Self) -> Self {
        self.zip(other, u8::saturating_add)
    }

    /// The distance.
    #[inline(always)]
    pub fn difference(self, other: Self) -> Self {
        self.zip(other, u8::abs_diff)
    }

    #[inline(always)]
    pub fn max(self, other: Self) -> Self {
        self.zip(other, u8::max)
    }

    #[inline(always)]
    pub fn shr<const N: u32>(self) -> Self {
        self.map(|lane| lane >> N)
    }

    /// All bits where a lane is at most as large as the other.
    #[inline(always)]
    pub fn at_most(self, other: Self) -> Self {
        self.zip(other, |a, b| if a <= b { 255 } else { 0 })
    }

    #[inline(always)]
    pub fn and(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    #[inline(always)]
    pub fn not(self) -> Self {
        self.map(|lane| !lane)
    }

    /// Whether any bit is set.
    #[inline(always)]
    pub fn any(self) -> bool {
        self.0 != [0; 16]
    }

    /// From 0 to 255 to -128 to 127, and back.
    #[inline(always)]
    pub fn flip_sign(self) -> Self {
        self.map(|lane| lane ^ 128)
    }

    /// The sum of lanes with a sign, -128 to 127.
    #[inline(always)]
    pub fn add_signed(self, other: Self) -> Self {
        self.zip(other, |a, b| (a as i8).saturating_add(b as i8) as u8)
    }

    /// The difference of lanes with a sign, -128 to 127.
    #[inline(always)]
    pub fn sub_signed(self, other: Self) -> Self {
        self.zip(other, |a, b| (a as i8).saturating_sub(b as i8) as u8)
    }

    /// Shifts lanes with a sign.
    #[inline(always)]
    pub fn shr_signed<const N: u32>(self) -> Self {
        self.map(|lane| (lane as i8 >> N) as u8)
    }

    /// 9, 18 and 27 128ths of lanes with a sign, rounded, as the loop filter has them.
    #[inline(always)]
    pub fn scaled_by_nines(self) -> [Self; 3] {
        [9, 18, 27].map(|factor| self.map(|lane| ((i16::from(lane as i8) * factor + 63) >> 7) as u8))
    }

    /// The columns of sixteen rows.
    #[inline(always)]
    pub fn columns(rows: &[[u8; 8]; 16]) -> [Self; 8] {
        from_fn(|x| Self(from_fn(|y| rows[y][x])))
    }

    /// Sixteen rows of these columns.
    #[inline(always)]
    pub fn rows(columns: &[Self; 8]) -> [[u8; 8]; 16] {
        from_fn(|y| from_fn(|x| columns[x].0[y]))
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
