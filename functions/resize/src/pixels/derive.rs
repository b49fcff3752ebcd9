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
use super::resize::{Area, resized, whole_of};
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
/// The most held at once, in bytes, for a source of n pixels, is the larger of
/// - decoding: [`Probe::decoding_bytes`]; for JPEG 6 n (8 n of inks; twice that if progressive), and a quarter of that or
///   less where it is more than twice as large as the mezzanine, because it is decoded at half its sides;
/// - scaling: 4 n and a strip of 4 n at the most, both shrunk like the JPEG, and 8 bytes a pixel of the largest rung,
///   which is room for all of them (34 MB for a square mezzanine).
///
/// Of up to 50 megapixels the second stays below the default limit, so that decoding decides what is let in, and the
/// header alone tells. A preset that takes more than is allowed is left out.
///
/// # Errors
/// See [`PixelError`]. Whatever `input` is, it is answered, and never with a panic as far as we know.
pub fn derive(input: &[u8], presets: &[(&str, Plan)], limits: &Limits) -> Result<Derived, PixelError> {
    let probe = probe::probe(input)?;
    limits.check(&probe)?;
    let facts = Facts::of(&probe);
    let whole = (facts.source.width, facts.source.height);
    let rung_sizes = rung_sizes(whole.0, whole.1);
    // All others are made from the largest rung, or from the whole where there is none, or where a preset wants more.
    let largest = rung_sizes.first().copied().unwrap_or(whole);
    let input_for = |size| Input { file: input, probe: &probe, least: Some(size) };
    let has_room = limits.check_memory(base_bytes(&input_for(whole))).is_ok();
    let presets: Vec<_> = presets.iter().filter(|(_, plan)| has_room || fits(plan, largest)).collect();
    let base_size = if presets.iter().all(|(_, plan)| fits(plan, largest)) { largest } else { whole };
    let (base, is_lossless) = base(&input_for(base_size), limits)?;

    let rungs = rungs(base, &rung_sizes)?;
    let is_lossless = is_lossless || rungs.iter().any(|raster| raster.layout() == Layout::Rgba);
    let smallest = rungs.last().ok_or_else(|| PixelError::corrupt("no pixels"))?;
    let (thumbhash, dominant_color) = placeholder(smallest)?;
    let presets = presets.into_iter().filter_map(|(name, plan)| match preset(input, &rungs, plan, limits) {
        Err(PixelError::Limit(_)) => None,
        made => Some(made.map(|encoded| (name.to_string(), encoded))),
    });
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

/// Whether a preset can be made of a picture of `size`.
fn fits(plan: &Plan, size: (u32, u32)) -> bool {
    match plan {
        Plan::Original => true,
        Plan::Render(render) => {
            // What only the original will do for is made of that, and not of the base.
            render.source_size().is_none_or(|(width, height)| width <= size.0 && height <= size.1)
        }
    }
}

/// The size at which an input is wanted, upright.
fn size_of(input: &Input) -> (u32, u32) {
    input.least.unwrap_or(input.probe.oriented_size())
}

/// The most bytes that making the base of an input takes, and rungs of the base.
fn base_bytes(input: &Input) -> u64 {
    let (width, height) = size_of(input);
    let n = input.shrink().divisor().into();
    let decoded = input.probe.oriented_size();
    let (decoded_width, decoded_height) = (decoded.0.div_ceil(n), decoded.1.div_ceil(n));
    let pixels = |width: u32, height: u32| u64::from(width) * u64::from(height);
    // One side is scaled before the other; which, goes by how the picture is stored.
    let strip = pixels(decoded_width, height).max(pixels(width, decoded_height));
    let scaling = 4 * (pixels(decoded_width, decoded_height) + strip + 2 * pixels(width, height));
    input.decoding_bytes().max(scaling)
}

/// The picture at the size at which it is wanted: upright, in sRGB. And whether its file keeps every pixel.
fn base(input: &Input, limits: &Limits) -> Result<(Raster, bool), PixelError> {
    limits.check_memory(base_bytes(input))?;
    let orientation = exif_orientation(input.probe);
    let size = size_of(input);
    let (width, height) = orientation.sides(size.0, size.1);
    let decoded = decode(input, limits)?;
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
            let raster = resized(Cow::Borrowed(larger), whole_of(larger), *width, *height, false)?;
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
    use probe::LimitError;
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
        let refused = derive(&file, &[], &limits);
        assert!(matches!(refused, Err(PixelError::Limit(LimitError::TooMuchMemory { limit: 2_000_000, .. }))));
    }

    #[test]
    fn a_preset_that_takes_too_much_memory_is_left_out() {
        let file = jpeg(&quadrants(1200, 1000, WHITE).without_useless_alpha(), |_| {});
        let source = Facts::read(&file, &Limits::default()).unwrap().source;
        let plan = |options: &str| Plan::resolve(&options.parse().unwrap(), &source, Accept::default()).unwrap();
        let presets = [("small", plan("w=100")), ("large", plan("w=1100")), ("trimmed", plan("trim"))];
        let limits = Limits { max_memory_bytes: 11_500_000, ..Limits::default() };
        let names = |limits: &Limits| {
            let made = derive(&file, &presets, limits).unwrap();
            made.presets.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(&limits), ["small"]);
        assert_eq!(names(&Limits::default()), ["small", "large", "trimmed"]);
    }

    /// The header of a JPEG, with other sides.
    fn with_sides(file: &[u8], width: u16, height: u16) -> Vec<u8> {
        let at = file.windows(2).position(|marker| marker == [0xFF, 0xC2]).unwrap();
        let mut file = file.to_vec();
        file[at + 5..at + 7].copy_from_slice(&height.to_be_bytes());
        file[at + 7..at + 9].copy_from_slice(&width.to_be_bytes());
        file
    }

    #[test]
    fn every_picture_within_the_limits_of_its_header_is_taken() {
        // What takes most: progressive, with inks, none of them of fewer samples.
        let inks = Raster::new(16, 16, Layout::Cmyk, vec![99; 4 * 256]).unwrap();
        let jpeg = jpeg(&inks, |encoder| encoder.set_progressive(true));
        let png = png_of(&opaque());
        let limits = Limits::default();
        for width in [768_u16, 1000, 2048, 2559, 2560, 2561, 3000, 4095, 4096, 4097, 5000, 7071, 8190, 16_384, 65_535] {
            let height = u16::try_from(limits.max_pixels / u64::from(width)).unwrap_or(u16::MAX);
            let jpeg = with_sides(&jpeg, width, height);
            let probe_of_jpeg = probe::probe(&jpeg).unwrap();
            // Of the others, the one that takes most that is let in.
            let other = Probe { format: probe::Format::Png, decoding_bytes: limits.max_memory_bytes, ..probe_of_jpeg };
            for (file, probe) in [(&jpeg, probe_of_jpeg), (&png, other)] {
                assert_eq!(limits.check(&probe), Ok(()));
                let whole = probe.oriented_size();
                let largest = rung_sizes(whole.0, whole.1).first().copied();
                let bytes = base_bytes(&Input { file, probe: &probe, least: largest.or(Some(whole)) });
                assert_eq!(limits.check_memory(bytes), Ok(()), "{width}x{height}, {:?}", probe.format);
            }
        }
    }
}
