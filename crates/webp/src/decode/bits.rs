//! The boolean entropy decoder of RFC 6386, section 7.
//!
//! The RFC's decoder shifts bit by bit. This one keeps the bits to come at the upper end of a word, fills it four bytes
//! at a time, and finds out by counting zeros how far to shift.

/// Reads booleans, each with the probability (of 256) that it is false. After the end of the bytes come zeros.
#[derive(Clone, Copy)]
pub struct BoolDecoder<'a> {
    bytes: &'a [u8],
    /// The coded number less the lower end of the interval, from the highest bit on: eight bits to compare with, and
    /// those after them.
    value: u64,
    /// The width of the interval, 128 to 255.
    range: u32,
    /// How many bits of `value` there are after the first eight; negative where some of these are missing.
    bits: i32,
    /// How many zeros were added after the end of the bytes.
    made_up: u64,
}

impl<'a> BoolDecoder<'a> {
    /// A decoder of these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, value: 0, range: 255, bits: -8, made_up: 0 }
    }

    /// One boolean that is false with probability `prob / 256`.
    #[inline(always)]
    pub fn get(&mut self, prob: u8) -> bool {
        if self.bits < 0 {
            self.fill();
        }
        let split = 1 + (((self.range - 1) * u32::from(prob)) >> 8);
        let upper = u64::from(split) << 56;
        let bit = self.value >= upper;
        if bit {
            self.value -= upper;
            self.range -= split;
        } else {
            self.range = split;
        }
        let shift = self.range.leading_zeros() - 24;
        self.range <<= shift;
        self.value <<= shift;
        self.bits -= shift as i32;
        bit
    }

    /// A number of `bits` bits, highest first, each as likely true as false.
    pub fn literal(&mut self, bits: u32) -> u32 {
        (0..bits).fold(0, |value, _| value << 1 | u32::from(self.get(128)))
    }

    /// A flag, each way as likely.
    pub fn flag(&mut self) -> bool {
        self.get(128)
    }

    /// A number of `bits` bits and then its sign.
    pub fn signed(&mut self, bits: u32) -> i32 {
        let value = self.literal(bits) as i32;
        if self.flag() { -value } else { value }
    }

    /// A flag, and if it is set a signed number.
    pub fn optional_signed(&mut self, bits: u32) -> Option<i32> {
        self.flag().then(|| self.signed(bits))
    }

    /// Whether more was read than there is. A byte of zeros is no more than what some encoders leave out.
    pub fn is_past_end(&self) -> bool {
        self.made_up > 8
    }

    #[inline(always)]
    fn fill(&mut self) {
        if let Some((word, rest)) = self.bytes.split_first_chunk() {
            self.value |= u64::from(u32::from_be_bytes(*word)) << (24 - self.bits);
            self.bits += 32;
            self.bytes = rest;
        } else {
            self.fill_last();
        }
    }

    #[cold]
    fn fill_last(&mut self) {
        match self.bytes.split_first() {
            Some((byte, rest)) => {
                self.value |= u64::from(*byte) << (48 - self.bits);
                self.bytes = rest;
            }
            None => self.made_up += 8,
        }
        self.bits += 8;
    }
}
