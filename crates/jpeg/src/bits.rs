//! The entropy-coded data of a scan, as bits.

/// How much is cleaned at a time, in bytes.
const STAGE_BYTES: usize = 16 << 10;
/// More than any ten blocks can take: 64 codes of 16 bits and as many numbers of 16 bits each, and a word to read ahead.
const UNIT_BYTES: usize = 10 * 64 * 4 + 8;

/// Clean bytes.
pub(crate) type Stage = [u8; STAGE_BYTES + 2 * UNIT_BYTES];

/// A place among bits. Apart from them, so that the innermost loop can hold it in registers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cursor {
    /// The next bits, the first one highest; zeros after the last.
    pub(crate) next: u64,
    n_next: u32,
    /// Where the bytes after those are in the stage.
    position: usize,
}

impl Cursor {
    /// Makes sure that there are 32 bits at least.
    #[inline(always)]
    pub(crate) fn refill(&mut self, stage: &Stage) {
        if self.n_next < 32 {
            // Past the zeros there is nothing, but no unit of blocks is so long.
            let bytes = stage.get(self.position..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
            self.next |= u64::from_be_bytes(bytes) >> self.n_next;
            self.position += (63 - self.n_next as usize) >> 3;
            self.n_next |= 56;
        }
    }

    /// Passes over at most 32 bits, of those that [`Cursor::refill`] has made sure of.
    #[inline(always)]
    pub(crate) fn skip(&mut self, n_bits: u32) {
        self.next <<= n_bits;
        self.n_next -= n_bits;
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
    /// How much of it is data. Zeros follow.
    n_staged: usize,
    /// Where the data after it is in the file; where the marker is, once `is_last`.
    source: usize,
    is_last: bool,
}

impl Bits {
    pub(crate) fn new() -> Self {
        let stage = Box::new([0; STAGE_BYTES + 2 * UNIT_BYTES]);
        Self { cursor: Cursor::default(), stage, n_staged: 0, source: 0, is_last: true }
    }

    /// Goes to the data at `source` in the file.
    pub(crate) fn start(&mut self, source: usize) {
        (self.cursor, self.n_staged) = (Cursor::default(), 0);
        (self.source, self.is_last) = (source, false);
    }

    /// Makes sure that the next unit of blocks can be decoded.
    #[inline(always)]
    pub(crate) fn prepare(&mut self, file: &[u8]) {
        if self.cursor.position + UNIT_BYTES > self.n_staged && !self.is_last {
            self.fill_stage(file);
        }
    }

    #[inline(never)]
    fn fill_stage(&mut self, file: &[u8]) {
        let position = self.cursor.position.min(self.n_staged);
        self.stage.copy_within(position..self.n_staged, 0);
        self.n_staged -= position;
        self.cursor.position = 0;
        while self.n_staged < STAGE_BYTES && !self.is_last {
            let rest = file.get(self.source..).unwrap_or_default();
            let wanted = &rest[..rest.len().min(STAGE_BYTES - self.n_staged)];
            let n_clean = memchr::memchr(0xFF, wanted).unwrap_or(wanted.len());
            self.stage[self.n_staged..self.n_staged + n_clean].copy_from_slice(&wanted[..n_clean]);
            self.n_staged += n_clean;
            self.source += n_clean;
            if n_clean < wanted.len() {
                self.is_last = rest.get(n_clean + 1) != Some(&0);
                if !self.is_last {
                    self.stage[self.n_staged] = 0xFF;
                    self.n_staged += 1;
                    self.source += 2;
                }
            } else if n_clean == rest.len() {
                self.is_last = true;
            }
        }
        if self.is_last {
            self.stage[self.n_staged..].fill(0);
        }
    }

    /// The next bit.
    #[inline(always)]
    pub(crate) fn bit(&mut self) -> bool {
        self.cursor.refill(&self.stage);
        let bit = self.cursor.next >> 63 != 0;
        self.cursor.skip(1);
        bit
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
        self.is_last && 8 * self.cursor.position > 8 * self.n_staged + self.cursor.n_next as usize
    }

    /// How many whole bytes before the end were not taken, of those that are already clean.
    pub(crate) fn n_left_bytes(&self) -> usize {
        let n_staged = 8 * self.n_staged + self.cursor.n_next as usize;
        n_staged.saturating_sub(8 * self.cursor.position) / 8
    }

    /// Where the data ends, if all of it is clean: where to look for the marker after it.
    pub(crate) fn source(&self) -> usize {
        self.source
    }
}
