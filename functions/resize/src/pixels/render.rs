//! Carrying out a plan.

use std::borrow::Cow;

use probe::{LimitError, Probe};
use transform::{Crop, Format, Geometry, Orientation, Output, Plan, Quality, Render, Window};

use super::animate::animated;
use super::decode::{Decoded, Input, comes_upright, decode, decoded_size};
use super::encode::{Encoded, encoded, written};
use super::finish::{Extras, finished, finishing_bytes};
use super::ops::{Interest, smart_window, trim_box};
use super::orient::oriented;
use super::profile::into_srgb;
use super::raster::Raster;
use super::resize::{Area, resized};
use super::strip::{Stripped, strip};
use super::ycc;
use super::{Limits, PixelError};

/// The quality of a JPEG that is written only because the original lies on its side.
const UPRIGHT_QUALITY: u8 = 95;

/// Makes what `plan` says of `input`: the original, or a rung (the whole picture, smaller), whichever is at hand.
/// For [`Plan::Original`] and for a plan without [`Render::source_size`] it must be the original.
///
/// # Errors
/// See [`PixelError`]. Whatever `input` is, it is answered, and never with a panic as far as we know.
pub fn render(input: &[u8], plan: &Plan, extras: &Extras, limits: &Limits) -> Result<Encoded, PixelError> {
    let probe = probe::probe(input)?;
    limits.check(&probe)?;
    match plan {
        Plan::Original => original(input, &probe, limits),
        Plan::Render(render) => {
            if render.is_animated() {
                return animated(input, &probe, render, extras, limits);
            }
            if let Some(encoded) = ycc::rendered(input, &probe, render, limits)? {
                return Ok(encoded);
            }
            let upright = exif_orientation(&probe);
            let mut decoded = decode_for(input, &probe, render, limits)?;
            decoded.raster = Cutting::prepared(decoded.raster, upright, render)?;
            rendered(decoded, upright, render, extras, limits)
        }
    }
}

/// Carries out a plan on a prepared picture.
fn rendered(
    decoded: Decoded,
    upright: Orientation,
    render: &Render,
    extras: &Extras,
    limits: &Limits,
) -> Result<Encoded, PixelError> {
    let mut cutting = Cutting::of(&decoded, upright, render, limits)?;
    let Decoded { raster, profile, .. } = decoded;
    let profile = profile.as_deref();
    cutting.look(&raster, profile, render)?;
    let raster = cutting.scaled(Cow::Owned(raster), profile, render)?;
    written(&finished(raster, render, &cutting.geometry, extras, limits)?, render)
}

/// The orientation that makes what is decoded upright.
pub(super) fn exif_orientation(probe: &Probe) -> Orientation {
    if comes_upright(probe.format) {
        return Orientation::UPRIGHT;
    }
    Orientation::from_exif(probe.orientation.get().into())
}

/// How many times larger the stored picture is than `size`, at which all of it is shown upright.
pub(super) fn ratio_to(size: (u32, u32), probe: &Probe) -> f64 {
    let (width, height) = exif_orientation(probe).sides(size.0, size.1);
    let stored = decoded_size(probe);
    (f64::from(stored.0) / f64::from(width)).min(f64::from(stored.1) / f64::from(height))
}

/// The picture without metadata, upright: the same pixels where they are upright already.
fn original(input: &[u8], probe: &Probe, limits: &Limits) -> Result<Encoded, PixelError> {
    let (width, height) = probe.oriented_size();
    let format = format_of(probe);
    match strip(input) {
        Stripped::Same => Ok(Encoded { bytes: input.to_vec(), format, width, height }),
        Stripped::Rewritten(bytes) => Ok(Encoded { bytes, format, width, height }),
        Stripped::NeedsRender => {
            let decoded = decode(&Input::whole(input, probe), limits)?;
            limits.check_memory(decoded.raster.n_bytes().saturating_mul(2))?;
            let raster = into_srgb(decoded.raster, decoded.profile.as_deref());
            encoded(&oriented(raster, exif_orientation(probe))?, upright_output(format))
        }
    }
}

fn upright_output(format: Format) -> Output {
    match format {
        Format::Jpeg => Output::Jpeg { quality: Quality::Fixed(UPRIGHT_QUALITY), progressive: false },
        Format::WebP => Output::WebPLossless,
        _ => Output::Png { colors: None },
    }
}

pub(super) fn format_of(probe: &Probe) -> Format {
    match probe.format {
        probe::Format::Jpeg => Format::Jpeg,
        probe::Format::Png => Format::Png,
        probe::Format::WebP => Format::WebP,
        probe::Format::Gif => Format::Gif,
        probe::Format::Tiff | probe::Format::Bmp | probe::Format::Ico | probe::Format::Svg => Format::Png,
        probe::Format::Avif | probe::Format::Heic | probe::Format::JpegXl if probe.has_alpha => Format::WebP,
        probe::Format::Avif | probe::Format::Heic | probe::Format::JpegXl => Format::Jpeg,
    }
}

/// What of a decoded picture a plan wants, and what is to become of that. The same for every frame of an animation.
pub(super) struct Cutting {
    /// The orientation that makes the decoded pixels upright, once they are [`prepared`](Self::prepared).
    upright: Orientation,
    /// What is left after `crop` and `trim`, in pixels of the prepared raster.
    part: Area,
    /// Sizes and positions.
    pub(super) geometry: Geometry,
}

impl Cutting {
    /// Works it out for a picture that is decoded: whose profile does not matter, and whose raster is prepared.
    pub(super) fn of(
        decoded: &Decoded,
        upright: Orientation,
        render: &Render,
        limits: &Limits,
    ) -> Result<Self, PixelError> {
        let Some(threshold) = render.trim() else {
            let geometry = render.geometry().ok_or_else(|| PixelError::encode("the plan has no sizes"))?;
            return Ok(Self { upright, part: cropped(decoded.extent, upright, render.crop()), geometry });
        };
        let raster = &decoded.raster;
        let whole = (0, 0, raster.width(), raster.height());
        let (x, y, width, height) = trim_box(raster, threshold).unwrap_or(whole);
        let limits = transform::Limits { max_pixels: limits.max_pixels, ..transform::Limits::default() };
        let geometry = render.resolve_trimmed(width, height, limits).map_err(|error| match error.kind {
            transform::TransformErrorKind::Limit { limit, actual } => {
                LimitError::TooManyPixels { limit, actual }.into()
            }
            _ => PixelError::encode(error),
        })?;
        let part = Area { left: x.into(), top: y.into(), width: width.into(), height: height.into() };
        Ok(Self { upright: Orientation::UPRIGHT, part, geometry })
    }

    /// A raster as [`of`](Self::of) wants it: as it is, but with `trim` turned upright and cut to whole pixels.
    pub(super) fn prepared(raster: Raster, upright: Orientation, render: &Render) -> Result<Raster, PixelError> {
        if render.trim().is_none() {
            return Ok(raster);
        }
        let raster = oriented(raster, upright)?;
        match render.crop() {
            Some(Crop { window, .. }) => raster.cut(window),
            None => Ok(raster),
        }
    }

    /// Finds the window where the plan leaves that open.
    pub(super) fn look(&mut self, raster: &Raster, profile: Option<&[u8]>, render: &Render) -> Result<(), PixelError> {
        let Some(smart) = self.geometry.smart.take() else { return Ok(()) };
        let orientation = self.upright.then(render.orientation());
        self.geometry.window = found(raster, profile, self.part, orientation, &self.geometry, interest(smart))?;
        Ok(())
    }

    /// The window of a prepared raster: scaled, in sRGB, turned.
    pub(super) fn scaled(
        &self,
        raster: Cow<Raster>,
        profile: Option<&[u8]>,
        render: &Render,
    ) -> Result<Raster, PixelError> {
        let orientation = self.upright.then(render.orientation());
        let Geometry { scaled, window, .. } = self.geometry;
        let unturned = unturned(orientation, scaled, window);
        let area = part_of(self.part, orientation.sides(scaled.0, scaled.1), unturned);
        let result = resized(raster, area, unturned.width, unturned.height, render.is_linear())?;
        oriented(into_srgb(result, profile), orientation)
    }
}

/// Decodes as much as the plan needs.
fn decode_for(input: &[u8], probe: &Probe, render: &Render, limits: &Limits) -> Result<Decoded, PixelError> {
    match render.geometry() {
        None => decode_whole(input, probe, limits),
        Some(geometry) => decode_scaled(input, probe, render, &geometry, limits),
    }
}

fn decode_whole(input: &[u8], probe: &Probe, limits: &Limits) -> Result<Decoded, PixelError> {
    let input = Input::whole(input, probe);
    limits.check_memory(input.decoding_bytes().saturating_add(probe.pixels.saturating_mul(4)))?;
    decode(&input, limits)
}

/// Decodes as much of the picture as the plan needs.
///
/// The most held at once, in bytes, is the largest of three moments: decoding (see [`Input::decoding_bytes`]); resizing, which
/// holds the decoded picture, as many of its columns at the new height, and the new one; and finishing
/// (see [`finishing_bytes`]).
fn decode_scaled(
    input: &[u8],
    probe: &Probe,
    render: &Render,
    geometry: &Geometry,
    limits: &Limits,
) -> Result<Decoded, PixelError> {
    let upright = exif_orientation(probe);
    let whole = render.source_size().unwrap_or(geometry.scaled);
    let decoded = decoded_size(probe);
    // Light can't be averaged before it is linear. What is drawn is not averaged.
    let is_whole = render.is_linear() && probe.format != probe::Format::Svg;
    let input = Input { file: input, probe, least: (!is_whole).then_some(whole) };
    let n = u64::from(input.shrink().divisor());
    let (decoded_width, decoded_height) = (u64::from(decoded.0) / n + 1, u64::from(decoded.1) / n + 1);
    let canvas = geometry.canvas;
    let (result_width, result_height) = (u64::from(canvas.width), u64::from(canvas.height));
    let swaps_sides = upright.then(render.orientation()).swaps_sides();
    let new_height = if swaps_sides { result_width } else { result_height };
    let depth = if render.is_linear() { 2 } else { 1 };
    let resizing =
        4 * depth * (decoded_width * decoded_height + decoded_width * new_height + result_width * result_height);
    limits.check_memory(input.decoding_bytes().max(resizing).max(finishing_bytes(render, geometry)))?;
    decode(&input, limits)
}

/// The part of a decoded picture that `crop` leaves.
pub(super) fn cropped(extent: (f64, f64), upright: Orientation, crop: Option<Crop>) -> Area {
    let whole = Area { left: 0.0, top: 0.0, width: extent.0, height: extent.1 };
    match crop {
        None => whole,
        Some(Crop { window, of }) => part_of(whole, upright.sides(of.0, of.1), unturned(upright, of, window)),
    }
}

fn interest(smart: transform::Smart) -> Interest {
    match smart {
        transform::Smart::Attention => Interest::Attention,
        transform::Smart::Faces => Interest::Faces,
        transform::Smart::Entropy => Interest::Entropy,
    }
}

/// The longest side of the copy in which a window is looked for, in pixels.
const LOOKED_AT: u32 = 512;

/// The window with the most to see.
fn found(
    raster: &Raster,
    profile: Option<&[u8]>,
    part: Area,
    orientation: Orientation,
    geometry: &Geometry,
    interest: Interest,
) -> Result<Window, PixelError> {
    let (width, height) = orientation.sides(geometry.scaled.0, geometry.scaled.1);
    let side = |side: u32| {
        let small = u64::from(side) * u64::from(LOOKED_AT) / u64::from(width.max(height).max(LOOKED_AT));
        u32::try_from(small).unwrap_or(LOOKED_AT).max(1)
    };
    let small = resized(Cow::Borrowed(raster), part, side(width), side(height), false)?;
    let small = oriented(into_srgb(small, profile), orientation)?;
    let Window { width, height, .. } = geometry.window;
    let (x, y) = smart_window(&small, geometry.scaled, (width, height), interest)?;
    Ok(Window { x, y, width, height })
}

/// Where `window`, in the turned picture of the size `scaled`, lies in the picture before turning.
pub(super) fn unturned(orientation: Orientation, (width, height): (u32, u32), window: Window) -> Window {
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

/// What of `part` becomes `window` when all of `part` is scaled to `width` by `height`.
pub(super) fn part_of(part: Area, (width, height): (u32, u32), window: Window) -> Area {
    let (x, y) = (part.width / f64::from(width), part.height / f64::from(height));
    Area {
        left: part.left + f64::from(window.x) * x,
        top: part.top + f64::from(window.y) * y,
        width: f64::from(window.width) * x,
        height: f64::from(window.height) * y,
    }
}

/// Renders from a picture in memory: upright, sRGB, at least as large as the plan scales it to. Not for a plan without
/// [`Render::source_size`].
pub(super) fn render_from(raster: &Raster, render: &Render, limits: &Limits) -> Result<Encoded, PixelError> {
    let geometry = render.geometry().ok_or_else(|| PixelError::encode("the plan has no sizes"))?;
    limits.check_memory(raster.n_bytes().saturating_mul(2).saturating_add(finishing_bytes(render, &geometry)))?;
    let extent = (raster.width().into(), raster.height().into());
    let upright = Orientation::UPRIGHT;
    let mut cutting = Cutting { upright, part: cropped(extent, upright, render.crop()), geometry };
    cutting.look(raster, None, render)?;
    let smaller = cutting.scaled(Cow::Borrowed(raster), None, render)?;
    written(&finished(smaller, render, &cutting.geometry, &Extras::default(), limits)?, render)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::raster::Layout;
    use crate::pixels::samples::*;
    use crate::pixels::{Facts, pick_rung};
    use transform::Accept;

    const LIMITS: Limits = Limits { max_pixels: 1 << 20, max_side: 4096, max_frames: 9, max_memory_bytes: 1 << 26 };

    fn plan(file: &[u8], options: &str) -> Plan {
        let facts = Facts::read(file, &LIMITS).unwrap();
        Plan::resolve(&options.parse().unwrap(), &facts.source, Accept::default()).unwrap()
    }

    fn rendered(file: &[u8], options: &str) -> Encoded {
        render(file, &plan(file, options), &Extras::default(), &LIMITS)
            .unwrap_or_else(|error| panic!("{options}: {error}"))
    }

    /// The pixels of a result.
    fn pixels(encoded: &Encoded) -> Raster {
        let probe = probe::probe(&encoded.bytes).unwrap();
        let raster = decode(&Input::whole(&encoded.bytes, &probe), &LIMITS).unwrap().raster;
        assert_eq!((raster.width(), raster.height()), (encoded.width, encoded.height));
        raster
    }

    fn check(file: &[u8], options: &str, (width, height): (u32, u32), expected: [[u8; 4]; 4]) {
        let encoded = rendered(file, options);
        assert_eq!((encoded.width, encoded.height), (width, height), "{options}");
        let found = corners(&pixels(&encoded));
        assert!(are_close(&found, &expected), "{options}: {found:?}");
    }

    #[test]
    fn sizes_turns_and_crops_are_as_asked() {
        let all = [RED, GREEN, BLUE, WHITE];
        let png = png_of(&quadrants(200, 100, WHITE));
        check(&png, "f=png", (200, 100), all);
        check(&png, "w=100", (100, 50), all);
        check(&png, "w=400,enlarge=1", (400, 200), all);
        check(&png, "w=60,h=60,fit=fill", (60, 60), all);
        check(&png, "w=60,h=60,fit=cover", (60, 60), all);
        check(&png, "w=40,h=40,fit=cover,g=nw", (40, 40), [RED, RED, BLUE, BLUE]);
        check(&png, "w=40,h=40,fit=cover,g=e", (40, 40), [GREEN, GREEN, WHITE, WHITE]);
        check(&png, "w=40,h=40,fit=cover,g=e,flip=h", (40, 40), [RED, RED, BLUE, BLUE]);
        check(&png, "w=50,rotate=90", (50, 100), [BLUE, RED, WHITE, GREEN]);
        check(&png, "rotate=180", (200, 100), [WHITE, BLUE, GREEN, RED]);
        check(&png, "rotate=270", (100, 200), [GREEN, WHITE, RED, BLUE]);
        check(&png, "flip=v", (200, 100), [BLUE, WHITE, RED, GREEN]);
        check(&png, "rotate=90,flip=h", (100, 200), [RED, BLUE, GREEN, WHITE]);
        check(&png, "w=40,h=40,fit=cover,g=n,rotate=90", (40, 40), [BLUE, RED, BLUE, RED]);
        check(&png, "w=40,h=40,fit=cover,g=s,rotate=90,flip=v", (40, 40), [BLUE, RED, BLUE, RED]);
        check(&png, "w=60,h=40,blur=1,sharpen=0.5,f=webp", (60, 30), all);
    }

    #[test]
    fn every_format_is_read_and_written() {
        for (name, file) in every_kind() {
            for format in ["jpeg", "png", "webp"] {
                let has_alpha = name.contains("alpha");
                let last = match (has_alpha, format) {
                    (false, _) => WHITE,
                    (true, "jpeg") => [255; 4],
                    (true, _) => CLEAR,
                };
                let options = format!("w=16,f={format}");
                let encoded = rendered(&file, &options);
                assert_eq!(encoded.format.name(), format, "{name}");
                let found = corners(&pixels(&encoded));
                let is_close = found.iter().zip([RED, GREEN, BLUE, last]).all(|(found, expected)| {
                    (found[3] == 0 && expected[3] == 0) || found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 24)
                });
                assert!(is_close, "{name} to {format}: {found:?}");
            }
        }
    }

    #[test]
    fn exif_orientation_comes_first() {
        let stored = quadrants(64, 32, WHITE).without_useless_alpha();
        let upright: [[[u8; 4]; 4]; 8] = [
            [RED, GREEN, BLUE, WHITE],
            [GREEN, RED, WHITE, BLUE],
            [WHITE, BLUE, GREEN, RED],
            [BLUE, WHITE, RED, GREEN],
            [RED, BLUE, GREEN, WHITE],
            [BLUE, RED, WHITE, GREEN],
            [WHITE, GREEN, BLUE, RED],
            [GREEN, WHITE, RED, BLUE],
        ];
        for (value, expected) in (1_u8..).zip(upright) {
            let block = exif(value);
            let files = [
                jpeg(&stored, |encoder| encoder.add_exif_metadata(&block).unwrap()),
                webp(&stored, |encoder| encoder.set_exif_metadata(block.clone())),
                png((64, 32), (::png::ColorType::Rgb, ::png::BitDepth::Eight), stored.pixels(), |info| {
                    info.exif_metadata = Some(block.clone().into());
                }),
            ];
            let (width, height) = if value < 5 { (64, 32) } else { (32, 64) };
            for file in files {
                let [upper_left, upper_right, lower_left, lower_right] = expected;
                check(&file, "f=png", (width, height), expected);
                check(&file, "w=16,f=png", (16, 16 * height / width), expected);
                check(&file, "flip=h,f=png", (width, height), [upper_right, upper_left, lower_right, lower_left]);
                check(&file, "rotate=180,f=png", (width, height), [lower_right, lower_left, upper_right, upper_left]);
                check(
                    &file,
                    "w=8,h=8,fit=cover,g=nw,f=png",
                    (8, 8),
                    if width > height {
                        [upper_left, upper_left, lower_left, lower_left]
                    } else {
                        [upper_left, upper_right, upper_left, upper_right]
                    },
                );
                let original = render(&file, &Plan::Original, &Extras::default(), &LIMITS).unwrap();
                assert_eq!((original.width, original.height), (width, height));
                assert_eq!(probe::probe(&original.bytes).unwrap().orientation, probe::Orientation::UPRIGHT);
                assert!(are_close(&corners(&pixels(&original)), &expected), "orientation {value}");
            }
        }
    }

    #[test]
    fn a_damaged_jpeg_is_shown_as_far_as_it_goes() {
        let picture = quadrants(200, 160, WHITE).without_useless_alpha();
        let seen = [RED, GREEN, MISSING, MISSING];
        for sampling in [jpeg_encoder::SamplingFactor::F_1_1, jpeg_encoder::SamplingFactor::F_2_2] {
            let file = jpeg(&picture, |encoder| encoder.set_sampling_factor(sampling));
            let file = half_of(&file);
            for options in ["f=png", "f=jpeg", "f=webp,lossless=1"] {
                check(file, options, (200, 160), seen);
            }
            check(file, "w=100,f=jpeg,q=80", (100, 80), seen);
            check(file, "w=20,f=png", (20, 16), seen);
            // What cannot be copied as it is, is a sound file.
            let original = render(file, &Plan::Original, &Extras::default(), &LIMITS).unwrap();
            assert!(are_close(&corners(&pixels(&original)), &seen));
            assert!(probe::probe(&original.bytes).unwrap().is_complete);
            let derived = crate::pixels::derive(file, &[("small", plan(file, "w=50"))], &LIMITS).unwrap();
            assert!(are_close(&corners(&pixels(&derived.presets[0].1)), &seen));
        }
    }

    #[test]
    fn an_original_of_twelve_bits_or_in_arithmetic_code_stays_what_it_is() {
        for file in [&include_bytes!("decode/fixtures/deep.jpg")[..], include_bytes!("decode/fixtures/arithmetic.jpg")]
        {
            let original = render(file, &Plan::Original, &Extras::default(), &LIMITS).unwrap();
            assert_eq!(original.bytes, file);
            let found = corners(&pixels(&rendered(file, "w=20,f=png")));
            let expected = [[220, 40, 30, 255], [40, 200, 60, 255], [30, 60, 210, 255], [240, 240, 240, 255]];
            assert!(are_close(&found, &expected), "{found:?}");
        }
    }

    #[test]
    fn a_rung_gives_what_the_original_gives() {
        let picture = smooth(1600, 1200);
        let file = png_of(&picture);
        let rungs = crate::pixels::derive(&file, &[], &LIMITS2).unwrap().rungs;
        let sizes: Vec<_> = rungs.iter().map(|rung| (rung.width, rung.height)).collect();
        for options in
            ["w=200", "w=130,h=201,fit=cover,g=0.2:0.9,rotate=90", "w=99,h=77,fit=fill,flip=v", "w=500,h=40,fit=cover"]
        {
            let facts = Facts::read(&file, &LIMITS2).unwrap();
            let plan = Plan::resolve(&options.parse().unwrap(), &facts.source, Accept::default()).unwrap();
            let rung = &rungs[pick_rung(&plan, &sizes).unwrap()];
            let from_rung = pixels(&render(&rung.bytes, &plan, &Extras::default(), &LIMITS2).unwrap());
            let from_original = pixels(&render(&file, &plan, &Extras::default(), &LIMITS2).unwrap());
            assert_eq!((from_rung.width(), from_rung.height()), (from_original.width(), from_original.height()));
            let differences = from_rung.pixels().iter().zip(from_original.pixels()).map(|(a, b)| a.abs_diff(*b));
            assert!(differences.max() <= Some(3), "{options}");
        }
    }

    const LIMITS2: Limits = Limits { max_pixels: 1 << 22, ..LIMITS };

    #[test]
    fn what_cannot_be_seen_does_not_bleed() {
        // Opaque white beside invisible red, in stripes: the result is white of some opacity, never pink.
        let stripes = [[255, 255, 255, 255].repeat(3), [255, 0, 0, 0].repeat(3)].concat().repeat(20);
        let raster = Raster::new(120, 40, Layout::Rgba, stripes.repeat(40)).unwrap();
        for options in
            ["w=37", "w=50,h=50,fit=fill", "w=61,h=30,fit=cover", "w=150,enlarge=1", "w=37,blur=2", "w=37,sharpen=1"]
        {
            for pixel in pixels(&rendered(&png_of(&raster), options)).pixels().chunks(4) {
                assert!(pixel[3] == 0 || pixel[..3].iter().all(|channel| *channel >= 254), "{options}: {pixel:?}");
            }
        }
    }

    #[test]
    fn grounds_and_canvases_are_as_asked() {
        let png = png_of(&quadrants(64, 32, CLEAR));
        check(&png, "w=32,f=png,bg=0a141e", (32, 16), [RED, GREEN, BLUE, [10, 20, 30, 255]]);
        check(&png, "w=32,f=png,bg=0a141e80", (32, 16), [RED, GREEN, BLUE, [10, 20, 30, 128]]);
        check(&png, "w=32,f=webp", (32, 16), [RED, GREEN, BLUE, CLEAR]);
        check(&png, "w=64,h=128,fit=contain,bg=0a141e,f=png", (64, 128), [[10, 20, 30, 255]; 4]);
        check(&png, "w=64,h=128,fit=contain,f=png", (64, 128), [CLEAR; 4]);
        check(&png, "w=64,h=64,fit=contain,g=n,f=png", (64, 64), [BLUE, CLEAR, CLEAR, CLEAR]);
        // Padding shows the transparent quadrant and the canvas alike.
        check(
            &png,
            "w=64,h=64,fit=contain,g=s,bg=ff000040,f=png",
            (64, 64),
            [[255, 0, 0, 64], [255, 0, 0, 64], BLUE, [255, 0, 0, 64]],
        );

        let gray = png_of(&Raster::new(4, 4, Layout::Gray, vec![100; 16]).unwrap());
        for (bg, layout) in [("646464", Layout::Gray), ("640000", Layout::Rgb), ("64646480", Layout::Rgba)] {
            let raster = pixels(&rendered(&gray, &format!("w=8,h=4,fit=contain,bg={bg},f=png")));
            assert_eq!(raster.layout(), layout, "{bg}");
            assert_eq!(raster.pixels()[2 * layout.channels()], 100, "{bg}");
        }
    }

    #[test]
    fn gray_stays_gray() {
        let gray = Raster::new(16, 16, Layout::Gray, (0..=255).collect()).unwrap();
        for file in [png_of(&gray), jpeg(&gray, |_| {})] {
            for options in ["w=8,f=png", "w=8,f=jpeg"] {
                assert_eq!(pixels(&rendered(&file, options)).layout(), Layout::Gray, "{options}");
            }
        }
    }

    #[test]
    fn a_plan_for_another_picture_is_carried_out_all_the_same() {
        // Made for an opaque picture of other proportions: nothing but the size is promised.
        let plan: Plan = "s=9x40,c=3.2.5.38,p=1.2.7.40,f=jpeg,q=80".parse().unwrap();
        let encoded = render(&png_of(&quadrants(64, 32, CLEAR)), &plan, &Extras::default(), &LIMITS).unwrap();
        assert_eq!((encoded.width, encoded.height), (7, 40));
        // A wisp of a far larger whole.
        let plan: Plan = "o=3h,s=4294967295x4294967295,c=4294967285.0.10.10,f=png".parse().unwrap();
        let encoded = render(&png_of(&quadrants(64, 32, WHITE)), &plan, &Extras::default(), &LIMITS).unwrap();
        assert!(are_close(&corners(&pixels(&encoded)), &[GREEN; 4]), "{:?}", corners(&pixels(&encoded)));
    }

    #[test]
    fn results_that_would_take_too_much_memory_are_refused() {
        let file = png_of(&opaque());
        let plan = plan(&file, "w=1000,enlarge=1,blur=1");
        let limits = Limits { max_memory_bytes: 17_999_999, ..LIMITS };
        let error = render(&file, &plan, &Extras::default(), &limits).unwrap_err();
        assert_eq!(error, LimitError::TooMuchMemory { limit: 17_999_999, actual: 18_000_000 }.into());
        assert!(render(&file, &plan, &Extras::default(), &Limits { max_memory_bytes: 18_000_000, ..LIMITS }).is_ok());
    }

    #[test]
    fn the_same_request_gives_the_same_bytes() {
        for (name, file) in every_kind() {
            for options in ["w=20,f=jpeg", "w=20,f=png", "w=20,f=webp"] {
                assert_eq!(rendered(&file, options), rendered(&file, options), "{name} {options}");
            }
        }
    }
}
