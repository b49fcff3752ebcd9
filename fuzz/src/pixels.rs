//! The renderer: any file and any transform are answered, with a picture of the planned size or an error.

use probe::Probe;
use resize::pixels::{Encoded, Extras, Facts, Filter, Limits, Stripped, exercise, render as render_pixels, strip};
use transform::{Accept, Context, Plan, Render, Spec, Transform};

/// Small, so that thousands fit into a minute.
const LIMITS: Limits = Limits { max_pixels: 1 << 16, max_side: 20_000, max_frames: 16, max_memory_bytes: 16 << 20 };

/// The same for what is planned.
const PLANNED: transform::Limits = transform::Limits { max_side: 1000, max_pixels: 1 << 16 };

/// The most pixels of what takes long to encode.
const MAX_EXPENSIVE: u64 = 1 << 11;

/// Reads `data` as the length of a transform, the transform, and a file; carries the one out on the other.
///
/// # Panics
/// When the result is not what the plan says, or still carries what it should not.
pub fn render(data: &[u8]) {
    let Some((spec, file)) = text_and_file(data) else { return };
    strips_once(file);
    let (Ok(found), Ok(facts)) = (probe::probe(file), Facts::read(file, &LIMITS)) else { return };
    let plan = match Spec::parse(spec) {
        Ok(Spec::Original) => Plan::Original,
        Ok(Spec::Transform(transform)) => {
            let context = Context { limits: PLANNED, filter_digest: Some("0123456789abcdef"), ..Context::default() };
            match Plan::resolve(&transform, &facts.source, context) {
                Ok(plan) => plan,
                Err(_) => return,
            }
        }
        _ => return,
    };
    if let Some(encoded) = carried_out(file, &plan)
        && plan == Plan::Original
    {
        assert_eq!((encoded.width, encoded.height), found.oriented_size());
    }
}

/// Reads `data` as the length of a plan, the plan, and a file that it was not made for; carries the one out on the
/// other, with the file as the watermark too.
///
/// # Panics
/// When the result is not what the plan says.
pub fn plan(data: &[u8]) {
    let Some((text, file)) = text_and_file(data) else { return };
    if let Ok(plan) = text.parse::<Plan>() {
        carried_out(file, &plan);
    }
}

/// Decodes `data` and makes everything of it that can be made, if it is a JPEG XL.
///
/// # Panics
/// When a decoder does.
pub fn jxl(data: &[u8]) {
    still(data, &[probe::Format::JpegXl]);
}

/// As [`jxl`], if it is a TIFF.
///
/// # Panics
/// When a decoder does.
pub fn tiff(data: &[u8]) {
    still(data, &[probe::Format::Tiff]);
}

/// As [`jxl`], if it is a BMP or an ICO.
///
/// # Panics
/// When a decoder does.
pub fn bitmap(data: &[u8]) {
    still(data, &[probe::Format::Bmp, probe::Format::Ico]);
}

/// As [`jxl`], if it is an SVG.
///
/// # Panics
/// When a decoder does.
pub fn svg(data: &[u8]) {
    still(data, &[probe::Format::Svg]);
}

fn still(file: &[u8], formats: &[probe::Format]) {
    if probe::probe(file).is_ok_and(|found| formats.contains(&found.format)) {
        exercise(file);
    }
}

/// Reads `data` as an animation (GIF, WebP, APNG), and makes smaller ones of it.
///
/// # Panics
/// When they are not of the planned size and format, or have more frames than are allowed.
pub fn frames(data: &[u8]) {
    let Ok(facts) = Facts::read(data, &LIMITS) else { return };
    for options in ["f=gif", "w=9,f=webp", "h=7,f=webp,lossless=1,rotate=90", "w=6,h=6,fit=cover,g=auto,f=gif"] {
        let transform: Transform = options.parse().expect("the options are in the grammar");
        let Ok(plan) = Plan::resolve(&transform, &facts.source, Accept::default()) else { continue };
        let Some(encoded) = carried_out(data, &plan) else { continue };
        let made = probe::probe(&encoded.bytes).expect("what we write can be probed");
        assert!(made.frames <= LIMITS.max_frames, "{} frames", made.frames);
    }
}

/// A text whose length is the first byte, and what comes behind it.
fn text_and_file(data: &[u8]) -> Option<(&str, &[u8])> {
    let (&length, rest) = data.split_first()?;
    let (text, file) = rest.split_at_checked(length.into())?;
    Some((std::str::from_utf8(text).ok()?, file))
}

/// Carries out a plan that does not take long, and compares the result with it.
fn carried_out(file: &[u8], plan: &Plan) -> Option<Encoded> {
    let planned = match plan {
        Plan::Original => None,
        Plan::Render(render) => Some(planned_size(render)?),
    };
    let extras = Extras { watermark: Some(file), filter: Some(&Negative) };
    let encoded = render_pixels(file, plan, &extras, &LIMITS).ok()?;
    let made = probe::probe(&encoded.bytes).expect("what we write can be probed");
    let size = (encoded.width, encoded.height);
    assert_eq!(made.oriented_size(), size, "{plan}");
    assert_eq!(made.orientation, probe::Orientation::UPRIGHT, "{plan}");
    if let (Plan::Render(render), Some(planned)) = (plan, planned) {
        assert!(planned.is_none_or(|planned| planned == size), "{plan} is {size:?}");
        let formats = [Some(render.output()), render.alternative()].map(|output| output.map(|output| output.format()));
        assert!(formats.contains(&Some(encoded.format)), "{plan} is {}", encoded.format);
    }
    is_of_its_format(&encoded, &made);
    Some(encoded)
}

/// The size of what a plan makes, if that is known before; none at all if it would take long to make.
fn planned_size(render: &Render) -> Option<Option<(u32, u32)>> {
    let most = if render.is_expensive() { MAX_EXPENSIVE } else { PLANNED.max_pixels };
    match render.geometry() {
        Some(geometry) => {
            let (width, height) = (geometry.canvas.width, geometry.canvas.height);
            (u64::from(width) * u64::from(height) <= most).then_some(Some((width, height)))
        }
        // Trimmed: as large as the file allows.
        None => (!render.is_expensive()).then_some(None),
    }
}

fn is_of_its_format(encoded: &Encoded, made: &Probe) {
    let expected = match made.format {
        probe::Format::Jpeg => transform::Format::Jpeg,
        probe::Format::Png => transform::Format::Png,
        probe::Format::WebP => transform::Format::WebP,
        probe::Format::Gif => transform::Format::Gif,
        probe::Format::Avif => transform::Format::Avif,
        other => panic!("{other:?} is not written"),
    };
    assert_eq!(encoded.format, expected);
}

/// The negative of a picture, or a refusal.
struct Negative;

impl Filter for Negative {
    fn filtered(
        &self,
        name: &str,
        args: &[String],
        (width, height): (u32, u32),
        mut rgba: Vec<u8>,
    ) -> Result<Vec<u8>, String> {
        assert_eq!(rgba.len() as u64, 4 * u64::from(width) * u64::from(height), "four bytes a pixel");
        if !args.is_empty() {
            return Err(format!("{name} takes no arguments"));
        }
        for pixel in rgba.as_chunks_mut::<4>().0 {
            pixel[..3].iter_mut().for_each(|channel| *channel = 255 - *channel);
        }
        Ok(rgba)
    }
}

/// Stripping keeps the picture's size and leaves nothing for a second time.
fn strips_once(file: &[u8]) {
    let Stripped::Rewritten(bytes) = strip(file) else { return };
    let (before, after) = (probe::probe(file), probe::probe(&bytes));
    if let (Ok(before), Ok(after)) = (before, after) {
        assert_eq!((before.width, before.height), (after.width, after.height));
    }
    assert!(!matches!(strip(&bytes), Stripped::Rewritten(again) if again != bytes), "stripping twice differs");
}
