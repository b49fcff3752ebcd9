//! Huffman codes of JPEG: what is written, in which bits, and which bits are best.

use super::tables::STANDARD;

/// A kind of channel, brightness or colour, by the first of its two tables: of means and of others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind(u8);

/// What stands for a table in [`Symbol::restart`].
const RESTART: u8 = 4;

/// One thing that is written: a byte that has a code in a table, and a number after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Symbol {
    table_idx: u8,
    /// Zeros before the number, and its length in bits.
    value: u8,
    number_bits: u16,
}

impl Kind {
    pub(super) fn of_channel(channel_idx: usize) -> Self {
        Self(if channel_idx == 0 { 0 } else { 2 })
    }

    /// Sixteen zeros, and nothing but zeros from here.
    #[inline]
    pub(super) fn sixteen_zeros(self) -> Symbol {
        Symbol { table_idx: self.0 + 1, value: 0xF0, number_bits: 0 }
    }

    #[inline]
    pub(super) fn no_more(self) -> Symbol {
        Symbol { table_idx: self.0 + 1, value: 0, number_bits: 0 }
    }

    /// How much a block's mean differs from the one before.
    #[inline]
    pub(super) fn mean(self, difference: i16) -> Symbol {
        Symbol::new(self.0, 0, difference)
    }

    /// A coefficient after `n_zeros`, at most fifteen.
    #[inline]
    pub(super) fn other(self, n_zeros: u32, coefficient: i16) -> Symbol {
        Symbol::new(self.0 + 1, n_zeros, coefficient)
    }
}

impl Symbol {
    #[inline]
    fn new(table_idx: u8, n_zeros: u32, number: i16) -> Self {
        let number = i32::from(number);
        let n_number_bits = 32 - number.unsigned_abs().leading_zeros();
        // A negative number is written as one less, without the bits above its length.
        let number_bits = (number + (number >> 31)) as u32 & ((1 << n_number_bits) - 1);
        Self { table_idx, value: (n_zeros << 4 | n_number_bits) as u8, number_bits: number_bits as u16 }
    }

    /// The end of an interval, after which a marker stands instead of a code.
    pub(super) fn restart(interval_idx: usize) -> Self {
        Self { table_idx: RESTART, value: (interval_idx % 8) as u8, number_bits: 0 }
    }

    /// Its place among the codes of all tables.
    #[inline]
    fn place(self) -> usize {
        usize::from(self.table_idx & 3) << 8 | usize::from(self.value)
    }
}

/// A Huffman table as it is written into the file.
#[derive(Debug, Clone)]
pub(super) struct CodeTable {
    /// How many codes there are of each length, from 1 to 16 bits.
    pub(super) n_codes: [u8; 16],
    /// What the codes mean, shortest first.
    pub(super) values: Vec<u8>,
}

/// The tables of a kind of channel.
#[derive(Debug, Clone)]
pub(super) struct ChannelTables {
    /// Of means.
    pub(super) means: CodeTable,
    /// Of all other coefficients.
    pub(super) others: CodeTable,
}

/// The tables of brightness and of colour.
#[derive(Debug, Clone)]
pub(super) struct CodeTables(pub(super) [ChannelTables; 2]);

impl CodeTables {
    /// The standard's.
    pub(super) fn standard() -> Self {
        let table = |(n_codes, values): super::tables::Codes| CodeTable { n_codes: *n_codes, values: values.to_vec() };
        let tables = |(means, others): (super::tables::Codes, super::tables::Codes)| ChannelTables {
            means: table(means),
            others: table(others),
        };
        Self(STANDARD.map(tables))
    }

    /// The best for what was counted.
    pub(super) fn fitted(frequencies: &Frequencies) -> Self {
        let table = |table_idx: usize| fitted_table(&frequencies.0.as_chunks().0[table_idx]);
        Self([0, 2].map(|table_idx| ChannelTables { means: table(table_idx), others: table(table_idx + 1) }))
    }
}

/// How often each symbol occurs, by tables.
pub(super) struct Frequencies([u32; 4 * 256]);

impl Default for Frequencies {
    fn default() -> Self {
        Self([0; 4 * 256])
    }
}

impl Frequencies {
    #[inline]
    pub(super) fn count(&mut self, symbol: Symbol) {
        self.0[symbol.place()] += u32::from(symbol.table_idx != RESTART);
    }
}

/// The longest code that a file may have, in bits.
const MAX_CODE_BITS: usize = 16;

/// The Huffman table for symbols as frequent as `counts` says, by the procedure of the standard's section K.2.
pub(super) fn fitted_table(counts: &[u32; 256]) -> CodeTable {
    let mut values: Vec<u8> = (0..=255).filter(|value| counts[usize::from(*value)] > 0).collect();
    // The most frequent first; those as frequent in a fixed order.
    values.sort_by_key(|value| (std::cmp::Reverse(counts[usize::from(*value)]), *value));
    let mut lengths: Vec<u64> = values.iter().map(|value| counts[usize::from(*value)].into()).collect();
    // One more, less frequent than any: the longest code, all ones, which no symbol may have.
    lengths.push(0);
    huffman_lengths(&mut lengths);

    // A tree of 257 leaves is at most 256 deep.
    let mut n_codes = [0_usize; 257];
    lengths.iter().for_each(|length| n_codes[*length as usize] += 1);
    shorten(&mut n_codes);
    if let Some(longest) = n_codes.iter_mut().rev().find(|n| **n > 0) {
        *longest -= 1;
    }
    CodeTable { n_codes: std::array::from_fn(|i| n_codes[i + 1] as u8), values }
}

/// Replaces frequencies, the highest first, by the lengths of their codes.
fn huffman_lengths(frequencies: &mut [u64]) {
    if let [only] = frequencies {
        *only = 1;
        return;
    }
    // Two queues, both ascending: leaves, and pairs in the order in which they are made. Of each node its parent.
    let n_leaves = frequencies.len();
    let mut weights: Vec<u64> = frequencies.iter().rev().copied().collect();
    let mut parents = vec![0; 2 * n_leaves - 1];
    let (mut leaf_idx, mut pair_idx) = (0, n_leaves);
    for parent_idx in n_leaves..2 * n_leaves - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            let has_leaf = leaf_idx < n_leaves;
            let has_pair = pair_idx < parent_idx;
            let node_idx = if has_leaf && (!has_pair || weights[leaf_idx] <= weights[pair_idx]) {
                leaf_idx += 1;
                leaf_idx - 1
            } else {
                pair_idx += 1;
                pair_idx - 1
            };
            weight += weights[node_idx];
            parents[node_idx] = parent_idx;
        }
        weights.push(weight);
    }
    // From the root down: each node is one deeper than its parent.
    let mut depths = vec![0_u64; 2 * n_leaves - 1];
    for node_idx in (0..2 * n_leaves - 2).rev() {
        depths[node_idx] = depths[parents[node_idx]] + 1;
    }
    frequencies.iter_mut().rev().zip(depths).for_each(|(frequency, depth)| *frequency = depth);
}

/// Makes codes of more than [`MAX_CODE_BITS`] shorter, at the cost of lengthening others (figure K.3).
fn shorten(n_codes: &mut [usize; 257]) {
    for length in (MAX_CODE_BITS + 1..n_codes.len()).rev() {
        while n_codes[length] > 0 {
            // Two of the longest: one takes their common prefix, the other a place beside a shorter code.
            let Some(shorter) = (1..length - 1).rev().find(|shorter| n_codes[*shorter] > 0) else { return };
            n_codes[length] -= 2;
            n_codes[length - 1] += 1;
            n_codes[shorter + 1] += 2;
            n_codes[shorter] -= 1;
        }
    }
}

/// A code's bits and their number.
pub(super) type Code = (u32, u32);

/// The codes of all tables; of no bits for symbols that the tables leave out.
pub(super) struct Codes([Code; 4 * 256]);

impl Codes {
    pub(super) fn new(tables: &CodeTables) -> Self {
        let mut codes = [(0, 0); 4 * 256];
        let tables = tables.0.iter().flat_map(|tables| [&tables.means, &tables.others]);
        for (codes, table) in codes.as_chunks_mut().0.iter_mut().zip(tables) {
            *codes = codes_of(table);
        }
        Self(codes)
    }

    #[inline]
    pub(super) fn write(&self, symbol: Symbol, bits: &mut BitWriter) {
        if symbol.table_idx == RESTART {
            bits.restart(symbol.value.into());
            return;
        }
        let (code, n_bits) = self.0[symbol.place()];
        let n_number_bits = u32::from(symbol.value & 15);
        bits.put((code << n_number_bits | u32::from(symbol.number_bits), n_bits + n_number_bits));
    }
}

pub(super) fn codes_of(table: &CodeTable) -> [Code; 256] {
    let mut codes = [(0, 0); 256];
    let mut values = table.values.iter();
    let mut code = 0;
    for (n_bits, n_codes) in (1..).zip(table.n_codes) {
        for value in values.by_ref().take(usize::from(n_codes)) {
            codes[usize::from(*value)] = (code, n_bits);
            code += 1;
        }
        code <<= 1;
    }
    codes
}

/// Bits into bytes, with a zero after each byte that would look like a marker.
pub(super) struct BitWriter {
    file: Vec<u8>,
    /// Bits not written yet, the last one lowest.
    pending: u64,
    n_pending: u32,
}

impl BitWriter {
    pub(super) fn new(file: Vec<u8>) -> Self {
        Self { file, pending: 0, n_pending: 0 }
    }

    /// At most 32 bits.
    #[inline]
    pub(super) fn put(&mut self, (bits, n_bits): Code) {
        self.pending = self.pending << n_bits | u64::from(bits);
        self.n_pending += n_bits;
        if self.n_pending >= 32 {
            self.n_pending -= 32;
            self.write((self.pending >> self.n_pending) as u32);
        }
    }

    fn write(&mut self, word: u32) {
        let bytes = word.to_be_bytes();
        // Whether the complement has a byte of zeros.
        let has_marker = (!word).wrapping_sub(0x0101_0101) & word & 0x8080_8080 != 0;
        if !has_marker {
            self.file.extend_from_slice(&bytes);
            return;
        }
        bytes.into_iter().for_each(|byte| self.write_byte(byte));
    }

    fn write_byte(&mut self, byte: u8) {
        self.file.push(byte);
        if byte == 0xFF {
            self.file.push(0);
        }
    }

    /// Fills the last byte with ones.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.align();
        self.file
    }

    /// Starts a new interval, the one after that of `interval_idx`.
    pub(super) fn restart(&mut self, interval_idx: usize) {
        self.align();
        self.file.extend([0xFF, 0xD0 | (interval_idx % 8) as u8]);
    }

    fn align(&mut self) {
        while self.n_pending > 0 {
            let n_bits = self.n_pending.min(8);
            let byte = (self.pending >> (self.n_pending - n_bits)) as u8;
            self.n_pending -= n_bits;
            let n_ones = 8 - n_bits;
            self.write_byte(((u32::from(byte) << n_ones) | ((1 << n_ones) - 1)) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths of the codes of symbols 0, 1, … that occur as often as `counts` says.
    fn check(counts: &[u32], expected: &[u32]) {
        let mut all = [0; 256];
        all[..counts.len()].copy_from_slice(counts);
        let table = fitted_table(&all);
        assert_eq!(table.n_codes.iter().map(|n| usize::from(*n)).sum::<usize>(), table.values.len(), "{counts:?}");
        // Codes leave the one of all ones free, and are never prefixes of each other.
        let room: u64 = table.n_codes.iter().zip(1..).map(|(n, length)| u64::from(*n) << (16 - length)).sum();
        assert!(room < 1 << 16, "{counts:?}");
        let codes = codes_of(&table);
        let lengths: Vec<u32> = (0..counts.len()).map(|value| codes[value].1).collect();
        if !expected.is_empty() {
            assert_eq!(lengths, expected, "{counts:?}");
        }
    }

    #[test]
    fn the_most_frequent_have_the_shortest_codes() {
        check(&[], &[]);
        check(&[7], &[1]);
        check(&[1, 1], &[1, 2]);
        check(&[5, 0, 5], &[1, 0, 2]);
        check(&[8, 4, 2, 1], &[1, 2, 3, 4]);
        check(&[1, 2, 4, 8], &[4, 3, 2, 1]);
        check(&[3, 3, 3, 3], &[2, 2, 2, 3]);
    }

    #[test]
    fn no_code_is_too_long() {
        // Fibonacci numbers make the deepest tree there is.
        let mut fibonacci = vec![1_u32, 1];
        while fibonacci.len() < 44 {
            fibonacci.push(fibonacci[fibonacci.len() - 1] + fibonacci[fibonacci.len() - 2]);
        }
        check(&fibonacci, &[]);
        check(&[1; 256], &[]);
        let steep: Vec<u32> = (0..256).map(|i| 1 << (i / 9)).collect();
        check(&steep, &[]);
    }

    #[test]
    fn bytes_like_markers_are_marked() {
        let check = |bits: &[Code], expected: &[u8]| {
            let mut writer = BitWriter::new(Vec::new());
            bits.iter().for_each(|code| writer.put(*code));
            assert_eq!(writer.finish(), expected, "{bits:x?}");
        };
        check(&[], &[]);
        check(&[(0b101, 3)], &[0b1011_1111]);
        check(&[(0xFF, 8)], &[0xFF, 0]);
        check(&[(0x7F, 7)], &[0xFF, 0]);
        check(&[(0x12FF, 16), (0x34FF, 16), (1, 1)], &[0x12, 0xFF, 0, 0x34, 0xFF, 0, 0xFF, 0]);
        check(&[(0x1234_5678, 32), (0x9A, 8)], &[0x12, 0x34, 0x56, 0x78, 0x9A]);
    }
}
