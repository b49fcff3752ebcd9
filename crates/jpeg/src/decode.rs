//! From a file to planes.

use crate::bits::Bits;
use crate::frame::Frame;
use crate::header::{Coding, Header, Process, Scan};
use crate::markers::{SOS, segments};
use crate::progressive::{ArithmeticCoder, HuffmanCoder, Progressive};
use crate::scan::{Decoded, Intervals, Tables};
use crate::sequential::{ArithmeticBlocks, HuffmanBlocks, Sequential, units_of};
use crate::store::Store;
use crate::{Error, Planes};

/// At which size a picture is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// As it is.
    #[default]
    Full,
    /// Half the width and height, rounded up.
    Half,
    /// A quarter, rounded up.
    Quarter,
    /// An eighth, rounded up.
    Eighth,
}

impl Scale {
    /// By how much sides are divided.
    pub fn divisor(self) -> u32 {
        match self {
            Self::Full => 1,
            Self::Half => 2,
            Self::Quarter => 4,
            Self::Eighth => 8,
        }
    }
}

/// How a file is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// At which size; by default as it is.
    pub scale: Scale,
    /// Whether planes of colour that have fewer samples are reduced less, as far as that makes them as large as the
    /// others: 4:2:0 at half the size then has three planes of the same size. Off by default.
    pub even_planes: bool,
    /// Whether a damaged file is decoded as far as it goes. What is missing is gray, or coarse where a progressive
    /// file ends early; a file of which nothing can be decoded is an error still. Otherwise, and by default, damage is
    /// an error.
    pub tolerate_damage: bool,
}

/// Decodes `file`.
///
/// Before, [`Header::read`] tells its size, and [`decoding_bytes`](crate::decoding_bytes) the memory that this takes.
///
/// # Errors
/// Those of [`Header::read`]; and `Corrupt`, with damage that is not tolerated, or if there is not one block of which
/// the mean can be decoded.
pub fn decode(file: &[u8], options: &Options) -> Result<Planes, Error> {
    let header = Header::read(file)?;
    let frame = Frame::new(&header, options);
    let mut decoder = Decoder {
        file,
        options,
        planes: frame.planes(header.color, header.is_inverted)?,
        scanned: vec![false; frame.layouts.len()],
        has_means: false,
        header,
        frame,
        tables: Tables::default(),
        is_whole: true,
    };
    match decoder.header.process {
        Process::Sequential => decoder.sequential()?,
        Process::Progressive => decoder.progressive()?,
    }
    decoder.finish()
}

struct Decoder<'a> {
    file: &'a [u8],
    options: &'a Options,
    header: Header,
    frame: Frame,
    tables: Tables,
    planes: Planes,
    /// Which components have been in a scan.
    scanned: Vec<bool>,
    /// Whether there is anything to be seen: at least one mean, which every block begins with.
    has_means: bool,
    is_whole: bool,
}

impl Decoder<'_> {
    /// Reads tables as they come, and hands out scans with where their data starts.
    fn for_each_scan(
        &mut self,
        mut decode: impl FnMut(&mut Self, &Scan, usize) -> Result<Decoded, Error>,
    ) -> Result<(), Error> {
        for segment in segments(self.file) {
            let decoded = match segment.marker {
                SOS => self.header.scan(segment.bytes(self.file)).and_then(|scan| {
                    let decoded = decode(self, &scan, segment.contents.end)?;
                    scan.components.iter().for_each(|part| self.scanned[part.component_idx] = true);
                    self.has_means |= scan.start == 0 && decoded != Decoded::Nothing;
                    Ok(decoded == Decoded::Whole)
                }),
                _ if self.scanned.contains(&true) && segment.is_frame() => Err(Error::Corrupt("two frames")),
                _ => self.tables.add(self.file, &segment).map(|()| true),
            };
            match decoded {
                Ok(is_whole) => self.is_whole &= is_whole,
                // What was decoded before is worth keeping.
                Err(_) if self.options.tolerate_damage && self.has_means => {
                    self.is_whole = false;
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn intervals(&self, scan: &Scan, start: usize) -> Intervals<'_> {
        let (n_columns, n_rows) = units_of(&self.frame, scan);
        Intervals {
            file: self.file,
            start,
            n_units: n_columns * n_rows,
            length: self.tables.restart_interval,
            tolerates_damage: self.options.tolerate_damage,
        }
    }

    fn sequential(&mut self) -> Result<(), Error> {
        let mut bits = Bits::new();
        self.for_each_scan(|decoder, scan, start| {
            let mut planes = std::mem::take(&mut decoder.planes.planes);
            let frame = (&decoder.header, &decoder.frame);
            let decoded = match decoder.header.coding {
                Coding::Huffman => decoder.tables.complete(scan).and_then(|()| {
                    let blocks = HuffmanBlocks::new(&mut bits, &decoder.tables, scan, &decoder.frame)?;
                    let mut units = Sequential::new(frame, scan, &decoder.tables, blocks, &mut planes)?;
                    decoder.intervals(scan, start).decode(&mut units)
                }),
                Coding::Arithmetic => {
                    let blocks = ArithmeticBlocks::new(&decoder.tables, scan);
                    Sequential::new(frame, scan, &decoder.tables, blocks, &mut planes)
                        .and_then(|mut units| decoder.intervals(scan, start).decode(&mut units))
                }
            };
            decoder.planes.planes = planes;
            decoded
        })
    }

    fn progressive(&mut self) -> Result<(), Error> {
        let wanted = self.wanted_scans();
        let mut bits = Bits::new();
        let mut stores: Vec<_> = self.frame.layouts.iter().map(Store::new).collect();
        let mut scan_idx = 0;
        let mut sent = vec![[false; 64]; stores.len()];
        self.for_each_scan(|decoder, scan, start| {
            for part in &scan.components {
                stores[part.component_idx].latch(&decoder.tables)?;
                sent[part.component_idx][scan.start.into()..=scan.end.into()].fill(scan.low == 0);
            }
            scan_idx += 1;
            if !wanted.get(scan_idx - 1).copied().unwrap_or(true) {
                return Ok(Decoded::Whole);
            }
            let intervals = decoder.intervals(scan, start);
            match decoder.header.coding {
                Coding::Huffman => {
                    let coder = HuffmanCoder::new(&mut bits, &decoder.tables, scan)?;
                    intervals.decode(&mut Progressive::new(&decoder.frame, scan, coder, &mut stores))
                }
                Coding::Arithmetic => {
                    let coder = ArithmeticCoder::new(&decoder.tables, scan);
                    intervals.decode(&mut Progressive::new(&decoder.frame, scan, coder, &mut stores))
                }
            }
        })?;
        // Without the end marker, there may have been scans that are missing.
        self.is_whole &= self.header.has_end || sent.as_flattened().iter().all(|is_sent| *is_sent);
        for (store, plane) in stores.into_iter().zip(&mut self.planes.planes) {
            store.write(self.header.precision, plane);
        }
        Ok(())
    }

    /// Which scans change what is kept of the coefficients, or tell where the bits of such are in a later one.
    fn wanted_scans(&self) -> Vec<bool> {
        let scans: Vec<_> = segments(self.file)
            .filter(|segment| segment.marker == SOS)
            .map(|segment| self.header.scan(segment.bytes(self.file)).ok())
            .collect();
        let mut needed: Vec<u64> =
            self.frame.layouts.iter().map(|layout| u64::MAX >> (63 - layout.last_needed())).collect();
        let mut wanted = vec![true; scans.len()];
        for (scan, is_wanted) in scans.iter().zip(&mut wanted).rev() {
            let Some(scan) = scan else { continue };
            let band = u64::MAX >> (63 - scan.end) & u64::MAX << scan.start;
            *is_wanted = scan.components.iter().any(|part| needed[part.component_idx] & band != 0);
            if *is_wanted && scan.high > 0 {
                scan.components.iter().for_each(|part| needed[part.component_idx] |= band);
            }
        }
        wanted
    }

    fn finish(mut self) -> Result<Planes, Error> {
        if !self.has_means {
            return Err(Error::Corrupt("nothing of the picture can be decoded"));
        }
        let is_complete = self.is_whole && self.scanned.iter().all(|is_scanned| *is_scanned);
        if !(is_complete || self.options.tolerate_damage) {
            return Err(Error::Corrupt("the file ends before the picture does"));
        }
        for (layout, plane) in self.frame.layouts.iter().zip(&mut self.planes.planes) {
            plane.samples.resize(layout.plane_bytes() as usize, 128);
        }
        self.planes.is_complete = is_complete;
        Ok(self.planes)
    }
}

#[cfg(test)]
mod tests;
