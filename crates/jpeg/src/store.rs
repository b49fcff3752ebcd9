//! The coefficients of a progressive picture, from its first scan to its last, and then their samples.
//!
//! Of a picture that is decoded at a fraction of its size, only the coefficients are gathered that this needs. Of the
//! others a bit each says whether they are zero, because that decides how later scans are to be read.

use crate::frame::Layout;
use crate::header::ZIGZAG;
use crate::scan::Tables;
use crate::sequential::in_rows;
use crate::{Error, Plane, idct};

/// For coefficients that are not kept.
const NOWHERE: u8 = 255;

/// The coefficients of a component.
pub(crate) struct Store {
    pub(crate) layout: Layout,
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

    pub(crate) fn block(&mut self, column: usize, row: usize) -> Option<Block<'_>> {
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
    pub(crate) nonzero: &'a mut u64,
    places: &'a [u8; 64],
}

impl Block<'_> {
    #[inline(always)]
    pub(crate) fn kept(&mut self, zigzag: usize) -> Option<&mut i16> {
        self.kept.get_mut(usize::from(self.places[zigzag & 63]))
    }

    #[inline(always)]
    pub(crate) fn set(&mut self, zigzag: usize, coefficient: i32) {
        *self.nonzero |= 1 << (zigzag & 63);
        if let Some(kept) = self.kept(zigzag) {
            *kept = coefficient as i16;
        }
    }

    /// Moves a coefficient away from zero, by `bit`.
    #[inline(always)]
    pub(crate) fn grow(&mut self, zigzag: usize, bit: i16) {
        if let Some(kept) = self.kept(zigzag)
            && *kept & bit == 0
        {
            *kept = if *kept < 0 { kept.wrapping_sub(bit) } else { kept.wrapping_add(bit) };
        }
    }
}
