//! Carrying out a plan.

use probe::Probe;
use transform::{Format, Geometry, Orientation, Output, Plan, Quality, Render, Window};

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
            let Geometry { scaled: size, window, .. } = geometry(render)?;
            finished(scaled(decoded, orientation, size, window)?, render)
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
    }
}

/// Sizes and positions, unless they can only be known once the picture is decoded.
fn geometry(render: &Render) -> Result<Geometry, PixelError> {
    render.geometry().ok_or_else(|| PixelError::encode("the size of a trimmed picture is not known"))
}

/// Decodes as much of the picture as the plan needs.
///
/// The most held at once, in bytes, is the largest of three moments: decoding (see [`decoding_bytes`]); resizing, which
/// holds the decoded picture, as many of its columns at the new height, and the new one; and finishing, which holds the
/// result twice, or six times for a blur or a sharpening (two bytes a sample, twice, beside the picture and a copy).
fn decoded_for(
    input: &[u8],
    probe: &Probe,
    orientation: Orientation,
    render: &Render,
    limits: &Limits,
) -> Result<Decoded, PixelError> {
    let Geometry { scaled, canvas, .. } = geometry(render)?;
    let (width, height) = orientation.sides(scaled.0, scaled.1);
    let ratio = (f64::from(probe.width) / f64::from(width)).min(f64::from(probe.height) / f64::from(height));
    let shrink = Shrink::for_ratio(ratio);
    let n = u64::from(shrink.divisor());
    let (decoded_width, decoded_height) = (u64::from(probe.width) / n + 1, u64::from(probe.height) / n + 1);
    let (result_width, result_height) = (u64::from(canvas.width), u64::from(canvas.height));
    let new_height = if orientation.swaps_sides() { result_width } else { result_height };
    let resizing = 4 * (decoded_width * decoded_height + decoded_width * new_height + result_width * result_height);
    limits.check_memory(decoding_bytes(probe, shrink).max(resizing).max(finishing_bytes(render)?))?;
    decode(input, probe, shrink, limits)
}

/// The most bytes that are held once the picture is scaled.
fn finishing_bytes(render: &Render) -> Result<u64, PixelError> {
    let canvas = geometry(render)?.canvas;
    let pixels = u64::from(canvas.width) * u64::from(canvas.height);
    let has_filter = render.blur().is_some() || render.sharpen().is_some();
    Ok(4 * pixels * if has_filter { 6 } else { 2 })
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
    limits.check_memory(raster.n_bytes().saturating_mul(2).saturating_add(finishing_bytes(render)?))?;
    let orientation = render.orientation();
    let Geometry { scaled, window, .. } = geometry(render)?;
    let unturned = unturned(orientation, scaled, window);
    let extent = (raster.width().into(), raster.height().into());
    let area = area_of(extent, orientation.sides(scaled.0, scaled.1), unturned);
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
    raster = on_canvas(raster, geometry(render)?.canvas, render.background())?;
    if matches!(render.output(), Output::Jpeg { .. }) {
        // The plan says on what, unless it was made for a picture without opacity.
        raster = on_ground(raster, transform::Color::WHITE);
    }
    encoded(&raster.without_useless_alpha(), render.output())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::samples::*;
    use crate::pixels::{Facts, pick_rung};
    use transform::Accept;

    const LIMITS: Limits = Limits { max_pixels: 1 << 20, max_side: 4096, max_frames: 9, max_memory_bytes: 1 << 26 };

    fn plan(file: &[u8], options: &str) -> Plan {
        let facts = Facts::read(file, &LIMITS).unwrap();
        Plan::resolve(&options.parse().unwrap(), &facts.source, Accept::default()).unwrap()
    }

    fn rendered(file: &[u8], options: &str) -> Encoded {
        render(file, &plan(file, options), &LIMITS).unwrap_or_else(|error| panic!("{options}: {error}"))
    }

    /// The pixels of a result.
    fn pixels(encoded: &Encoded) -> Raster {
        let probe = probe::probe(&encoded.bytes).unwrap();
        let raster = decode(&encoded.bytes, &probe, Shrink::None, &LIMITS).unwrap().raster;
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
                let original = render(&file, &Plan::Original, &LIMITS).unwrap();
                assert_eq!((original.width, original.height), (width, height));
                assert_eq!(probe::probe(&original.bytes).unwrap().orientation, probe::Orientation::UPRIGHT);
                assert!(are_close(&corners(&pixels(&original)), &expected), "orientation {value}");
            }
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
            let from_rung = pixels(&render(&rung.bytes, &plan, &LIMITS2).unwrap());
            let from_original = pixels(&render(&file, &plan, &LIMITS2).unwrap());
            assert_eq!((from_rung.width(), from_rung.height()), (from_original.width(), from_original.height()));
            let differences = from_rung.pixels().iter().zip(from_original.pixels()).map(|(a, b)| a.abs_diff(*b));
            assert!(differences.max() <= Some(3), "{options}");
        }
    }

    const LIMITS2: Limits = Limits { max_pixels: 1 << 22, ..LIMITS };

    /// A picture of slow changes, each place of which has a colour of its own.
    fn smooth(width: u32, height: u32) -> Raster {
        let pixels = (0..height).flat_map(|y| {
            (0..width)
                .flat_map(move |x| [(x * 255 / width) as u8, (y * 255 / height) as u8, ((x + y) % 1024 / 4) as u8])
        });
        // The blue channel climbs and falls, so that nowhere is a jump.
        let fold = |(i, value): (usize, u8)| if i % 3 == 2 { value.min(255 - value) * 2 } else { value };
        Raster::new(width, height, Layout::Rgb, pixels.enumerate().map(fold).collect()).unwrap()
    }

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
        let encoded = render(&png_of(&quadrants(64, 32, CLEAR)), &plan, &LIMITS).unwrap();
        assert_eq!((encoded.width, encoded.height), (7, 40));
        // A wisp of a far larger whole.
        let plan: Plan = "o=3h,s=4294967295x4294967295,c=4294967285.0.10.10,f=png".parse().unwrap();
        let encoded = render(&png_of(&quadrants(64, 32, WHITE)), &plan, &LIMITS).unwrap();
        assert!(are_close(&corners(&pixels(&encoded)), &[GREEN; 4]), "{:?}", corners(&pixels(&encoded)));
    }

    #[test]
    fn results_that_would_take_too_much_memory_are_refused() {
        let file = png_of(&opaque());
        let plan = plan(&file, "w=1000,enlarge=1,blur=1");
        let limits = Limits { max_memory_bytes: 17_999_999, ..LIMITS };
        let error = render(&file, &plan, &limits).unwrap_err();
        assert_eq!(error, PixelError::TooMuchMemory { limit: 17_999_999, actual: 18_000_000 });
        assert!(render(&file, &plan, &Limits { max_memory_bytes: 18_000_000, ..LIMITS }).is_ok());
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
