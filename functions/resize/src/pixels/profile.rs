//! Colour: from whatever space a picture came in to sRGB.
//!
//! Done after resizing, on as few pixels as possible. A profile that cannot be read, or does not belong to this kind
//! of picture, is ignored: the picture is then shown as if it were sRGB, which is what browsers do.

use moxcms::{ColorProfile, DataColorSpace, TransformExecutor, TransformOptions};
use std::sync::Arc;

use super::raster::{Layout, Raster};

/// Converts to sRGB by the picture's `profile`; `Cmyk` becomes `Rgb` in any case.
pub(super) fn into_srgb(raster: Raster, profile: Option<&[u8]>) -> Raster {
    let transform = profile.and_then(|profile| Transform::read(profile, raster.layout()));
    match (raster.layout(), transform) {
        (Layout::Gray, Some(transform)) => gray_through(raster, &transform),
        (Layout::Rgb | Layout::Rgba, Some(transform)) => rgb_through(raster, &transform),
        (Layout::Cmyk, Some(transform)) => cmyk_through(&raster, &transform).unwrap_or_else(|| cmyk_as_paper(&raster)),
        (Layout::Cmyk, None) => cmyk_as_paper(&raster),
        (_, None) => raster,
    }
}

/// Colours of a profile to RGB colours of sRGB.
struct Transform(Arc<dyn TransformExecutor<u8> + Send + Sync>);

impl Transform {
    /// The transform for pictures of `layout`; `None` where there is nothing to do, or the profile is of no use.
    fn read(profile: &[u8], layout: Layout) -> Option<Self> {
        let profile = ColorProfile::new_from_slice(profile).ok()?;
        let (space, from) = match layout {
            Layout::Gray => (DataColorSpace::Gray, moxcms::Layout::Gray),
            Layout::Rgb | Layout::Rgba => (DataColorSpace::Rgb, moxcms::Layout::Rgb),
            Layout::Cmyk => (DataColorSpace::Cmyk, moxcms::Layout::Rgba),
        };
        if profile.color_space != space {
            return None;
        }
        let options = TransformOptions::default();
        let srgb = ColorProfile::new_srgb();
        let transform = Self(profile.create_transform_8bit(from, &srgb, moxcms::Layout::Rgb, options).ok()?);
        (layout == Layout::Cmyk || !transform.is_identity(from.channels())?).then_some(transform)
    }

    fn apply(&self, from: &[u8], to: &mut [u8]) -> Option<()> {
        self.0.transform(from, to).ok()
    }

    /// Whether it moves no colour by more than rounding does; most profiles are sRGB under one name or another.
    fn is_identity(&self, n_channels: usize) -> Option<bool> {
        const STEPS: [u8; 9] = [0, 16, 48, 80, 112, 144, 176, 216, 255];
        let colors: Vec<[u8; 3]> = if n_channels == 1 {
            STEPS.map(|gray| [gray; 3]).to_vec()
        } else {
            let pairs = STEPS.iter().flat_map(|r| STEPS.iter().map(move |g| (*r, *g)));
            pairs.flat_map(|(r, g)| STEPS.map(|b| [r, g, b])).collect()
        };
        let from: Vec<u8> = colors.iter().flat_map(|color| color[..n_channels].to_vec()).collect();
        let mut to = vec![0; colors.len() * 3];
        self.apply(&from, &mut to)?;
        Some(colors.concat().iter().zip(to).all(|(before, after)| before.abs_diff(after) <= 1))
    }
}

/// Gray stays gray: one byte of the colour that each brightness becomes.
fn gray_through(mut raster: Raster, transform: &Transform) -> Raster {
    let grays: Vec<u8> = (0..=255).collect();
    let mut colors = vec![0; 256 * 3];
    if transform.apply(&grays, &mut colors).is_some() {
        raster.pixels_mut().iter_mut().for_each(|gray| *gray = colors[usize::from(*gray) * 3]);
    }
    raster
}

fn rgb_through(mut raster: Raster, transform: &Transform) -> Raster {
    let (stride, n_channels) = (raster.stride(), raster.layout().channels());
    let mut from = Vec::with_capacity(raster.width() as usize * 3);
    let mut to = vec![0; raster.width() as usize * 3];
    for row in raster.pixels_mut().chunks_exact_mut(stride) {
        from.clear();
        row.chunks_exact(n_channels).for_each(|pixel| from.extend_from_slice(&pixel[..3]));
        if transform.apply(&from, &mut to).is_some() {
            row.chunks_exact_mut(n_channels).zip(to.chunks_exact(3)).for_each(|(p, rgb)| p[..3].copy_from_slice(rgb));
        }
    }
    raster
}

fn cmyk_through(raster: &Raster, transform: &Transform) -> Option<Raster> {
    let mut rgb = Raster::zeroed(raster.width(), raster.height(), Layout::Rgb).ok()?;
    let stride = rgb.stride();
    let rows = raster.pixels().chunks_exact(raster.stride());
    for (from, to) in rows.zip(rgb.pixels_mut().chunks_exact_mut(stride)) {
        transform.apply(from, to)?;
    }
    Some(rgb)
}

/// Ink without a profile: each ink takes its share of the light, black of all.
fn cmyk_as_paper(raster: &Raster) -> Raster {
    raster.map(Layout::Rgb, |ink| {
        let light = |color: u8| ((255 - u32::from(color)) * (255 - u32::from(ink[3])) + 127) / 255;
        [light(ink[0]) as u8, light(ink[1]) as u8, light(ink[2]) as u8]
    })
}
