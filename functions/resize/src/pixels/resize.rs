//! Scaling and cropping in one pass, by Lanczos with three lobes, as libvips does.
//!
//! Light is not linearised: it would cost eight times as much in wasm, and sharp's default does not either.
//! Colours are weighted by their opacity, so that what cannot be seen does not bleed into what can.

use std::borrow::Cow;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{Filter, FilterType, MulDiv, PixelType, ResizeAlg, ResizeOptions, Resizer};
pub(super) use scale::Area;
use scale::{LOBES, Scaler, lanczos};

use super::PixelError;
use super::ops::resized_in_light;
use super::raster::{Layout, Raster};

/// All of a raster.
pub(super) fn whole_of(raster: &Raster) -> Area {
    Area { left: 0.0, top: 0.0, width: raster.width().into(), height: raster.height().into() }
}

/// What of an area lies inside `raster`; rounding may have pushed an edge out by a hair.
fn within(area: Area, raster: &Raster) -> Area {
    let (left, width) = span_within(area.left, area.width, raster.width());
    let (top, height) = span_within(area.top, area.height, raster.height());
    Area { left, top, width, height }
}

fn span_within(start: f64, length: f64, whole: u32) -> (f64, f64) {
    let whole = f64::from(whole);
    // A millionth of a pixel is nothing to see, and keeps the division by the length finite.
    let length = length.clamp(1e-6, whole);
    let start = start.clamp(0.0, whole - length);
    (start, length.min(whole - start))
}

/// `area` of the raster, scaled to `width` by `height` pixels; with `is_linear` in linear light. A raster that is
/// handed over is worked on in place: it may be the largest there is.
pub(super) fn resized(
    raster: Cow<Raster>,
    area: Area,
    width: u32,
    height: u32,
    is_linear: bool,
) -> Result<Raster, PixelError> {
    if area == whole_of(&raster) && (raster.width(), raster.height()) == (width, height) {
        return Ok(raster.into_owned());
    }
    if is_linear {
        return resized_in_light(&raster, area, width, height);
    }
    if raster.layout() != Layout::Rgba {
        return resized_copy(&raster, area, width, height);
    }
    let mut raster = raster.into_owned();
    premultiply(&mut raster)?;
    let mut result = resized_copy(&raster, area, width, height)?;
    drop(raster);
    unpremultiply(&mut result)?;
    Ok(result)
}

/// Scales planes of the size of `plane`, of each the same `area`, to `width` by `height` samples.
pub(super) fn plane_scaler(plane: &Raster, area: Area, width: u32, height: u32) -> Scaler {
    let size = |width: u32, height: u32| (width as usize, height as usize);
    Scaler::new(size(plane.width(), plane.height()), within(area, plane), size(width, height))
}

/// The scaling itself, on opaque or premultiplied pixels.
pub(super) fn resized_copy(raster: &Raster, area: Area, width: u32, height: u32) -> Result<Raster, PixelError> {
    let mut result = Raster::zeroed(width, height, raster.layout())?;
    let pixel_type = pixel_type(raster.layout());
    let source = ImageRef::new(raster.width(), raster.height(), raster.pixels(), pixel_type).map_err(broken)?;
    let mut target = Image::from_slice_u8(width, height, result.pixels_mut(), pixel_type).map_err(broken)?;
    let Area { left, top, width, height } = within(area, raster);
    let filter = Filter::new("Lanczos, three lobes", lanczos, LOBES).map_err(broken)?;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Custom(filter)))
        .crop(left, top, width, height)
        .use_alpha(false);
    Resizer::new().resize(&source, &mut target, &options).map_err(broken)?;
    Ok(result)
}

/// Multiplies colours by their opacity, in place.
pub(super) fn premultiply(raster: &mut Raster) -> Result<(), PixelError> {
    let (width, height) = (raster.width(), raster.height());
    let mut image = Image::from_slice_u8(width, height, raster.pixels_mut(), PixelType::U8x4).map_err(broken)?;
    MulDiv::new().multiply_alpha_inplace(&mut image).map_err(broken)
}

/// Undoes [`premultiply`].
pub(super) fn unpremultiply(raster: &mut Raster) -> Result<(), PixelError> {
    let (width, height) = (raster.width(), raster.height());
    let mut image = Image::from_slice_u8(width, height, raster.pixels_mut(), PixelType::U8x4).map_err(broken)?;
    MulDiv::new().divide_alpha_inplace(&mut image).map_err(broken)
}

fn pixel_type(layout: Layout) -> PixelType {
    match layout {
        Layout::Gray => PixelType::U8,
        Layout::Rgb => PixelType::U8x3,
        Layout::Rgba | Layout::Cmyk => PixelType::U8x4,
    }
}

/// Not reachable as far as we know: the sides of a raster always match its bytes.
fn broken(error: impl std::fmt::Display) -> PixelError {
    PixelError::encode(error)
}
