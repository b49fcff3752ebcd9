//! Scaling and cropping in one pass, by Lanczos with three lobes, as libvips does.
//!
//! Light is not linearised: it would cost eight times as much in wasm, and sharp's default does not either.
//! Colours are weighted by their opacity, so that what cannot be seen does not bleed into what can.

use std::borrow::Cow;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{Filter, FilterType, MulDiv, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::PixelError;
use super::ops::resized_in_light;
use super::raster::{Layout, Raster};

/// A part of a raster, in pixels and fractions of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Area {
    /// All of it.
    pub(super) fn whole(raster: &Raster) -> Self {
        Self { left: 0.0, top: 0.0, width: raster.width().into(), height: raster.height().into() }
    }

    /// What of this lies inside `raster`; rounding may have pushed an edge out by a hair.
    fn within(self, raster: &Raster) -> Self {
        let (left, width) = span_within(self.left, self.width, raster.width());
        let (top, height) = span_within(self.top, self.height, raster.height());
        Self { left, top, width, height }
    }
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
    if area == Area::whole(&raster) && (raster.width(), raster.height()) == (width, height) {
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

/// The scaling itself, on opaque or premultiplied pixels.
pub(super) fn resized_copy(raster: &Raster, area: Area, width: u32, height: u32) -> Result<Raster, PixelError> {
    let mut result = Raster::zeroed(width, height, raster.layout())?;
    let pixel_type = pixel_type(raster.layout());
    let source = ImageRef::new(raster.width(), raster.height(), raster.pixels(), pixel_type).map_err(broken)?;
    let mut target = Image::from_slice_u8(width, height, result.pixels_mut(), pixel_type).map_err(broken)?;
    let Area { left, top, width, height } = area.within(raster);
    let filter = Filter::new("Lanczos, three lobes", lanczos, LOBES).map_err(broken)?;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Custom(filter)))
        .crop(left, top, width, height)
        .use_alpha(false);
    Resizer::new().resize(&source, &mut target, &options).map_err(broken)?;
    Ok(result)
}

/// How far the filter reaches, in pixels of the smaller picture. [`lanczos`] holds for no other number.
pub(super) const LOBES: f64 = 3.0;

/// The filter: sinc(x) sinc(x / 3). The library's own asks the system for two sines a weight, which takes long, and they
/// differ between systems. This one has one, and is the same everywhere.
pub(super) fn lanczos(x: f64) -> f64 {
    let third = x.abs() / LOBES;
    if third >= 1.0 {
        return 0.0;
    }
    let angle = std::f64::consts::PI * third;
    // Nearer to the middle both sines are as good as their angles.
    if angle < 1e-6 {
        return 1.0;
    }
    let sine = sine_to_quarter(if third > 0.5 { std::f64::consts::PI * (1.0 - third) } else { angle });
    // The sine of three times the angle.
    let triple = sine * (3.0 - 4.0 * sine * sine);
    sine * triple / (LOBES * angle * angle)
}

/// The sine of an angle from 0 to a quarter of a turn: its series up to the term of degree 19.
fn sine_to_quarter(angle: f64) -> f64 {
    /// 1 / (2 * 3), 1 / (4 * 5) and so on.
    const STEPS: [f64; 9] = {
        let mut steps = [0.0; 9];
        let mut i = 0;
        while i < 9 {
            let n = 2.0 * (i as f64 + 1.0);
            steps[i] = 1.0 / (n * (n + 1.0));
            i += 1;
        }
        steps
    };
    let square = angle * angle;
    angle * STEPS.iter().rev().fold(1.0, |sum, step| 1.0 - sum * square * step)
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

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    #[test]
    fn the_filter_is_lanczos() {
        let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
        for step in -40_000..=40_000 {
            let x = f64::from(step) / 10_000.0;
            let expected = if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 };
            assert!((lanczos(x) - expected).abs() < 1e-14, "{x}: {} {expected}", lanczos(x));
        }
    }
}
