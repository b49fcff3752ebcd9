//! What is done to a picture once it has its size: light, colours, filters, ground, canvas, corners, what lies over it.

use transform::{Geometry, Output, Radius, Render, Tone};

use super::blur::{blurred, sharpened};
use super::compose::{on_canvas, on_ground};
use super::ops::{self, bitonal, grayscale, tinted, toned};
use super::raster::Raster;
use super::{Limits, PixelError};

/// What a plan may need besides the picture.
#[derive(Clone, Copy, Default)]
pub struct Extras<'a> {
    /// The file of the picture that is laid over the result.
    pub watermark: Option<&'a [u8]>,
}

/// The most bytes that are held once the picture is scaled: the result twice, or six times for a blur or a sharpening
/// (two bytes a sample, twice, beside the picture and a copy), three times with a filter or something laid over it.
pub(super) fn finishing_bytes(render: &Render, geometry: &Geometry) -> u64 {
    let pixels = u64::from(geometry.canvas.width) * u64::from(geometry.canvas.height);
    let is_filtered = render.blur().is_some() || render.sharpen().is_some();
    let is_covered = render.filter().is_some() || render.watermark().is_some() || render.text().is_some();
    4 * pixels
        * match (is_filtered, is_covered) {
            (true, _) => 6,
            (false, true) => 3,
            (false, false) => 2,
        }
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
    let _ = (extras, limits);
    raster = match render.radius() {
        None => on_canvas(on_ground(raster, render.background()), geometry.canvas, render.background())?,
        // The corners show the ground, too, and it is laid but once.
        Some(radius) => {
            let raster = on_canvas(raster, geometry.canvas, transform::Color::CLEAR)?;
            on_ground(ops::rounded(raster, rounding(radius)), render.background())
        }
    };
    if matches!(render.output(), Output::Jpeg { .. }) {
        // The plan says on what, unless it was made for a picture without opacity.
        raster = on_ground(raster, transform::Color::WHITE);
    }
    Ok(raster.without_useless_alpha())
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
