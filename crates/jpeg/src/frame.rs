//! How a picture is divided into planes and blocks, at the size at which it is decoded.

use crate::Error;
use crate::header::{Color, Header, Process};
use crate::idct::last_needed;
use crate::{Options, Plane, Planes};

/// Sides of a block in the file, in samples.
pub(crate) const SIDE: usize = 8;

/// The layout of one component.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Layout {
    /// Blocks of a unit of all components, across and down.
    pub(crate) horizontal: usize,
    pub(crate) vertical: usize,
    /// Sides of a decoded block: 8, 4, 2 or 1.
    pub(crate) size: usize,
    /// Blocks across and down that the picture touches: what a scan of this component alone holds.
    pub(crate) n_columns: usize,
    pub(crate) n_rows: usize,
    /// Blocks across and down in whole units.
    pub(crate) padded_columns: usize,
    pub(crate) padded_rows: usize,
    /// The plane's sides in samples.
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// The picture's sides, in the plane's samples.
    pub(crate) extent: (f64, f64),
    /// How many pixels there are to how many samples, across and down.
    pub(crate) ratios: [(usize, usize); 2],
    pub(crate) quantizer_idx: usize,
}

impl Layout {
    /// Bytes from one row of samples to the next.
    pub(crate) fn stride(&self) -> usize {
        self.padded_columns * self.size
    }

    /// Bytes of a row of blocks.
    pub(crate) fn row_bytes(&self) -> usize {
        self.stride() * self.size
    }

    fn n_blocks(&self) -> u64 {
        self.padded_columns as u64 * self.padded_rows as u64
    }

    pub(crate) fn plane_bytes(&self) -> u64 {
        self.n_blocks() * (self.size * self.size) as u64
    }

    /// Coefficients of a block that are kept in a progressive picture.
    pub(crate) fn n_kept(&self) -> usize {
        self.size * self.size
    }

    /// The last coefficient of a block that matters, in zigzag order.
    pub(crate) fn last_needed(&self) -> usize {
        last_needed(self.size)
    }

    /// Bytes that a progressive picture takes until it is complete: the coefficients that are kept, and a bit for each
    /// of all.
    fn progressive_bytes(&self) -> u64 {
        self.n_blocks() * (2 * self.n_kept() as u64 + 8)
    }
}

/// The layout of a picture.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    /// The picture's sides as decoded.
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Units of all components, across and down.
    pub(crate) unit_columns: usize,
    pub(crate) unit_rows: usize,
    pub(crate) layouts: Vec<Layout>,
}

impl Frame {
    pub(crate) fn new(header: &Header, options: &Options) -> Self {
        let (width, height) = (header.width as usize, header.height as usize);
        let (max_horizontal, max_vertical) = header.max_sampling();
        let divisor = options.scale.divisor() as usize;
        let unit_columns = width.div_ceil(SIDE * max_horizontal);
        let unit_rows = height.div_ceil(SIDE * max_vertical);
        let layout = |component: &crate::Component| {
            let (horizontal, vertical) = (usize::from(component.horizontal), usize::from(component.vertical));
            let mut size = SIDE / divisor;
            // Twice the size, if that makes the plane no larger than the largest.
            let fits = |size: usize| {
                (max_horizontal * SIDE / divisor).is_multiple_of(horizontal * size)
                    && (max_vertical * SIDE / divisor).is_multiple_of(vertical * size)
            };
            while options.even_planes && size < SIDE && fits(2 * size) {
                size *= 2;
            }
            let side = |side: usize, factor: usize, max: usize| (side * factor * size).div_ceil(max * SIDE);
            let extent = |side: usize, factor: usize, max: usize| (side * factor * size) as f64 / (max * SIDE) as f64;
            let n_blocks = |side: usize, factor: usize, max: usize| (side * factor).div_ceil(max * SIDE);
            Layout {
                horizontal,
                vertical,
                size,
                n_columns: n_blocks(width, horizontal, max_horizontal),
                n_rows: n_blocks(height, vertical, max_vertical),
                padded_columns: unit_columns * horizontal,
                padded_rows: unit_rows * vertical,
                width: side(width, horizontal, max_horizontal),
                height: side(height, vertical, max_vertical),
                extent: (extent(width, horizontal, max_horizontal), extent(height, vertical, max_vertical)),
                ratios: [
                    (max_horizontal * SIDE / divisor, horizontal * size),
                    (max_vertical * SIDE / divisor, vertical * size),
                ],
                quantizer_idx: component.quantizer_idx.into(),
            }
        };
        Self {
            width: width.div_ceil(divisor),
            height: height.div_ceil(divisor),
            unit_columns,
            unit_rows,
            layouts: header.components.iter().map(layout).collect(),
        }
    }

    /// Planes without samples yet, but with room for all.
    pub(crate) fn planes(&self, color: Color, is_inverted: bool) -> Result<Planes, Error> {
        let plane = |layout: &Layout| {
            let too_large = |_| Error::Unsupported("more samples than there is memory for");
            let n_bytes = usize::try_from(layout.plane_bytes()).map_err(|_| Error::Unsupported("too many samples"))?;
            let mut samples = Vec::new();
            samples.try_reserve_exact(n_bytes).map_err(too_large)?;
            let (width, height) = (layout.width, layout.height);
            let (stride, extent, ratios) = (layout.stride(), layout.extent, layout.ratios);
            Ok(Plane { samples, width, height, stride, extent, ratios })
        };
        let planes = self.layouts.iter().map(plane).collect::<Result<_, Error>>()?;
        let (width, height) = (self.width, self.height);
        // Libjpeg has nothing to interpolate where each block is one sample.
        let is_fancy = self.layouts.iter().all(|layout| layout.size > 1);
        Ok(Planes { width, height, color, is_inverted, is_complete: false, planes, is_fancy })
    }
}

/// What a decoder holds beside planes and coefficients: tables, and the bytes that it is reading.
const FIXED_BYTES: u64 = 128 << 10;

/// The most memory that [`decode`](crate::decode) holds at once, in bytes, the planes that it returns included.
///
/// Turning them into pixels takes [`Planes::pixel_bytes`] more.
pub fn decoding_bytes(header: &Header, options: &Options) -> u64 {
    let frame = Frame::new(header, options);
    let is_progressive = header.process == Process::Progressive;
    let component_bytes =
        |layout: &Layout| layout.plane_bytes() + if is_progressive { layout.progressive_bytes() } else { 0 };
    FIXED_BYTES + frame.layouts.iter().map(component_bytes).sum::<u64>()
}
