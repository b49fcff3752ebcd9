//! From pixels or planes to a file. The same input gives the same bytes everywhere.
//!
//! Everything before the codes is arithmetic on eight numbers at a time, which the compiler turns into SIMD; the
//! coefficients are those of libjpeg with its floating-point transform. Planes go into the file as they are: who
//! decodes 4:2:0, resizes the planes and encodes them again never turns colours into red, green and blue.

mod blocks;
mod codes;
mod header;
mod input;
mod progressive;
pub(crate) mod tables;

use self::blocks::{Block, Quantizer};
use self::codes::{BitWriter, CodeTables, Codes, Frequencies, Kind, Symbol};
use self::input::for_each_block;
use self::tables::{CHROMA_QUANTIZERS, LUMA_QUANTIZERS};
use crate::{Error, Plane, Process};

/// How finely colour is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Chroma {
    /// As finely as brightness (4:4:4).
    Full,
    /// One for four pixels, their average (4:2:0).
    #[default]
    Quarter,
}

/// Whose codes a sequential file is written in. A progressive one has fitted codes always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CodeChoice {
    /// The standard's: quick.
    Standard,
    /// The best for this picture: 2 % smaller for a large one, 15 % for a thumbnail. Takes a sixth more time, and as
    /// much memory again as the picture, so that it is kept to pictures of up to [`MAX_FITTED_PIXELS`].
    #[default]
    Fitted,
}

/// The largest picture that codes of a sequential file are fitted to, in pixels.
pub const MAX_FITTED_PIXELS: u64 = 1 << 22;

/// How a JPEG is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options<'a> {
    /// 1 to 100, in libjpeg's sense. 80 by default.
    pub quality: u8,
    /// How finely colour is kept of RGB; that of planes is what they are. A quarter by default.
    pub chroma: Chroma,
    /// Whether the picture comes in one scan, or coarse first. Sequential by default.
    pub process: Process,
    /// Whose codes. Fitted by default.
    pub codes: CodeChoice,
    /// A colour profile (ICC) to put in, of at most 16 MB.
    pub profile: Option<&'a [u8]>,
    /// How many units (blocks of all components that belong together) there are between restart markers, after which
    /// a damaged file can be read on; 0, the default, for none.
    pub restart_interval: u16,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            quality: 80,
            chroma: Chroma::default(),
            process: Process::Sequential,
            codes: CodeChoice::default(),
            profile: None,
            restart_interval: 0,
        }
    }
}

/// Rows of samples or of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Samples<'a> {
    /// Row by row, `stride` apart.
    pub samples: &'a [u8],
    /// Samples, or pixels, across.
    pub width: usize,
    /// Samples, or pixels, down.
    pub height: usize,
    /// Bytes from one row to the next.
    pub stride: usize,
}

impl<'a> From<&'a Plane> for Samples<'a> {
    fn from(plane: &'a Plane) -> Self {
        Self { samples: &plane.samples, width: plane.width, height: plane.height, stride: plane.stride }
    }
}

/// What is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture<'a> {
    /// Brightness.
    Gray(Samples<'a>),
    /// Red, green and blue, three bytes to a pixel.
    Rgb(Samples<'a>),
    /// Brightness and two of colour; those are as large, or half as wide and high, rounded up.
    YCbCr([Samples<'a>; 3]),
}

impl Picture<'_> {
    fn size(&self) -> (usize, usize) {
        let (Self::Gray(samples) | Self::Rgb(samples) | Self::YCbCr([samples, ..])) = self;
        (samples.width, samples.height)
    }

    fn n_channels(&self) -> usize {
        if matches!(self, Self::Gray(_)) { 1 } else { 3 }
    }

    /// How finely its colour is kept.
    fn chroma(&self, wanted: Chroma) -> Result<Chroma, Error> {
        let (width, height) = self.size();
        match self {
            Self::Gray(_) => Ok(Chroma::Full),
            Self::Rgb(_) => Ok(wanted),
            Self::YCbCr([_, blue, red]) => {
                let is_of = |size| (blue.width, blue.height) == size && (red.width, red.height) == size;
                match () {
                    () if is_of((width, height)) => Ok(Chroma::Full),
                    () if is_of((width.div_ceil(2), height.div_ceil(2))) => Ok(Chroma::Quarter),
                    () => Err(Error::Unwritable("planes of colour are neither as large as brightness nor half of it")),
                }
            }
        }
    }

    /// Width and height, if all samples are there.
    fn checked_size(&self) -> Result<(u16, u16), Error> {
        let (width, height) = self.size();
        let is_whole = |samples: &Samples, n_channels: usize| {
            let n_bytes = samples.width * n_channels;
            samples.width > 0
                && samples.height > 0
                && samples.stride >= n_bytes
                && samples.samples.len() >= (samples.height - 1) * samples.stride + n_bytes
        };
        let (Ok(narrow_width), Ok(narrow_height)) = (u16::try_from(width), u16::try_from(height)) else {
            return Err(Error::Unwritable("more than 65535 pixels a side"));
        };
        let is_whole = match self {
            Self::Gray(samples) => is_whole(samples, 1),
            Self::Rgb(pixels) => is_whole(pixels, 3),
            Self::YCbCr(planes) => planes.iter().all(|plane| is_whole(plane, 1)),
        };
        if is_whole { Ok((narrow_width, narrow_height)) } else { Err(Error::Unwritable("samples are missing")) }
    }
}

/// Encodes `picture`.
///
/// # Errors
/// `Unwritable`, if the picture has more than 65,535 pixels a side or none, if samples are missing, if planes do not
/// fit each other, or if the profile is too large.
pub fn encode(picture: &Picture, options: &Options) -> Result<Vec<u8>, Error> {
    let size = picture.checked_size()?;
    let chroma = picture.chroma(options.chroma)?;
    let profile = options.profile.unwrap_or_default();
    if profile.len() > header::MAX_PROFILE_BYTES {
        return Err(Error::Unwritable("a colour profile of more than 16 MB"));
    }
    let encoder = Encoder::new(picture, chroma, options);
    let mut file = header::start();
    header::profile(&mut file, profile);
    header::quantizers(&mut file, &encoder.tables);
    let is_progressive = options.process == Process::Progressive;
    let luma_sampling = if chroma == Chroma::Quarter { 0x22 } else { 0x11 };
    header::frame(&mut file, is_progressive, size, (picture.n_channels(), luma_sampling));
    header::restart_interval(&mut file, options.restart_interval);
    file.reserve(picture.size().0 * picture.size().1 / 4);

    let n_pixels = u64::from(size.0) * u64::from(size.1);
    let mut file = match options.codes {
        _ if is_progressive => progressive::encoded(&encoder, file),
        CodeChoice::Fitted if n_pixels <= MAX_FITTED_PIXELS => encoder.fitted(file),
        _ => encoder.standard(file),
    };
    file.extend([0xFF, crate::markers::EOI]);
    Ok(file)
}

/// The most memory that [`encode`] holds at once beside the picture and the file, in bytes.
pub fn encoding_bytes(picture: &Picture, options: &Options) -> u64 {
    let (width, height) = picture.size();
    let n_pixels = width as u64 * height as u64;
    let is_whole = options.process == Process::Progressive
        || (options.codes == CodeChoice::Fitted && n_pixels <= MAX_FITTED_PIXELS);
    let n_units = width.div_ceil(16) as u64 * height.div_ceil(16) as u64;
    // Four blocks of each channel: their symbols, or their coefficients and what a scan makes of those.
    let per_block =
        if options.process == Process::Progressive { 64 * 2 + 64 * 8 } else { 64 * size_of::<Symbol>() as u64 };
    let strips = 3 * 16 * 4 * (width as u64 + 16);
    (1 << 18) + strips + if is_whole { n_units * 4 * picture.n_channels() as u64 * per_block } else { 0 }
}

/// The standard table, scaled to `quality` by libjpeg's rule.
fn quantizers(standard: &[u16; 64], quality: u8) -> [u8; 64] {
    let quality = u32::from(quality.clamp(1, 100));
    let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    standard.map(|quantizer| ((u32::from(quantizer) * percent + 50) / 100).clamp(1, 255) as u8)
}

/// A picture on its way into a file.
struct Encoder<'a> {
    picture: &'a Picture<'a>,
    chroma: Chroma,
    restart_interval: usize,
    /// Quantisers of brightness, and of colour if there is any, in rows.
    tables: Vec<[u8; 64]>,
    quantizers: Vec<Quantizer>,
}

impl<'a> Encoder<'a> {
    fn new(picture: &'a Picture, chroma: Chroma, options: &Options) -> Self {
        let standards = [&LUMA_QUANTIZERS, &CHROMA_QUANTIZERS];
        let n_tables = if picture.n_channels() == 1 { 1 } else { 2 };
        let tables: Vec<_> =
            standards[..n_tables].iter().map(|standard| quantizers(standard, options.quality)).collect();
        let quantizers = tables.iter().map(Quantizer::new).collect();
        Self { picture, chroma, restart_interval: options.restart_interval.into(), tables, quantizers }
    }

    /// Blocks of all channels that belong together.
    fn unit_blocks(&self) -> usize {
        if self.chroma == Chroma::Quarter { 6 } else { self.picture.n_channels() }
    }

    /// Hands out the blocks in the order in which a sequential scan holds them: channel, place, coefficients.
    fn for_each_block(&self, mut write: impl FnMut(usize, input::Place, Block)) {
        for_each_block(self.picture, self.chroma, |channel_idx, place, samples| {
            write(channel_idx, place, self.quantizers[channel_idx.min(1)].block(&samples));
        });
    }

    fn sequence(&self) -> Sequence {
        let n_blocks = self.restart_interval * self.unit_blocks();
        Sequence { means: [0; 3], block_idx: 0, n_blocks }
    }

    fn standard(&self, mut file: Vec<u8>) -> Vec<u8> {
        let tables = CodeTables::standard();
        let codes = self.write_tables(&mut file, &tables);
        let mut bits = BitWriter::new(file);
        let mut sequence = self.sequence();
        self.for_each_block(|channel_idx, _, block| {
            sequence.for_each_symbol(channel_idx, &block, |symbol| codes.write(symbol, &mut bits));
        });
        bits.finish()
    }

    fn fitted(&self, mut file: Vec<u8>) -> Vec<u8> {
        let mut frequencies = Frequencies::default();
        let mut symbols = Symbols::default();
        let mut sequence = self.sequence();
        self.for_each_block(|channel_idx, _, block| {
            let part = symbols.part();
            sequence.for_each_symbol(channel_idx, &block, |symbol| {
                frequencies.count(symbol);
                part.push(symbol);
            });
        });
        let codes = self.write_tables(&mut file, &CodeTables::fitted(&frequencies));
        let mut bits = BitWriter::new(file);
        symbols.parts.iter().flatten().for_each(|symbol| codes.write(*symbol, &mut bits));
        bits.finish()
    }

    /// Writes the tables of codes and the scan's header.
    fn write_tables(&self, file: &mut Vec<u8>, tables: &CodeTables) -> Codes {
        for (table_idx, table) in (0..self.tables.len() as u8).zip(&tables.0) {
            header::codes(file, table_idx, &table.means);
            header::codes(file, 0x10 | table_idx, &table.others);
        }
        let channels = [0, 1, 2];
        header::scan(file, &channels[..self.picture.n_channels()], (0, 63), (0, 0));
        Codes::new(tables)
    }
}

/// Keeps count of blocks in a sequential scan.
struct Sequence {
    /// The last one of each channel.
    means: [i16; 3],
    block_idx: usize,
    /// Blocks between restarts, or 0.
    n_blocks: usize,
}

impl Sequence {
    /// What is written of the next block.
    #[inline]
    fn for_each_symbol(&mut self, channel_idx: usize, block: &Block, mut write: impl FnMut(Symbol)) {
        if self.n_blocks > 0 && self.block_idx > 0 && self.block_idx.is_multiple_of(self.n_blocks) {
            write(Symbol::restart(self.block_idx / self.n_blocks - 1));
            self.means = [0; 3];
        }
        self.block_idx += 1;
        let last_mean = std::mem::replace(&mut self.means[channel_idx], block.mean());
        block.for_each_symbol(Kind::of_channel(channel_idx), last_mean, write);
    }
}

/// Symbols in the order in which they are written.
#[derive(Default)]
struct Symbols {
    /// All full but the last, so that none is ever moved.
    parts: Vec<Vec<Symbol>>,
}

/// Symbols kept together: 128 KiB of them.
const PART_SYMBOLS: usize = 1 << 15;

/// The most that a block is written in: all its coefficients, and a restart.
const MAX_BLOCK_SYMBOLS: usize = 65;

impl Symbols {
    /// A part with room for the symbols of a block.
    fn part(&mut self) -> &mut Vec<Symbol> {
        if self.parts.last().is_none_or(|part| part.len() + MAX_BLOCK_SYMBOLS > PART_SYMBOLS) {
            self.parts.push(Vec::with_capacity(PART_SYMBOLS));
        }
        let last_idx = self.parts.len() - 1;
        &mut self.parts[last_idx]
    }
}

#[cfg(test)]
mod tests;
