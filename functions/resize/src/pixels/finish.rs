//! What is done to a picture once it has its size: light, colours, filters, ground, canvas, corners, what lies over it.

use std::borrow::Cow;

use transform::{Font, Geometry, Output, Place, PlannedFilter, Radius, Render, Tone, Watermark};

use super::blur::{blurred, sharpened};
use super::compose::{on_canvas, on_ground};
use super::decode::{Input, decode};
use super::ops::{self, bitonal, grayscale, overlaid, placed, tinted, toned};
use super::orient::oriented;
use super::profile::into_srgb;
use super::quality::searching_bytes;
use super::raster::{Layout, Raster};
use super::render::exif_orientation;
use super::resize::{resized, whole_of};
use super::{Limits, PixelError};

/// What a plan may need besides the picture.
#[derive(Clone, Copy, Default)]
pub struct Extras<'a> {
    /// The file of the picture that is laid over the result.
    pub watermark: Option<&'a [u8]>,
    /// The operator's own filters.
    pub filter: Option<&'a dyn Filter>,
}

/// Filters that the operator brings.
pub trait Filter {
    /// The pixels (red, green, blue, opacity; not premultiplied; in sRGB) of a picture of `size`, width and height in
    /// pixels, after the filter `name`: as many as before.
    ///
    /// # Errors
    /// Why not, for whoever asked.
    fn filtered(&self, name: &str, args: &[String], size: (u32, u32), rgba: Vec<u8>) -> Result<Vec<u8>, String>;
}

/// The most bytes that are held once the picture is scaled: the result twice, or six times for a blur or a sharpening
/// (two bytes a sample, twice, beside the picture and a copy), three times with a filter or something laid over it; and
/// what the search for a quality holds.
pub(super) fn finishing_bytes(render: &Render, geometry: &Geometry) -> u64 {
    let pixels = u64::from(geometry.canvas.width) * u64::from(geometry.canvas.height);
    let is_filtered = render.blur().is_some() || render.sharpen().is_some();
    let is_covered = render.filter().is_some() || render.watermark().is_some() || render.text().is_some();
    let rasters = match (is_filtered, is_covered) {
        (true, _) => 6,
        (false, true) => 3,
        (false, false) => 2,
    };
    4 * pixels * rasters + searching_bytes(render, geometry.canvas.width, geometry.canvas.height)
}

/// The result, without transparency if it becomes a JPEG.
pub(super) fn finished(
    mut raster: Raster,
    render: &Render,
    geometry: &Geometry,
    extras: &Extras,
    limits: &Limits,
) -> Result<Raster, PixelError> {
    raster = colored(raster, render);
    if let Some(sigma) = render.blur() {
        raster = blurred(raster, sigma)?;
    }
    if let Some(sigma) = render.sharpen() {
        raster = sharpened(raster, sigma)?;
    }
    if let Some(filter) = render.filter() {
        raster = filtered(raster, filter, extras)?;
    }
    raster = match render.radius() {
        None => on_canvas(on_ground(raster, render.background()), geometry.canvas, render.background())?,
        // The corners show the ground, too, and it is laid but once.
        Some(radius) => {
            let raster = on_canvas(raster, geometry.canvas, transform::Color::CLEAR)?;
            on_ground(ops::rounded(raster, rounding(radius)), render.background())
        }
    };
    if let (Some(watermark), Some(file)) = (render.watermark(), extras.watermark) {
        raster = watermarked(raster, watermark, file, limits)?;
    }
    if let Some(text) = render.text() {
        let font = match text.font() {
            Font::Sans => ops::Font::Sans,
            Font::Serif => ops::Font::Serif,
            Font::Mono => ops::Font::Mono,
        };
        let (color, gravity, margin) = (text.color(), text.gravity().fractions(), text.padding());
        let style = ops::TextStyle { font, size: text.size(), color, gravity, margin };
        raster = ops::written(raster, text.text(), &style)?;
    }
    if matches!(render.output(), Output::Jpeg { .. }) {
        // The plan says on what, unless it was made for a picture without opacity.
        raster = on_ground(raster, transform::Color::WHITE);
    }
    Ok(raster.without_useless_alpha())
}

fn filtered(raster: Raster, filter: &PlannedFilter, extras: &Extras) -> Result<Raster, PixelError> {
    let refused = |detail: String| PixelError::Filter { detail };
    let filters = extras.filter.ok_or_else(|| refused(format!("there is no filter `{}`", filter.name())))?;
    let args: Vec<String> = filter.args().map(str::to_owned).collect();
    let raster = raster.into_rgba();
    let (width, height) = (raster.width(), raster.height());
    let pixels = filters.filtered(filter.name(), &args, (width, height), raster.into_pixels()).map_err(refused)?;
    Raster::new(width, height, Layout::Rgba, pixels)
}

/// The picture with another over it.
fn watermarked(raster: Raster, watermark: &Watermark, file: &[u8], limits: &Limits) -> Result<Raster, PixelError> {
    let probe = probe::probe(file)?;
    let decoded = decode(&Input::whole(file, &probe), limits)?;
    let mark = oriented(into_srgb(decoded.raster, decoded.profile.as_deref()), exif_orientation(&probe))?;
    let width = (u64::from(raster.width()) * u64::from(watermark.scale()) / 100).max(1);
    let height = (width * u64::from(mark.height()) + u64::from(mark.width()) / 2) / u64::from(mark.width());
    let side = |side: u64| u32::try_from(side.max(1)).unwrap_or(u32::MAX).min(transform::MAX_SIDE);
    let area = whole_of(&mark);
    let mark = resized(Cow::Owned(mark), area, side(width), side(height), false)?;
    let place = match watermark.place() {
        Place::Tile => ops::Place::Tiled { gap: watermark.padding() },
        Place::At(gravity) => {
            let sides = |raster: &Raster| (raster.width(), raster.height());
            ops::Place::At(placed(sides(&raster), sides(&mark), gravity.fractions(), watermark.padding()))
        }
    };
    Ok(overlaid(raster, &mark, place, watermark.opacity()))
}

fn rounding(radius: Radius) -> ops::Radius {
    match radius {
        Radius::Pixels(pixels) => ops::Radius::Pixels(pixels),
        Radius::Max => ops::Radius::Max,
    }
}

/// Light and colours.
fn colored(mut raster: Raster, render: &Render) -> Raster {
    let adjustments = render.adjustments();
    if !adjustments.is_none() {
        raster = toned(
            raster,
            ops::Tone {
                brightness: adjustments.brightness.hundredths(),
                contrast: adjustments.contrast.hundredths(),
                saturation: adjustments.saturation.hundredths(),
                gamma: adjustments.gamma.hundredths(),
            },
        );
    }
    raster = match render.tone() {
        None => raster,
        Some(Tone::Gray) => grayscale(raster),
        Some(Tone::Bitonal) => bitonal(raster),
    };
    match render.tint() {
        None => raster,
        Some(color) => tinted(raster, color),
    }
}
