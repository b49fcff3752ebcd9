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
#[cfg_attr(not(target_arch = "wasm32"), expect(clippy::large_enum_variant, reason = "there is one at a time"))]
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
    use crate::{Accept, Context, Plan, Source, TransformErrorKind};

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
        // One side: only what still matters of a fit.
        check("fit=fill,w=100", "w=100,fit=fill");
        check("fit=contain,w=100,g=e", "w=100,fit=contain,g=e");
        check("fit=contain,w=100,enlarge=1", "w=100,enlarge=1");
        check("fit=outside,h=100", "h=100");
    }

    #[test]
    fn every_new_option_has_one_canonical_form() {
        let check = |text: &str, expected: &str| {
            let spec = Spec::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(spec.to_string(), expected, "{text}");
            assert_eq!(Spec::parse(expected), Ok(spec), "{text}");
        };
        check("crop=10:0p:12.50p:100.0p", "crop=10:0:12.5p:100p");
        check("w=9,crop=0:0p:100p:100p", "w=9");
        check("trim", "trim=10");
        check("w=9,trim", "trim=10,w=9");
        check("trim=255", "trim=255");
        check("w=1600,ar=16:9", "w=1600,h=900,fit=cover");
        check("h=900,ar=32:18,fit=fill", "w=1600,h=900,fit=fill");
        check("ar=1.91:1,w=100,dpr=2", "w=200,h=105,fit=cover");
        check("ar=1.91:1.00,g=n", "ar=191:100,g=n");
        check("ar=4:2,fit=cover", "ar=2:1");
        check("ar=4:2,fit=contain,g=s", "ar=2:1,fit=contain,g=s");
        check("w=8192,ar=10000:1", "w=8192,h=1,fit=cover");
        check("fit=cover,w=9,h=9,g=auto", "w=9,h=9,fit=cover,g=attention");
        check("fit=cover,w=9,h=9,g=entropy", "w=9,h=9,fit=cover,g=entropy");
        check("ar=1:1,g=faces", "ar=1:1,g=faces");
        check("linear=1,w=9", "w=9,linear=1");
        check("linear=0,w=9", "w=9");
        check("pad=20:20:20:20", "pad=20");
        check("pad=10,dpr=1.55", "pad=16");
        check("pad=0:1:0:1,dpr=2", "pad=0:2:0:2");
        check("pad=0,w=9", "w=9");
        check("radius=5,dpr=3", "radius=15");
        check("radius=max,w=9,dpr=2", "w=18,radius=max");
        check("radius=0,w=9", "w=9");
        check(
            "brightness=1.20,contrast=0.5,saturation=0,gamma=2.20",
            "brightness=1.2,contrast=0.5,saturation=0,gamma=2.2",
        );
        check("brightness=1,contrast=1.0,saturation=1.00,gamma=1,w=9", "w=9");
        check("grayscale=1", "gray=1");
        check("gray=1,bitonal=1", "bitonal=1");
        check("gray=0,bitonal=0,w=9", "w=9");
        check("tint=F80", "tint=ff8800");
        check("filter=duotone:ff0000:-0.5,w=9", "w=9,filter=duotone:ff0000:-0.5");
        let id = "01arz3ndektsv4rrffq69g5fav";
        check(&format!("wm={id},wm-g=se,wm-opacity=100,wm-scale=20,wm-pad=10"), &format!("wm={id}"));
        check(&format!("wm-pad=0,wm-g=tile,wm={id}"), &format!("wm={id},wm-g=tile,wm-pad=0"));
        check(&format!("wm={id},wm-g=center,wm-opacity=1,wm-scale=100,dpr=2"), &{
            format!("wm={id},wm-g=center,wm-opacity=1,wm-scale=100,wm-pad=20")
        });
        check("text=aGk=,text-g=s,text-size=32,text-color=fff,text-font=sans,text-pad=10", "text=aGk");
        check("text=w5w_Pz8-,dpr=2", "text=w5w_Pz8-,text-size=64,text-pad=20");
        check("text=aGk,text-size=16,text-pad=5,dpr=2", "text=aGk");
        check(
            "text-color=12345678,text=aGk,text-font=mono,text-g=0.2:1",
            "text=aGk,text-g=0.2:1,text-color=12345678,text-font=mono",
        );
        check("f=avif,q=50", "f=avif");
        check("f=avif,q=80", "f=avif,q=80");
        check("f=webp,q=80", "f=webp");
        check("f=webp,quality=auto", "f=webp,q=auto");
        check("lossless=1,f=webp", "f=webp,lossless=1");
        check("lossless=0,f=webp", "f=webp");
        check("colors=256,f=png", "f=png,colors=256");
        check("progressive=1,f=jpg", "f=jpeg,progressive=1");
        check("progressive=0,anim=1", "q=80");
        check("anim=0,f=gif", "f=gif,anim=0");
        check("max-bytes=30000,q=auto", "q=auto,max-bytes=30000");
    }

    #[test]
    fn refusals_name_their_option() {
        use TransformErrorKind::Invalid;
        let check = |text: &str, kind: TransformErrorKind, option: Option<&str>| {
            let error = Spec::parse(text).expect_err(text);
            assert_eq!((error.kind, error.option.as_deref()), (kind, option), "{text}: {error}");
        };
        for text in ["", "w=4%30", "Thumb", "9", "thumb_nail", "th umb", "w=1/2", "thümb", "-a", "..", "."] {
            check(text, Invalid, None);
        }
        check(&"a".repeat(33), Invalid, None);
        check(&format!("w=1,{}", "h=1,".repeat(300)), Invalid, None);
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
        for text in ["w=1,enlarge=yes", "enlarge=1", "enlarge=0"] {
            check(text, Invalid, Some("enlarge"));
        }
        for text in ["f=tiff", "f=jpg2", "f=svg", "f=PNG"] {
            check(text, Invalid, Some("format"));
        }
        for text in ["q=0", "q=101", "q=8.5", "q=256", "f=png,q=80"] {
            check(text, Invalid, Some("quality"));
        }
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
    }

    #[test]
    fn refusals_of_new_options_name_them() {
        use TransformErrorKind::{Invalid, Limit};
        let check = |option: &str, texts: &[&str]| {
            for text in texts {
                let error = Spec::parse(text).expect_err(text);
                assert_eq!((error.kind, error.option.as_deref()), (Invalid, Some(option)), "{text}: {error}");
            }
        };
        check("crop", &["crop", "crop=1:2:3", "crop=0:0:0:9", "crop=0:0:101p:9", "crop=-1:0:9:9", "crop=1.5:0:9:9"]);
        check("trim", &["trim=", "trim=0", "trim=256", "trim=1.5", "trim,trim"]);
        check("ar", &["ar", "ar=16", "ar=16x9", "ar=0:1", "ar=1:10001", "w=1,h=1,ar=1:1", "ar=1:1:1"]);
        check("fit", &["ar=1:1,fit=fill", "ar=1:1,fit=inside", "ar=1:1,fit=outside"]);
        check("enlarge", &["ar=1:1,enlarge=1", "pad=9,enlarge=0"]);
        check("gravity", &["g=auto", "w=9,h=9,g=auto", "w=9,h=9,fit=contain,g=faces", "w=9,fit=cover,g=entropy"]);
        check("gravity", &["w=9,h=9,fit=cover,g=face", "w=9,h=9,fit=fill,g=auto", "w=9,fit=fill,g=n", "pad=9,g=n"]);
        check("linear", &["linear", "linear=2", "linear=true"]);
        check("pad", &["pad=", "pad=-1", "pad=1:2", "pad=1:2:3", "pad=1:2:3:4:5", "pad=1.5", "pad=5p"]);
        check("radius", &["radius=", "radius=-1", "radius=1.5", "radius=full", "radius=50p"]);
        check("dpr", &["dpr=2", "dpr=2,f=png", "dpr=2,blur=3", "crop=0:0:9:9,dpr=2"]);
        check("brightness", &["brightness=4.01", "brightness=-1", "brightness=1.234", "brightness=", "brightness=x"]);
        check("contrast", &["contrast=5"]);
        check("saturation", &["saturation=4.5"]);
        check("gamma", &["gamma=0", "gamma=0.09", "gamma=10.01"]);
        check("grayscale", &["gray=2", "grayscale=yes", "gray=1,grayscale=1"]);
        check("bitonal", &["bitonal=x"]);
        check("tint", &["tint=red", "tint=ff", "tint=ff000080", "tint=transparent"]);
        check("filter", &["filter=", "filter=A", "filter=a::b", "filter=a_b", "filter=-a"]);
        check("wm", &["wm=x", "wm=01ARZ3NDEKTSV4RRFFQ69G5FAV", "wm="]);
        check("wm-g", &["wm-g=n", "w=9,wm-g=tile", "wm=01arz3ndektsv4rrffq69g5fav,wm-g=auto"]);
        check("wm-opacity", &["wm-opacity=9", "wm=01arz3ndektsv4rrffq69g5fav,wm-opacity=0"]);
        check("wm-scale", &["wm-scale=9", "wm=01arz3ndektsv4rrffq69g5fav,wm-scale=101"]);
        check("wm-pad", &["wm-pad=9", "wm=01arz3ndektsv4rrffq69g5fav,wm-pad=x"]);
        check("text", &["text=", "text=a", "text=YQpi", "text=_w", "text=aGl"]);
        check("text-g", &["text-g=n", "text=aGk,text-g=tile"]);
        check("text-size", &["text-size=9", "text=aGk,text-size=0"]);
        check("text-color", &["text-color=fff", "text=aGk,text-color=transparent", "text=aGk,text-color=12345600"]);
        check("text-font", &["text-font=sans", "text=aGk,text-font=comic"]);
        check("text-pad", &["text-pad=9", "text=aGk,text-pad=-9"]);
        check("quality", &["f=gif,q=9", "f=png,q=auto", "f=webp,lossless=1,q=9", "q=best", "lossless=1,q=80"]);
        check("lossless", &["f=jpeg,lossless=1", "f=png,lossless=1", "f=avif,lossless=1", "f=gif,lossless=1"]);
        check(
            "colors",
            &["f=png,colors=1", "f=png,colors=257", "f=jpeg,colors=9", "f=gif,colors=9", "f=webp,colors=9"],
        );
        check("progressive", &["f=png,progressive=1", "f=webp,progressive=1", "f=avif,progressive=0", "progressive=2"]);
        check("anim", &["f=png,anim=1", "f=jpeg,anim=0", "f=avif,anim=1", "anim=2"]);
        check("max-bytes", &["max-bytes=99", "max-bytes=1k", "f=png,max-bytes=900", "f=gif,max-bytes=900"]);
        check("max-bytes", &["f=webp,lossless=1,max-bytes=900", "max-bytes=1000000000"]);

        let check = |option: &str, text: &str, limit: u64, actual: u64| {
            let error = Spec::parse(text).expect_err(text);
            assert_eq!(
                (error.kind, error.option.as_deref()),
                (Limit { limit, actual }, Some(option)),
                "{text}: {error}"
            );
        };
        check("ar", "w=8192,ar=1:2", 8192, 16_384);
        check("ar", "h=8000,ar=10000:0.01", 8192, 8_000_000_000);
        check("pad", "pad=0:0:0:4097,dpr=2", 8192, 8194);
        check("radius", "radius=8193", 8192, 8193);
        check("text-size", "text=aGk,text-size=2001", 2000, 2001);
        check("text-size", "text=aGk,text-size=501,dpr=4", 2000, 2004);
        check("text-pad", "text=aGk,text-pad=8193", 8192, 8193);
        check("wm-pad", "wm=01arz3ndektsv4rrffq69g5fav,wm-pad=8193", 8192, 8193);
    }

    /// The longest spelling of everything that can be said at once is read.
    #[test]
    fn the_longest_spelling_is_read() {
        let text = text_to_base64(&"x".repeat(TextOverlay::MAX_BYTES));
        let filter = "f".repeat(Filter::MAX_BYTES);
        let longest = format!(
            "width=8192,height=8192,fit=contain,gravity=0.1234:0.1234,enlarge=1,dpr=1.00,crop=33.3333p:33.3333p:33.3333p:\
             33.3333p,trim=255,rotate=270,flip=hv,linear=1,pad=8192:8192:8192:8192,radius=8192,brightness=1.23,\
             contrast=1.23,saturation=1.23,gamma=1.23,grayscale=1,bitonal=1,tint=123456,blur=100.00,sharpen=10.00,\
             filter={filter},bg=transparent,wm=01arz3ndektsv4rrffq69g5fav,wm-g=0.1234:0.1234,wm-opacity=100,\
             wm-scale=100,wm-pad=8192,text={text},text-g=0.1234:0.1234,text-size=2000,text-color=12345678,\
             text-font=serif,text-pad=8192,format=auto,quality=auto,colors=256,progressive=1,anim=0,\
             max-bytes=999999999"
        );
        assert!(longest.len() <= MAX_SPEC_BYTES, "{} bytes", longest.len());
        assert_eq!(Spec::parse(&longest).map(drop), Ok(()));
    }

    /// `docs/transforms.md` has a row for each option, and its examples are good.
    #[test]
    fn the_documentation_knows_every_option() {
        let words = |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
        let companions = ["", "w=9,h=9,fit=cover,", "wm=01arz3ndektsv4rrffq69g5fav,", "text=aGk,"];
        let mut documented = Vec::new();
        for row in include_str!("../../../docs/transforms.md").lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
            let (names, examples) = (words(cells[0]), words(cells[cells.len() - 1]));
            for example in &examples {
                let reads = |companion: &&str| format!("{companion}{example}").parse::<Transform>().is_ok();
                assert!(companions.iter().any(reads), "{example}");
                let is_of_row = |option: &str| names.iter().any(|name| option.split('=').next() == Some(name));
                assert!(example.split(',').any(is_of_row), "{example} of {names:?}");
            }
            assert!(!examples.is_empty(), "{row}");
            documented.extend(names);
        }
        documented.sort_unstable();
        assert_eq!(documented, parse::option_names());
    }

    #[test]
    fn preset_names_are_words_that_are_not_reserved() {
        let check = |name: &str, is_good: bool| assert_eq!(PresetName::parse(name).is_ok(), is_good, "{name}");
        for name in ["a", "thumb", "hero-2x", &"a".repeat(32)] {
            check(name, true);
        }
        for name in
            ["", "2x", "-a", "Thumb", "a_b", "a=b", "original", "w", "trim", "text", "gray", "wm-g", &"a".repeat(33)]
        {
            check(name, false);
        }
    }

    /// Every combination of one value from each list, in a scrambled order, survives printing and reading.
    #[test]
    fn printing_and_reading_are_inverses() {
        let values: [&[&str]; 36] = [
            &["", "w=1", "width=8192", "w=77"],
            &["", "h=3000", "height=5"],
            &["", "", "ar=16:9", "ar=1.91:1", "ar=9999.99:10000"],
            &["", "fit=cover", "fit=contain", "fit=fill", "fit=outside"],
            &["", "g=se", "g=0.1:0.0001", "g=auto", "g=faces"],
            &["", "", "enlarge=1", "enlarge=0"],
            &["", "crop=1:2:3:4", "crop=0:0:100p:100p", "crop=0.0001p:5:50.50p:1"],
            &["", "trim", "trim=3"],
            &["", "rotate=90", "rotate=180", "rotate=270"],
            &["", "flip=h", "flip=v", "flip=hv"],
            &["", "", "dpr=1.25", "dpr=4"],
            &["", "linear=1", "linear=0"],
            &["", "pad=0", "pad=7", "pad=1:2:3:4", "pad=5:5:5:5"],
            &["", "radius=0", "radius=9", "radius=max"],
            &["", "brightness=1.00", "brightness=0.50"],
            &["", "contrast=4"],
            &["", "saturation=0"],
            &["", "gamma=0.1", "gamma=1.0"],
            &["", "gray=1", "grayscale=0"],
            &["", "bitonal=1", "bitonal=0"],
            &["", "tint=abc"],
            &["", "filter=a", "filter=b.c:1:-2"],
            &["", "wm=01arz3ndektsv4rrffq69g5fav", "wm=7zzzzzzzzzzzzzzzzzzzzzzzzz"],
            &["", "", "", "wm-g=tile", "wm-g=0.25:1"],
            &["", "", "", "wm-opacity=50", "wm-scale=20"],
            &["", "", "", "wm-pad=0"],
            &["", "text=aGk=", "text=w5w_Pz8-"],
            &["", "", "", "text-g=nw", "text-size=16"],
            &["", "", "", "text-color=000", "text-font=serif"],
            &["", "", "", "text-pad=0", "text-pad=40"],
            &["", "", "f=auto", "f=jpg", "f=png", "f=webp", "f=avif", "f=gif"],
            &["", "", "", "q=80", "q=7", "q=50", "q=auto"],
            &["", "", "", "lossless=1", "lossless=0", "colors=2", "progressive=1"],
            &["", "", "", "anim=0", "anim=1", "max-bytes=1000"],
            &["", "bg=abc", "bg=01020304"],
            &["", "blur=0.3", "blur=100", "sharpen=9.99"],
        ];
        let sources = [
            Source::still(1200, 800, Format::Jpeg, false),
            Source { frames: 3, ..Source::still(31, 97, Format::Gif, true) },
            Source::still(1, 5000, Format::Svg, true),
            Source { is_lossless: Some(true), ..Source::still(640, 1, Format::WebP, false) },
        ];
        let accepts = [Accept::Plain, Accept::WebP, Accept::Avif];
        let mut n_read = 0;
        let mut random: u64 = 1;
        for _ in 0..50_000 {
            let mut options = Vec::new();
            for list in values {
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let value = list[(random >> 33) as usize % list.len()];
                // Few at a time: of all at once most combinations contradict each other.
                if !(random >> 40).is_multiple_of(3) {
                    continue;
                }
                let place = (random >> 50) as usize % (options.len() + 1);
                options.insert(place, value);
            }
            options.retain(|option| !option.is_empty());
            let text = options.join(",");
            let Ok(transform) = text.parse::<Transform>() else { continue };
            let canonical = transform.to_string();
            assert_eq!(canonical.parse(), Ok(transform.clone()), "{text}");
            assert_eq!(canonical.parse::<Transform>().unwrap().to_string(), canonical, "{text}");
            let source = sources[(random >> 45) as usize % sources.len()];
            plans_read_back(&canonical.parse().unwrap(), source, accepts[(random >> 47) as usize % accepts.len()]);
            n_read += 1;
        }
        assert!(n_read > 2_000, "only {n_read} of the combinations are valid");
    }

    fn plans_read_back(transform: &Transform, source: Source, accept: Accept) {
        let context = Context { accept, filter_digest: Some("0123456789abcdef"), ..Context::default() };
        let Ok(plan) = Plan::resolve(transform, &source, context) else { return };
        assert_eq!(plan.to_string().parse(), Ok(plan.clone()), "{transform} of {source:?}");
        let Plan::Render(render) = plan else { panic!("{transform} is a render") };
        let Some(ready) = render.ready_alternative().map(Plan::Render) else { return };
        assert_eq!(ready.to_string().parse(), Ok(ready), "{transform} of {source:?}");
    }

    /// Any bytes that are text are answered, not crashed on.
    #[test]
    fn scrambled_text_never_panics() {
        const PIECES: [&str; 40] = [
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
            "crop=",
            "50p",
            "trim",
            "ar=",
            "pad=",
            "radius=max",
            "text=",
            "aGk",
            "_",
            "wm=01arz3ndektsv4rrffq69g5fav",
            "filter=a",
            "s=600x400",
            "c=faces.",
            "f=webp",
            "or=jpeg.80",
            "max-bytes=",
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
