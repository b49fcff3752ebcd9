//! Scans that hold parts of coefficients: those are gathered in memory, and become samples after the last scan.

use std::ops::Range;

use crate::Error;
use crate::arithmetic::{Contexts, Decoder, Refined};
use crate::bits::Bits;
use crate::frame::Frame;
use crate::header::Scan;
use crate::huffman::{self, END_OF_BLOCK, Table};
use crate::scan::{Damage, Tables, Units};
use crate::sequential::units_of;
use crate::store::{Block, Store};

/// Decodes parts of blocks, of the component at `part_idx` in the scan. `None` says that the data is damaged.
pub(crate) trait Coder {
    fn restart(&mut self, file: &[u8], source: usize);
    fn prepare(&mut self, file: &[u8]);
    /// The mean of the next block.
    fn mean(&mut self, file: &[u8], part_idx: usize) -> Option<i32>;
    /// One bit of it.
    fn mean_bit(&mut self, file: &[u8]) -> bool;
    /// The first bits of a band of coefficients.
    fn band(&mut self, file: &[u8], band: &Band, block: &mut Block) -> Option<()>;
    /// One bit more of each.
    fn refinement(&mut self, file: &[u8], band: &Band, block: &mut Block) -> Option<()>;
    fn is_overrun(&self) -> bool;
    fn end(&self) -> usize;
    fn has_rest(&self) -> bool;
}

/// Which coefficients a scan holds, and its lowest bit.
pub(crate) struct Band {
    start: usize,
    end: usize,
    low: u8,
}

/// Parts of blocks in Huffman codes.
pub(crate) struct HuffmanCoder<'a> {
    bits: &'a mut Bits,
    tables: Vec<&'a Table>,
    means: Vec<i32>,
    /// How many blocks of the band still come without new coefficients.
    n_empty: u32,
}

impl<'a> HuffmanCoder<'a> {
    pub(crate) fn new(bits: &'a mut Bits, tables: &'a Tables, scan: &Scan) -> Result<Self, Error> {
        let is_refinement_of_means = scan.start == 0 && scan.high > 0;
        let parts = if is_refinement_of_means { &[] } else { &scan.components[..] };
        let table = |part: &crate::header::ScanComponent| match scan.start {
            0 => tables.means(part.dc_table),
            _ => tables.others(part.ac_table),
        };
        let tables = parts.iter().map(table).collect::<Result<_, Error>>()?;
        Ok(Self { bits, tables, means: vec![0; scan.components.len()], n_empty: 0 })
    }

    /// How many blocks end with this one.
    fn n_ended(&mut self, n_places: u32) -> u32 {
        let n_bits = n_places - END_OF_BLOCK;
        (1 << n_bits) + self.bits.number(n_bits)
    }
}

impl Coder for HuffmanCoder<'_> {
    fn restart(&mut self, _file: &[u8], source: usize) {
        self.bits.start(source);
        self.means.fill(0);
        self.n_empty = 0;
    }

    #[inline(always)]
    fn prepare(&mut self, file: &[u8]) {
        self.bits.prepare(file);
    }

    fn mean(&mut self, _file: &[u8], part_idx: usize) -> Option<i32> {
        let mean = &mut self.means[part_idx];
        *mean = mean.wrapping_add(huffman::difference(self.bits, self.tables[part_idx])?);
        Some(*mean)
    }

    fn mean_bit(&mut self, _file: &[u8]) -> bool {
        self.bits.bit()
    }

    fn band(&mut self, _file: &[u8], band: &Band, block: &mut Block) -> Option<()> {
        if self.n_empty > 0 {
            self.n_empty -= 1;
            return Some(());
        }
        let mut zigzag = band.start - 1;
        while zigzag < band.end {
            let entry = self.tables[0].next(self.bits);
            if entry.n_places() >= END_OF_BLOCK {
                self.n_empty = self.n_ended(entry.n_places()) - 1;
                return Some(());
            }
            zigzag += entry.n_places() as usize;
            if zigzag > 63 {
                return None;
            }
            let n_bits = entry.n_number_bits();
            if n_bits > 0 {
                let coefficient = huffman::number(self.bits.cursor.next, n_bits);
                self.bits.cursor.skip(n_bits);
                block.set(zigzag, coefficient << band.low);
            }
        }
        (zigzag == band.end).then_some(())
    }

    fn refinement(&mut self, _file: &[u8], band: &Band, block: &mut Block) -> Option<()> {
        let bit = 1_i16 << band.low;
        let mut zigzag = band.start;
        while self.n_empty == 0 && zigzag <= band.end {
            let entry = self.tables[0].next(self.bits);
            if entry.n_places() >= END_OF_BLOCK {
                self.n_empty = self.n_ended(entry.n_places());
                break;
            }
            let new = match entry.n_number_bits() {
                0 => None,
                1 => Some(if self.bits.bit() { i32::from(bit) } else { -i32::from(bit) }),
                _ => return None,
            };
            // So many zeros are passed over, and among them coefficients that get their bit.
            let mut n_zeros = entry.n_places();
            while zigzag <= band.end {
                if *block.nonzero >> zigzag & 1 == 0 {
                    n_zeros = n_zeros.wrapping_sub(1);
                    if n_zeros == 0 {
                        break;
                    }
                } else if self.bits.bit() {
                    block.grow(zigzag, bit);
                }
                zigzag += 1;
            }
            // The last of those zeros is where a new one goes; of a code that is none it is far away.
            match new {
                Some(_) | None if zigzag > band.end => return None,
                Some(coefficient) => block.set(zigzag, coefficient),
                None => {}
            }
            zigzag += 1;
        }
        if self.n_empty > 0 {
            self.n_empty -= 1;
            let mut rest = (*block.nonzero & u64::MAX >> (63 - band.end)).checked_shr(zigzag as u32).unwrap_or(0);
            while rest != 0 {
                if self.bits.bit() {
                    block.grow(zigzag + rest.trailing_zeros() as usize, bit);
                }
                rest &= rest - 1;
            }
        }
        Some(())
    }

    fn is_overrun(&self) -> bool {
        self.bits.is_overrun()
    }

    fn end(&self) -> usize {
        self.bits.source()
    }

    fn has_rest(&self) -> bool {
        self.bits.n_left_bytes() > 1
    }
}

/// Parts of blocks in arithmetic code.
pub(crate) struct ArithmeticCoder {
    decoder: Decoder,
    contexts: Contexts,
    /// For each component: its tables, its mean, and what its last difference was like.
    parts: Vec<((usize, usize), i32, u8)>,
}

impl ArithmeticCoder {
    pub(crate) fn new(tables: &Tables, scan: &Scan) -> Self {
        let parts = scan.components.iter().map(|part| ((part.dc_table, part.ac_table), 0, 0));
        Self { decoder: Decoder::new(), contexts: Contexts::new(tables.conditioning), parts: parts.collect() }
    }
}

impl Coder for ArithmeticCoder {
    fn restart(&mut self, file: &[u8], source: usize) {
        self.decoder.start(file, source);
        self.contexts.reset();
        self.parts.iter_mut().for_each(|(_, mean, last)| (*mean, *last) = (0, 0));
    }

    fn prepare(&mut self, _file: &[u8]) {}

    fn mean(&mut self, file: &[u8], part_idx: usize) -> Option<i32> {
        let ((dc_table, _), mean, last) = &mut self.parts[part_idx];
        *mean = mean.wrapping_add(self.contexts.difference(&mut self.decoder, file, *dc_table, last)?);
        Some(*mean)
    }

    fn mean_bit(&mut self, file: &[u8]) -> bool {
        self.decoder.flip(file)
    }

    fn band(&mut self, file: &[u8], band: &Band, block: &mut Block) -> Option<()> {
        let ((_, ac_table), ..) = self.parts[0];
        self.contexts.others(&mut self.decoder, file, ac_table, (band.start, band.end), |zigzag, coefficient| {
            block.set(zigzag, coefficient << band.low);
        })
    }

    fn refinement(&mut self, file: &[u8], band: &Band, block: &mut Block) -> Option<()> {
        let ((_, ac_table), ..) = self.parts[0];
        let bit = 1_i16 << band.low;
        let nonzero = *block.nonzero;
        let range = (band.start, band.end);
        self.contexts.refinement(&mut self.decoder, file, ac_table, range, nonzero, |zigzag, refined| match refined {
            Refined::New { is_negative } => block.set(zigzag, if is_negative { -i32::from(bit) } else { bit.into() }),
            Refined::Further => block.grow(zigzag, bit),
        })
    }

    fn is_overrun(&self) -> bool {
        self.decoder.is_overrun()
    }

    fn end(&self) -> usize {
        self.decoder.source()
    }

    fn has_rest(&self) -> bool {
        false
    }
}

/// A scan on its way into the stores.
pub(crate) struct Progressive<'a, C> {
    coder: C,
    scan: &'a Scan,
    stores: &'a mut [Store],
    /// Units across.
    n_columns: usize,
}

impl<'a, C: Coder> Progressive<'a, C> {
    pub(crate) fn new(frame: &Frame, scan: &'a Scan, coder: C, stores: &'a mut [Store]) -> Self {
        let (n_columns, _) = units_of(frame, scan);
        Self { coder, scan, stores, n_columns }
    }

    #[inline(always)]
    fn unit(&mut self, file: &[u8], band: &Band, place: (usize, usize)) -> Result<(), Damage> {
        self.coder.prepare(file);
        if band.start == 0 {
            self.means(file, place)?;
        } else {
            let store = &mut self.stores[self.scan.components[0].component_idx];
            let mut block = store.block(place.0, place.1).ok_or(Damage)?;
            match self.scan.high {
                0 => self.coder.band(file, band, &mut block),
                _ => self.coder.refinement(file, band, &mut block),
            }
            .ok_or(Damage)?;
        }
        if self.coder.is_overrun() { Err(Damage) } else { Ok(()) }
    }

    /// The means of a unit of blocks.
    fn means(&mut self, file: &[u8], (column, row): (usize, usize)) -> Result<(), Damage> {
        let is_interleaved = self.scan.components.len() > 1;
        for (part_idx, part) in self.scan.components.iter().enumerate() {
            let store = &mut self.stores[part.component_idx];
            let (across, down) = if is_interleaved { (store.layout.horizontal, store.layout.vertical) } else { (1, 1) };
            for y in row * down..(row + 1) * down {
                for x in column * across..(column + 1) * across {
                    let mut block = store.block(x, y).ok_or(Damage)?;
                    if self.scan.high == 0 {
                        let mean = self.coder.mean(file, part_idx).ok_or(Damage)?;
                        block.set(0, mean.wrapping_shl(self.scan.low.into()));
                    } else if self.coder.mean_bit(file)
                        && let Some(mean) = block.kept(0)
                    {
                        *mean |= 1 << self.scan.low;
                    }
                }
            }
        }
        Ok(())
    }
}

impl<C: Coder> Units for Progressive<'_, C> {
    fn restart(&mut self, file: &[u8], source: usize) {
        self.coder.restart(file, source);
    }

    fn decode(&mut self, file: &[u8], range: Range<usize>) -> usize {
        let band = Band { start: self.scan.start.into(), end: self.scan.end.into(), low: self.scan.low };
        let n_units = range.len();
        for (n_decoded, unit_idx) in range.enumerate() {
            let place = (unit_idx % self.n_columns, unit_idx / self.n_columns);
            if self.unit(file, &band, place).is_err() {
                return n_decoded;
            }
        }
        n_units
    }

    fn end(&self) -> usize {
        self.coder.end()
    }

    fn has_rest(&self) -> bool {
        self.coder.has_rest()
    }
}
