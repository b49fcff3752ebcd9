//! From the text of a transform to its meaning. Every refusal names the option, by its long name.

use std::fmt::Display;

use crate::format::{Format, Quality};
use crate::geometry::{Frame, MAX_SIDE};
use crate::measures::{Adjustments, Factor, Padding, Radius, Ratio, Region};
use crate::overlay::{Filter, Font, Place, TextOverlay, Watermark, image_id, percent, text_from_base64};
use crate::spec::{Encoding, FormatWish, MAX_SPEC_BYTES, Transform};
use crate::values::{Color, Fit, Focus, Gravity, Sigma, Tone, decimal, whole};
use crate::{Orientation, TransformError};

/// Each option once: its long name, by which it is known in here and in errors, and its short one.
const OPTIONS: [(&str, &str); 43] = [
    ("width", "w"),
    ("height", "h"),
    ("ar", "ar"),
    ("fit", "fit"),
    ("gravity", "g"),
    ("enlarge", "enlarge"),
    ("dpr", "dpr"),
    ("crop", "crop"),
    ("trim", "trim"),
    ("rotate", "rotate"),
    ("flip", "flip"),
    ("linear", "linear"),
    ("pad", "pad"),
    ("radius", "radius"),
    ("brightness", "brightness"),
    ("contrast", "contrast"),
    ("saturation", "saturation"),
    ("gamma", "gamma"),
    ("grayscale", "gray"),
    ("bitonal", "bitonal"),
    ("tint", "tint"),
    ("blur", "blur"),
    ("sharpen", "sharpen"),
    ("filter", "filter"),
    ("bg", "bg"),
    ("wm", "wm"),
    ("wm-g", "wm-g"),
    ("wm-opacity", "wm-opacity"),
    ("wm-scale", "wm-scale"),
    ("wm-pad", "wm-pad"),
    ("text", "text"),
    ("text-g", "text-g"),
    ("text-size", "text-size"),
    ("text-color", "text-color"),
    ("text-font", "text-font"),
    ("text-pad", "text-pad"),
    ("format", "f"),
    ("quality", "q"),
    ("lossless", "lossless"),
    ("colors", "colors"),
    ("progressive", "progressive"),
    ("anim", "anim"),
    ("max-bytes", "max-bytes"),
];

/// The threshold of a `trim` without a value, in eight-bit steps; sharp's.
const DEFAULT_TRIM: u8 = 10;

/// The long name of the option that is called `name`.
fn long_name(name: &str) -> Option<&'static str> {
    OPTIONS.iter().find(|(long, short)| name == *long || name == *short).map(|(long, _)| *long)
}

/// Every name of every option, sorted.
#[cfg(test)]
pub(crate) fn option_names() -> Vec<&'static str> {
    let mut names: Vec<_> = OPTIONS.iter().flat_map(|(long, short)| [*long, *short]).collect();
    names.sort_unstable();
    names.dedup();
    names
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
    let is_known = |c: char| c.is_ascii_alphanumeric() || ",=.:-_".contains(c);
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
            // The one option that may stand without a value; read as such further down.
            let is_bare_trim = option == "trim";
            if value.is_empty() && !is_bare_trim {
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

    fn is_given(&self, long: &str) -> bool {
        self.get(long).is_some()
    }

    /// A refusal of every one of `options` that is given, because of what else is or is not.
    fn refuse(&self, options: &[&str], detail: &str) -> Result<(), TransformError> {
        match options.iter().find(|option| self.is_given(option)) {
            Some(option) => Err(TransformError::invalid(Some(option), detail)),
            None => Ok(()),
        }
    }

    /// A switch; off when it is not given.
    fn flag(&self, long: &str) -> Result<bool, TransformError> {
        Ok(self.read(long, flag, "0 or 1")?.unwrap_or(false))
    }

    fn into_transform(self) -> Result<Transform, TransformError> {
        let density = self.density()?;
        let (format, encoding) = self.format_and_encoding()?;
        let sigma = "a number of pixels, with at most two decimals, from 0.3 to";
        let color = "a colour: rgb, rrggbb or rrggbbaa in hexadecimal, or transparent";
        Ok(Transform {
            crop: self.crop()?,
            trim: self.trim()?,
            frame: self.frame(density)?,
            orientation: self.orientation()?,
            is_linear: self.flag("linear")?,
            adjustments: self.adjustments()?,
            tone: self.tone()?,
            tint: self.read("tint", Color::rgb_from_text, "a colour: rgb or rrggbb in hexadecimal")?,
            blur: self.read("blur", |text| Sigma::from_text(text, Sigma::MAX_BLUR), format!("{sigma} 100"))?,
            sharpen: self.read("sharpen", |text| Sigma::from_text(text, Sigma::MAX_SHARPEN), format!("{sigma} 10"))?,
            filter: self.filter()?,
            radius: self.radius(density)?,
            watermark: self.watermark(density)?,
            text: self.text(density)?,
            background: self.read("bg", Color::from_text, color)?.unwrap_or(Color::CLEAR),
            format,
            encoding,
        })
    }

    /// `dpr`, in hundredths; refused where there are no pixels to multiply.
    fn density(&self) -> Result<u32, TransformError> {
        let dpr = |text: &str| decimal(text, 2).filter(|n| (100..=400).contains(n));
        let hundredths = self.read("dpr", dpr, "a number from 1 to 4 with at most two decimals")?;
        if !["width", "height", "pad", "radius", "wm", "text"].iter().any(|option| self.is_given(option)) {
            self.refuse(&["dpr"], "means nothing without width, height, pad, radius, wm or text")?;
        }
        Ok(hundredths.unwrap_or(100))
    }

    /// A number of pixels up to [`MAX_SIDE`], with `dpr` multiplied in.
    fn pixels(&self, long: &str, density: u32) -> Result<Option<u32>, TransformError> {
        let pixels = self.read(long, whole, format!("a whole number of pixels up to {MAX_SIDE}"))?;
        pixels.map(|pixels| scaled_side(long, pixels, density)).transpose()
    }

    fn crop(&self) -> Result<Option<Region>, TransformError> {
        let expected = "x:y:width:height, each a whole number of pixels, or up to 100 percent with at most four \
                        decimals as 12.5p";
        Ok(self.read("crop", Region::from_text, expected)?.filter(|region| !region.is_whole()))
    }

    fn trim(&self) -> Result<Option<u8>, TransformError> {
        let threshold = |text: &str| match text {
            "" => Some(DEFAULT_TRIM),
            _ => whole(text).and_then(|n| u8::try_from(n).ok()).filter(|n| *n > 0),
        };
        self.read("trim", threshold, "a whole number from 1 to 255")
    }

    fn frame(&self, density: u32) -> Result<Frame, TransformError> {
        let sides = Frame { enlarge: self.flag("enlarge")?, ..self.sides(density)? };
        let fit = self.fit(&sides)?;
        Ok(Frame { fit, focus: self.focus(fit)?, padding: self.padding(density)?, ..sides })
    }

    /// A frame with the sides, `dpr` multiplied in, and with `ar` where there are none.
    fn sides(&self, density: u32) -> Result<Frame, TransformError> {
        let expected = format!("a whole number of pixels from 1 to {MAX_SIDE}");
        let positive = |text: &str| whole(text).filter(|n| *n > 0);
        let side = |long: &str| {
            let side = self.read(long, positive, &expected)?;
            side.map(|side| scaled_side(long, side, density)).transpose()
        };
        let (width, height) = (side("width")?, side("height")?);
        let expected = "width:height, two numbers up to 10000 with at most two decimals";
        let Some(ratio) = self.read("ar", Ratio::from_text, expected)? else {
            return Ok(Frame { width, height, ..Frame::default() });
        };
        match (width, height) {
            (Some(_), Some(_)) => Err(TransformError::invalid(Some("ar"), "means nothing beside width and height")),
            (Some(side), None) => {
                let height = Some(checked_side("ar", ratio.height_for(side))?);
                Ok(Frame { width, height, ..Frame::default() })
            }
            (None, Some(side)) => {
                let width = Some(checked_side("ar", ratio.width_for(side))?);
                Ok(Frame { width, height, ..Frame::default() })
            }
            (None, None) => Ok(Frame { ratio: Some(ratio), ..Frame::default() }),
        }
    }

    /// How the picture meets its box; `inside` wherever that comes to the same.
    fn fit(&self, sides: &Frame) -> Result<Fit, TransformError> {
        let fit = self.read("fit", Fit::from_name, "one of cover, contain, fill, inside, outside")?;
        match (sides.width, sides.height) {
            (None, None) => {
                self.refuse(&["enlarge"], "means nothing without width or height")?;
                match (sides.ratio, fit) {
                    (None, None) => Ok(Fit::default()),
                    (None, Some(_)) => self.meaningless("fit", "means nothing without width, height or ar"),
                    (Some(_), None | Some(Fit::Cover)) => Ok(Fit::Cover),
                    (Some(_), Some(Fit::Contain)) => Ok(Fit::Contain),
                    (Some(_), Some(_)) => {
                        self.meaningless("fit", "is cover or contain where ar stands without width and height")
                    }
                }
            }
            (Some(_), Some(_)) => Ok(fit.unwrap_or(if self.is_given("ar") { Fit::Cover } else { Fit::default() })),
            // One side leaves nothing to cut off, and room only where the picture may not grow into it.
            _ => Ok(match fit {
                Some(Fit::Fill) => Fit::Fill,
                Some(Fit::Contain) if !sides.enlarge => Fit::Contain,
                _ => Fit::default(),
            }),
        }
    }

    fn meaningless<T>(&self, long: &str, detail: &str) -> Result<T, TransformError> {
        Err(TransformError::invalid(Some(long), detail))
    }

    /// Where the crop or the picture lies; refused where nothing is cut off or padded.
    fn focus(&self, fit: Fit) -> Result<Focus, TransformError> {
        let expected = "center, a compass point (n, ne, …), x:y as fractions from 0 to 1 with at most four decimals, \
                        auto, attention, entropy or faces";
        let Some(focus) = self.read("gravity", Focus::from_text, expected)? else { return Ok(Focus::default()) };
        match (fit, focus) {
            (Fit::Cover, _) | (Fit::Contain, Focus::At(_)) => Ok(focus),
            (_, Focus::Smart(_)) => self.meaningless("gravity", "looks for a place with fit=cover and both sides only"),
            _ => self.meaningless("gravity", "means nothing without fit=cover or fit=contain and both sides"),
        }
    }

    fn padding(&self, density: u32) -> Result<Padding, TransformError> {
        let expected = "a whole number of pixels, or four of them: top:right:bottom:left";
        let padding = self.read("pad", Padding::from_text, expected)?.unwrap_or_default();
        let [top, right, bottom, left] = padding.sides().map(|side| scaled_side("pad", side, density));
        Ok(Padding { top: top?, right: right?, bottom: bottom?, left: left? })
    }

    fn radius(&self, density: u32) -> Result<Option<Radius>, TransformError> {
        let expected = format!("a whole number of pixels up to {MAX_SIDE}, or max");
        match self.read("radius", Radius::from_text, expected)? {
            Some(Radius::Pixels(0)) | None => Ok(None),
            Some(Radius::Pixels(pixels)) => Ok(Some(Radius::Pixels(scaled_side("radius", pixels, density)?))),
            Some(Radius::Max) => Ok(Some(Radius::Max)),
        }
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

    fn adjustments(&self) -> Result<Adjustments, TransformError> {
        let mut factors = [Factor::ONE; Adjustments::NAMES.len()];
        for (name, factor) in Adjustments::NAMES.into_iter().zip(&mut factors) {
            let range = if name == "gamma" { "0.1 to 10" } else { "0 to 4" };
            let expected = format!("a number from {range} with at most two decimals");
            *factor = self.read(name, |text| Adjustments::factor(name, text), expected)?.unwrap_or_default();
        }
        Ok(Adjustments::from_factors(factors))
    }

    /// Black and white are gray already.
    fn tone(&self) -> Result<Option<Tone>, TransformError> {
        Ok(match (self.flag("grayscale")?, self.flag("bitonal")?) {
            (_, true) => Some(Tone::Bitonal),
            (true, false) => Some(Tone::Gray),
            (false, false) => None,
        })
    }

    fn filter(&self) -> Result<Option<Filter>, TransformError> {
        let expected = format!(
            "a filter's name, with its arguments after a colon each: words of a-z, 0-9, . and -, up to {} bytes",
            Filter::MAX_BYTES
        );
        self.read("filter", Filter::from_text, expected)
    }

    fn watermark(&self, density: u32) -> Result<Option<Watermark>, TransformError> {
        let Some(image) = self.read("wm", image_id, "the id of an image")? else {
            self.refuse(&["wm-g", "wm-opacity", "wm-scale", "wm-pad"], "means nothing without wm")?;
            return Ok(None);
        };
        let place = self.read("wm-g", Place::from_text, "a compass point, x:y as fractions from 0 to 1, or tile")?;
        let percentage = "a whole number from 1 to 100";
        Ok(Some(Watermark {
            image,
            place: place.unwrap_or(Watermark::DEFAULT_PLACE),
            opacity: self.read("wm-opacity", percent, percentage)?.unwrap_or(Watermark::DEFAULT_OPACITY),
            scale: self.read("wm-scale", percent, percentage)?.unwrap_or(Watermark::DEFAULT_SCALE),
            padding: match self.pixels("wm-pad", density)? {
                Some(padding) => padding,
                None => scaled_side("wm-pad", Watermark::DEFAULT_PADDING, density)?,
            },
        }))
    }

    fn text(&self, density: u32) -> Result<Option<TextOverlay>, TransformError> {
        let expected = format!("base64url of one line of UTF-8 of 1 to {} bytes", TextOverlay::MAX_BYTES);
        let Some(text) = self.read("text", text_from_base64, expected)? else {
            self.refuse(&["text-g", "text-size", "text-color", "text-font", "text-pad"], "means nothing without text")?;
            return Ok(None);
        };
        let gravity = self.read("text-g", Gravity::from_text, "a compass point or x:y as fractions from 0 to 1")?;
        let color = |text: &str| Color::from_text(text).filter(|color| color.alpha > 0);
        let expected = "a colour that can be seen: rgb, rrggbb or rrggbbaa in hexadecimal";
        Ok(Some(TextOverlay {
            text,
            gravity: gravity.unwrap_or(TextOverlay::DEFAULT_GRAVITY),
            size: self.text_size(density)?,
            color: self.read("text-color", color, expected)?.unwrap_or(Color::WHITE),
            font: self.read("text-font", Font::from_name, "one of sans, serif, mono")?.unwrap_or_default(),
            padding: match self.pixels("text-pad", density)? {
                Some(padding) => padding,
                None => scaled_side("text-pad", TextOverlay::DEFAULT_PADDING, density)?,
            },
        }))
    }

    fn text_size(&self, density: u32) -> Result<u32, TransformError> {
        let most = TextOverlay::MAX_SIZE;
        let positive = |text: &str| whole(text).filter(|n| *n > 0);
        let size = self.read("text-size", positive, format!("a whole number of pixels from 1 to {most}"))?;
        let pixels = scaled(size.unwrap_or(TextOverlay::DEFAULT_SIZE), density);
        within("text-size", pixels, most)
    }

    fn format_and_encoding(&self) -> Result<(FormatWish, Encoding), TransformError> {
        let format = self.format()?;
        let quality = self.read("quality", Quality::from_text, "a whole number from 1 to 100, or auto")?;
        let colors = |text: &str| whole(text).filter(|n| (2..=256).contains(n)).and_then(|n| u16::try_from(n).ok());
        let bytes = |text: &str| whole(text).filter(|n| *n >= Encoding::LEAST_MAX_BYTES);
        let expected = format!("a whole number of bytes from {} to 999999999", Encoding::LEAST_MAX_BYTES);
        let encoding = Encoding {
            quality: quality.filter(|quality| *quality != Quality::Fixed(default_quality(format))),
            is_lossless: self.flag("lossless")?,
            colors: self.read("colors", colors, "a whole number from 2 to 256")?,
            is_progressive: self.flag("progressive")?,
            is_still: !self.read("anim", flag, "0 or 1")?.unwrap_or(true),
            max_bytes: self.read("max-bytes", bytes, expected)?,
        };
        self.refuse_what_the_format_lacks(format, encoding.is_lossless)?;
        Ok((format, encoding))
    }

    fn format(&self) -> Result<FormatWish, TransformError> {
        Ok(FormatWish::This(match self.get("format") {
            None => return Ok(FormatWish::Same),
            Some("auto") => return Ok(FormatWish::Auto),
            Some("jpeg" | "jpg") => Format::Jpeg,
            Some("png") => Format::Png,
            Some("webp") => Format::WebP,
            Some("avif") => Format::Avif,
            Some("gif") => Format::Gif,
            Some(name) => {
                let detail = format!("{name:?} is not one of auto, jpeg, png, webp, avif, gif");
                return Err(TransformError::invalid(Some("format"), detail));
            }
        }))
    }

    /// Refuses options of an encoder that the format asked for does not have.
    fn refuse_what_the_format_lacks(&self, format: FormatWish, is_lossless: bool) -> Result<(), TransformError> {
        if is_lossless {
            self.refuse(&["quality", "max-bytes"], "means nothing with lossless=1")?;
        }
        let FormatWish::This(format) = format else { return Ok(()) };
        let lacks: &[&str] = match format {
            Format::Jpeg => &["lossless", "colors", "anim"],
            Format::Png => &["quality", "max-bytes", "lossless", "progressive", "anim"],
            Format::WebP => &["colors", "progressive"],
            Format::Avif => &["lossless", "colors", "progressive", "anim"],
            _ => &["quality", "max-bytes", "lossless", "colors", "progressive"],
        };
        self.refuse(lacks, &format!("means nothing for {format}"))
    }
}

/// The quality that need not be spelled out.
fn default_quality(format: FormatWish) -> u8 {
    if format == FormatWish::This(Format::Avif) { Quality::DEFAULT_AVIF } else { Quality::DEFAULT }
}

/// The frame that [`Frame::options`] prints; `None` for other text.
pub(crate) fn frame(options: &[String]) -> Option<Frame> {
    if options.is_empty() {
        return Some(Frame::default());
    }
    Options::split(&options.join(",")).and_then(|options| options.frame(100)).ok()
}

/// `pixels` times `hundredths` / 100, halves up.
fn scaled(pixels: u32, hundredths: u32) -> u64 {
    (u64::from(pixels) * u64::from(hundredths) + 50) / 100
}

/// A side in pixels, with `dpr` multiplied in.
fn scaled_side(long: &str, side: u32, hundredths: u32) -> Result<u32, TransformError> {
    checked_side(long, scaled(side, hundredths))
}

fn checked_side(long: &str, pixels: u64) -> Result<u32, TransformError> {
    within(long, pixels, MAX_SIDE)
}

fn within(long: &str, pixels: u64, limit: u32) -> Result<u32, TransformError> {
    match u32::try_from(pixels) {
        Ok(pixels) if pixels <= limit => Ok(pixels),
        _ => Err(TransformError::limit(Some(long), limit.into(), pixels, format!("{pixels} pixels are too many"))),
    }
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}
