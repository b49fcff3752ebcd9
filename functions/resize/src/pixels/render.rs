//! Carrying out a plan.

use probe::Probe;
use transform::{Format, Orientation, Output, Plan, Render, Window};

use super::blur::{blurred, sharpened};
use super::compose::{on_canvas, on_ground};
use super::decode::{Decoded, Shrink, decode};
use super::encode::{Encoded, encoded};
use super::limits::decoding_bytes;
use super::orient::oriented;
use super::profile::into_srgb;
use super::raster::{Layout, Raster};
use super::resize::{Area, premultiply, resized, resized_copy, unpremultiply};
use super::strip::{Stripped, strip};
use super::{Limits, PixelError};

/// The quality of a JPEG that is written only because the original lies on its side.
const UPRIGHT_QUALITY: u8 = 95;

/// Makes what `plan` says of `input`: the original, or a rung (the whole picture, smaller), whichever is at hand.
/// For [`Plan::Original`] it must be the original.
///
/// # Errors
/// See [`PixelError`]. Whatever `input` is, it is answered, and never with a panic as far as we know.
pub fn render(input: &[u8], plan: &Plan, limits: &Limits) -> Result<Encoded, PixelError> {
    let probe = probe::probe(input)?;
    limits.check(&probe)?;
    match plan {
        Plan::Original => original(input, &probe, limits),
        Plan::Render(render) => {
            let orientation = exif_orientation(&probe).then(render.orientation());
            let decoded = decoded_for(input, &probe, orientation, render, limits)?;
            finished(scaled(decoded, orientation, render.scaled(), render.window())?, render)
        }
    }
}

/// The orientation that makes the stored picture upright.
pub(super) fn exif_orientation(probe: &Probe) -> Orientation {
    Orientation::from_exif(probe.orientation.get().into())
}

/// The picture without metadata, upright: the same pixels where they are upright already.
fn original(input: &[u8], probe: &Probe, limits: &Limits) -> Result<Encoded, PixelError> {
    let (width, height) = probe.oriented_size();
    let format = format_of(probe);
    match strip(input) {
        Stripped::Same => Ok(Encoded { bytes: input.to_vec(), format, width, height }),
        Stripped::Rewritten(bytes) => Ok(Encoded { bytes, format, width, height }),
        Stripped::NeedsRender => {
            let decoded = decode(input, probe, Shrink::None, limits)?;
            limits.check_memory(decoded.raster.n_bytes().saturating_mul(2))?;
            let raster = into_srgb(decoded.raster, decoded.profile.as_deref());
            encoded(&oriented(raster, exif_orientation(probe))?, upright_output(format))
        }
    }
}

fn upright_output(format: Format) -> Output {
    match format {
        Format::Jpeg => Output::Jpeg { quality: UPRIGHT_QUALITY },
        Format::WebP => Output::WebP,
        Format::Png | Format::Gif => Output::Png,
    }
}

pub(super) fn format_of(probe: &Probe) -> Format {
    match probe.format {
        probe::Format::Jpeg => Format::Jpeg,
        probe::Format::Png => Format::Png,
        probe::Format::WebP => Format::WebP,
        probe::Format::Gif => Format::Gif,
    }
}

/// Decodes as much of the picture as the plan needs.
///
/// The most held at once, in bytes, is the largest of three moments: decoding (see [`decoding_bytes`]); resizing, which
/// holds the decoded picture, as many of its columns at the new height, and the new one; and finishing, which holds the
/// result twice, or five times for a blur or a sharpening (two bytes a sample, twice, beside the picture).
fn decoded_for(
    input: &[u8],
    probe: &Probe,
    orientation: Orientation,
    render: &Render,
    limits: &Limits,
) -> Result<Decoded, PixelError> {
    let (width, height) = orientation.sides(render.scaled().0, render.scaled().1);
    let ratio = (f64::from(probe.width) / f64::from(width)).min(f64::from(probe.height) / f64::from(height));
    let shrink = Shrink::for_ratio(ratio);
    let n = u64::from(shrink.divisor());
    let (decoded_width, decoded_height) = (u64::from(probe.width) / n + 1, u64::from(probe.height) / n + 1);
    let (result_width, result_height) = (u64::from(render.canvas().width), u64::from(render.canvas().height));
    let new_height = if orientation.swaps_sides() { result_width } else { result_height };
    let resizing = 4 * (decoded_width * decoded_height + decoded_width * new_height + result_width * result_height);
    limits.check_memory(decoding_bytes(probe, shrink).max(resizing).max(finishing_bytes(render)))?;
    decode(input, probe, shrink, limits)
}

/// The most bytes that are held once the picture is scaled.
fn finishing_bytes(render: &Render) -> u64 {
    let pixels = u64::from(render.canvas().width) * u64::from(render.canvas().height);
    let has_filter = render.blur().is_some() || render.sharpen().is_some();
    4 * pixels * if has_filter { 5 } else { 2 }
}

/// The windowed part of a decoded picture: scaled, in sRGB, turned.
fn scaled(
    decoded: Decoded,
    orientation: Orientation,
    scaled: (u32, u32),
    window: Window,
) -> Result<Raster, PixelError> {
    let unturned = unturned(orientation, scaled, window);
    let area = area_of(decoded.extent, orientation.sides(scaled.0, scaled.1), unturned);
    let raster = resized(decoded.raster, area, unturned.width, unturned.height)?;
    oriented(into_srgb(raster, decoded.profile.as_deref()), orientation)
}

/// Where `window`, in the turned picture of the size `scaled`, lies in the picture before turning.
fn unturned(orientation: Orientation, (width, height): (u32, u32), window: Window) -> Window {
    let Window { x, y, width: window_width, height: window_height } = window;
    let from_left = if orientation.is_mirrored() { width - x - window_width } else { x };
    let from_right = width - from_left - window_width;
    let from_bottom = height - y - window_height;
    match orientation.quarter_turns() {
        0 => Window { x: from_left, ..window },
        1 => Window { x: y, y: from_right, width: window_height, height: window_width },
        2 => Window { x: from_right, y: from_bottom, ..window },
        _ => Window { x: from_bottom, y: from_left, width: window_height, height: window_width },
    }
}

/// The part of a decoded picture that becomes `window` when the whole is scaled to `width` by `height`.
fn area_of(extent: (f64, f64), (width, height): (u32, u32), window: Window) -> Area {
    let (x, y) = (extent.0 / f64::from(width), extent.1 / f64::from(height));
    Area {
        left: f64::from(window.x) * x,
        top: f64::from(window.y) * y,
        width: f64::from(window.width) * x,
        height: f64::from(window.height) * y,
    }
}

/// Renders from a picture in memory: upright, sRGB, at least as large as the plan scales it to.
pub(super) fn render_from(raster: &Raster, render: &Render, limits: &Limits) -> Result<Encoded, PixelError> {
    limits.check_memory(raster.n_bytes().saturating_mul(2).saturating_add(finishing_bytes(render)))?;
    let orientation = render.orientation();
    let unturned = unturned(orientation, render.scaled(), render.window());
    let extent = (raster.width().into(), raster.height().into());
    let area = area_of(extent, orientation.sides(render.scaled().0, render.scaled().1), unturned);
    let smaller = resized_from(raster, area, unturned.width, unturned.height)?;
    finished(oriented(smaller, orientation)?, render)
}

/// `resized`, for a picture that is still needed.
pub(super) fn resized_from(raster: &Raster, area: Area, width: u32, height: u32) -> Result<Raster, PixelError> {
    if raster.layout() == Layout::Rgba {
        let mut raster = raster.clone();
        premultiply(&mut raster)?;
        let mut result = resized_copy(&raster, area, width, height)?;
        unpremultiply(&mut result)?;
        return Ok(result);
    }
    resized_copy(raster, area, width, height)
}

/// What comes after scaling and turning: filters, ground, canvas, encoding.
fn finished(mut raster: Raster, render: &Render) -> Result<Encoded, PixelError> {
    if let Some(sigma) = render.blur() {
        raster = blurred(raster, sigma)?;
    }
    if let Some(sigma) = render.sharpen() {
        raster = sharpened(raster, sigma)?;
    }
    raster = on_ground(raster, render.background());
    raster = on_canvas(raster, render.canvas(), render.background())?;
    if matches!(render.output(), Output::Jpeg { .. }) {
        // The plan says on what, unless it was made for a picture without opacity.
        raster = on_ground(raster, transform::Color::WHITE);
    }
    encoded(&raster.without_useless_alpha(), render.output())
}
