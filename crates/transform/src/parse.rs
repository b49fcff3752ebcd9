//! From the text of a transform to its meaning. Every refusal names the option, by its long name.

use std::fmt::Display;

use crate::format::Format;
use crate::geometry::MAX_SIDE;
use crate::spec::{DEFAULT_QUALITY, FormatWish, MAX_SPEC_BYTES, Transform};
use crate::values::{Color, Fit, Gravity, Sigma, decimal, whole};
use crate::{Orientation, TransformError};

/// Each option once: its long name, by which it is known in here and in errors, and its short one.
const OPTIONS: [(&str, &str); 14] = [
    ("width", "w"),
    ("height", "h"),
    ("fit", "fit"),
    ("gravity", "g"),
    ("format", "f"),
    ("quality", "q"),
    ("dpr", "dpr"),
    ("bg", "bg"),
    ("blur", "blur"),
    ("sharpen", "sharpen"),
    ("rotate", "rotate"),
    ("flip", "flip"),
    ("enlarge", "enlarge"),
    ("trim", "trim"),
];

/// The long name of the option that is called `name`.
fn long_name(name: &str) -> Option<&'static str> {
    OPTIONS.iter().find(|(long, short)| name == *long || name == *short).map(|(long, _)| *long)
}

pub(crate) fn is_option_name(name: &str) -> bool {
    long_name(name).is_some()
}

/// Refuses what no segment can be: empty, too long, or with characters outside the grammar.
pub(crate) fn check_text(segment: &str) -> Result<(), TransformError> {
    if segment.is_empty() {
        return Err(TransformError::invalid(None, "the transform is empty"));
    }
    if segment.len() > MAX_SPEC_BYTES {
        let detail = format!("the transform is longer than {MAX_SPEC_BYTES} bytes");
        return Err(TransformError::invalid(None, detail));
    }
    if segment.contains('%') {
        return Err(TransformError::invalid(None, "percent-encoding is not read in a transform; write it plainly"));
    }
    let is_known = |c: char| c.is_ascii_alphanumeric() || ",=.:-".contains(c);
    match segment.chars().find(|c| !is_known(*c)) {
        Some(stranger) => Err(TransformError::invalid(None, format!("{stranger:?} is not allowed in a transform"))),
        None => Ok(()),
    }
}

/// Reads options joined by commas.
pub(crate) fn transform(text: &str) -> Result<Transform, TransformError> {
    Options::split(text)?.into_transform()
}

/// The values as written, one slot per entry of [`OPTIONS`].
struct Options<'a>([Option<&'a str>; OPTIONS.len()]);

impl<'a> Options<'a> {
    fn split(text: &'a str) -> Result<Self, TransformError> {
        let mut values = [None; OPTIONS.len()];
        for option in text.split(',') {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let Some(option_idx) = OPTIONS.iter().position(|(long, short)| name == *long || name == *short) else {
                let detail = if name.is_empty() { "an option is missing its name" } else { "unknown option" };
                return Err(TransformError::invalid(Some(name).filter(|name| !name.is_empty()), detail));
            };
            let (long, _) = OPTIONS[option_idx];
            if long == "trim" {
                return Err(TransformError::unsupported(long, "trimming is not offered yet"));
            }
            if value.is_empty() {
                return Err(TransformError::invalid(Some(long), "has no value"));
            }
            if values[option_idx].replace(value).is_some() {
                return Err(TransformError::invalid(Some(long), "is given more than once"));
            }
        }
        Ok(Self(values))
    }

    fn get(&self, long: &str) -> Option<&'a str> {
        let option_idx = OPTIONS.iter().position(|(name, _)| *name == long)?;
        self.0.get(option_idx).copied().flatten()
    }

    /// The option's value through `read`; where that gives nothing, a refusal that says what would be `expected`.
    fn read<T>(
        &self,
        long: &str,
        read: impl Fn(&str) -> Option<T>,
        expected: impl Display,
    ) -> Result<Option<T>, TransformError> {
        let Some(value) = self.get(long) else { return Ok(None) };
        match read(value) {
            Some(value) => Ok(Some(value)),
            None => Err(TransformError::invalid(Some(long), format!("{value:?} is not {expected}"))),
        }
    }

    fn into_transform(self) -> Result<Transform, TransformError> {
        let (width, height) = self.sides()?;
        let fit = self.fit(width, height)?;
        let (format, quality) = self.format_and_quality()?;
        let sigma = "a number of pixels, with at most two decimals, from 0.3 to";
        Ok(Transform {
            width,
            height,
            fit,
            gravity: self.gravity(fit)?,
            enlarge: self.read("enlarge", flag, "0 or 1")?.unwrap_or(false),
            orientation: self.orientation()?,
            blur: self.read("blur", |text| Sigma::from_text(text, Sigma::MAX_BLUR), format!("{sigma} 100"))?,
            sharpen: self.read("sharpen", |text| Sigma::from_text(text, Sigma::MAX_SHARPEN), format!("{sigma} 10"))?,
            background: self
                .read("bg", Color::from_text, "a colour: rgb, rrggbb or rrggbbaa in hexadecimal, or transparent")?
                .unwrap_or(Color::CLEAR),
            format,
            quality,
        })
    }

    /// Width and height with `dpr` multiplied in, in pixels.
    fn sides(&self) -> Result<(Option<u32>, Option<u32>), TransformError> {
        let expected = format!("a whole number of pixels from 1 to {MAX_SIDE}");
        let positive = |text: &str| whole(text).filter(|n| *n > 0);
        let width = self.read("width", positive, &expected)?;
        let height = self.read("height", positive, &expected)?;
        let dpr = |text: &str| decimal(text, 2).filter(|n| (100..=400).contains(n));
        let hundredths = self.read("dpr", dpr, "a number from 1 to 4 with at most two decimals")?.unwrap_or(100);

        if width.is_none() && height.is_none() {
            for option in ["dpr", "fit", "enlarge"] {
                if self.get(option).is_some() {
                    return Err(TransformError::invalid(Some(option), "means nothing without width or height"));
                }
            }
        }
        let scale = |long: &str, side: Option<u32>| side.map(|side| scaled_side(long, side, hundredths)).transpose();
        Ok((scale("width", width)?, scale("height", height)?))
    }

    fn fit(&self, width: Option<u32>, height: Option<u32>) -> Result<Fit, TransformError> {
        let fit = self.read("fit", Fit::from_name, "one of cover, contain, fill, inside, outside")?;
        Ok(if width.is_some() && height.is_some() { fit.unwrap_or_default() } else { Fit::default() })
    }

    /// Where the crop or the picture lies; refused where nothing is cut off or padded.
    fn gravity(&self, fit: Fit) -> Result<Gravity, TransformError> {
        if self.get("gravity") == Some("auto") {
            return Err(TransformError::unsupported("gravity", "finding what matters in a picture is not offered yet"));
        }
        let expected = "center, a compass point (n, ne, …) or x:y as fractions from 0 to 1 with at most four decimals";
        let gravity = self.read("gravity", Gravity::from_text, expected)?;
        if gravity.is_some() && !matches!(fit, Fit::Cover | Fit::Contain) {
            let detail = "means nothing without fit=cover or fit=contain and both sides";
            return Err(TransformError::invalid(Some("gravity"), detail));
        }
        Ok(gravity.unwrap_or_default())
    }

    fn orientation(&self) -> Result<Orientation, TransformError> {
        let turn = |text: &str| ["90", "180", "270"].iter().position(|turn| *turn == text);
        let turns = self.read("rotate", turn, "90, 180 or 270")?.map_or(0, |turn_idx| turn_idx as u8 + 1);
        let mirror = |text: &str| match text {
            "h" => Some(Orientation::new(0, true)),
            "v" => Some(Orientation::new(2, true)),
            "hv" => Some(Orientation::new(2, false)),
            _ => None,
        };
        let flip = self.read("flip", mirror, "h, v or hv")?.unwrap_or_default();
        Ok(Orientation::new(turns, false).then(flip))
    }

    fn format_and_quality(&self) -> Result<(FormatWish, Option<u8>), TransformError> {
        let format = match self.get("format") {
            None => FormatWish::Same,
            Some("auto") => FormatWish::Auto,
            Some("jpeg" | "jpg") => FormatWish::This(Format::Jpeg),
            Some("png") => FormatWish::This(Format::Png),
            Some("webp") => FormatWish::This(Format::WebP),
            Some(name @ ("avif" | "gif")) => {
                return Err(TransformError::unsupported("format", format!("{name} is not written yet")));
            }
            Some(name) => {
                let detail = format!("{name:?} is not one of auto, jpeg, png, webp");
                return Err(TransformError::invalid(Some("format"), detail));
            }
        };
        let percent = |text: &str| whole(text).filter(|n| (1..=100).contains(n)).and_then(|n| u8::try_from(n).ok());
        let quality = self.read("quality", percent, "a whole number from 1 to 100")?;
        match (format, quality) {
            (FormatWish::This(Format::Png), Some(_)) => {
                Err(TransformError::invalid(Some("quality"), "means nothing for png, which loses nothing"))
            }
            (FormatWish::This(Format::WebP), Some(_)) => Err(TransformError::unsupported(
                "quality",
                "webp is written without loss; lossy webp is not offered yet",
            )),
            _ => Ok((format, quality.filter(|quality| *quality != DEFAULT_QUALITY))),
        }
    }
}

/// `side` times `hundredths` / 100, halves up.
fn scaled_side(long: &str, side: u32, hundredths: u32) -> Result<u32, TransformError> {
    let pixels = (u64::from(side) * u64::from(hundredths) + 50) / 100;
    match u32::try_from(pixels) {
        Ok(pixels) if pixels <= MAX_SIDE => Ok(pixels),
        _ => Err(TransformError::limit(Some(long), MAX_SIDE.into(), pixels, format!("{pixels} pixels are too many"))),
    }
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}
