//! What lies under and around a picture.

use transform::{Canvas, Color};

use super::PixelError;
use super::raster::{Layout, Raster};

/// The picture on a ground of `color`; as it is if there is no ground, or nothing of it would show.
///
/// An opaque ground leaves three channels, another one keeps opacity.
pub(super) fn on_ground(raster: Raster, color: Color) -> Raster {
    if color == Color::CLEAR || raster.layout() != Layout::Rgba {
        return raster;
    }
    if color.is_opaque() {
        return raster.map(Layout::Rgb, |pixel| {
            let alpha = u32::from(pixel[3]);
            [0, 1, 2].map(|i| mix(pixel[i], alpha, color.rgb[i]))
        });
    }
    raster.map(Layout::Rgba, |pixel| over([pixel[0], pixel[1], pixel[2], pixel[3]], color))
}

/// The picture on a canvas filled with `color`, at the place that the canvas names.
pub(super) fn on_canvas(raster: Raster, canvas: Canvas, color: Color) -> Result<Raster, PixelError> {
    if (raster.width(), raster.height()) == (canvas.width, canvas.height) {
        return Ok(raster);
    }
    // The layout that holds both: gray on gray stays gray.
    let is_gray = color.rgb[0] == color.rgb[1] && color.rgb[1] == color.rgb[2];
    let raster = match raster.layout() {
        _ if !color.is_opaque() => raster.into_rgba(),
        Layout::Gray if !is_gray => raster.into_rgb(),
        _ => raster,
    };
    let mut result = Raster::zeroed(canvas.width, canvas.height, raster.layout())?;
    let n_channels = raster.layout().channels();
    let [red, green, blue] = color.rgb;
    let pixel = [red, green, blue, color.alpha];
    result.pixels_mut().chunks_exact_mut(n_channels).for_each(|to| to.copy_from_slice(&pixel[..n_channels]));

    let stride = result.stride();
    let start = canvas.x as usize * n_channels;
    let rows = result.pixels_mut().chunks_exact_mut(stride).skip(canvas.y as usize);
    for (to, from) in rows.zip(raster.pixels().chunks_exact(raster.stride())) {
        if let Some(to) = to.get_mut(start..start + from.len()) {
            to.copy_from_slice(from);
        }
    }
    Ok(result)
}

/// One channel of an opacity of `alpha` (0–255) over an opaque ground.
fn mix(above: u8, alpha: u32, below: u8) -> u8 {
    ((u32::from(above) * alpha + u32::from(below) * (255 - alpha) + 127) / 255) as u8
}

/// One pixel over a ground that is not opaque itself.
fn over(pixel: [u8; 4], ground: Color) -> [u8; 4] {
    let above = u32::from(pixel[3]) * 255;
    let below = u32::from(ground.alpha) * (255 - u32::from(pixel[3]));
    let total = above + below;
    if total == 0 {
        return [0; 4];
    }
    let channel =
        |i: usize| ((u32::from(pixel[i]) * above + u32::from(ground.rgb[i]) * below + total / 2) / total) as u8;
    [channel(0), channel(1), channel(2), ((total + 127) / 255) as u8]
}
