//! The entropy-coded data of a scan, as bits.

/// How much is cleaned at a time, in bytes.
const STAGE_BYTES: usize = 16 << 10;
/// More than any ten blocks can take: 64 codes of 16 bits and as many numbers of 16 bits each, and words to read ahead.
const UNIT_BYTES: usize = 10 * 64 * 4 + 16;

/// Clean bytes, as words, of which the first byte is the highest.
pub(crate) type Stage = [u32; (STAGE_BYTES + 2 * UNIT_BYTES) / 4];

/// A place among bits. Apart from them, so that the innermost loop can hold it in registers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cursor {
    /// The next bits, the first one highest; zeros after the last.
    pub(crate) next: u64,
    n_next: u32,
    /// Where the words after those are in the stage.
    position: usize,
}

impl Cursor {
    /// Makes sure that there are 32 bits at least.
    #[inline(always)]
    pub(crate) fn refill(&mut self, stage: &Stage) {
        if self.n_next < 32 {
            // Past the zeros there is nothing, but no unit of blocks is so long.
            let word = stage.get(self.position).copied().unwrap_or_default();
            self.next |= u64::from(word) << (32 - self.n_next);
            self.position += 1;
            self.n_next += 32;
        }
    }

    /// Passes over the number of bits that the lowest six bits of `n_bits` say: at most 32, of those that
    /// [`Cursor::refill`] has made sure of.
    #[inline(always)]
    pub(crate) fn skip(&mut self, n_bits: u32) {
        // Shifts look at those six bits only, so that this is where the next code waits for the last one.
        self.next = self.next.wrapping_shl(n_bits);
        self.n_next -= n_bits & 63;
    }
}

/// The bits of one restart interval.
///
/// Stuffed bytes are taken out ahead, some kilobytes at a time, so that the decoder of a block looks neither for them
/// nor for the end: there are always enough bits for one unit of blocks, if only zeros, and [`Bits::is_overrun`] tells
/// afterwards whether they were there in the file.
#[derive(Debug)]
pub(crate) struct Bits {
    pub(crate) cursor: Cursor,
    pub(crate) stage: Box<Stage>,
    /// How many bytes of it are data. Zeros follow the last.
    n_staged: usize,
    /// Clean bytes on their way into the stage. Those that do not fill a word stay until there are more.
    clean: Box<[u8; STAGE_BYTES + 4]>,
    /// Where the data after it is in the file; where the marker is, once `is_last`.
    source: usize,
    is_last: bool,
}

impl Bits {
    pub(crate) fn new() -> Self {
        let stage = Box::new([0; (STAGE_BYTES + 2 * UNIT_BYTES) / 4]);
        let clean = Box::new([0; STAGE_BYTES + 4]);
        Self { cursor: Cursor::default(), stage, n_staged: 0, clean, source: 0, is_last: true }
    }

    /// Goes to the data at `source` in the file.
    pub(crate) fn start(&mut self, source: usize) {
        (self.cursor, self.n_staged) = (Cursor::default(), 0);
        (self.source, self.is_last) = (source, false);
    }

    /// Makes sure that the next unit of blocks can be decoded.
    #[inline(always)]
    pub(crate) fn prepare(&mut self, file: &[u8]) {
        if 4 * self.cursor.position + UNIT_BYTES > self.n_staged && !self.is_last {
            self.fill_stage(file);
        }
    }

    #[inline(never)]
    fn fill_stage(&mut self, file: &[u8]) {
        let (n_words, n_rest) = (self.n_staged / 4, self.n_staged % 4);
        let n_used = self.cursor.position.min(n_words);
        self.stage.copy_within(n_used..n_words, 0);
        self.cursor.position = 0;
        let n_words = n_words - n_used;

        let n_clean = self.clean_bytes(file, n_rest, STAGE_BYTES - 4 * n_words);
        self.n_staged = 4 * n_words + n_clean;
        let (words, rest) = self.clean[..n_clean].as_chunks::<4>();
        let n_filled = n_words + words.len();
        self.stage[n_words..].iter_mut().zip(words).for_each(|(word, bytes)| *word = u32::from_be_bytes(*bytes));
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        if self.is_last {
            self.stage[n_filled] = u32::from_be_bytes(last);
            self.stage[n_filled + 1..][..UNIT_BYTES / 4].fill(0);
        }
        *self.clean.first_chunk_mut().unwrap_or(&mut last) = last;
    }

    /// Appends clean bytes to the first `n_clean`, until there are `n_wanted` or no more. How many there are.
    fn clean_bytes(&mut self, file: &[u8], mut n_clean: usize, n_wanted: usize) -> usize {
        while n_clean < n_wanted && !self.is_last {
            let rest = file.get(self.source..).unwrap_or_default();
            let wanted = &rest[..rest.len().min(n_wanted - n_clean)];
            let n_plain = memchr::memchr(0xFF, wanted).unwrap_or(wanted.len());
            self.clean[n_clean..n_clean + n_plain].copy_from_slice(&wanted[..n_plain]);
            n_clean += n_plain;
            self.source += n_plain;
            if n_plain < wanted.len() {
                self.is_last = rest.get(n_plain + 1) != Some(&0);
                if !self.is_last {
                    self.clean[n_clean] = 0xFF;
                    n_clean += 1;
                    self.source += 2;
                }
            } else if n_plain == rest.len() {
                self.is_last = true;
            }
        }
        n_clean
    }

    /// The next bit.
    #[inline(always)]
    pub(crate) fn bit(&mut self) -> bool {
        self.number(1) != 0
    }

    /// The next `n_bits`, at most 16.
    #[inline(always)]
    pub(crate) fn number(&mut self, n_bits: u32) -> u32 {
        self.cursor.refill(&self.stage);
        let number = (self.cursor.next >> 1 >> (63 - n_bits)) as u32;
        self.cursor.skip(n_bits);
        number
    }

    /// Whether more bits were taken than there were.
    #[inline(always)]
    pub(crate) fn is_overrun(&self) -> bool {
        self.is_last && 32 * self.cursor.position > 8 * self.n_staged + self.cursor.n_next as usize
    }

    /// How many whole bytes before the end were not taken, of those that are already clean.
    pub(crate) fn n_left_bytes(&self) -> usize {
        let n_staged = 8 * self.n_staged + self.cursor.n_next as usize;
        n_staged.saturating_sub(32 * self.cursor.position) / 8
    }

    /// Where the data ends, if all of it is clean: where to look for the marker after it.
    pub(crate) fn source(&self) -> usize {
        self.source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffed_bytes_are_left_out_and_the_end_is_noticed() {
        // Enough for several stages, and of every remainder of four.
        for n_bytes in [0, 1, 2, 3, 4, 5, 4096, 50_001, 50_002, 50_003] {
            let bytes: Vec<u8> = (0..n_bytes).map(|i: usize| if i % 7 == 3 { 0xFF } else { i as u8 }).collect();
            let stuffed = |byte: &u8| if *byte == 0xFF { vec![0xFF, 0] } else { vec![*byte] };
            let mut file: Vec<u8> = bytes.iter().flat_map(stuffed).collect();
            let end = file.len();
            file.extend([0xFF, 0xD9, 1, 2, 3]);
            let mut bits = Bits::new();
            bits.start(0);
            for byte in &bytes {
                bits.prepare(&file);
                assert_eq!(bits.number(8), u32::from(*byte));
                assert!(!bits.is_overrun());
            }
            bits.prepare(&file);
            assert_eq!((bits.source(), bits.n_left_bytes()), (end, 0));
            assert!(!bits.bit());
            assert!(bits.is_overrun());
        }
    }
}
