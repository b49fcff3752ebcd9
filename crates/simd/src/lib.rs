//! Sixteen bytes, eight 16-bit integers, four 32-bit ones or four floating-point numbers at a time: in wasm and on x86-64
//! by their instructions, elsewhere one by one, with the same results.
//!
//! Few operations, chosen so that all three have them. The pairwise product [`Simd::dot`] is the reason not to leave
//! it to the compiler: it does not find that instruction by itself, and without it the cosine transform takes twice
//! as long.

#![deny(missing_docs)]

/// A vector of 128 bits, taken as lanes of 8, 16 or 32 bits as each operation says.
pub trait Simd: Copy {
    /// As lanes of 16 bits.
    fn load(lanes: &[i16; 8]) -> Self;
    /// As lanes of 8 bits.
    fn load8(lanes: &[u8; 16]) -> Self;
    /// Writes the lanes of 8 bits.
    fn store8(self, lanes: &mut [u8; 16]);
    /// The same in each of the 32-bit lanes.
    fn splat32(lane: i32) -> Self;
    /// 16-bit lanes that alternate between two numbers.
    fn pair(even: i16, odd: i16) -> Self;
    /// The lower halves of both, byte by byte in turn.
    fn zip_low8(self, other: Self) -> Self;
    /// The upper halves of both, byte by byte in turn.
    fn zip_high8(self, other: Self) -> Self;
    /// The same of lanes of 16 bits.
    fn zip_low16(self, other: Self) -> Self;
    /// The same of lanes of 16 bits.
    fn zip_high16(self, other: Self) -> Self;
    /// The same of lanes of 32 bits.
    fn zip_low32(self, other: Self) -> Self;
    /// The same of lanes of 32 bits.
    fn zip_high32(self, other: Self) -> Self;
    /// Products of 16-bit lanes, each two added to one of 32 bits.
    fn dot(self, other: Self) -> Self;
    /// Sums of 32-bit lanes.
    fn add32(self, other: Self) -> Self;
    /// Differences of 32-bit lanes.
    fn sub32(self, other: Self) -> Self;
    /// Shifts right with the sign.
    fn shift32<const N: i32>(self) -> Self;
    /// The same, by a number of bits that is not known beforehand.
    fn shift32_by(self, n_bits: u32) -> Self;
    /// 32-bit lanes to 16-bit lanes, at most so large as those can be.
    fn pack16(self, other: Self) -> Self;
    /// 16-bit lanes to bytes, at least 0 and at most 255.
    fn pack8(self, other: Self) -> Self;
    /// The lower and the upper eight bytes.
    fn halves(self) -> [[u8; 8]; 2];
    /// 16-bit lanes, no less than `low` and no more than `high`.
    fn clamp16(self, low: i16, high: i16) -> Self;
    /// The 16-bit lanes.
    fn lanes16(self) -> [i16; 8];
    /// A bit for each 16-bit lane of both that is not zero, the first one lowest.
    fn nonzero16(self, other: Self) -> u16;
    /// As four lanes of floating point.
    fn load_f32(lanes: &[f32; 4]) -> Self;
    /// The same in each of four lanes of floating point.
    fn splat_f32(lane: f32) -> Self;
    /// Sums of floating point.
    fn add_f32(self, other: Self) -> Self;
    /// Differences of floating point.
    fn sub_f32(self, other: Self) -> Self;
    /// Products of floating point.
    fn mul_f32(self, other: Self) -> Self;
}

/// The vectors of this processor.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub type Vector = wasm::Vector;
/// The vectors of this processor.
#[cfg(target_arch = "x86_64")]
pub type Vector = x86::Vector;
/// The vectors of this processor.
#[cfg(not(any(all(target_arch = "wasm32", target_feature = "simd128"), target_arch = "x86_64")))]
pub type Vector = portable::Vector;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm {
    use std::arch::wasm32::*;

    use super::Simd;

    /// 128 bits.
    #[derive(Debug, Clone, Copy)]
    pub struct Vector(v128);

    impl Simd for Vector {
        #[inline(always)]
        #[expect(unsafe_code, reason = "there is no safe load")]
        fn load(lanes: &[i16; 8]) -> Self {
            // SAFETY: the pointer is to sixteen bytes that are there, and needs no alignment.
            Self(unsafe { v128_load(lanes.as_ptr().cast()) })
        }

        #[inline(always)]
        #[expect(unsafe_code, reason = "there is no safe load")]
        fn load8(lanes: &[u8; 16]) -> Self {
            // SAFETY: the pointer is to sixteen bytes that are there, and needs no alignment.
            Self(unsafe { v128_load(lanes.as_ptr().cast()) })
        }

        #[inline(always)]
        #[expect(unsafe_code, reason = "there is no safe store")]
        fn store8(self, lanes: &mut [u8; 16]) {
            // SAFETY: the pointer is to sixteen bytes that are there, and needs no alignment.
            unsafe { v128_store(lanes.as_mut_ptr().cast(), self.0) }
        }

        #[inline(always)]
        fn splat32(lane: i32) -> Self {
            Self(i32x4_splat(lane))
        }

        #[inline(always)]
        fn shift32_by(self, n_bits: u32) -> Self {
            Self(i32x4_shr(self.0, n_bits))
        }

        #[inline(always)]
        fn pair(even: i16, odd: i16) -> Self {
            Self(i32x4_splat(i32::from(even) & 0xFFFF | i32::from(odd) << 16))
        }

        #[inline(always)]
        fn zip_low8(self, other: Self) -> Self {
            Self(i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(self.0, other.0))
        }

        #[inline(always)]
        fn zip_high8(self, other: Self) -> Self {
            Self(i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(self.0, other.0))
        }

        #[inline(always)]
        fn zip_low16(self, other: Self) -> Self {
            Self(i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(self.0, other.0))
        }

        #[inline(always)]
        fn zip_high16(self, other: Self) -> Self {
            Self(i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(self.0, other.0))
        }

        #[inline(always)]
        fn zip_low32(self, other: Self) -> Self {
            Self(i32x4_shuffle::<0, 4, 1, 5>(self.0, other.0))
        }

        #[inline(always)]
        fn zip_high32(self, other: Self) -> Self {
            Self(i32x4_shuffle::<2, 6, 3, 7>(self.0, other.0))
        }

        #[inline(always)]
        fn dot(self, other: Self) -> Self {
            Self(i32x4_dot_i16x8(self.0, other.0))
        }

        #[inline(always)]
        fn add32(self, other: Self) -> Self {
            Self(i32x4_add(self.0, other.0))
        }

        #[inline(always)]
        fn sub32(self, other: Self) -> Self {
            Self(i32x4_sub(self.0, other.0))
        }

        #[inline(always)]
        fn shift32<const N: i32>(self) -> Self {
            Self(i32x4_shr(self.0, N as u32))
        }

        #[inline(always)]
        fn pack16(self, other: Self) -> Self {
            Self(i16x8_narrow_i32x4(self.0, other.0))
        }

        #[inline(always)]
        fn pack8(self, other: Self) -> Self {
            Self(u8x16_narrow_i16x8(self.0, other.0))
        }

        #[inline(always)]
        fn halves(self) -> [[u8; 8]; 2] {
            [u64x2_extract_lane::<0>(self.0), u64x2_extract_lane::<1>(self.0)].map(u64::to_le_bytes)
        }

        #[inline(always)]
        fn clamp16(self, low: i16, high: i16) -> Self {
            Self(i16x8_min(i16x8_max(self.0, i16x8_splat(low)), i16x8_splat(high)))
        }

        #[inline(always)]
        #[expect(unsafe_code, reason = "there is no safe store")]
        fn lanes16(self) -> [i16; 8] {
            let mut lanes = [0; 8];
            // SAFETY: the pointer is to sixteen bytes that are there, and needs no alignment.
            unsafe { v128_store(lanes.as_mut_ptr().cast(), self.0) };
            lanes
        }

        #[inline(always)]
        fn nonzero16(self, other: Self) -> u16 {
            // Narrowed with saturation, nothing becomes zero that is not.
            !i8x16_bitmask(i8x16_eq(i8x16_narrow_i16x8(self.0, other.0), i8x16_splat(0)))
        }

        #[inline(always)]
        #[expect(unsafe_code, reason = "there is no safe load")]
        fn load_f32(lanes: &[f32; 4]) -> Self {
            // SAFETY: the pointer is to sixteen bytes that are there, and needs no alignment.
            Self(unsafe { v128_load(lanes.as_ptr().cast()) })
        }

        #[inline(always)]
        fn splat_f32(lane: f32) -> Self {
            Self(f32x4_splat(lane))
        }

        #[inline(always)]
        fn add_f32(self, other: Self) -> Self {
            Self(f32x4_add(self.0, other.0))
        }

        #[inline(always)]
        fn sub_f32(self, other: Self) -> Self {
            Self(f32x4_sub(self.0, other.0))
        }

        #[inline(always)]
        fn mul_f32(self, other: Self) -> Self {
            Self(f32x4_mul(self.0, other.0))
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the compiler does not know that every x86-64 has these instructions")]
mod x86 {
    use std::arch::x86_64::*;

    use super::Simd;

    /// Calls an instruction.
    macro_rules! sse2 {
        ($call:expr) => {
            // SAFETY: it is one of SSE2, which every x86-64 has; the one that reads memory says why it may.
            unsafe { $call }
        };
    }

    /// 128 bits.
    #[derive(Debug, Clone, Copy)]
    pub struct Vector(__m128i);

    impl Simd for Vector {
        #[inline(always)]
        fn load(lanes: &[i16; 8]) -> Self {
            // The pointer is to sixteen bytes that are there, and needs no alignment.
            Self(sse2!(_mm_loadu_si128(lanes.as_ptr().cast())))
        }

        #[inline(always)]
        fn load8(lanes: &[u8; 16]) -> Self {
            // The pointer is to sixteen bytes that are there, and needs no alignment.
            Self(sse2!(_mm_loadu_si128(lanes.as_ptr().cast())))
        }

        #[inline(always)]
        fn store8(self, lanes: &mut [u8; 16]) {
            // The pointer is to sixteen bytes that are there, and needs no alignment.
            sse2!(_mm_storeu_si128(lanes.as_mut_ptr().cast(), self.0));
        }

        #[inline(always)]
        fn splat32(lane: i32) -> Self {
            Self(sse2!(_mm_set1_epi32(lane)))
        }

        #[inline(always)]
        fn shift32_by(self, n_bits: u32) -> Self {
            Self(sse2!(_mm_sra_epi32(self.0, _mm_cvtsi32_si128(n_bits as i32))))
        }

        #[inline(always)]
        fn pair(even: i16, odd: i16) -> Self {
            Self(sse2!(_mm_set1_epi32(i32::from(even) & 0xFFFF | i32::from(odd) << 16)))
        }

        #[inline(always)]
        fn zip_low8(self, other: Self) -> Self {
            Self(sse2!(_mm_unpacklo_epi8(self.0, other.0)))
        }

        #[inline(always)]
        fn zip_high8(self, other: Self) -> Self {
            Self(sse2!(_mm_unpackhi_epi8(self.0, other.0)))
        }

        #[inline(always)]
        fn zip_low16(self, other: Self) -> Self {
            Self(sse2!(_mm_unpacklo_epi16(self.0, other.0)))
        }

        #[inline(always)]
        fn zip_high16(self, other: Self) -> Self {
            Self(sse2!(_mm_unpackhi_epi16(self.0, other.0)))
        }

        #[inline(always)]
        fn zip_low32(self, other: Self) -> Self {
            Self(sse2!(_mm_unpacklo_epi32(self.0, other.0)))
        }

        #[inline(always)]
        fn zip_high32(self, other: Self) -> Self {
            Self(sse2!(_mm_unpackhi_epi32(self.0, other.0)))
        }

        #[inline(always)]
        fn dot(self, other: Self) -> Self {
            Self(sse2!(_mm_madd_epi16(self.0, other.0)))
        }

        #[inline(always)]
        fn add32(self, other: Self) -> Self {
            Self(sse2!(_mm_add_epi32(self.0, other.0)))
        }

        #[inline(always)]
        fn sub32(self, other: Self) -> Self {
            Self(sse2!(_mm_sub_epi32(self.0, other.0)))
        }

        #[inline(always)]
        fn shift32<const N: i32>(self) -> Self {
            Self(sse2!(_mm_srai_epi32::<N>(self.0)))
        }

        #[inline(always)]
        fn pack16(self, other: Self) -> Self {
            Self(sse2!(_mm_packs_epi32(self.0, other.0)))
        }

        #[inline(always)]
        fn pack8(self, other: Self) -> Self {
            Self(sse2!(_mm_packus_epi16(self.0, other.0)))
        }

        #[inline(always)]
        fn halves(self) -> [[u8; 8]; 2] {
            let upper = sse2!(_mm_unpackhi_epi64(self.0, self.0));
            [sse2!(_mm_cvtsi128_si64(self.0)), sse2!(_mm_cvtsi128_si64(upper))].map(i64::to_le_bytes)
        }

        #[inline(always)]
        fn clamp16(self, low: i16, high: i16) -> Self {
            let raised = sse2!(_mm_max_epi16(self.0, _mm_set1_epi16(low)));
            Self(sse2!(_mm_min_epi16(raised, _mm_set1_epi16(high))))
        }

        #[inline(always)]
        fn lanes16(self) -> [i16; 8] {
            let mut lanes = [0; 8];
            // The pointer is to sixteen bytes that are there, and needs no alignment.
            sse2!(_mm_storeu_si128(lanes.as_mut_ptr().cast(), self.0));
            lanes
        }

        #[inline(always)]
        fn nonzero16(self, other: Self) -> u16 {
            // Narrowed with saturation, nothing becomes zero that is not.
            let bytes = sse2!(_mm_packs_epi16(self.0, other.0));
            !(sse2!(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_setzero_si128()))) as u16)
        }

        #[inline(always)]
        fn load_f32(lanes: &[f32; 4]) -> Self {
            // The pointer is to sixteen bytes that are there, and needs no alignment.
            Self(sse2!(_mm_castps_si128(_mm_loadu_ps(lanes.as_ptr()))))
        }

        #[inline(always)]
        fn splat_f32(lane: f32) -> Self {
            Self(sse2!(_mm_castps_si128(_mm_set1_ps(lane))))
        }

        #[inline(always)]
        fn add_f32(self, other: Self) -> Self {
            Self(sse2!(_mm_castps_si128(_mm_add_ps(_mm_castsi128_ps(self.0), _mm_castsi128_ps(other.0)))))
        }

        #[inline(always)]
        fn sub_f32(self, other: Self) -> Self {
            Self(sse2!(_mm_castps_si128(_mm_sub_ps(_mm_castsi128_ps(self.0), _mm_castsi128_ps(other.0)))))
        }

        #[inline(always)]
        fn mul_f32(self, other: Self) -> Self {
            Self(sse2!(_mm_castps_si128(_mm_mul_ps(_mm_castsi128_ps(self.0), _mm_castsi128_ps(other.0)))))
        }
    }
}

/// For other processors, and to compare with.
pub mod portable {
    use super::Simd;

    /// 128 bits.
    #[derive(Debug, Clone, Copy)]
    pub struct Vector([i16; 8]);

    impl Vector {
        fn lanes32(self) -> [i32; 4] {
            std::array::from_fn(|i| i32::from(self.0[2 * i]) & 0xFFFF | i32::from(self.0[2 * i + 1]) << 16)
        }

        fn of_lanes32(lanes: [i32; 4]) -> Self {
            Self(std::array::from_fn(|i| (lanes[i / 2] >> (i % 2 * 16)) as i16))
        }

        fn floats(self) -> [f32; 4] {
            self.lanes32().map(|lane| f32::from_bits(lane as u32))
        }

        fn of_floats(lanes: [f32; 4]) -> Self {
            Self::of_lanes32(lanes.map(|lane| lane.to_bits() as i32))
        }

        fn bytes(self) -> [u8; 16] {
            std::array::from_fn(|i| self.0[i / 2].to_le_bytes()[i % 2])
        }

        fn of_bytes(bytes: [u8; 16]) -> Self {
            Self(std::array::from_fn(|i| i16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]])))
        }
    }

    /// Takes lanes from `start` on, of both in turn.
    fn zipped<T: Copy, const N: usize>(a: [T; N], b: [T; N], start: usize) -> [T; N] {
        std::array::from_fn(|i| if i % 2 == 0 { a[start + i / 2] } else { b[start + i / 2] })
    }

    impl Simd for Vector {
        fn load(lanes: &[i16; 8]) -> Self {
            Self(*lanes)
        }

        fn load8(lanes: &[u8; 16]) -> Self {
            Self::of_bytes(*lanes)
        }

        fn store8(self, lanes: &mut [u8; 16]) {
            *lanes = self.bytes();
        }

        fn splat32(lane: i32) -> Self {
            Self::of_lanes32([lane; 4])
        }

        fn shift32_by(self, n_bits: u32) -> Self {
            Self::of_lanes32(self.lanes32().map(|lane| lane >> n_bits))
        }

        fn pair(even: i16, odd: i16) -> Self {
            Self([even, odd, even, odd, even, odd, even, odd])
        }

        fn zip_low8(self, other: Self) -> Self {
            Self::of_bytes(zipped(self.bytes(), other.bytes(), 0))
        }

        fn zip_high8(self, other: Self) -> Self {
            Self::of_bytes(zipped(self.bytes(), other.bytes(), 8))
        }

        fn zip_low16(self, other: Self) -> Self {
            Self(zipped(self.0, other.0, 0))
        }

        fn zip_high16(self, other: Self) -> Self {
            Self(zipped(self.0, other.0, 4))
        }

        fn zip_low32(self, other: Self) -> Self {
            Self::of_lanes32(zipped(self.lanes32(), other.lanes32(), 0))
        }

        fn zip_high32(self, other: Self) -> Self {
            Self::of_lanes32(zipped(self.lanes32(), other.lanes32(), 2))
        }

        fn dot(self, other: Self) -> Self {
            let product = |i: usize| i32::from(self.0[i]) * i32::from(other.0[i]);
            Self::of_lanes32(std::array::from_fn(|i| product(2 * i).wrapping_add(product(2 * i + 1))))
        }

        fn add32(self, other: Self) -> Self {
            Self::of_lanes32(std::array::from_fn(|i| self.lanes32()[i].wrapping_add(other.lanes32()[i])))
        }

        fn sub32(self, other: Self) -> Self {
            Self::of_lanes32(std::array::from_fn(|i| self.lanes32()[i].wrapping_sub(other.lanes32()[i])))
        }

        fn shift32<const N: i32>(self) -> Self {
            Self::of_lanes32(self.lanes32().map(|lane| lane >> N))
        }

        fn pack16(self, other: Self) -> Self {
            let packed = |lane: i32| lane.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
            Self(std::array::from_fn(|i| packed(if i < 4 { self.lanes32()[i] } else { other.lanes32()[i - 4] })))
        }

        fn pack8(self, other: Self) -> Self {
            let packed = |lane: i16| lane.clamp(0, 255) as u8;
            Self::of_bytes(std::array::from_fn(|i| packed(if i < 8 { self.0[i] } else { other.0[i - 8] })))
        }

        fn halves(self) -> [[u8; 8]; 2] {
            let bytes = self.bytes();
            std::array::from_fn(|half| std::array::from_fn(|i| bytes[8 * half + i]))
        }

        fn clamp16(self, low: i16, high: i16) -> Self {
            Self(self.0.map(|lane| lane.clamp(low, high)))
        }

        fn lanes16(self) -> [i16; 8] {
            self.0
        }

        fn nonzero16(self, other: Self) -> u16 {
            let lanes = self.0.into_iter().chain(other.0);
            lanes.enumerate().fold(0, |bits, (i, lane)| bits | u16::from(lane != 0) << i)
        }

        fn load_f32(lanes: &[f32; 4]) -> Self {
            Self::of_floats(*lanes)
        }

        fn splat_f32(lane: f32) -> Self {
            Self::of_floats([lane; 4])
        }

        fn add_f32(self, other: Self) -> Self {
            Self::of_floats(std::array::from_fn(|i| self.floats()[i] + other.floats()[i]))
        }

        fn sub_f32(self, other: Self) -> Self {
            Self::of_floats(std::array::from_fn(|i| self.floats()[i] - other.floats()[i]))
        }

        fn mul_f32(self, other: Self) -> Self {
            Self::of_floats(std::array::from_fn(|i| self.floats()[i] * other.floats()[i]))
        }
    }
}
