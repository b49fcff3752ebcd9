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
