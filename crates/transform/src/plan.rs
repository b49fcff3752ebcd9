//! The plan: a transform worked out for one picture, all in numbers, with a short spelling of its own.

use std::fmt;
use std::str::FromStr;

use crate::geometry::{Geometry, Limits};
use crate::spec::{DEFAULT_QUALITY, FormatWish, Transform};
use crate::values::{Color, Sigma, whole};
use crate::{Accept, Format, Orientation, Output, Source, TransformError};

/// What to make of a picture. Two requests that must give the same bytes give equal plans.
///
/// Prints as at most [`Plan::MAX_BYTES`] bytes of `[a-z0-9.,:=_-]`, fit for a store key and a URL, and parses back:
/// `original`, or for instance `s=720x588,f=jpeg,q=80` or `s=900x600,c=300.0.300.600,b=ffffff,f=png`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plan {
    /// The picture as it came, upright and without metadata.
    Original,
    /// A new picture.
    Render(Render),
}

/// Everything that decides the bytes of a new picture. Sizes and positions are pixels.
///
/// Made by [`Plan::resolve`] and by parsing only, so that it holds: no side is zero, the window lies inside the
/// scaled picture, the windowed picture lies inside the canvas, the canvas is within [`Limits::default`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Render {
    orientation: Orientation,
    scaled: (u32, u32),
    window: Window,
    canvas: Canvas,
    background: Color,
    blur: Option<Sigma>,
    sharpen: Option<Sigma>,
    output: Output,
}

/// A part of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// What a picture is laid on, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Canvas {
    /// Width of the canvas, and so of the result.
    pub width: u32,
    /// Height of the canvas, and so of the result.
    pub height: u32,
    /// Where the picture's left edge lies on it.
    pub x: u32,
    /// Where the picture's upper edge lies on it.
    pub y: u32,
}

impl Plan {
    /// The longest spelling of a plan, in bytes.
    pub const MAX_BYTES: usize = 150;

    /// Works out `transform` for the picture `source` and a client that accepts `accept`.
    ///
    /// # Errors
    /// `Limit` when the result would be larger than [`Limits::default`]; `Invalid` when the source has no pixels.
    pub fn resolve(transform: &Transform, source: &Source, accept: Accept) -> Result<Self, TransformError> {
        Self::resolve_within(transform, source, accept, Limits::default())
    }

    /// [`Plan::resolve`] with limits of the caller's own.
    ///
    /// # Errors
    /// As [`Plan::resolve`].
    pub fn resolve_within(
        transform: &Transform,
        source: &Source,
        accept: Accept,
        limits: Limits,
    ) -> Result<Self, TransformError> {
        if source.width == 0 || source.height == 0 {
            return Err(TransformError::invalid(None, "the picture has no pixels"));
        }
        let (width, height) = transform.orientation.sides(source.width, source.height);
        let Geometry { scaled, window, canvas } = Geometry::of(transform, width, height, limits)?;
        let is_padded = (window.width, window.height) != (canvas.width, canvas.height);
        let output = output(transform, source, accept);
        Ok(Self::Render(Render {
            orientation: transform.orientation,
            scaled,
            window,
            canvas,
            background: background(transform.background, output, source.has_alpha || is_padded),
            blur: transform.blur,
            sharpen: transform.sharpen,
            output,
        }))
    }
}

/// The format to write. Everything without loss for pictures that came without loss, or with transparency that
/// JPEG cannot keep.
fn output(transform: &Transform, source: &Source, accept: Accept) -> Output {
    let is_transparent = source.has_alpha && !transform.background.is_opaque();
    let is_lossless = matches!(source.format, Format::Png | Format::Gif);
    let format = match transform.format {
        FormatWish::This(format) => format,
        FormatWish::Same => source.format,
        FormatWish::Auto if !is_transparent && !is_lossless => Format::Jpeg,
        FormatWish::Auto if accept.webp => Format::WebP,
        FormatWish::Auto => Format::Png,
    };
    match format {
        Format::Jpeg => Output::Jpeg { quality: transform.quality.unwrap_or(DEFAULT_QUALITY) },
        Format::WebP => Output::WebP,
        Format::Png | Format::Gif => Output::Png,
    }
}

/// What lies under the picture; clear where nothing of it would be seen.
fn background(wish: Color, output: Output, can_be_seen: bool) -> Color {
    match output {
        _ if !can_be_seen => Color::CLEAR,
        Output::Jpeg { .. } => wish.on_white(),
        Output::Png | Output::WebP => wish,
    }
}

impl Render {
    /// How to turn the upright picture first.
    pub fn orientation(&self) -> Orientation {
        self.orientation
    }

    /// The size that the whole picture, turned, is scaled to: width and height.
    pub fn scaled(&self) -> (u32, u32) {
        self.scaled
    }

    /// The part of the scaled picture that is kept.
    pub fn window(&self) -> Window {
        self.window
    }

    /// What that part is laid on; its size is the size of the result.
    pub fn canvas(&self) -> Canvas {
        self.canvas
    }

    /// What lies under the picture; [`Color::CLEAR`] for nothing.
    pub fn background(&self) -> Color {
        self.background
    }

    /// Blur, if any; its sigma in pixels of the result.
    pub fn blur(&self) -> Option<Sigma> {
        self.blur
    }

    /// Sharpening after the blur, if any; its sigma in pixels of the result.
    pub fn sharpen(&self) -> Option<Sigma> {
        self.sharpen
    }

    /// The format of the result.
    pub fn output(&self) -> Output {
        self.output
    }

    /// Whether the canvas shows around the picture.
    pub fn is_padded(&self) -> bool {
        (self.window.width, self.window.height) != (self.canvas.width, self.canvas.height)
    }

    /// Whether every size and position fits into the next, and the result into the hard limits.
    fn is_sound(&self) -> bool {
        let within = |start: u32, length: u32, whole: u32| {
            length > 0 && start.checked_add(length).is_some_and(|end| end <= whole)
        };
        let Self { window, canvas, scaled, .. } = self;
        within(window.x, window.width, scaled.0)
            && within(window.y, window.height, scaled.1)
            && within(canvas.x, window.width, canvas.width)
            && within(canvas.y, window.height, canvas.height)
            && Limits::default().check(canvas.width, canvas.height).is_ok()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Original => f.write_str("original"),
            Self::Render(render) => render.fmt(f),
        }
    }
}

impl fmt::Display for Render {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { orientation, scaled: (width, height), window, canvas, .. } = self;
        if *orientation != Orientation::UPRIGHT {
            let mirror = if orientation.is_mirrored() { "h" } else { "" };
            write!(f, "o={}{mirror},", orientation.quarter_turns())?;
        }
        write!(f, "s={width}x{height}")?;
        if *window != whole_window(self.scaled) {
            write!(f, ",c={}.{}.{}.{}", window.x, window.y, window.width, window.height)?;
        }
        if self.is_padded() {
            write!(f, ",p={}.{}.{}.{}", canvas.x, canvas.y, canvas.width, canvas.height)?;
        }
        if self.background != Color::CLEAR {
            write!(f, ",b={}", self.background)?;
        }
        if let Some(sigma) = self.blur {
            write!(f, ",blur={sigma}")?;
        }
        if let Some(sigma) = self.sharpen {
            write!(f, ",sharpen={sigma}")?;
        }
        write!(f, ",f={}", self.output.format())?;
        match self.output {
            Output::Jpeg { quality } => write!(f, ",q={quality}"),
            Output::Png | Output::WebP => Ok(()),
        }
    }
}

impl FromStr for Plan {
    type Err = TransformError;

    /// Reads what [`Plan`] prints, and nothing else: one plan has one spelling.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "original" {
            return Ok(Self::Original);
        }
        let plan = read_render(text).filter(Render::is_sound).map(Self::Render);
        // Printing it again refuses other orders, repeated fields and spelled-out defaults without a rule for each.
        plan.filter(|plan| plan.to_string() == text)
            .ok_or_else(|| TransformError::invalid(None, "not the spelling of a plan"))
    }
}

fn whole_window((width, height): (u32, u32)) -> Window {
    Window { x: 0, y: 0, width, height }
}

/// Reads the fields in any order; what else must hold is for the caller to check.
fn read_render(text: &str) -> Option<Render> {
    if text.len() > Plan::MAX_BYTES {
        return None;
    }
    let fields = || text.split(',').map(|field| field.split_once('='));
    if fields().any(|field| field.is_none()) {
        return None;
    }
    let get = |name: &str| fields().flatten().find(|(field, _)| *field == name).map(|(_, value)| value);

    let (width, height) = get("s")?.split_once('x')?;
    let scaled = (side(width)?, side(height)?);
    let window = match get("c") {
        Some(text) => {
            let [x, y, width, height] = four(text)?;
            Window { x, y, width, height }
        }
        None => whole_window(scaled),
    };
    let canvas = match get("p") {
        Some(text) => {
            let [x, y, width, height] = four(text)?;
            Canvas { width, height, x, y }
        }
        None => Canvas { width: window.width, height: window.height, x: 0, y: 0 },
    };
    let sigma = |name: &str, max| match get(name) {
        Some(text) => Sigma::from_text(text, max).map(Some),
        None => Some(None),
    };
    Some(Render {
        orientation: get("o").map_or(Some(Orientation::UPRIGHT), read_orientation)?,
        scaled,
        window,
        canvas,
        background: get("b").map_or(Some(Color::CLEAR), Color::from_text)?,
        blur: sigma("blur", Sigma::MAX_BLUR)?,
        sharpen: sigma("sharpen", Sigma::MAX_SHARPEN)?,
        output: match get("f")? {
            "jpeg" => {
                let quality = get("q").and_then(whole).filter(|quality| (1..=100).contains(quality))?;
                Output::Jpeg { quality: u8::try_from(quality).ok()? }
            }
            "png" => Output::Png,
            "webp" => Output::WebP,
            _ => return None,
        },
    })
}

fn read_orientation(text: &str) -> Option<Orientation> {
    let turns = text.strip_suffix('h').unwrap_or(text);
    Some(Orientation::new(u8::try_from(side(turns)?).ok()?, text.ends_with('h')))
}

fn four(text: &str) -> Option<[u32; 4]> {
    let mut numbers = text.split('.').map(side);
    let four = [numbers.next()??, numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(four)
}

/// A number of pixels; digits only, because `str::parse` would take a sign.
fn side(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TransformErrorKind;

    const PHOTO: Source = Source { width: 1200, height: 800, format: Format::Jpeg, has_alpha: false };
    const LOGO: Source = Source { width: 1200, height: 800, format: Format::Png, has_alpha: true };
    const OLD: Accept = Accept { webp: false, avif: false };
    const NEW: Accept = Accept { webp: true, avif: true };

    fn plan(options: &str, source: Source, accept: Accept) -> Plan {
        let transform: Transform = options.parse().expect("the test's own options are good");
        Plan::resolve(&transform, &source, accept).expect("the test's own options are within limits")
    }

    #[test]
    fn plans_print_as_expected_and_read_back() {
        let check = |options: &str, source: Source, expected: &str| {
            let plan = plan(options, source, NEW);
            assert_eq!(plan.to_string(), expected, "{options}");
            assert_eq!(expected.parse(), Ok(plan), "{options}");
        };
        check("w=600", PHOTO, "s=600x400,f=jpeg,q=80");
        check("w=600,q=30", PHOTO, "s=600x400,f=jpeg,q=30");
        check("w=2000", PHOTO, "s=1200x800,f=jpeg,q=80");
        check("w=2400,enlarge=1", PHOTO, "s=2400x1600,f=jpeg,q=80");
        check("w=400,h=400,fit=cover", PHOTO, "s=600x400,c=100.0.400.400,f=jpeg,q=80");
        check("w=400,h=400,fit=cover,g=e,rotate=90", PHOTO, "o=1,s=400x600,c=0.100.400.400,f=jpeg,q=80");
        check("w=400,h=400,fit=contain", PHOTO, "s=400x267,p=0.66.400.400,b=ffffff,f=jpeg,q=80");
        check("w=400,h=400,fit=contain,f=webp", PHOTO, "s=400x267,p=0.66.400.400,f=webp");
        check("w=400,h=400,fit=contain,f=png,bg=ff000088", LOGO, "s=400x267,p=0.66.400.400,b=ff000088,f=png");
        check("w=300,f=jpeg", LOGO, "s=300x200,b=ffffff,f=jpeg,q=80");
        check("w=300,f=jpeg,bg=00000080", LOGO, "s=300x200,b=7f7f7f,f=jpeg,q=80");
        check("flip=h,f=png", PHOTO, "o=0h,s=1200x800,f=png");
        check("rotate=270,flip=v", PHOTO, "o=1h,s=800x1200,f=jpeg,q=80");
        check("w=300,blur=2.50,sharpen=1", PHOTO, "s=300x200,blur=2.5,sharpen=1,f=jpeg,q=80");
        assert_eq!("original".parse(), Ok(Plan::Original));
        assert_eq!(Plan::Original.to_string(), "original");
    }

    #[test]
    fn the_format_follows_source_wish_and_client() {
        let check = |options: &str, (format, has_alpha): (Format, bool), old: Format, new: Format| {
            let source = Source { format, has_alpha, ..PHOTO };
            for (accept, expected) in [(OLD, old), (NEW, new)] {
                let Plan::Render(render) = plan(options, source, accept) else { panic!("{options} is a render") };
                assert_eq!(render.output().format(), expected, "{options} of {format}, alpha {has_alpha}, {accept:?}");
            }
        };
        use Format::{Gif, Jpeg, Png, WebP};
        check("w=9", (Jpeg, false), Jpeg, Jpeg);
        check("w=9", (Png, true), Png, Png);
        check("w=9", (Gif, false), Png, Png);
        check("w=9", (WebP, false), WebP, WebP);
        check("f=jpg", (Png, true), Jpeg, Jpeg);
        check("f=auto", (Jpeg, false), Jpeg, Jpeg);
        check("f=auto", (WebP, false), Jpeg, Jpeg);
        check("f=auto", (WebP, true), Png, WebP);
        check("f=auto", (Png, false), Png, WebP);
        check("f=auto", (Gif, true), Png, WebP);
        check("f=auto,bg=fff", (WebP, true), Jpeg, Jpeg);
    }

    #[test]
    fn equivalent_requests_make_equal_plans() {
        let check = |source: Source, spellings: &[&str]| {
            let plans = spellings.iter().map(|options| plan(options, source, OLD));
            for (options, other) in spellings.iter().zip(plans) {
                assert_eq!(other, plan(spellings[0], source, OLD), "{options}");
            }
        };
        check(
            PHOTO,
            &["w=600", "width=600", "h=400", "w=300,dpr=2", "w=600,h=400,fit=fill", "w=600,f=auto", "w=600,q=80"],
        );
        check(PHOTO, &["w=600,bg=f00", "w=600", "w=600,bg=transparent", "w=600,h=400,fit=cover,g=nw"]);
        check(PHOTO, &["f=jpeg", "w=5000", "w=1200,h=5000,fit=cover", "rotate=180,flip=hv"]);
        check(LOGO, &["w=600,f=jpeg", "w=600,f=jpeg,bg=ffffff", "w=600,f=jpeg,bg=fff"]);
        check(LOGO, &["w=600,f=png", "w=600", "w=600,f=auto"]);
    }

    #[test]
    fn refuses_what_is_no_plan() {
        let check = |text: &str| {
            let kind = text.parse::<Plan>().err().map(|error| error.kind);
            assert_eq!(kind, Some(TransformErrorKind::Invalid), "{text}");
        };
        for text in
            ["", "Original", "w=600", "s=600x400", "s=600x400,f=gif", "s=600x400,f=jpeg", "s=600x400,f=jpeg,q=0"]
        {
            check(text);
        }
        for text in ["s=600x400,f=png,q=80", "f=png,s=600x400", "s=600x400,s=600x400,f=png", "s=+600x400,f=png"] {
            check(text);
        }
        for text in ["s=0x400,f=png", "s=600x400,c=0.0.600.400,f=png", "s=600x400,c=1.0.600.400,f=png"] {
            check(text);
        }
        for text in ["s=600x400,c=4294967295.0.600.400,f=png", "s=600x400,p=0.0.600.400,f=png", "s=6x4,p=1.0.6.9,f=png"]
        {
            check(text);
        }
        for text in ["s=9000x400,f=png", "s=8192x8192,f=png", "o=0,s=6x4,f=png", "o=4,s=6x4,f=png", "o=h,s=6x4,f=png"] {
            check(text);
        }
        for text in
            ["s=6x4,b=fff,f=png", "s=6x4,blur=0.1,f=png", "s=6x4,blur=2.0,f=png", "s=6x4,,f=png", "s=6x4,f=png,"]
        {
            check(text);
        }
    }

    #[test]
    fn the_longest_plan_fits_its_limit() {
        let longest = Render {
            orientation: Orientation::new(3, true),
            scaled: (u32::MAX, u32::MAX),
            window: Window { x: u32::MAX - 8000, y: u32::MAX - 6000, width: 8000, height: 6000 },
            canvas: Canvas { width: 8001, height: 6001, x: 1, y: 1 },
            background: Color { rgb: [255; 3], alpha: 254 },
            blur: Sigma::from_text("99.99", Sigma::MAX_BLUR),
            sharpen: Sigma::from_text("9.99", Sigma::MAX_SHARPEN),
            output: Output::Jpeg { quality: 100 },
        };
        let text = Plan::Render(longest).to_string();
        assert!(text.len() <= Plan::MAX_BYTES, "{text} has {} bytes", text.len());
        assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".,:=_-".contains(&b)), "{text}");
        assert_eq!(text.parse(), Ok(Plan::Render(longest)));
    }

    #[test]
    fn refuses_a_source_without_pixels() {
        let source = Source { width: 0, ..PHOTO };
        let error = Plan::resolve(&Transform::default(), &source, OLD).unwrap_err();
        assert_eq!(error.kind, TransformErrorKind::Invalid);
    }
}
