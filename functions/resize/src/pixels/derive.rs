//! Everything that is made of a picture when it arrives, from decoding it once.

use std::borrow::Cow;

use probe::Probe;
use transform::{Plan, Source};

use super::decode::{Input, decode};
use super::encode::{Encoded, encoded_rung};
use super::finish::Extras;
use super::orient::oriented;
use super::placeholder::placeholder;
use super::profile::into_srgb;
use super::raster::{Layout, Raster};
use super::render::{exif_orientation, format_of, render, render_from};
use super::resize::{Area, resized};
use super::rungs::{pick_rung, rung_sizes};
use super::{Limits, PixelError};

/// What a file says of its picture, without decoding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Size (upright), format and opacity: what plans are resolved with.
    pub source: Source,
    /// Frames; 1 for a still picture.
    pub frames: u32,
}

impl Facts {
    /// Reads the header of `file`.
    ///
    /// # Errors
    /// `Unsupported`, `Corrupt`, or a limit that the header alone is over.
    pub fn read(file: &[u8], limits: &Limits) -> Result<Self, PixelError> {
        let probe = probe::probe(file)?;
        limits.check(&probe)?;
        Ok(Self::of(&probe))
    }

    fn of(probe: &Probe) -> Self {
        let (width, height) = probe.oriented_size();
        let still = Source::still(width, height, format_of(probe), probe.has_alpha);
        let source = Source { frames: probe.frames, ..still };
        Self { source, frames: probe.frames }
    }
}

/// What is made of a picture when it arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// What the file says of itself.
    pub facts: Facts,
    /// Smaller copies of the whole picture, in the order of [`rung_sizes`].
    pub rungs: Vec<Encoded>,
    /// The presets, in the order they were given.
    pub presets: Vec<(String, Encoded)>,
    /// A ThumbHash, about 25 bytes.
    pub thumbhash: Vec<u8>,
    /// The dominant colour: red, green, blue in sRGB.
    pub dominant_color: [u8; 3],
}

/// Makes rungs, presets (names with their plans, resolved with [`Facts::read`]) and placeholder of `input`.
///
/// The most held at once, in bytes, for a source of n pixels (each [`Decoder`](super::decode::Decoder) has its own), is the largest of
/// - decoding: 6 n for JPEG (8 n of inks; twice that if progressive), 6 n for PNG, 9 n for GIF, 5 n for opaque lossy WebP, 11 n for other WebP; a JPEG of
///   more than twice the mezzanine is decoded at half its sides or less, where a quarter of the 6 or 8 n is left;
/// - scaling: 4 n and a strip of 4 n at the most, both shrunk like the JPEG,
///
/// and 8 bytes a pixel of the largest rung, which is room for all of them (34 MB for a square mezzanine).
///
/// # Errors
/// See [`PixelError`]. Whatever `input` is, it is answered, and never with a panic as far as we know.
pub fn derive(input: &[u8], presets: &[(&str, Plan)], limits: &Limits) -> Result<Derived, PixelError> {
    let probe = probe::probe(input)?;
    limits.check(&probe)?;
    let facts = Facts::of(&probe);
    let rung_sizes = rung_sizes(facts.source.width, facts.source.height);
    let base_size = base_size(&facts, &rung_sizes, presets);
    let (base, is_lossless) = base(input, &probe, base_size, limits)?;

    let rungs = rungs(base, &rung_sizes)?;
    let is_lossless = is_lossless || rungs.iter().any(|raster| raster.layout() == Layout::Rgba);
    let smallest = rungs.last().ok_or_else(|| PixelError::corrupt("no pixels"))?;
    let (thumbhash, dominant_color) = placeholder(smallest)?;
    let presets = presets.iter().map(|(name, plan)| Ok((name.to_string(), preset(input, &rungs, plan, limits)?)));
    Ok(Derived {
        facts,
        presets: presets.collect::<Result<_, PixelError>>()?,
        rungs: rungs[rungs.len() - rung_sizes.len()..]
            .iter()
            .map(|raster| encoded_rung(raster, is_lossless))
            .collect::<Result<_, _>>()?,
        thumbhash,
        dominant_color,
    })
}

/// The size of the picture that all others are made from, upright: the largest rung, or the whole where there is
/// none, or where a preset wants more.
fn base_size(facts: &Facts, rung_sizes: &[(u32, u32)], presets: &[(&str, Plan)]) -> (u32, u32) {
    let whole = (facts.source.width, facts.source.height);
    let Some(largest) = rung_sizes.first() else { return whole };
    let fits = |plan: &Plan| match plan {
        Plan::Original => true,
        Plan::Render(render) => {
            // What only the original will do for is made of that, and not of the base.
            render.source_size().is_none_or(|(width, height)| width <= largest.0 && height <= largest.1)
        }
    };
    if presets.iter().all(|(_, plan)| fits(plan)) { *largest } else { whole }
}

/// The picture at `size`: upright, in sRGB. And whether its file keeps every pixel.
fn base(input: &[u8], probe: &Probe, size: (u32, u32), limits: &Limits) -> Result<(Raster, bool), PixelError> {
    let orientation = exif_orientation(probe);
    let (width, height) = orientation.sides(size.0, size.1);
    let input = Input { file: input, probe, least: Some(size) };

    let n = u64::from(input.shrink().divisor());
    let decoded_width = u64::from(probe.width) / n + 1;
    let scaling = 4 * (decoded_width * (u64::from(probe.height) / n + 1) + decoded_width * u64::from(height));
    let rungs = 4 * 2 * u64::from(width) * u64::from(height);
    limits.check_memory(input.decoding_bytes().max(scaling).saturating_add(rungs))?;

    let decoded = decode(&input, limits)?;
    let area = Area { left: 0.0, top: 0.0, width: decoded.extent.0, height: decoded.extent.1 };
    let raster = resized(Cow::Owned(decoded.raster), area, width, height, false)?;
    let raster = into_srgb(raster, decoded.profile.as_deref());
    Ok((oriented(raster, orientation)?, decoded.is_lossless))
}

/// The base, and each rung that is smaller made from the one before. Filtering in steps costs less than the same from
/// the base, and 53 dB against it.
fn rungs(base: Raster, sizes: &[(u32, u32)]) -> Result<Vec<Raster>, PixelError> {
    let mut rasters = vec![base];
    for (width, height) in sizes {
        let larger = rasters.last().ok_or_else(|| PixelError::corrupt("no pixels"))?;
        if (larger.width(), larger.height()) != (*width, *height) {
            let raster = resized(Cow::Borrowed(larger), Area::whole(larger), *width, *height, false)?;
            rasters.push(raster);
        }
    }
    Ok(rasters)
}

fn preset(input: &[u8], rungs: &[Raster], plan: &Plan, limits: &Limits) -> Result<Encoded, PixelError> {
    let Plan::Render(plan_of_render) = plan else { return render(input, plan, &Extras::default(), limits) };
    if plan_of_render.source_size().is_none() {
        return render(input, plan, &Extras::default(), limits);
    }
    let sizes: Vec<_> = rungs.iter().map(|raster| (raster.width(), raster.height())).collect();
    // The base is at least as large as any preset needs.
    let raster = &rungs[pick_rung(plan, &sizes).unwrap_or(0)];
    render_from(raster, plan_of_render, limits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::samples::*;
    use transform::{Accept, Format};

    fn derived(file: &[u8], presets: &[(&str, &str)]) -> Derived {
        let limits = Limits::default();
        let source = Facts::read(file, &limits).unwrap().source;
        let plan = |options: &str| match options {
            "original" => Plan::Original,
            options => Plan::resolve(&options.parse().unwrap(), &source, Accept::default()).unwrap(),
        };
        let presets: Vec<_> = presets.iter().map(|(name, options)| (*name, plan(options))).collect();
        derive(file, &presets, &limits).unwrap()
    }

    fn line(encoded: &Encoded) -> String {
        let probe = probe::probe(&encoded.bytes).unwrap();
        assert_eq!((probe.width, probe.height), (encoded.width, encoded.height));
        assert_eq!(format_of(&probe), encoded.format);
        format!("{}x{} {}", encoded.width, encoded.height, encoded.format)
    }

    #[test]
    fn rungs_fit_the_source() {
        let check = |name: &str, file: &[u8], expected: &[&str]| {
            let lines: Vec<_> = derived(file, &[]).rungs.iter().map(line).collect();
            assert_eq!(lines, expected, "{name}");
        };
        let (opaque, seen_through) = (quadrants(700, 600, WHITE).without_useless_alpha(), quadrants(700, 600, CLEAR));
        check("jpeg", &jpeg(&opaque, |_| {}), &["512x439 jpeg", "362x310 jpeg"]);
        check("png", &png_of(&opaque), &["512x439 png", "362x310 png"]);
        check("png with opacity", &png_of(&seen_through), &["512x439 png", "362x310 png"]);
        check("webp", &webp(&seen_through, |_| {}), &["512x439 png", "362x310 png"]);
        check("small", &jpeg(&super::super::samples::opaque(), |_| {}), &[]);
        let tall = quadrants(100, 2600, WHITE).without_useless_alpha();
        check(
            "tall",
            &jpeg(&tall, |_| {}),
            &["79x2048 jpeg", "56x1448 jpeg", "39x1024 jpeg", "28x724 jpeg", "20x512 jpeg", "14x362 jpeg"],
        );
        let on_its_side = jpeg(&tall, |encoder| encoder.add_exif_metadata(&exif(6)).unwrap());
        check(
            "on its side",
            &on_its_side,
            &["2048x79 jpeg", "1448x56 jpeg", "1024x39 jpeg", "724x28 jpeg", "512x20 jpeg", "362x14 jpeg"],
        );
    }

    #[test]
    fn facts_are_those_of_the_upright_picture() {
        let on_its_side = jpeg(&opaque(), |encoder| encoder.add_exif_metadata(&exif(6)).unwrap());
        let source = Source::still(HEIGHT, WIDTH, Format::Jpeg, false);
        assert_eq!(derived(&on_its_side, &[]).facts, Facts { source, frames: 1 });
        let source = Source { frames: 2, ..Source::still(WIDTH, HEIGHT, Format::WebP, true) };
        assert_eq!(derived(ANIMATED_WEBP, &[]).facts, Facts { source, frames: 2 });
    }

    #[test]
    fn presets_are_made_of_whatever_is_large_enough() {
        let file = jpeg(&quadrants(2800, 2100, WHITE).without_useless_alpha(), |_| {});
        let presets = [
            ("thumb", "w=200,h=200,fit=cover"),
            ("turned", "w=300,rotate=90,f=png"),
            ("mezzanine", "w=2048"),
            ("larger", "w=2400"),
            ("enlarged", "w=3000,enlarge=1"),
            ("original", "original"),
        ];
        let derived = derived(&file, &presets);
        let lines: Vec<_> = derived.presets.iter().map(|(name, encoded)| format!("{name} {}", line(encoded))).collect();
        let expected = [
            "thumb 200x200 jpeg",
            "turned 300x400 png",
            "mezzanine 2048x1536 jpeg",
            "larger 2400x1800 jpeg",
            "enlarged 3000x2250 jpeg",
            "original 2800x2100 jpeg",
        ];
        assert_eq!(lines, expected);
        for (name, encoded) in &derived.presets {
            let probe = probe::probe(&encoded.bytes).unwrap();
            let found = corners(&decode(&Input::whole(&encoded.bytes, &probe), &Limits::default()).unwrap().raster);
            let expected = if name == "turned" { [BLUE, RED, WHITE, GREEN] } else { [RED, GREEN, BLUE, WHITE] };
            assert!(are_close(&found, &expected), "{name}: {found:?}");
        }
        assert_eq!(derived.rungs.len(), 6);
        assert_eq!(derived.presets[5].1.bytes, file);
    }

    #[test]
    fn every_kind_has_a_placeholder() {
        for (name, file) in every_kind() {
            let derived = derived(&file, &[("half", "w=16")]);
            assert!((5..=25).contains(&derived.thumbhash.len()), "{name}");
            let color = derived.dominant_color.map(|channel| channel / 16);
            let quadrants = [RED, GREEN, BLUE, WHITE].map(|[red, green, blue, _]| [red / 16, green / 16, blue / 16]);
            assert!(quadrants.contains(&color), "{name}: {color:?}");
            assert_eq!(derived.presets[0].1.width, 16, "{name}");
        }
    }

    #[test]
    fn a_picture_that_takes_too_much_memory_is_refused() {
        let file = jpeg(&quadrants(600, 500, WHITE).without_useless_alpha(), |_| {});
        let limits = Limits { max_memory_bytes: 2_000_000, ..Limits::default() };
        assert!(matches!(derive(&file, &[], &limits), Err(PixelError::TooMuchMemory { limit: 2_000_000, .. })));
    }
}
