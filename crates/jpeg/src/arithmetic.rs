//! The arithmetic coder of the standard, Annex D, and blocks of coefficients from it.

use crate::header::ZIGZAG;

/// Estimates of how probable the less probable decision is (table D.3): the estimate, what follows after the more and
/// after the less probable one, and whether that one then becomes the more probable. The last one stays at one half.
#[rustfmt::skip]
const ESTIMATES: [(u16, u8, u8, u8); 114] = [
    (0x5A1D, 1, 1, 1), (0x2586, 2, 14, 0), (0x1114, 3, 16, 0), (0x080B, 4, 18, 0), (0x03D8, 5, 20, 0),
    (0x01DA, 6, 23, 0), (0x00E5, 7, 25, 0), (0x006F, 8, 28, 0), (0x0036, 9, 30, 0), (0x001A, 10, 33, 0),
    (0x000D, 11, 35, 0), (0x0006, 12, 9, 0), (0x0003, 13, 10, 0), (0x0001, 13, 12, 0), (0x5A7F, 15, 15, 1),
    (0x3F25, 16, 36, 0), (0x2CF2, 17, 38, 0), (0x207C, 18, 39, 0), (0x17B9, 19, 40, 0), (0x1182, 20, 42, 0),
    (0x0CEF, 21, 43, 0), (0x09A1, 22, 45, 0), (0x072F, 23, 46, 0), (0x055C, 24, 48, 0), (0x0406, 25, 49, 0),
    (0x0303, 26, 51, 0), (0x0240, 27, 52, 0), (0x01B1, 28, 54, 0), (0x0144, 29, 56, 0), (0x00F5, 30, 57, 0),
    (0x00B7, 31, 59, 0), (0x008A, 32, 60, 0), (0x0068, 33, 62, 0), (0x004E, 34, 63, 0), (0x003B, 35, 32, 0),
    (0x002C, 9, 33, 0), (0x5AE1, 37, 37, 1), (0x484C, 38, 64, 0), (0x3A0D, 39, 65, 0), (0x2EF1, 40, 67, 0),
    (0x261F, 41, 68, 0), (0x1F33, 42, 69, 0), (0x19A8, 43, 70, 0), (0x1518, 44, 72, 0), (0x1177, 45, 73, 0),
    (0x0E74, 46, 74, 0), (0x0BFB, 47, 75, 0), (0x09F8, 48, 77, 0), (0x0861, 49, 78, 0), (0x0706, 50, 79, 0),
    (0x05CD, 51, 48, 0), (0x04DE, 52, 50, 0), (0x040F, 53, 50, 0), (0x0363, 54, 51, 0), (0x02D4, 55, 52, 0),
    (0x025C, 56, 53, 0), (0x01F8, 57, 54, 0), (0x01A4, 58, 55, 0), (0x0160, 59, 56, 0), (0x0125, 60, 57, 0),
    (0x00F6, 61, 58, 0), (0x00CB, 62, 59, 0), (0x00AB, 63, 61, 0), (0x008F, 32, 61, 0), (0x5B12, 65, 65, 1),
    (0x4D04, 66, 80, 0), (0x412C, 67, 81, 0), (0x37D8, 68, 82, 0), (0x2FE8, 69, 83, 0), (0x293C, 70, 84, 0),
    (0x2379, 71, 86, 0), (0x1EDF, 72, 87, 0), (0x1AA9, 73, 87, 0), (0x174E, 74, 72, 0), (0x1424, 75, 72, 0),
    (0x119C, 76, 74, 0), (0x0F6B, 77, 74, 0), (0x0D51, 78, 75, 0), (0x0BB6, 79, 77, 0), (0x0A40, 48, 77, 0),
    (0x5832, 81, 80, 1), (0x4D1C, 82, 88, 0), (0x438E, 83, 89, 0), (0x3BDD, 84, 90, 0), (0x34EE, 85, 91, 0),
    (0x2EAE, 86, 92, 0), (0x299A, 87, 93, 0), (0x2516, 71, 86, 0), (0x5570, 89, 88, 1), (0x4CA9, 90, 95, 0),
    (0x44D9, 91, 96, 0), (0x3E22, 92, 97, 0), (0x3824, 93, 99, 0), (0x32B4, 94, 99, 0), (0x2E17, 86, 93, 0),
    (0x56A8, 96, 95, 1), (0x4F46, 97, 101, 0), (0x47E5, 98, 102, 0), (0x41CF, 99, 103, 0), (0x3C3D, 100, 104, 0),
    (0x375E, 93, 99, 0), (0x5231, 102, 105, 0), (0x4C0F, 103, 106, 0), (0x4639, 104, 107, 0), (0x415E, 99, 103, 0),
    (0x5627, 106, 105, 1), (0x50E7, 107, 108, 0), (0x4B85, 103, 109, 0), (0x5597, 109, 110, 0), (0x504F, 107, 111, 0),
    (0x5A10, 111, 110, 1), (0x5522, 109, 112, 0), (0x59EB, 111, 112, 1), (0x5A1D, 113, 113, 0),
];

/// A decision's estimate; its highest bit is the decision that is more probable.
type Context = u8;

/// The estimate that stays at one half.
const EVEN: Context = 113;

/// Decodes decisions.
#[derive(Debug)]
pub(crate) struct Decoder {
    code: u32,
    interval: u32,
    /// Bits of `code` that are below the interval's.
    n_bits: u32,
    /// Where the next byte is in the file, or the marker at which the data ends.
    source: usize,
    /// Whether bytes were wanted where the file had ended.
    is_overrun: bool,
}

impl Decoder {
    pub(crate) fn new() -> Self {
        Self { code: 0, interval: 0, n_bits: 0, source: 0, is_overrun: false }
    }

    /// Goes to the data at `source` in the file.
    pub(crate) fn start(&mut self, file: &[u8], source: usize) {
        (self.source, self.is_overrun) = (source, false);
        self.code = u32::from(self.byte(file)) << 8;
        self.code |= u32::from(self.byte(file));
        (self.interval, self.n_bits) = (0x1_0000, 0);
    }

    pub(crate) fn is_overrun(&self) -> bool {
        self.is_overrun
    }

    /// Where to look for the marker at which the data ends.
    pub(crate) fn source(&self) -> usize {
        self.source
    }

    /// Zeros after the end: encoders leave those out.
    fn byte(&mut self, file: &[u8]) -> u8 {
        let Some(&byte) = file.get(self.source) else {
            self.is_overrun = true;
            return 0;
        };
        match (byte, file.get(self.source + 1)) {
            (0xFF, Some(0)) => self.source += 2,
            (0xFF, _) => return 0,
            _ => self.source += 1,
        }
        byte
    }

    #[inline]
    pub(crate) fn decide(&mut self, file: &[u8], context: &mut Context) -> bool {
        while self.interval < 0x8000 {
            if self.n_bits == 0 {
                self.code = self.code << 8 | u32::from(self.byte(file));
                self.n_bits = 8;
            }
            self.n_bits -= 1;
            self.interval <<= 1;
        }
        let more_probable = *context & 0x80;
        let (estimate, after_more, after_less, switch) = ESTIMATES[usize::from(*context & 0x7F).min(113)];
        let estimate = u32::from(estimate);
        self.interval -= estimate;
        let split = self.interval << self.n_bits;
        let is_upper = self.code >= split;
        // The less probable decision has the upper part, except where that is the larger one.
        let is_less = is_upper != (self.interval < estimate);
        let is_settled = !is_upper && self.interval >= 0x8000;
        if is_upper {
            self.code -= split;
            self.interval = estimate;
        }
        if is_settled {
            return more_probable != 0;
        }
        if is_less {
            *context = after_less | (more_probable ^ switch << 7);
            more_probable == 0
        } else {
            *context = after_more | more_probable;
            more_probable != 0
        }
    }

    /// A decision with even odds.
    pub(crate) fn flip(&mut self, file: &[u8]) -> bool {
        self.decide(file, &mut { EVEN })
    }
}

/// The contexts of a table of means, and of one of other coefficients.
type MeanContexts = [Context; 64];
type OtherContexts = [Context; 256];

/// What decisions of a scan are estimated by, and how its tables are conditioned.
#[derive(Debug)]
pub(crate) struct Contexts {
    means: [MeanContexts; 4],
    others: [OtherContexts; 4],
    conditioning: Conditioning,
}

/// What files say of their tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conditioning {
    /// The exponents up to which a difference of means is small, and from which on it is large.
    pub(crate) means: [(u8, u8); 4],
    /// The last coefficient of those that count as low.
    pub(crate) others: [u8; 4],
}

impl Default for Conditioning {
    fn default() -> Self {
        Self { means: [(0, 1); 4], others: [5; 4] }
    }
}

/// Exponents beyond which a number is no coefficient.
const MAX_MAGNITUDE: i32 = 1 << 15;

impl Contexts {
    pub(crate) fn new(conditioning: Conditioning) -> Self {
        Self { means: [[0; 64]; 4], others: [[0; 256]; 4], conditioning }
    }

    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.conditioning);
    }

    /// Decodes how a block's mean differs from the last one (figure F.19). `last` is what the component's last
    /// difference was like; it becomes what this one is.
    pub(crate) fn difference(
        &mut self,
        decoder: &mut Decoder,
        file: &[u8],
        table: usize,
        last: &mut u8,
    ) -> Option<i32> {
        let contexts = &mut self.means[table & 3];
        let mut place = usize::from(*last);
        if !decoder.decide(file, &mut contexts[place]) {
            *last = 0;
            return Some(0);
        }
        let is_negative = decoder.decide(file, &mut contexts[place + 1]);
        place += 2 + usize::from(is_negative);
        let mut magnitude = i32::from(decoder.decide(file, &mut contexts[place]));
        if magnitude != 0 {
            place = 20;
            while decoder.decide(file, &mut contexts[place]) {
                magnitude <<= 1;
                if magnitude == MAX_MAGNITUDE {
                    return None;
                }
                place += 1;
            }
        }
        let (small, large) = self.conditioning.means[table & 3];
        *last = match magnitude {
            _ if magnitude < (1 << small) >> 1 => 0,
            _ if magnitude > (1 << large) >> 1 => 12,
            _ => 4,
        };
        if *last != 0 && is_negative {
            *last += 4;
        }
        let size = mantissa(decoder, file, &mut contexts[place + 14], magnitude);
        Some(if is_negative { -size } else { size })
    }

    /// Decodes coefficients `start` to `end` in zigzag order and gives each that is not zero to `keep` (figure F.20).
    /// `None` if they go beyond the end.
    pub(crate) fn others(
        &mut self,
        decoder: &mut Decoder,
        file: &[u8],
        table: usize,
        (start, end): (usize, usize),
        mut keep: impl FnMut(usize, i32),
    ) -> Option<()> {
        let contexts = &mut self.others[table & 3];
        let mut zigzag = start;
        while zigzag <= end {
            if decoder.decide(file, &mut contexts[3 * (zigzag - 1)]) {
                break;
            }
            while !decoder.decide(file, &mut contexts[3 * (zigzag - 1) + 1]) {
                zigzag += 1;
                if zigzag > end {
                    return None;
                }
            }
            let is_negative = decoder.flip(file);
            let mut place = 3 * (zigzag - 1) + 2;
            let mut magnitude = i32::from(decoder.decide(file, &mut contexts[place]));
            if magnitude != 0 && decoder.decide(file, &mut contexts[place]) {
                magnitude = 2;
                place = if zigzag <= usize::from(self.conditioning.others[table & 3]) { 189 } else { 217 };
                while decoder.decide(file, &mut contexts[place]) {
                    magnitude <<= 1;
                    if magnitude == MAX_MAGNITUDE {
                        return None;
                    }
                    place += 1;
                }
            }
            // Magnitudes below two have no bits to follow.
            let size = mantissa(decoder, file, &mut contexts[(place + 14).min(255)], magnitude);
            keep(zigzag, if is_negative { -size } else { size });
            zigzag += 1;
        }
        Some(())
    }

    /// Decodes one more bit of coefficients `start` to `end`, of which those in `nonzero` are not zero yet
    /// (figure G.10). `keep` is given each that has a new bit: whether it was zero, and whether it is negative then.
    pub(crate) fn refinement(
        &mut self,
        decoder: &mut Decoder,
        file: &[u8],
        table: usize,
        (start, end): (usize, usize),
        nonzero: u64,
        mut keep: impl FnMut(usize, Refined),
    ) -> Option<()> {
        let contexts = &mut self.others[table & 3];
        let up_to_end = nonzero & (u64::MAX >> (63 - end)) & !1;
        let last_nonzero = 63 - (up_to_end | 1).leading_zeros() as usize;
        let mut zigzag = start;
        while zigzag <= end {
            if zigzag > last_nonzero && decoder.decide(file, &mut contexts[3 * (zigzag - 1)]) {
                break;
            }
            loop {
                let place = 3 * (zigzag - 1);
                if nonzero >> zigzag & 1 != 0 {
                    if decoder.decide(file, &mut contexts[place + 2]) {
                        keep(zigzag, Refined::Further);
                    }
                    break;
                }
                if decoder.decide(file, &mut contexts[place + 1]) {
                    keep(zigzag, Refined::New { is_negative: decoder.flip(file) });
                    break;
                }
                zigzag += 1;
                if zigzag > end {
                    return None;
                }
            }
            zigzag += 1;
        }
        Some(())
    }
}

/// What a refinement does to a coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refined {
    /// It was zero.
    New { is_negative: bool },
    /// It gets away from zero.
    Further,
}

/// Decodes the bits below the highest one of a magnitude, which stands for one more.
fn mantissa(decoder: &mut Decoder, file: &[u8], context: &mut Context, mut magnitude: i32) -> i32 {
    let mut size = magnitude;
    while magnitude > 1 {
        magnitude >>= 1;
        if decoder.decide(file, context) {
            size |= magnitude;
        }
    }
    size + 1
}

/// Decodes a block of a sequential scan but for its mean, as [`crate::huffman::others`] does.
pub(crate) fn others(
    (contexts, decoder): (&mut Contexts, &mut Decoder),
    file: &[u8],
    table: usize,
    quantizers: &[i16; 64],
    block: &mut [i16; 64],
) -> Option<usize> {
    let mut last = 0;
    contexts.others(decoder, file, table, (1, 63), |zigzag, coefficient| {
        block[usize::from(ZIGZAG[zigzag])] = (coefficient as i16).wrapping_mul(quantizers[zigzag]);
        last = zigzag;
    })?;
    Some(last)
}
