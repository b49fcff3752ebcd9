//! Colour: from whatever space a picture came in to sRGB.
//!
//! Done after resizing, on as few pixels as possible. A profile that cannot be read, or does not belong to this kind
//! of picture, is ignored: the picture is then shown as if it were sRGB, which is what browsers do.

use moxcms::{ColorProfile, DataColorSpace, TransformExecutor, TransformOptions};
use std::sync::Arc;

use super::ink::Inks;
use super::raster::{Layout, Raster};

/// Converts to sRGB by the picture's `profile`; `Cmyk` becomes `Rgb` in any case.
pub(super) fn into_srgb(raster: Raster, profile: Option<&[u8]>) -> Raster {
    if raster.layout() == Layout::Cmyk {
        return without_ink(&raster, profile.and_then(Inks::read));
    }
    match profile.and_then(|profile| Transform::read(profile, raster.layout())) {
        Some(transform) if raster.layout() == Layout::Gray => gray_through(raster, &transform),
        Some(transform) => rgb_through(raster, &transform),
        None => raster,
    }
}

/// Whether RGB pictures with this profile are shown as if they were sRGB.
pub(super) fn is_srgb(profile: &[u8]) -> bool {
    Transform::read(profile, Layout::Rgb).is_none()
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
            Layout::Cmyk => return None,
        };
        if profile.color_space != space {
            return None;
        }
        let options = TransformOptions::default();
        let srgb = ColorProfile::new_srgb();
        let transform = Self(profile.create_transform_8bit(from, &srgb, moxcms::Layout::Rgb, options).ok()?);
        (!transform.is_identity(from.channels())?).then_some(transform)
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

/// Ink becomes red, green and blue: by its profile, or else each ink takes its share of the light, black of all.
fn without_ink(raster: &Raster, inks: Option<Inks>) -> Raster {
    raster.map(Layout::Rgb, |pixel| match &inks {
        Some(inks) => inks.color([pixel[0], pixel[1], pixel[2], pixel[3]]),
        None => {
            let light = |color: u8| ((255 - u32::from(color)) * (255 - u32::from(pixel[3])) + 127) / 255;
            [light(pixel[0]) as u8, light(pixel[1]) as u8, light(pixel[2]) as u8]
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::samples::{jpeg, png, webp};
    use crate::pixels::{Extras, Limits, derive, render};

    /// A colour of `profile` as sRGB, one pixel at a time.
    fn check(name: &str, profile: Option<&[u8]>, layout: Layout, pixel: &[u8], expected: &[u8]) {
        let raster = Raster::new(2, 1, layout, pixel.repeat(2)).unwrap();
        let converted = into_srgb(raster, profile);
        let found = &converted.pixels()[..converted.layout().channels()];
        let is_close = found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| a.abs_diff(*b) <= 1);
        assert!(is_close, "{name}: {found:?} for {expected:?}");
    }

    fn p3() -> Vec<u8> {
        ColorProfile::new_display_p3().encode().unwrap()
    }

    #[test]
    fn colours_of_a_profile_become_srgb() {
        let (p3, adobe) = (p3(), ColorProfile::new_adobe_rgb().encode().unwrap());
        // The expected values by the profiles' own numbers: linearise, to XYZ, to linear sRGB, encode, clip.
        check("p3", Some(&p3), Layout::Rgb, &[200, 100, 50], &[215, 93, 31]);
        check("p3, gray", Some(&p3), Layout::Rgb, &[128, 128, 128], &[128, 128, 128]);
        check("p3, out of reach", Some(&p3), Layout::Rgb, &[0, 255, 0], &[0, 255, 0]);
        check("p3, opacity", Some(&p3), Layout::Rgba, &[200, 100, 50, 7], &[215, 93, 31, 7]);
        check("adobe", Some(&adobe), Layout::Rgb, &[100, 150, 100], &[66, 151, 97]);

        let gamma = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
        check("linear gray", Some(&gamma), Layout::Gray, &[55], &[128]);
    }

    #[test]
    fn useless_profiles_change_nothing() {
        let srgb = ColorProfile::new_srgb().encode().unwrap();
        let broken: Vec<u8> = p3().iter().enumerate().map(|(i, byte)| if i < 200 { *byte } else { 0xA5 }).collect();
        for (name, profile) in [("srgb", &srgb[..]), ("broken", &broken), ("cut", &p3()[..300]), ("text", b"profile")] {
            check(name, Some(profile), Layout::Rgb, &[200, 100, 50], &[200, 100, 50]);
        }
        check("of another kind", Some(&p3()), Layout::Gray, &[100], &[100]);
        check("none", None, Layout::Rgb, &[200, 100, 50], &[200, 100, 50]);
    }

    #[test]
    fn ink_without_profile_takes_its_share_of_light() {
        check("paper", None, Layout::Cmyk, &[0, 0, 0, 0], &[255, 255, 255]);
        check("black", None, Layout::Cmyk, &[0, 0, 0, 255], &[0, 0, 0]);
        check("cyan", None, Layout::Cmyk, &[255, 0, 0, 0], &[0, 255, 255]);
        check("half", None, Layout::Cmyk, &[255, 128, 0, 128], &[0, 63, 127]);
        check("rgb profile", Some(&p3()), Layout::Cmyk, &[255, 128, 0, 128], &[0, 63, 127]);
    }

    #[test]
    fn ink_with_a_profile_has_the_colours_of_that() {
        let profile: &[u8] = include_bytes!("fixtures/ink_lut16_v2.icc");
        // From `fixtures/ink.txt`.
        check("cyan", Some(profile), Layout::Cmyk, &[255, 0, 0, 0], &[0, 145, 200]);
        check("half", Some(profile), Layout::Cmyk, &[128, 128, 128, 128], &[81, 77, 84]);
        check("cut", Some(&profile[..400]), Layout::Cmyk, &[255, 0, 0, 0], &[0, 255, 255]);
        check("of another kind", Some(profile), Layout::Rgb, &[255, 0, 0], &[255, 0, 0]);
    }

    #[test]
    fn profiles_are_found_in_every_container_and_left_out_of_results() {
        let raster = Raster::new(8, 8, Layout::Rgb, [200, 100, 50].repeat(64)).unwrap();
        let files = [
            ("jpeg", jpeg(&raster, |encoder| encoder.add_icc_profile(&p3()).unwrap())),
            ("webp", webp(&raster, |encoder| encoder.set_icc_profile(p3()))),
            (
                "png",
                png((8, 8), (::png::ColorType::Rgb, ::png::BitDepth::Eight), raster.pixels(), |info| {
                    info.icc_profile = Some(p3().into());
                }),
            ),
        ];
        for (name, file) in files {
            let plan = "s=4x4,f=png".parse().unwrap();
            let encoded = render(&file, &plan, &Extras::default(), &Limits::default()).unwrap();
            let decoder = ::png::Decoder::new(std::io::Cursor::new(&encoded.bytes));
            let mut reader = decoder.read_info().unwrap();
            assert!(reader.info().icc_profile.is_none(), "{name}");
            let mut pixels = vec![0; 48];
            reader.next_frame(&mut pixels).unwrap();
            let is_close = pixels[..3].iter().zip([215_u8, 93, 31]).all(|(a, b)| a.abs_diff(b) <= 3);
            assert!(is_close, "{name}: {:?}", &pixels[..3]);
            let color = derive(&file, &[], &Limits::default()).unwrap().dominant_color;
            assert!(color.iter().zip([215_u8, 93, 31]).all(|(a, b)| a.abs_diff(b) <= 3), "{name}: {color:?}");
        }
    }

    #[test]
    fn a_profile_over_the_limit_is_ignored() {
        let raster = Raster::new(8, 8, Layout::Rgb, [200, 100, 50].repeat(64)).unwrap();
        let padded = |n_bytes: usize| {
            let mut profile = p3();
            profile.resize(n_bytes, 0);
            let n_total = (profile.len() as u32).to_be_bytes();
            profile[..4].copy_from_slice(&n_total);
            jpeg(&raster, |encoder| encoder.add_icc_profile(&profile).unwrap())
        };
        let red = |file: &[u8]| {
            let encoded =
                render(file, &"s=1x1,f=png".parse().unwrap(), &Extras::default(), &Limits::default()).unwrap();
            derive(&encoded.bytes, &[], &Limits::default()).unwrap().dominant_color[0]
        };
        assert!(red(&padded(1 << 20)) >= 210);
        assert!(red(&padded((4 << 20) + 1)) <= 203);
    }
}
