//! The transform grammar: text, meaning and plan are inverses of each other, and no plan breaks its own bounds.

use transform::{Accept, Context, Format, Geometry, Limits, Plan, Source, Spec, Transform};

/// Reads `data` as a path segment, as a plan and as an `Accept` header.
///
/// # Panics
/// When something does not read back as what it printed.
pub fn transform(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let accept = Accept::parse(Some(text));
    if let Ok(spec) = Spec::parse(text) {
        let printed = spec.to_string();
        assert_eq!(Spec::parse(&printed).as_ref(), Ok(&spec), "{text:?} prints as {printed:?}");
        if let Spec::Transform(transform) = &spec {
            reads_back(transform);
            sources(data).iter().for_each(|source| resolves(transform, source, accept));
        }
    }
    if let Ok(plan) = text.parse::<Plan>() {
        assert_eq!(plan.to_string(), text, "a plan has one spelling");
        is_within_bounds(&plan);
    }
}

fn reads_back(transform: &Transform) {
    let printed = transform.to_string();
    assert_eq!(printed.parse::<Transform>().as_ref(), Ok(transform), "{printed:?}");
}

/// Pictures of all proportions, and one that depends on the data.
fn sources(data: &[u8]) -> [Source; 5] {
    let sum = data.iter().fold(1_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()));
    let formats: Vec<Format> = Format::all().collect();
    let source = |width, height, n: usize| Source {
        width,
        height,
        format: formats[n % formats.len()],
        has_alpha: n.is_multiple_of(3),
        frames: (n % 2 + 1) as u32,
        is_lossless: [None, Some(false), Some(true)][n / 5 % 3],
    };
    [
        source(4000, 3000, 0),
        source(1, 1, 1),
        source(u32::MAX, 1, 2),
        source(1, u32::MAX, 3),
        source(sum % 70_000, sum.rotate_left(16) % 70_000, sum as usize),
    ]
}

fn resolves(transform: &Transform, source: &Source, accept: Accept) {
    let context = Context { accept, filter_digest: Some("0123456789abcdef"), ..Context::default() };
    let Ok(plan) = Plan::resolve(transform, source, context) else { return };
    let printed = plan.to_string();
    assert!(printed.len() <= Plan::MAX_BYTES, "{printed:?} is too long for a key");
    assert_eq!(printed.parse::<Plan>().as_ref(), Ok(&plan), "{transform} of {source:?} is {printed:?}");
    is_within_bounds(&plan);
    if let Plan::Render(render) = plan
        && let Some(ready) = render.ready_alternative()
    {
        assert!(!ready.is_expensive(), "{ready} is to be ready soon");
        is_within_bounds(&Plan::Render(ready));
    }
}

fn is_within_bounds(plan: &Plan) {
    let Plan::Render(render) = plan else { return };
    // Without a trim the size that is left of it means nothing.
    let Ok(geometry) = render.resolve_trimmed(640, 479, Limits::default()) else { return };
    let Geometry { scaled, window, canvas, .. } = geometry;
    let fits = |start: u32, length: u32, whole: u32| length > 0 && u64::from(start) + u64::from(length) <= whole.into();
    assert!(fits(window.x, window.width, scaled.0) && fits(window.y, window.height, scaled.1), "{plan}");
    assert!(fits(canvas.x, window.width, canvas.width) && fits(canvas.y, window.height, canvas.height), "{plan}");
    let limits = Limits::default();
    assert!(canvas.width <= limits.max_side && canvas.height <= limits.max_side, "{plan}");
    assert!(u64::from(canvas.width) * u64::from(canvas.height) <= limits.max_pixels, "{plan}");
}
