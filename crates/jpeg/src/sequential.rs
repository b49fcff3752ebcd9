//! Scans that hold their components whole: each block goes straight from its bits to its place in the plane.

use std::ops::Range;

use crate::arithmetic::{self, Contexts, Decoder};
use crate::bits::Bits;
use crate::frame::{Frame, Layout};
use crate::header::{Header, Scan, ZIGZAG};
use crate::huffman::{self, Skips, Table};
use crate::scan::{Damage, Tables, Units};
use crate::{Error, Plane, idct};

/// Decodes the blocks of a component.
pub(crate) trait Blocks {
    fn restart(&mut self, file: &[u8], source: usize);
    /// Called before each unit.
    fn prepare(&mut self, file: &[u8]);
    /// Decodes a block of the component at `part_idx` in the scan: coefficients times quantisers, up to the one at
    /// `LAST` in zigzag order. Returns the last that may not be zero; `None` if the data is damaged.
    fn block<const LAST: usize>(
        &mut self,
        file: &[u8],
        part_idx: usize,
        quantizers: &[i16; 64],
        block: &mut [i16; 64],
    ) -> Option<usize>;
    fn is_overrun(&self) -> bool;
    fn end(&self) -> usize;
    fn has_rest(&self) -> bool;
}

/// Blocks in Huffman codes.
pub(crate) struct HuffmanBlocks<'a> {
    bits: &'a mut Bits,
    tables: Vec<(&'a Table, &'a Table)>,
    /// For each component, to pass over coefficients that are not needed; none where all are.
    skips: Vec<Option<Box<Skips>>>,
    means: Vec<i32>,
}

impl<'a> HuffmanBlocks<'a> {
    pub(crate) fn new(bits: &'a mut Bits, tables: &'a Tables, scan: &Scan, frame: &Frame) -> Result<Self, Error> {
        let both = scan.components.iter().map(|part| Ok((tables.means(part.dc_table)?, tables.others(part.ac_table)?)));
        let tables: Vec<_> = both.collect::<Result<_, Error>>()?;
        let skips = scan.components.iter().zip(&tables).map(|(part, (_, others))| {
            let layout = &frame.layouts[part.component_idx];
            // Small pictures do not make up for the tables.
            let is_worth_it = layout.size < 8 && layout.n_columns * layout.n_rows > 1000;
            is_worth_it.then(|| Skips::new(others))
        });
        Ok(Self { bits, skips: skips.collect(), means: vec![0; tables.len()], tables })
    }
}

impl Blocks for HuffmanBlocks<'_> {
    fn restart(&mut self, _file: &[u8], source: usize) {
        self.bits.start(source);
        self.means.fill(0);
    }

    #[inline(always)]
    fn prepare(&mut self, file: &[u8]) {
        self.bits.prepare(file);
    }

    // A function of its own, with few variables: inlined it is slower in wasm, where registers run out.
    #[inline(never)]
    fn block<const LAST: usize>(
        &mut self,
        _file: &[u8],
        part_idx: usize,
        quantizers: &[i16; 64],
        block: &mut [i16; 64],
    ) -> Option<usize> {
        let (means, others) = self.tables[part_idx];
        let mean = &mut self.means[part_idx];
        *mean = mean.wrapping_add(huffman::difference(self.bits, means)?);
        block[0] = (*mean as i16).wrapping_mul(quantizers[0]);
        huffman::others::<LAST>(self.bits, (others, self.skips[part_idx].as_deref()), quantizers, block)
    }

    #[inline(always)]
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

/// Blocks in arithmetic code.
pub(crate) struct ArithmeticBlocks {
    decoder: Decoder,
    contexts: Contexts,
    /// For each component: its tables, its mean, and what its last difference was like.
    parts: Vec<((usize, usize), i32, u8)>,
}

impl ArithmeticBlocks {
    pub(crate) fn new(tables: &Tables, scan: &Scan) -> Self {
        let parts = scan.components.iter().map(|part| ((part.dc_table, part.ac_table), 0, 0));
        Self { decoder: Decoder::new(), contexts: Contexts::new(tables.conditioning), parts: parts.collect() }
    }
}

impl Blocks for ArithmeticBlocks {
    fn restart(&mut self, file: &[u8], source: usize) {
        self.decoder.start(file, source);
        self.contexts.reset();
        self.parts.iter_mut().for_each(|(_, mean, last)| (*mean, *last) = (0, 0));
    }

    fn prepare(&mut self, _file: &[u8]) {}

    fn block<const LAST: usize>(
        &mut self,
        file: &[u8],
        part_idx: usize,
        quantizers: &[i16; 64],
        block: &mut [i16; 64],
    ) -> Option<usize> {
        let ((dc_table, ac_table), mean, last) = &mut self.parts[part_idx];
        *mean = mean.wrapping_add(self.contexts.difference(&mut self.decoder, file, *dc_table, last)?);
        block[0] = (*mean as i16).wrapping_mul(quantizers[0]);
        arithmetic::others((&mut self.contexts, &mut self.decoder), file, *ac_table, quantizers, block)
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

/// A component's part in the scan.
struct Part {
    layout: Layout,
    plane_idx: usize,
    /// In zigzag order, as the decoder of blocks multiplies by them.
    quantizers: [i16; 64],
    /// In rows, of samples of twelve bits, which are not multiplied before the transform.
    wide_quantizers: Option<[u16; 64]>,
}

/// A scan on its way into the planes.
pub(crate) struct Sequential<'a, B> {
    blocks: B,
    planes: &'a mut [Plane],
    parts: Vec<Part>,
    /// Units across.
    n_columns: usize,
    /// Blocks of a unit do not stand for themselves alone.
    is_interleaved: bool,
}

/// How many units a scan has, across and down.
pub(crate) fn units_of(frame: &Frame, scan: &Scan) -> (usize, usize) {
    match &scan.components[..] {
        [part] => {
            let layout = &frame.layouts[part.component_idx];
            (layout.n_columns, layout.n_rows)
        }
        _ => (frame.unit_columns, frame.unit_rows),
    }
}

/// Quantisers in rows, from those in zigzag order.
pub(crate) fn in_rows(quantizers: &[u16; 64]) -> [u16; 64] {
    let mut rows = [0; 64];
    ZIGZAG.iter().zip(quantizers).for_each(|(place, quantizer)| rows[usize::from(*place)] = *quantizer);
    rows
}

impl<'a, B: Blocks> Sequential<'a, B> {
    pub(crate) fn new(
        (header, frame): (&Header, &Frame),
        scan: &Scan,
        tables: &Tables,
        blocks: B,
        planes: &'a mut [Plane],
    ) -> Result<Self, Error> {
        let part = |component_idx: usize| {
            let layout = frame.layouts[component_idx];
            let quantizers = tables.quantizers[layout.quantizer_idx].ok_or(Error::Corrupt("no quantiser table"))?;
            let is_wide = header.precision > 8;
            Ok(Part {
                layout,
                plane_idx: component_idx,
                quantizers: if is_wide { [1; 64] } else { quantizers.map(|quantizer| quantizer as i16) },
                wide_quantizers: is_wide.then(|| in_rows(&quantizers)),
            })
        };
        let parts: Vec<_> =
            scan.components.iter().map(|scanned| part(scanned.component_idx)).collect::<Result<_, Error>>()?;
        let (n_columns, _) = units_of(frame, scan);
        Ok(Self { blocks, planes, is_interleaved: parts.len() > 1, parts, n_columns })
    }

    /// Makes the planes long enough for a row of units: gray, until there is something else.
    fn begin_row(&mut self, row: usize) {
        for part in &self.parts {
            let n_rows = if self.is_interleaved { part.layout.vertical } else { 1 };
            let samples = &mut self.planes[part.plane_idx].samples;
            let n_bytes = (row + 1) * n_rows * part.layout.row_bytes();
            if samples.len() < n_bytes {
                samples.resize(n_bytes, 128);
            }
        }
    }

    #[inline(always)]
    fn unit(&mut self, file: &[u8], (column, row): (usize, usize), block: &mut [i16; 64]) -> Result<(), Damage> {
        self.blocks.prepare(file);
        for part_idx in 0..self.parts.len() {
            let part = &self.parts[part_idx];
            let (across, down) =
                if self.is_interleaved { (part.layout.horizontal, part.layout.vertical) } else { (1, 1) };
            let stride = part.layout.stride();
            let samples = &mut self.planes[part.plane_idx].samples[..];
            for y in row * down..(row + 1) * down {
                for x in column * across..(column + 1) * across {
                    let start = (y * stride + x) * part.layout.size;
                    let out = samples.get_mut(start..).unwrap_or_default();
                    let blocks = &mut self.blocks;
                    match part.layout.size {
                        8 => write::<8, 63>(blocks, file, (part_idx, part), block, (out, stride)),
                        4 => write::<4, 24>(blocks, file, (part_idx, part), block, (out, stride)),
                        2 => write::<2, 4>(blocks, file, (part_idx, part), block, (out, stride)),
                        _ => write::<1, 0>(blocks, file, (part_idx, part), block, (out, stride)),
                    }?;
                }
            }
        }
        if self.blocks.is_overrun() { Err(Damage) } else { Ok(()) }
    }
}

/// Decodes a block, transforms it to `SIZE` samples a side, writes those to their place, and clears the block.
#[inline(always)]
fn write<const SIZE: usize, const LAST: usize>(
    blocks: &mut impl Blocks,
    file: &[u8],
    (part_idx, part): (usize, &Part),
    block: &mut [i16; 64],
    (out, stride): (&mut [u8], usize),
) -> Result<(), Damage> {
    let last = blocks.block::<LAST>(file, part_idx, &part.quantizers, block).ok_or(Damage)?;
    match &part.wide_quantizers {
        None => idct::write::<SIZE>(block, last, out, stride),
        Some(quantizers) => idct::write_12_bit::<SIZE>(block, quantizers, out, stride),
    }
    if last > 0 {
        *block = [0; 64];
    }
    Ok(())
}

impl<B: Blocks> Units for Sequential<'_, B> {
    fn restart(&mut self, file: &[u8], source: usize) {
        self.blocks.restart(file, source);
    }

    fn decode(&mut self, file: &[u8], range: Range<usize>) -> usize {
        let mut block = [0; 64];
        let (mut row, mut column) = (range.start / self.n_columns, range.start % self.n_columns);
        self.begin_row(row);
        let n_units = range.len();
        for n_decoded in 0..n_units {
            if column == self.n_columns {
                (row, column) = (row + 1, 0);
                self.begin_row(row);
            }
            if self.unit(file, (column, row), &mut block).is_err() {
                return n_decoded;
            }
            column += 1;
        }
        n_units
    }

    fn end(&self) -> usize {
        self.blocks.end()
    }

    fn has_rest(&self) -> bool {
        self.blocks.has_rest()
    }
}
