//! A file to pixels.

use heif::{Coding, Container, Crop, Item};

use crate::av1::{self, Frame};
use crate::color::{self, Gray, Meaning};
use crate::error::AvifError;
use crate::obu;
use crate::{Layout, Picture};

/// What a picture may take. Both are checked before anything of its size is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pixels before any crop.
    pub max_pixels: u64,
    /// Bytes of memory, as estimated by [`decoding_bytes`].
    pub max_memory_bytes: u64,
}

impl Default for Limits {
    /// 50 megapixels and 1 GiB.
    fn default() -> Self {
        Self { max_pixels: 50_000_000, max_memory_bytes: 1 << 30 }
    }
}

/// More pixels than this are not decoded under any limits: offsets into planes are then sure to fit 32 bits.
const MAX_PIXELS: u64 = 1 << 28;

/// About how much memory [`decode`] takes at most for what `header` describes, in bytes.
///
/// Planes of three samples, as the decoder pads them, with as much again for its tables and for film grain; the pixels
/// of the result, twice where they are turned into others.
#[must_use]
pub fn decoding_bytes(header: &heif::Header) -> u64 {
    let pixels = u64::from(header.coded_width) * u64::from(header.coded_height);
    let sample_bytes = if header.bits > 8 { 2 } else { 1 };
    let channels = if header.is_gray { 1 } else { 3 };
    let samples = pixels * channels * sample_bytes * 2;
    let alpha = if header.has_alpha { pixels * 5 } else { 0 };
    let cropped = if header.coded_width == header.width && header.coded_height == header.height { 0 } else { pixels };
    samples + pixels * channels + alpha + cropped * channels + (4 << 20)
}

/// Decodes the still picture of an AVIF file, as stored: see [`Picture::orientation`].
///
/// # Errors
/// `Corrupt` when the picture is not complete; a limit of `limits`, before anything of its size is allocated.
pub fn decode(file: &[u8], limits: &Limits) -> Result<Picture, AvifError> {
    let container = Container::read(file)?;
    let header = container.header()?;
    if header.family != heif::Family::Avif {
        return Err(AvifError::unsupported("a picture that is not AV1"));
    }
    check(&header, limits)?;
    let item = container.primary()?;
    let (mut raster, meaning) = decode_item(&container, &item)?;
    if let Some(alpha) = container.alpha()? {
        if alpha.size()? != item.size()? {
            return Err(AvifError::unsupported("an alpha picture of another size"));
        }
        let opacity = decode_alpha(&container, &alpha)?;
        raster = raster.with_alpha(&opacity, container.is_premultiplied(&alpha))?;
    }
    if let Some(crop) = item.properties.crop {
        raster = raster.cropped(crop)?;
    }
    let Raster { width, height, layout, bytes } = raster;
    Ok(Picture {
        width: u32::try_from(width).unwrap_or(u32::MAX),
        height: u32::try_from(height).unwrap_or(u32::MAX),
        layout,
        bytes,
        orientation: item.properties.orientation,
        icc: item.properties.icc.map(<[u8]>::to_vec),
        primaries: meaning.primaries,
        transfer: meaning.transfer,
    })
}

fn check(header: &heif::Header, limits: &Limits) -> Result<(), AvifError> {
    let pixels = u64::from(header.coded_width) * u64::from(header.coded_height);
    let limit = limits.max_pixels.min(MAX_PIXELS);
    if pixels > limit {
        return Err(AvifError::TooManyPixels { limit, actual: pixels });
    }
    let bytes = decoding_bytes(header);
    if bytes > limits.max_memory_bytes {
        return Err(AvifError::TooMuchMemory { limit: limits.max_memory_bytes, actual: bytes });
    }
    Ok(())
}

/// Pixels on their way.
struct Raster {
    width: usize,
    height: usize,
    layout: Layout,
    bytes: Vec<u8>,
}

/// One coded picture, and what its samples mean.
fn decode_frame(container: &Container<'_>, item: &Item<'_>, colors: &Item<'_>) -> Result<(Frame, Meaning), AvifError> {
    let (width, height) = item.size()?;
    let data = container.bytes(item)?.into_owned();
    let sequence = obu::inspect(&data)?;
    // The settings in the container are what limits were checked with.
    let config = item.properties.av1.ok_or_else(|| AvifError::corrupt("a picture without its decoder's settings"))?;
    if (config.bits, config.is_gray) != (sequence.bits, sequence.is_gray) {
        return Err(AvifError::corrupt("a picture of another kind than its settings say"));
    }
    let n_pixels = u64::from(width) * u64::from(height);
    if u64::from(sequence.max_width) * u64::from(sequence.max_height) > n_pixels {
        return Err(AvifError::corrupt("AV1 data for a larger picture than the file says"));
    }
    let n_pixels = u32::try_from(n_pixels).map_err(AvifError::corrupt)?;
    let frame = av1::decode(data, item.properties.operating_point, n_pixels)?;
    if (u32::try_from(frame.width), u32::try_from(frame.height)) != (Ok(width), Ok(height)) {
        return Err(AvifError::corrupt("a picture of another size than the file says"));
    }
    let nclx = colors.properties.nclx.or(item.properties.nclx);
    Ok((frame, Meaning::new(nclx, &sequence)))
}

/// A picture with its colours, alone or in a grid.
fn decode_item(container: &Container<'_>, item: &Item<'_>) -> Result<(Raster, Meaning), AvifError> {
    decode_tiles(container, item, |tile| {
        let (frame, meaning) = decode_frame(container, tile, item)?;
        let bytes = color::pixels(&frame, &meaning)?;
        let layout = if bytes.len() == frame.width * frame.height { Layout::Gray } else { Layout::Rgb };
        Ok((Raster { width: frame.width, height: frame.height, layout, bytes }, meaning))
    })
}

/// An alpha picture, alone or in a grid.
fn decode_alpha(container: &Container<'_>, item: &Item<'_>) -> Result<Raster, AvifError> {
    let decoded = decode_tiles(container, item, |tile| {
        let (frame, meaning) = decode_frame(container, tile, item)?;
        let bytes = color::gray_pixels(&frame, Gray::new(&meaning))?;
        Ok((Raster { width: frame.width, height: frame.height, layout: Layout::Gray, bytes }, meaning))
    })?;
    Ok(decoded.0)
}

/// Decodes `item`, or its tiles one after another onto a canvas.
fn decode_tiles(
    container: &Container<'_>,
    item: &Item<'_>,
    decode: impl Fn(&Item<'_>) -> Result<(Raster, Meaning), AvifError>,
) -> Result<(Raster, Meaning), AvifError> {
    if item.coding != Coding::Grid {
        return decode(item);
    }
    let grid = container.grid(item)?;
    let (width, height) = (side(grid.width), side(grid.height));
    let mut canvas: Option<(Raster, Meaning)> = None;
    for (n, tile) in grid.tiles.iter().enumerate() {
        let (tile, meaning) = decode(tile)?;
        let (canvas, _) = canvas.get_or_insert_with(|| {
            let bytes = vec![0; width * height * tile.layout.channels()];
            (Raster { width, height, layout: tile.layout, bytes }, meaning)
        });
        if canvas.layout != tile.layout {
            return Err(AvifError::corrupt("a grid of unequal tiles"));
        }
        let columns = side(grid.columns);
        canvas.draw(&tile, n % columns * tile.width, n / columns * tile.height);
    }
    canvas.ok_or_else(|| AvifError::corrupt("a grid without tiles"))
}

fn side(side: u32) -> usize {
    usize::try_from(side).unwrap_or(usize::MAX)
}

impl Raster {
    /// Puts `tile` at a place, as far as it is inside.
    fn draw(&mut self, tile: &Raster, x: usize, y: usize) {
        let channels = self.layout.channels();
        let n = tile.width.min(self.width.saturating_sub(x)) * channels;
        let rows = self.bytes.chunks_exact_mut(self.width * channels).skip(y);
        for (row, source) in rows.zip(tile.bytes.chunks_exact(tile.width * channels)) {
            row[x * channels..x * channels + n].copy_from_slice(&source[..n]);
        }
    }

    /// The same with opacity beside the colours, which are divided by it where they were multiplied.
    fn with_alpha(self, alpha: &Raster, is_premultiplied: bool) -> Result<Raster, AvifError> {
        let n_pixels = self.width * self.height;
        if alpha.bytes.len() != n_pixels {
            return Err(AvifError::corrupt("an alpha picture of another size"));
        }
        let mut bytes = Vec::with_capacity(n_pixels * 4);
        let channels = self.layout.channels();
        for (color, &alpha) in self.bytes.chunks_exact(channels).zip(&alpha.bytes) {
            let color = if let [r, g, b] = *color { [r, g, b] } else { [color[0]; 3] };
            let [r, g, b] = if is_premultiplied { color.map(|channel| divided(channel, alpha)) } else { color };
            bytes.extend([r, g, b, alpha]);
        }
        Ok(Raster { layout: Layout::Rgba, bytes, ..self })
    }

    fn cropped(self, crop: Crop) -> Result<Raster, AvifError> {
        let (x, y, width, height) = (side(crop.x), side(crop.y), side(crop.width), side(crop.height));
        let channels = self.layout.channels();
        if x.saturating_add(width) > self.width || y.saturating_add(height) > self.height {
            return Err(AvifError::corrupt("a crop outside of the picture"));
        }
        let rows = self.bytes.chunks_exact(self.width * channels).skip(y).take(height);
        let bytes = rows.flat_map(|row| &row[x * channels..(x + width) * channels]).copied().collect();
        Ok(Raster { width, height, layout: self.layout, bytes })
    }
}

/// `channel` without the opacity that it was multiplied with.
fn divided(channel: u8, alpha: u8) -> u8 {
    match (u32::from(channel) * 255 + u32::from(alpha) / 2).checked_div(alpha.into()) {
        Some(value) => u8::try_from(value).unwrap_or(u8::MAX),
        None => 0,
    }
}
