//! The renderer: any file and any transform are answered, with a picture of the planned size or an error.

use probe::Probe;
use resize::pixels::{Limits, Stripped, render as render_pixels, strip};
use transform::{Context, Format, Plan, Source, Spec};

/// Small, so that thousands fit into a minute.
const LIMITS: Limits = Limits { max_pixels: 300_000, max_side: 20_000, max_frames: 256, max_memory_bytes: 32 << 20 };

/// Reads `data` as the length of a transform, the transform, and a file; carries the one out on the other.
///
/// # Panics
/// When the result is not what the plan says, or still carries what it should not.
pub fn render(data: &[u8]) {
    let Some((&length, rest)) = data.split_first() else { return };
    let Some((spec, file)) = rest.split_at_checked(length.into()) else { return };
    strips_once(file);
    let (Ok(spec), Ok(found)) = (std::str::from_utf8(spec), probe::probe(file)) else { return };
    let plan = match Spec::parse(spec) {
        Ok(Spec::Original) => Plan::Original,
        Ok(Spec::Transform(transform)) => {
            let limits = transform::Limits { max_side: 2000, max_pixels: 300_000 };
            match Plan::resolve(&transform, &source(&found), Context { limits, ..Context::default() }) {
                Ok(plan) => plan,
                Err(_) => return,
            }
        }
        _ => return,
    };
    let Ok(encoded) = render_pixels(file, &plan, &LIMITS) else { return };
    let made = probe::probe(&encoded.bytes).expect("what we write can be probed");
    let expected = match &plan {
        Plan::Original => found.oriented_size(),
        Plan::Render(render) => match render.geometry() {
            Some(geometry) => (geometry.canvas.width, geometry.canvas.height),
            None => (made.width, made.height),
        },
    };
    assert_eq!((encoded.width, encoded.height), expected, "{plan}");
    assert_eq!(made.oriented_size(), expected, "{plan}");
    assert_eq!(made.orientation, probe::Orientation::UPRIGHT, "{plan}");
}

fn source(found: &Probe) -> Source {
    let (width, height) = found.oriented_size();
    let format = match found.format {
        probe::Format::Jpeg => Format::Jpeg,
        probe::Format::Png => Format::Png,
        probe::Format::WebP => Format::WebP,
        probe::Format::Gif => Format::Gif,
        probe::Format::Tiff | probe::Format::Bmp | probe::Format::Ico | probe::Format::Svg => Format::Png,
        probe::Format::Avif | probe::Format::Heic | probe::Format::JpegXl => Format::WebP,
    };
    Source { frames: found.frames, ..Source::still(width, height, format, found.has_alpha) }
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
