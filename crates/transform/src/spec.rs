//! The `{transform}` path segment, as text and as meaning.

use std::fmt;
use std::str::FromStr;

use crate::format::{Format, Quality};
use crate::geometry::Frame;
use crate::measures::{Adjustments, Radius, Region};
use crate::overlay::{Filter, Font, TextOverlay, Watermark, text_to_base64};
use crate::parse;
use crate::values::{Color, Sigma, Tone};
use crate::{Orientation, TransformError};

/// The longest segment that is looked at, in bytes. Every option in its longest spelling needs less.
pub const MAX_SPEC_BYTES: usize = 1024;

/// What a `{transform}` segment says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Spec {
    /// `original`: the picture as it came, upright and without metadata.
    Original,
    /// The name of a preset; whether it exists is for the caller to find out.
    Preset(PresetName),
    /// Options.
    Transform(Transform),
}

impl Spec {
    /// Reads the raw (not percent-decoded) path segment.
    ///
    /// # Errors
    /// The refusal names the option to blame. A word that is neither `original` nor could be a preset is refused too.
    pub fn parse(segment: &str) -> Result<Self, TransformError> {
        parse::check_text(segment)?;
        if segment == "original" {
            return Ok(Self::Original);
        }
        if segment.contains(['=', ',']) || parse::is_option_name(segment) {
            return parse::transform(segment).map(Self::Transform);
        }
        PresetName::parse(segment).map(Self::Preset)
    }
}

impl fmt::Display for Spec {
    /// The canonical spelling; [`Spec::parse`] reads it back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Original => f.write_str("original"),
            Self::Preset(name) => name.fmt(f),
            Self::Transform(transform) => transform.fmt(f),
        }
    }
}

/// The name of a preset: a lower-case letter, then up to 31 letters, digits and hyphens; neither `original` nor the
/// name of an option.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PresetName(String);

impl PresetName {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 32;

    /// Checks a name.
    ///
    /// # Errors
    /// `Invalid` when the name is malformed or reserved.
    pub fn parse(name: &str) -> Result<Self, TransformError> {
        let is_word = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
        if !is_word || !starts_well || name.len() > Self::MAX_BYTES {
            let detail = "a preset is named by a lower-case letter and up to 31 letters, digits and hyphens";
            return Err(TransformError::invalid(None, detail));
        }
        if name == "original" || parse::is_option_name(name) {
            return Err(TransformError::invalid(None, format!("{name} is reserved, and no preset's name")));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PresetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PresetName {
    type Err = TransformError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::parse(name)
    }
}

/// What the options of a segment mean. Two spellings of the same wish are equal, and print alike.
///
/// Made by parsing only ([`FromStr`], [`Spec::parse`]), so the values are known to be in range.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Transform {
    pub(crate) crop: Option<Region>,
    pub(crate) trim: Option<u8>,
    pub(crate) frame: Frame,
    /// `rotate`, then `flip`.
    pub(crate) orientation: Orientation,
    pub(crate) is_linear: bool,
    pub(crate) adjustments: Adjustments,
    pub(crate) tone: Option<Tone>,
    pub(crate) tint: Option<[u8; 3]>,
    pub(crate) blur: Option<Sigma>,
    pub(crate) sharpen: Option<Sigma>,
    pub(crate) filter: Option<Filter>,
    /// Never of no pixels.
    pub(crate) radius: Option<Radius>,
    pub(crate) watermark: Option<Watermark>,
    pub(crate) text: Option<TextOverlay>,
    /// `CLEAR` when none is given.
    pub(crate) background: Color,
    pub(crate) format: FormatWish,
    pub(crate) encoding: Encoding,
}

/// What is asked of encoders, whichever is used in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Encoding {
    /// `None` for the default quality.
    pub(crate) quality: Option<Quality>,
    /// Of WebP.
    pub(crate) is_lossless: bool,
    /// Of PNG.
    pub(crate) colors: Option<u16>,
    /// Of JPEG.
    pub(crate) is_progressive: bool,
    /// One frame only.
    pub(crate) is_still: bool,
    pub(crate) max_bytes: Option<u32>,
}

impl Encoding {
    /// Less than this no file of ours has, in bytes.
    pub(crate) const LEAST_MAX_BYTES: u32 = 100;
}

/// What `format` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum FormatWish {
    /// The source's own.
    #[default]
    Same,
    /// `auto`: the best that the client accepts.
    Auto,
    /// This one.
    This(Format),
}

impl Transform {
    /// Whether the answer depends on what the client accepts (`f=auto`), so that it needs `Vary: Accept`.
    pub fn is_negotiated(&self) -> bool {
        self.format == FormatWish::Auto
    }

    /// The filter that is asked for. Its digest belongs into the [`Context`](crate::Context) of a plan.
    pub fn filter(&self) -> Option<&Filter> {
        self.filter.as_ref()
    }

    /// The watermark that is asked for. Whether there is such a picture is for the caller to find out.
    pub fn watermark(&self) -> Option<&Watermark> {
        self.watermark.as_ref()
    }
}

impl FromStr for Transform {
    type Err = TransformError;

    fn from_str(options: &str) -> Result<Self, Self::Err> {
        parse::check_text(options)?;
        parse::transform(options)
    }
}

impl fmt::Display for Transform {
    /// The canonical spelling: short names, in a fixed order, without defaults. Where only defaults were asked for,
    /// the default quality stands for them, because an empty segment is not in the grammar.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rotate = u16::from(self.orientation.quarter_turns()) * 90;
        // Mirrored half and three-quarter turns read shorter as a vertical flip of half a turn less.
        let (rotate, flip) = match (rotate, self.orientation.is_mirrored()) {
            (rotate, false) => (rotate, None),
            (rotate @ (0 | 90), true) => (rotate, Some("h")),
            (rotate, true) => (rotate - 180, Some("v")),
        };
        let mut options = Vec::new();
        options.extend(self.crop.map(|region| format!("crop={region}")));
        options.extend(self.trim.map(|threshold| format!("trim={threshold}")));
        options.extend(self.frame.options());
        options.extend((rotate != 0).then(|| format!("rotate={rotate}")));
        options.extend(flip.map(|axes| format!("flip={axes}")));
        options.extend(self.pixel_options());
        options.extend((self.background != Color::CLEAR).then(|| format!("bg={}", self.background)));
        options.extend(self.encoding_options());
        if *self == Self::default() {
            options.push(format!("q={}", Quality::DEFAULT));
        }
        f.write_str(&options.join(","))
    }
}

impl Transform {
    /// What is done to the pixels of the result.
    fn pixel_options(&self) -> Vec<String> {
        let mut options = Vec::new();
        options.extend(self.is_linear.then(|| "linear=1".to_owned()));
        options.extend(self.adjustments.changes().map(|(name, factor)| format!("{name}={factor}")));
        options.extend(self.tone.map(|tone| format!("{}=1", tone.name())));
        options.extend(self.tint.map(|rgb| format!("tint={}", Color { rgb, alpha: 255 })));
        options.extend(self.blur.map(|sigma| format!("blur={sigma}")));
        options.extend(self.sharpen.map(|sigma| format!("sharpen={sigma}")));
        options.extend(self.filter.as_ref().map(|filter| format!("filter={filter}")));
        options.extend(self.radius.map(|radius| format!("radius={radius}")));
        options.extend(self.watermark.iter().flat_map(watermark_options));
        options.extend(self.text.iter().flat_map(text_options));
        options
    }

    fn encoding_options(&self) -> Vec<String> {
        let Encoding { quality, is_lossless, colors, is_progressive, is_still, max_bytes } = self.encoding;
        let format = match self.format {
            FormatWish::Same => None,
            FormatWish::Auto => Some("auto"),
            FormatWish::This(format) => Some(format.name()),
        };
        let options = [
            format.map(|format| format!("f={format}")),
            quality.map(|quality| format!("q={quality}")),
            is_lossless.then(|| "lossless=1".to_owned()),
            colors.map(|colors| format!("colors={colors}")),
            is_progressive.then(|| "progressive=1".to_owned()),
            is_still.then(|| "anim=0".to_owned()),
            max_bytes.map(|bytes| format!("max-bytes={bytes}")),
        ];
        options.into_iter().flatten().collect()
    }
}

fn watermark_options(watermark: &Watermark) -> Vec<String> {
    let Watermark { image, place, opacity, scale, padding } = watermark;
    let options = [
        Some(format!("wm={image}")),
        (*place != Watermark::DEFAULT_PLACE).then(|| format!("wm-g={place}")),
        (*opacity != Watermark::DEFAULT_OPACITY).then(|| format!("wm-opacity={opacity}")),
        (*scale != Watermark::DEFAULT_SCALE).then(|| format!("wm-scale={scale}")),
        (*padding != Watermark::DEFAULT_PADDING).then(|| format!("wm-pad={padding}")),
    ];
    options.into_iter().flatten().collect()
}

fn text_options(overlay: &TextOverlay) -> Vec<String> {
    let TextOverlay { text, gravity, size, color, font, padding } = overlay;
    let options = [
        Some(format!("text={}", text_to_base64(text))),
        (*gravity != TextOverlay::DEFAULT_GRAVITY).then(|| format!("text-g={gravity}")),
        (*size != TextOverlay::DEFAULT_SIZE).then(|| format!("text-size={size}")),
        (*color != Color::WHITE).then(|| format!("text-color={color}")),
        (*font != Font::default()).then(|| format!("text-font={}", font.name())),
        (*padding != TextOverlay::DEFAULT_PADDING).then(|| format!("text-pad={padding}")),
    ];
    options.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TransformErrorKind;

    #[test]
    fn every_spelling_has_one_canonical_form() {
        let check = |text: &str, expected: &str| {
            let spec = Spec::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(spec.to_string(), expected, "{text}");
            assert_eq!(Spec::parse(expected), Ok(spec), "{text}");
        };
        check("original", "original");
        check("thumb", "thumb");
        check("x-2-large", "x-2-large");
        check("w=400", "w=400");
        check("height=300,width=400", "w=400,h=300");
        check("dpr=2,w=200", "w=400");
        check("w=333,dpr=1.5", "w=500");
        check("w=100,h=100,fit=inside", "w=100,h=100");
        check("fit=cover,h=100,w=100,gravity=north", "w=100,h=100,fit=cover,g=n");
        check("fit=cover,h=100,w=100,g=0.50:0.5", "w=100,h=100,fit=cover");
        check("fit=cover,w=100,h=50,g=0.25:0.3333", "w=100,h=50,fit=cover,g=0.25:0.3333");
        check("fit=cover,w=100", "w=100");
        check("w=100,enlarge=0", "w=100");
        check("enlarge=1,w=100", "w=100,enlarge=1");
        check("format=jpg,quality=80", "f=jpeg");
        check("f=jpeg,q=1", "f=jpeg,q=1");
        check("f=auto,w=1", "w=1,f=auto");
        check("rotate=180", "rotate=180");
        check("rotate=180,flip=h", "flip=v");
        check("flip=hv", "rotate=180");
        check("rotate=270,flip=hv", "rotate=90");
        check("rotate=270,flip=h", "rotate=90,flip=v");
        check("rotate=180,flip=hv", "q=80");
        check("q=80", "q=80");
        check("bg=transparent", "q=80");
        check("bg=F00,w=9", "w=9,bg=ff0000");
        check("bg=12345600", "q=80");
        check("blur=1.50,sharpen=0.30", "blur=1.5,sharpen=0.3");
    }

    #[test]
    fn refusals_name_their_option() {
        use TransformErrorKind::{Invalid, Unsupported};
        let check = |text: &str, kind: TransformErrorKind, option: Option<&str>| {
            let error = Spec::parse(text).expect_err(text);
            assert_eq!((error.kind, error.option.as_deref()), (kind, option), "{text}: {error}");
        };
        for text in ["", "w=4%30", "Thumb", "9", "thumb_nail", "th umb", "w=1/2", "thümb", "-a", "..", "."] {
            check(text, Invalid, None);
        }
        check(&"a".repeat(33), Invalid, None);
        check(&format!("w=1,{}", "h=1,".repeat(200)), Invalid, None);
        for text in ["w=1,", ",w=1", "w=1,,h=1", "=1"] {
            check(text, Invalid, None);
        }
        check("size=3", Invalid, Some("size"));
        check("thumb,w=3", Invalid, Some("thumb"));
        check("W=3", Invalid, Some("W"));
        check("h=1,w=1,width=1", Invalid, Some("width"));
        check("f=png,format=png", Invalid, Some("format"));
        for text in ["w", "w=", "w=0", "w=-1", "w=1.5", "w=01", "w=abc", "w=1=2", "w=99999999999999999999", "width"] {
            check(text, Invalid, Some("width"));
        }
        check("w=8193", TransformErrorKind::Limit { limit: 8192, actual: 8193 }, Some("width"));
        check("h=4096,dpr=2.01", TransformErrorKind::Limit { limit: 8192, actual: 8233 }, Some("height"));
        for text in ["w=1,dpr=0.99", "w=1,dpr=4.01", "w=1,dpr=1.555", "w=1,dpr=x", "dpr=2"] {
            check(text, Invalid, Some("dpr"));
        }
        for text in ["w=1,fit=crop", "fit=cover", "w=1,fit=Cover"] {
            check(text, Invalid, Some("fit"));
        }
        for text in ["w=1,g=n", "w=1,h=1,g=n", "w=1,h=1,fit=fill,g=n", "w=1,fit=cover,g=n", "w=1,h=1,fit=cover,g=up"] {
            check(text, Invalid, Some("gravity"));
        }
        check("w=1,h=1,fit=cover,g=auto", Unsupported, Some("gravity"));
        for text in ["w=1,enlarge=yes", "enlarge=1", "enlarge=0"] {
            check(text, Invalid, Some("enlarge"));
        }
        check("f=tiff", Invalid, Some("format"));
        check("f=avif", Unsupported, Some("format"));
        check("f=gif", Unsupported, Some("format"));
        for text in ["q=0", "q=101", "q=8.5", "q=256", "f=png,q=80"] {
            check(text, Invalid, Some("quality"));
        }
        check("f=webp,q=80", Unsupported, Some("quality"));
        for text in ["rotate=0", "rotate=45", "rotate=-90", "rotate=360"] {
            check(text, Invalid, Some("rotate"));
        }
        for text in ["flip=x", "flip=vh", "flip=H"] {
            check(text, Invalid, Some("flip"));
        }
        for text in ["bg=red", "bg=ff", "bg=gggggg"] {
            check(text, Invalid, Some("bg"));
        }
        for text in ["blur=0", "blur=0.29", "blur=100.01", "blur=1.234", "blur=1e1"] {
            check(text, Invalid, Some("blur"));
        }
        check("sharpen=10.01", Invalid, Some("sharpen"));
        for text in ["trim", "trim=1", "w=1,trim=10"] {
            check(text, Unsupported, Some("trim"));
        }
    }

    #[test]
    fn preset_names_are_words_that_are_not_reserved() {
        let check = |name: &str, is_good: bool| assert_eq!(PresetName::parse(name).is_ok(), is_good, "{name}");
        for name in ["a", "thumb", "hero-2x", &"a".repeat(32)] {
            check(name, true);
        }
        for name in ["", "2x", "-a", "Thumb", "a_b", "a=b", "original", "w", "trim", &"a".repeat(33)] {
            check(name, false);
        }
    }

    /// Every combination of one value from each list, in a scrambled order, survives printing and reading.
    #[test]
    fn printing_and_reading_are_inverses() {
        let values: [&[&str]; 12] = [
            &["", "w=1", "width=8192", "w=77"],
            &["", "h=3000", "height=5"],
            &["", "fit=cover", "fit=contain", "fit=fill", "fit=outside"],
            &["", "g=se", "g=0.1:0.0001"],
            &["", "enlarge=1", "enlarge=0"],
            &["", "rotate=90", "rotate=180", "rotate=270"],
            &["", "flip=h", "flip=v", "flip=hv"],
            &["", "dpr=1.25", "dpr=4"],
            &["", "f=auto", "f=jpg", "f=png", "f=webp"],
            &["", "q=80", "q=7"],
            &["", "bg=abc", "bg=01020304"],
            &["", "blur=0.3", "blur=100", "sharpen=9.99"],
        ];
        let mut n_read = 0;
        let mut random: u64 = 1;
        for _ in 0..50_000 {
            let mut options = Vec::new();
            for list in values {
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let value = list[(random >> 33) as usize % list.len()];
                let place = (random >> 50) as usize % (options.len() + 1);
                options.insert(place, value);
            }
            options.retain(|option| !option.is_empty());
            let text = options.join(",");
            let Ok(transform) = text.parse::<Transform>() else { continue };
            let canonical = transform.to_string();
            assert_eq!(canonical.parse(), Ok(transform.clone()), "{text}");
            assert_eq!(canonical.parse::<Transform>().unwrap().to_string(), canonical, "{text}");
            n_read += 1;
        }
        assert!(n_read > 5_000, "only {n_read} of the combinations are valid");
    }

    /// Any bytes that are text are answered, not crashed on.
    #[test]
    fn scrambled_text_never_panics() {
        const PIECES: [&str; 24] = [
            "w",
            "h",
            "=",
            ",",
            "fit=cover",
            "g=",
            "0.5",
            ":",
            "1",
            "8192",
            "9999999999",
            "f=auto",
            "q=",
            "dpr=",
            "blur",
            "bg=",
            "é",
            "%2c",
            "-",
            ".",
            "rotate=90",
            "flip=hv",
            "original",
            "\u{0}",
        ];
        let mut random: u64 = 7;
        for _ in 0..50_000 {
            let mut text = String::new();
            for _ in 0..12 {
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                text += PIECES[(random >> 33) as usize % PIECES.len()];
            }
            let _ = Spec::parse(&text);
            let _ = text.parse::<crate::Plan>();
        }
    }
}
