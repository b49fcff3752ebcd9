//! Scans that hold parts of coefficients: those are gathered in memory, and become samples after the last scan.
//!
//! Of a picture that is decoded at a fraction of its size, only the coefficients are gathered that this needs. Of the
//! others a bit each says whether they are zero, because that decides how later scans are to be read.

use std::ops::Range;

use crate::arithmetic::{Contexts, Decoder, Refined};
use crate::bits::Bits;
use crate::frame::{Frame, Layout};
use crate::header::{Scan, ZIGZAG};
use crate::huffman::{self, END_OF_BLOCK, Table};
use crate::scan::{Damage, Tables, Units};
use crate::sequential::{in_rows, units_of};
use crate::{Error, Plane, idct};

/// For coefficients that are not kept.
const NOWHERE: u8 = 255;

/// The coefficients of a component.
pub(crate) struct Store {
    layout: Layout,
    /// Of each block, in rows of as many as are kept.
    kept: Vec<i16>,
    /// Of each block, a bit for each coefficient that is not zero, the first in zigzag order lowest.
    nonzero: Vec<u64>,
    /// Of each place in zigzag order, that among the kept ones.
    places: [u8; 64],
    /// In rows. Those in force at the first scan.
    quantizers: Option<[u16; 64]>,
}

impl Store {
    pub(crate) fn new(layout: &Layout) -> Self {
        let n_blocks = layout.padded_columns * layout.padded_rows;
        let size = layout.size as u8;
        let place = |place: u8| {
            let (row, column) = (place / 8, place % 8);
            if row < size && column < size { row * size + column } else { NOWHERE }
        };
        Self {
            layout: *layout,
            kept: vec![0; n_blocks * layout.n_kept()],
            nonzero: vec![0; n_blocks],
            places: ZIGZAG.map(place),
            quantizers: None,
        }
    }

    /// Remembers the quantisers, the first time.
    pub(crate) fn latch(&mut self, tables: &Tables) -> Result<(), Error> {
        if self.quantizers.is_none() {
            let table = tables.quantizers[self.layout.quantizer_idx].ok_or(Error::Corrupt("no quantiser table"))?;
            self.quantizers = Some(in_rows(&table));
        }
        Ok(())
    }

    fn block(&mut self, column: usize, row: usize) -> Option<Block<'_>> {
        let block_idx = row * self.layout.padded_columns + column;
        let n_kept = self.layout.n_kept();
        Some(Block {
            kept: self.kept.get_mut(block_idx * n_kept..(block_idx + 1) * n_kept)?,
            nonzero: self.nonzero.get_mut(block_idx)?,
            places: &self.places,
        })
    }

    /// Transforms all blocks to their places in `plane`.
    pub(crate) fn write(self, precision: u8, plane: &mut Plane) {
        let quantizers = self.quantizers.unwrap_or([0; 64]);
        match (self.layout.size, precision) {
            (8, 8) => self.write_sized::<8>(&quantizers, plane),
            (4, 8) => self.write_sized::<4>(&quantizers, plane),
            (2, 8) => self.write_sized::<2>(&quantizers, plane),
            (1, 8) => self.write_sized::<1>(&quantizers, plane),
            (8, _) => self.write_wide::<8>(&quantizers, plane),
            (4, _) => self.write_wide::<4>(&quantizers, plane),
            (2, _) => self.write_wide::<2>(&quantizers, plane),
            _ => self.write_wide::<1>(&quantizers, plane),
        }
    }

    fn write_sized<const SIZE: usize>(&self, quantizers: &[u16; 64], plane: &mut Plane) {
        let needed = u64::MAX >> (63 - self.layout.last_needed());
        self.for_each_block::<SIZE>(plane, |kept, nonzero, out, stride| {
            let last = 63 - (nonzero & needed | 1).leading_zeros() as usize;
            let mut block = [0; 64];
            if last == 0 {
                block[0] = kept.first().map_or(0, |mean| mean.wrapping_mul(quantizers[0] as i16));
            } else {
                spread::<SIZE>(kept, &mut block);
                block.iter_mut().zip(quantizers).for_each(|(c, quantizer)| *c = c.wrapping_mul(*quantizer as i16));
            }
            idct::write::<SIZE>(&block, last, out, stride);
        });
    }

    fn write_wide<const SIZE: usize>(&self, quantizers: &[u16; 64], plane: &mut Plane) {
        self.for_each_block::<SIZE>(plane, |kept, _, out, stride| {
            let mut block = [0; 64];
            spread::<SIZE>(kept, &mut block);
            idct::write_12_bit::<SIZE>(&block, quantizers, out, stride);
        });
    }

    fn for_each_block<const SIZE: usize>(
        &self,
        plane: &mut Plane,
        mut write: impl FnMut(&[i16], u64, &mut [u8], usize),
    ) {
        let stride = self.layout.stride();
        let columns = self.layout.padded_columns;
        let rows = self.kept.chunks(columns * self.layout.n_kept()).zip(self.nonzero.chunks(columns));
        for (kept, nonzero) in rows {
            let start = plane.samples.len();
            plane.samples.resize(start + self.layout.row_bytes(), 128);
            let blocks = kept.chunks(self.layout.n_kept()).zip(nonzero);
            for (column, (kept, nonzero)) in blocks.enumerate() {
                write(kept, *nonzero, &mut plane.samples[start + column * SIZE..], stride);
            }
        }
    }
}

/// Rows of `SIZE` to rows of eight.
fn spread<const SIZE: usize>(kept: &[i16], block: &mut [i16; 64]) {
    for (row, row_kept) in block.chunks_exact_mut(8).zip(kept.as_chunks::<SIZE>().0) {
        row[..SIZE].copy_from_slice(row_kept);
    }
}

/// The coefficients of a block.
pub(crate) struct Block<'a> {
    kept: &'a mut [i16],
    nonzero: &'a mut u64,
    places: &'a [u8; 64],
}

impl Block<'_> {
    #[inline(always)]
    fn kept(&mut self, zigzag: usize) -> Option<&mut i16> {
        self.kept.get_mut(usize::from(self.places[zigzag & 63]))
    }

    #[inline(always)]
    fn set(&mut self, zigzag: usize, coefficient: i32) {
        *self.nonzero |= 1 << (zigzag & 63);
        if let Some(kept) = self.kept(zigzag) {
            *kept = coefficient as i16;
        }
    }

    /// Moves a coefficient away from zero, by `bit`.
    #[inline(always)]
    fn grow(&mut self, zigzag: usize, bit: i16) {
        if let Some(kept) = self.kept(zigzag)
            && *kept & bit == 0
        {
            *kept = if *kept < 0 { kept.wrapping_sub(bit) } else { kept.wrapping_add(bit) };
        }
    }
}

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

    fn decode(&mut self, file: &[u8], range: Range<usize>) -> Result<(), Damage> {
        let band = Band { start: self.scan.start.into(), end: self.scan.end.into(), low: self.scan.low };
        for unit_idx in range {
            let (column, row) = (unit_idx % self.n_columns, unit_idx / self.n_columns);
            self.coder.prepare(file);
            if band.start == 0 {
                self.means(file, (column, row))?;
            } else {
                let store = &mut self.stores[self.scan.components[0].component_idx];
                let mut block = store.block(column, row).ok_or(Damage)?;
                match self.scan.high {
                    0 => self.coder.band(file, &band, &mut block),
                    _ => self.coder.refinement(file, &band, &mut block),
                }
                .ok_or(Damage)?;
            }
            if self.coder.is_overrun() {
                return Err(Damage);
            }
        }
        Ok(())
    }

    fn end(&self) -> usize {
        self.coder.end()
    }

    fn has_rest(&self) -> bool {
        self.coder.has_rest()
    }
}
