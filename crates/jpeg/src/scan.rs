//! What scans of all kinds have in common: tables, and restart intervals with what is done when they are damaged.

use std::ops::Range;

use crate::Error;
use crate::arithmetic::Conditioning;
use crate::encode::tables::STANDARD;
use crate::header::Scan;
use crate::huffman::{Kind, Table};
use crate::markers::{DAC, DHT, DQT, DRI, RST0, RST7, Segment, next_marker};

/// The tables that are in force at some place in a file.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    /// In zigzag order.
    pub(crate) quantizers: [Option<[u16; 64]>; 4],
    means: [Option<Box<Table>>; 4],
    others: [Option<Box<Table>>; 4],
    pub(crate) conditioning: Conditioning,
    /// Units between restarts; 0 for none.
    pub(crate) restart_interval: usize,
}

impl Tables {
    /// Takes over what a segment says, if it is one of tables.
    pub(crate) fn add(&mut self, file: &[u8], segment: &Segment) -> Result<(), Error> {
        let bytes = segment.bytes(file);
        match segment.marker {
            DQT => self.add_quantizers(bytes),
            DHT => self.add_codes(bytes),
            DAC => self.add_conditioning(bytes),
            DRI => {
                let interval = *bytes.first_chunk().ok_or(Error::Corrupt("bad restart interval"))?;
                self.restart_interval = u16::from_be_bytes(interval).into();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn add_quantizers(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        let corrupt = || Error::Corrupt("bad quantiser table");
        while let Some((kind, rest)) = bytes.split_first() {
            let n_bytes = if kind >> 4 == 0 { 64 } else { 128 };
            let (numbers, rest) = rest.split_at_checked(n_bytes).ok_or_else(corrupt)?;
            let table = self.quantizers.get_mut(usize::from(kind & 15)).ok_or_else(corrupt)?;
            *table = Some(std::array::from_fn(|i| match n_bytes {
                64 => numbers[i].into(),
                _ => u16::from_be_bytes([numbers[2 * i], numbers[2 * i + 1]]),
            }));
            bytes = rest;
        }
        Ok(())
    }

    fn add_codes(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        let corrupt = || Error::Corrupt("bad Huffman table");
        while let Some((class, rest)) = bytes.split_first() {
            let (n_codes, rest) = rest.split_first_chunk::<16>().ok_or_else(corrupt)?;
            let n_values = n_codes.iter().map(|n| usize::from(*n)).sum();
            let (values, rest) = rest.split_at_checked(n_values).ok_or_else(corrupt)?;
            let (kind, tables) = match class >> 4 {
                0 => (Kind::Means, &mut self.means),
                1 => (Kind::Others, &mut self.others),
                _ => return Err(corrupt()),
            };
            let table = tables.get_mut(usize::from(class & 15)).ok_or_else(corrupt)?;
            *table = Some(Table::new(kind, n_codes, values)?);
            bytes = rest;
        }
        Ok(())
    }

    fn add_conditioning(&mut self, bytes: &[u8]) -> Result<(), Error> {
        for [class, value] in bytes.as_chunks::<2>().0 {
            let table = usize::from(class & 15);
            let is_good = match class >> 4 {
                0 if table < 4 && value & 15 <= value >> 4 => {
                    self.conditioning.means[table] = (value & 15, value >> 4);
                    true
                }
                1 if table < 4 && (1..=63).contains(value) => {
                    self.conditioning.others[table] = *value;
                    true
                }
                _ => false,
            };
            if !is_good {
                return Err(Error::Corrupt("bad arithmetic conditioning"));
            }
        }
        Ok(())
    }

    /// Puts the standard's codes where `scan` names tables that the file leaves out, as films of JPEGs do.
    pub(crate) fn complete(&mut self, scan: &Scan) -> Result<(), Error> {
        for part in &scan.components {
            let places = [
                (&mut self.means[part.dc_table], Kind::Means, part.dc_table),
                (&mut self.others[part.ac_table], Kind::Others, part.ac_table),
            ];
            for (table, kind, table_idx) in places {
                if table.is_none()
                    && let Some(standard) = STANDARD.get(table_idx)
                {
                    let (n_codes, values) = if kind == Kind::Means { standard.0 } else { standard.1 };
                    *table = Some(Table::new(kind, n_codes, values)?);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn means(&self, table: usize) -> Result<&Table, Error> {
        self.means[table].as_deref().ok_or(Error::Corrupt("no Huffman table"))
    }

    pub(crate) fn others(&self, table: usize) -> Result<&Table, Error> {
        self.others[table].as_deref().ok_or(Error::Corrupt("no Huffman table"))
    }
}

/// Where the entropy-coded data of a scan is, and how it is divided.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Intervals<'a> {
    pub(crate) file: &'a [u8],
    pub(crate) start: usize,
    pub(crate) n_units: usize,
    /// Units between restarts; 0 for none.
    pub(crate) length: usize,
    pub(crate) tolerates_damage: bool,
}

/// Bits that do not decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Damage;

/// How much of a scan there was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decoded {
    Whole,
    Part,
    Nothing,
}

/// A reader of entropy-coded data.
pub(crate) trait Units {
    /// Goes to the data at `source`, and forgets all that came before.
    fn restart(&mut self, file: &[u8], source: usize);
    /// Decodes the units of `range`, which ends with an interval, up to the first that is damaged. How many they were.
    fn decode(&mut self, file: &[u8], range: Range<usize>) -> usize;
    /// From where on to look for the marker after the last unit.
    fn end(&self) -> usize;
    /// Whether data was left that no unit needed.
    fn has_rest(&self) -> bool;
}

impl Intervals<'_> {
    /// Decodes all intervals. Those that are damaged are left where the damage is found, and decoding goes on after the
    /// next restart marker.
    pub(crate) fn decode(&self, units: &mut impl Units) -> Result<Decoded, Error> {
        let length = if self.length == 0 { self.n_units } else { self.length };
        let damaged = || if self.tolerates_damage { Ok(()) } else { Err(Error::Corrupt("damaged or missing data")) };
        let (mut is_whole, mut n_decoded) = (true, 0);
        let mut next = Some((0, self.start));
        while let Some((interval_idx, source)) = next {
            let first = interval_idx * length;
            if first >= self.n_units {
                break;
            }
            let end = self.n_units.min(first + length);
            units.restart(self.file, source);
            let has_more = end < self.n_units;
            let n_units = units.decode(self.file, first..end);
            n_decoded += n_units;
            if n_units < end - first || (has_more && units.has_rest()) {
                is_whole = false;
                damaged()?;
            }
            next = None;
            if has_more {
                let (found, is_expected) = self.next_interval(interval_idx, units.end());
                if !is_expected {
                    is_whole = false;
                    damaged()?;
                }
                next = found;
            }
        }
        Ok(match n_decoded {
            0 => Decoded::Nothing,
            _ if is_whole => Decoded::Whole,
            _ => Decoded::Part,
        })
    }

    /// The interval after that of `interval_idx`, or a later one if its start is lost, and where it starts; and whether
    /// it is the one that was expected.
    fn next_interval(&self, interval_idx: usize, mut end: usize) -> (Option<(usize, usize)>, bool) {
        let mut is_expected = true;
        while let Some((code_at, marker)) = next_marker(self.file, end) {
            match marker {
                RST0..=RST7 => {
                    // Markers count to eight: up to three ahead, some were lost; more means that this is an old one.
                    let n_lost = (usize::from(marker - RST0) + 8 - interval_idx % 8) % 8;
                    is_expected &= n_lost == 0;
                    if n_lost <= 3 {
                        return (Some((interval_idx + 1 + n_lost, code_at + 1)), is_expected);
                    }
                }
                // Numbers that are no markers here may stand in damaged data.
                0x01..0xC0 => is_expected = false,
                _ => break,
            }
            end = code_at;
        }
        (None, false)
    }
}
