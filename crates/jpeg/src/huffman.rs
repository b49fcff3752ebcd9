//! Huffman codes: tables that are looked up by the next bits, and blocks of coefficients from them.

use crate::Error;
use crate::bits::{Bits, Cursor, Stage};
use crate::header::ZIGZAG;

/// How many bits are looked up at once. Longer codes are rare, one in some hundred.
const LOOKUP_BITS: u32 = 10;

/// What a code says, in one number: how many bits the code has and the number after it together (bits 0 to 5), how many
/// the code alone (8 to 13) and the number (16 to 19), and by how many places of the zigzag it moves (from 24 on).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry(u32);

/// A move that leaves the block. In progressive files more is added, how many bits the number of blocks has that end.
pub(crate) const END_OF_BLOCK: u32 = 128;
/// Of a code that is none.
const NO_CODE: Entry = Entry(64 << 24);
/// Where the table has no answer for so few bits.
const LONG: Entry = Entry(0);

impl Entry {
    fn new(n_code_bits: u32, n_number_bits: u32, n_places: u32) -> Self {
        Self((n_code_bits + n_number_bits) | n_code_bits << 8 | n_number_bits << 16 | n_places << 24)
    }

    /// In the lowest six bits; others may be above.
    #[inline(always)]
    fn n_code_bits(self) -> u32 {
        self.0 >> 8
    }

    #[inline(always)]
    pub(crate) fn n_number_bits(self) -> u32 {
        self.0 >> 16 & 15
    }

    /// Of both together, in the lowest six bits; others may be above.
    #[inline(always)]
    fn n_bits(self) -> u32 {
        self.0
    }

    #[inline(always)]
    pub(crate) fn n_places(self) -> u32 {
        self.0 >> 24
    }
}

/// What a table's values mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Lengths of differences of means.
    Means,
    /// Zeros before a coefficient, and its length.
    Others,
}

/// A Huffman table, ready to decode.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    lookup: [Entry; 1 << LOOKUP_BITS],
    /// For each length the first code that is longer, its bits at the top of sixteen.
    limits: [u32; 17],
    /// For each length what to add to a code for its place among the values.
    offsets: [i32; 17],
    values: [u8; 256],
    kind: Kind,
}

impl Table {
    /// From how many codes there are of each length from 1 to 16, and their values.
    pub(crate) fn new(kind: Kind, n_codes: &[u8; 16], values: &[u8]) -> Result<Box<Self>, Error> {
        let corrupt = || Error::Corrupt("bad Huffman table");
        let mut table = Box::new(Self {
            lookup: [LONG; 1 << LOOKUP_BITS],
            limits: [0; 17],
            offsets: [0; 17],
            values: [0; 256],
            kind,
        });
        table.values.get_mut(..values.len()).ok_or_else(corrupt)?.copy_from_slice(values);
        let (mut code, mut value_idx) = (0_u32, 0_usize);
        for (n_bits, n) in (1..).zip(n_codes) {
            table.offsets[n_bits as usize] = value_idx as i32 - code as i32;
            for value in values.get(value_idx..value_idx + usize::from(*n)).ok_or_else(corrupt)? {
                // The code of all ones is not given away, but some encoders do.
                if code >> n_bits != 0 {
                    return Err(corrupt());
                }
                if n_bits <= LOOKUP_BITS {
                    let first = (code << (LOOKUP_BITS - n_bits)) as usize;
                    table.lookup[first..first + (1 << (LOOKUP_BITS - n_bits))].fill(entry(kind, n_bits, *value));
                }
                code += 1;
            }
            value_idx += usize::from(*n);
            table.limits[n_bits as usize] = code << (16 - n_bits);
            code <<= 1;
        }
        let is_length = |value: &u8| kind == Kind::Others || *value <= 15;
        if values.iter().all(is_length) { Ok(table) } else { Err(corrupt()) }
    }

    /// The entry of the code at the top of `bits`.
    #[inline(always)]
    fn entry(&self, bits: u64) -> Entry {
        let entry = self.lookup[(bits >> (64 - LOOKUP_BITS)) as usize];
        if entry == LONG { self.long_entry(bits) } else { entry }
    }

    #[cold]
    #[inline(never)]
    fn long_entry(&self, bits: u64) -> Entry {
        self.long_code(bits).map_or(NO_CODE, |(n_bits, value)| entry(self.kind, n_bits, value))
    }

    fn long_code(&self, bits: u64) -> Option<(u32, u8)> {
        let next = (bits >> 48) as u32;
        let n_bits = (1..=16).find(|n_bits| next < self.limits[*n_bits as usize])?;
        let value_idx = (next >> (16 - n_bits)) as i32 + self.offsets[n_bits as usize];
        Some((n_bits, self.values[value_idx as usize & 255]))
    }

    /// Takes the next code, and leaves the number after it.
    #[inline(always)]
    pub(crate) fn next(&self, bits: &mut Bits) -> Entry {
        bits.cursor.refill(&bits.stage);
        let entry = self.entry(bits.cursor.next);
        bits.cursor.skip(entry.n_code_bits());
        entry
    }
}

fn entry(kind: Kind, n_bits: u32, value: u8) -> Entry {
    let (n_zeros, n_number_bits) = (u32::from(value >> 4), u32::from(value & 15));
    match (kind, value) {
        (Kind::Means, _) => Entry::new(n_bits, n_number_bits, 0),
        // Sixteen zeros are fifteen and a number of no bits, which is zero.
        (Kind::Others, 0xF0) => Entry::new(n_bits, 0, 16),
        (Kind::Others, _) if n_number_bits == 0 => Entry::new(n_bits, 0, END_OF_BLOCK + n_zeros),
        (Kind::Others, _) => Entry::new(n_bits, n_number_bits, n_zeros + 1),
    }
}

/// The number of `n_bits` bits at the top of `bits`: those that start with a zero are negative.
#[inline(always)]
pub(crate) fn number(bits: u64, n_bits: u32) -> i32 {
    let magnitude = (bits >> 1 >> (63 - n_bits)) as i32;
    let is_negative = (!bits >> 63) as i32;
    magnitude - (((1 << n_bits) - 1) & -is_negative)
}

/// Decodes how a block's mean differs from the last one; `None` if the code is none.
#[inline(always)]
pub(crate) fn difference(bits: &mut Bits, table: &Table) -> Option<i32> {
    bits.cursor.refill(&bits.stage);
    let entry = table.entry(bits.cursor.next);
    let difference = number(bits.cursor.next.wrapping_shl(entry.n_code_bits()), entry.n_number_bits());
    bits.cursor.skip(entry.n_bits());
    (entry != NO_CODE).then_some(difference)
}

/// Decodes the coefficients of a block but for the first, times their quantisers, and puts those up to `LAST` in
/// zigzag order into `block`, in rows. The last place that was written, or `None` if the block does not end at its end.
#[inline(always)]
pub(crate) fn others<const LAST: usize>(
    bits: &mut Bits,
    table: &Table,
    quantizers: &[i16; 64],
    block: &mut [i16; 64],
) -> Option<usize> {
    let mut cursor = bits.cursor;
    let last = others_at::<LAST>(&mut cursor, &bits.stage, table, quantizers, block);
    bits.cursor = cursor;
    last
}

#[inline(always)]
fn others_at<const LAST: usize>(
    cursor: &mut Cursor,
    stage: &Stage,
    table: &Table,
    quantizers: &[i16; 64],
    block: &mut [i16; 64],
) -> Option<usize> {
    let mut place = 0;
    let mut last = 0;
    // Each entry moves on by one place at least.
    while place < LAST as u32 {
        cursor.refill(stage);
        let entry = table.entry(cursor.next);
        place += entry.n_places();
        if place > 63 {
            cursor.skip(entry.n_bits());
            return (place >= END_OF_BLOCK).then_some(last);
        }
        let coefficient = number(cursor.next.wrapping_shl(entry.n_code_bits()), entry.n_number_bits());
        cursor.skip(entry.n_bits());
        let zigzag = place as usize & 63;
        block[usize::from(ZIGZAG[zigzag] & 63)] = (coefficient as i16).wrapping_mul(quantizers[zigzag]);
        last = zigzag;
    }
    while place < 63 {
        cursor.refill(stage);
        let entry = table.entry(cursor.next);
        place += entry.n_places();
        cursor.skip(entry.n_bits());
    }
    (place == 63 || place >= END_OF_BLOCK).then_some(last.min(LAST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_start_with_a_zero_are_negative() {
        let check = |bits: u64, n_bits, expected| assert_eq!(number(bits << (63 - n_bits) << 1, n_bits), expected);
        [(0, 0, 0), (1, 1, 1), (0, 1, -1), (3, 2, 3), (2, 2, 2), (1, 2, -2), (0, 2, -3), (0x7FFF, 15, 0x7FFF)]
            .iter()
            .for_each(|(bits, n_bits, expected)| check(*bits, *n_bits, *expected));
    }

    #[test]
    fn refuses_impossible_tables() {
        let table = |n_codes: &[u8], values: &[u8]| {
            let mut all = [0; 16];
            all[..n_codes.len()].copy_from_slice(n_codes);
            Table::new(Kind::Means, &all, values)
        };
        assert!(table(&[1, 1], &[0, 1]).is_ok());
        assert!(table(&[2], &[0, 1]).is_ok());
        assert!(table(&[], &[]).is_ok());
        assert!(table(&[3], &[0, 1, 2]).is_err());
        assert!(table(&[2, 1], &[0, 1, 2]).is_err());
        assert!(table(&[1, 1], &[0]).is_err());
        assert!(table(&[1, 1], &[0, 16]).is_err());
    }
}
