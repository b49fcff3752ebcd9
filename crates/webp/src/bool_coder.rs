//! The boolean entropy encoder of RFC 6386, section 7.
//!
//! The RFC's encoder emits a byte at a time. This one gathers at least 32 bits before it writes, so that the common path
//! of a bit is a multiplication, a choice and a shift. A carry into bytes already written is rare and walks back.

/// Writes booleans, each with the probability (of 256) that it is false.
pub struct BoolEncoder {
    out: Vec<u8>,
    /// The lower end of the interval: the bits not written yet, `pending` of them above the eight of `range`.
    low: u64,
    /// The width of the interval, 128 to 255.
    range: u32,
    pending: u32,
}

impl BoolEncoder {
    /// An encoder that expects about `capacity` bytes.
    pub fn new(capacity: usize) -> Self {
        Self { out: Vec::with_capacity(capacity), low: 0, range: 255, pending: 0 }
    }

    /// Writes one boolean that is false with probability `prob / 256`.
    #[inline(always)]
    pub fn put(&mut self, bit: bool, prob: u8) {
        let split = 1 + (((self.range - 1) * u32::from(prob)) >> 8);
        if bit {
            self.low += u64::from(split);
            self.range -= split;
        } else {
            self.range = split;
        }
        let shift = self.range.leading_zeros() - 24;
        self.range <<= shift;
        self.low <<= shift;
        self.pending += shift;
        if self.pending >= 40 {
            self.write_word();
        }
    }

    /// Writes the lowest `bits` bits of `value`, highest first, each as likely true as false.
    pub fn put_literal(&mut self, value: u32, bits: u32) {
        for bit in (0..bits).rev() {
            self.put((value >> bit) & 1 != 0, 128);
        }
    }

    /// Writes an optional signed value: a flag, and if it is not zero its `bits` bits and its sign.
    pub fn put_optional_signed(&mut self, value: i32, bits: u32) {
        self.put(value != 0, 128);
        if value != 0 {
            self.put_literal(value.unsigned_abs(), bits);
            self.put(value < 0, 128);
        }
    }

    fn write_word(&mut self) {
        let kept = self.pending - 24;
        let word = self.low >> kept;
        if word >> 32 != 0 {
            self.carry();
        }
        self.out.extend_from_slice(&(word as u32).to_be_bytes());
        self.low &= (1 << kept) - 1;
        self.pending -= 32;
    }

    fn carry(&mut self) {
        for byte in self.out.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
    }

    /// Writes what is pending and gives the bytes.
    pub fn finish(mut self) -> Vec<u8> {
        let bits = self.pending + 8;
        if self.low >> bits != 0 {
            self.carry();
            self.low &= (1 << bits) - 1;
        }
        let bytes = bits.div_ceil(8);
        let aligned = self.low << (bytes * 8 - bits);
        self.out.extend_from_slice(&aligned.to_be_bytes()[8 - bytes as usize..]);
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The decoder of section 7.3.
    struct Decoder<'a> {
        bytes: &'a [u8],
        value: u32,
        range: u32,
        shifted: u32,
    }

    impl<'a> Decoder<'a> {
        fn new(bytes: &'a [u8]) -> Self {
            let mut decoder = Self { bytes, value: 0, range: 255, shifted: 0 };
            decoder.value = decoder.byte() << 8 | decoder.byte();
            decoder
        }

        fn byte(&mut self) -> u32 {
            let (&first, rest) = self.bytes.split_first().unwrap_or((&0, &[]));
            self.bytes = rest;
            first.into()
        }

        fn get(&mut self, prob: u8) -> bool {
            let split = 1 + (((self.range - 1) * u32::from(prob)) >> 8);
            let bit = self.value >= split << 8;
            if bit {
                self.range -= split;
                self.value -= split << 8;
            } else {
                self.range = split;
            }
            while self.range < 128 {
                self.value <<= 1;
                self.range <<= 1;
                self.shifted += 1;
                if self.shifted == 8 {
                    self.shifted = 0;
                    self.value |= self.byte();
                }
            }
            bit
        }
    }

    #[test]
    fn every_boolean_comes_back() {
        for seed in 0..200u32 {
            let mut state = seed.wrapping_mul(2654435761) | 1;
            let mut next = || {
                state = state.wrapping_mul(1664525).wrapping_add(1013904223);
                state >> 8
            };
            // Some seeds take nearly certain booleans that go wrong, which makes carries and long words.
            let bits: Vec<(bool, u8)> = (0..seed * 37)
                .map(|_| {
                    let prob = [128, 1, 255, (next() % 255 + 1) as u8][(seed % 4) as usize];
                    (next() % 256 >= if seed % 8 < 4 { u32::from(prob) } else { 7 }, prob)
                })
                .collect();
            let mut encoder = BoolEncoder::new(0);
            bits.iter().for_each(|&(bit, prob)| encoder.put(bit, prob));
            let bytes = encoder.finish();
            let mut decoder = Decoder::new(&bytes);
            for (i, &(bit, prob)) in bits.iter().enumerate() {
                assert_eq!(decoder.get(prob), bit, "seed {seed}, boolean {i} of {}", bits.len());
            }
        }
    }
}
