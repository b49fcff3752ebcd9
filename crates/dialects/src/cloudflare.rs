//! Cloudflare Images: `/cdn-cgi/image/{option=value,…}/{id}`.

use crate::error::{DialectError, Result, invalid, malformed, unsupported};
use crate::layout::{Frame, largest_with_ratio};
use crate::native::{Fit as NativeFit, Format, Gravity, Native, Quality, Rect, Size, Turn};
use crate::source::{image_id, percent_decoded};
use crate::values::{Alpha, Color, color, decimal_in, hundredths, whole, whole_in};
use crate::{Request, Wish, no_query};

/// What `fit` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Fit {
    #[default]
    ScaleDown,
    Contain,
    Cover,
    Crop,
    AspectCrop,
    Pad,
    Squeeze,
}

/// Pixels to cut off, or the sides of what is kept; each if given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Trim {
    top: Option<u32>,
    right: Option<u32>,
    bottom: Option<u32>,
    left: Option<u32>,
    width: Option<u32>,
    height: Option<u32>,
}

/// What a URL of Cloudflare Images asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    width: Option<u32>,
    height: Option<u32>,
    dpr: f64,
    fit: Fit,
    trim: Trim,
    native: Native,
}

/// Reads a path after `/cdn-cgi/image/`, still percent-encoded.
///
/// # Errors
/// The refusal names the option to blame, by its long name.
pub fn parse(path: &str, query: &str) -> std::result::Result<Request, DialectError> {
    no_query(query)?;
    let (list, source) = path.split_once('/').ok_or_else(|| malformed("the source is missing"))?;
    let mut options = Options {
        width: None,
        height: None,
        dpr: 1.0,
        fit: Fit::default(),
        trim: Trim::default(),
        native: Native::default(),
    };
    let mut turn = (0, false, false);
    for option in options_of(&percent_decoded(list)?) {
        let Some((name, value)) = option.split_once('=') else {
            return Err(invalid(option, "is not an option with a value"));
        };
        options.read(long_name(name.trim()), value.trim(), &mut turn)?;
    }
    // Mirrored first, then turned.
    options.native.turn = Turn::default().then_flipped(turn.1, turn.2).then_turned(turn.0);
    let id = image_id(&percent_decoded(source)?)?;
    Ok(Request { id, wish: Wish::Cloudflare(Box::new(options)) })
}

/// The options of a list; commas within parentheses are parts of a colour.
fn options_of(list: &str) -> Vec<&str> {
    let mut depth = 0;
    let is_between = move |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    };
    list.split(is_between).filter(|option| !option.trim().is_empty()).collect()
}

fn long_name(name: &str) -> &str {
    match name {
        "w" => "width",
        "h" => "height",
        "g" => "gravity",
        "q" => "quality",
        "f" => "format",
        "scq" => "slow-connection-quality",
        "face-zoom" => "zoom",
        name => name,
    }
}

impl Options {
    /// Reads one option. `turn` is quarter turns clockwise, and the two mirrors.
    fn read(&mut self, name: &str, value: &str, turn: &mut (u8, bool, bool)) -> Result<()> {
        if self.read_look(name, value)? || self.read_trim(name, value)? {
            return Ok(());
        }
        match name {
            "width" | "height" if value == "auto" => {
                return Err(unsupported(name, "the size does not follow the browser; give pixels"));
            }
            "width" => self.width = Some(whole_in(name, value, 1, 12_000)?),
            "height" => self.height = Some(whole_in(name, value, 1, 12_000)?),
            "dpr" => self.dpr = decimal_in(name, value, 0.1, 4.0)?,
            "fit" => self.fit = fit(value)?,
            "gravity" => self.native.gravity = gravity(value)?,
            "zoom" if decimal_in(name, value, 0.0, 1.0)? == 0.0 => {}
            "zoom" => return Err(unsupported(name, "faces are kept in the picture, not zoomed to")),
            "rotate" => {
                turn.0 = match value {
                    "0" => 0,
                    "90" => 1,
                    "180" => 2,
                    "270" => 3,
                    _ => return Err(invalid(name, format!("{value:?} is not 90, 180 or 270"))),
                };
            }
            "flip" => {
                (turn.1, turn.2) = match value {
                    "h" => (true, false),
                    "v" => (false, true),
                    "hv" | "vh" => (true, true),
                    _ => return Err(invalid(name, format!("{value:?} is not h, v or hv"))),
                };
            }
            "quality" => self.native.quality = Some(quality(name, value)?),
            "format" => self.read_format(value)?,
            "anim" => {
                self.native.is_still = match value {
                    "true" => false,
                    "false" => true,
                    _ => return Err(invalid(name, format!("{value:?} is neither true nor false"))),
                };
            }
            // Documented as without effect: only pixels are sent, results are kept, errors are errors.
            "metadata" if ["keep", "copyright", "none"].contains(&value) => {}
            "compression" if value == "fast" => {}
            "onerror" if value == "redirect" => {}
            "upscale" if value == "interpolate" => {}
            "slow-connection-quality" => {
                quality(name, value)?;
            }
            "metadata" | "compression" | "onerror" => return Err(invalid(name, format!("{value:?} is not known"))),
            "upscale" => return Err(unsupported(name, "details are not generated")),
            "segment" => return Err(unsupported(name, "the foreground is not found here")),
            "draw" => return Err(unsupported(name, "overlays are not part of URLs")),
            "origin-auth" => return Err(unsupported(name, "sources are images by id")),
            name if name == "border" || name.starts_with("border.") => {
                return Err(unsupported("border", "borders are not offered"));
            }
            name => return Err(invalid(name, "unknown option")),
        }
        Ok(())
    }

    fn read_look(&mut self, name: &str, value: &str) -> Result<bool> {
        let factor = |least: f64, most: f64| decimal_in(name, value, least, most).map(hundredths);
        // Zero is passed over, as documented.
        let visible = |factor: u32| Some(factor).filter(|factor| *factor > 0);
        match name {
            "brightness" => self.native.brightness = visible(factor(0.0, 4.0)?),
            "contrast" => self.native.contrast = visible(factor(0.0, 4.0)?),
            "gamma" => self.native.gamma = visible(factor(0.0, 10.0)?).map(|gamma| gamma.max(10)),
            "saturation" => self.native.saturation = Some(factor(0.0, 4.0)?),
            "blur" => {
                // A radius is some two and a half standard deviations.
                let radius = whole_in(name, value, 1, 250)?;
                self.native.blur = Some((radius * 40).max(30));
            }
            "sharpen" => self.native.sharpen = visible(factor(0.0, 10.0)?).map(|sigma| sigma.max(30)),
            "background" => self.native.background = Some(css_color(name, value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn read_trim(&mut self, name: &str, value: &str) -> Result<bool> {
        let pixels = || whole(name, value).map(Some);
        match name {
            "trim" if value == "border" => self.native.trim = self.native.trim.or(Some(10)),
            "trim.border.tolerance" => self.native.trim = Some(whole_in(name, value, 1, 255)? as u8),
            "trim.border.color" => {
                return Err(unsupported(name, "the colour is that of the upper left pixel"));
            }
            "trim.border.keep" if value == "0" => {}
            "trim.border.keep" => return Err(unsupported(name, "borders are cut off wholly")),
            "trim" => {
                let sides = value.split(';').map(|side| whole(name, side.trim())).collect::<Result<Vec<u32>>>()?;
                let [top, right, bottom, left] = sides[..] else {
                    return Err(invalid(name, "is four numbers, top;right;bottom;left"));
                };
                let (width, height) = (None, None);
                let given =
                    Trim { top: Some(top), right: Some(right), bottom: Some(bottom), left: Some(left), width, height };
                self.trim = given;
            }
            "trim.top" => self.trim.top = pixels()?,
            "trim.right" => self.trim.right = pixels()?,
            "trim.bottom" => self.trim.bottom = pixels()?,
            "trim.left" => self.trim.left = pixels()?,
            "trim.width" => self.trim.width = pixels()?,
            "trim.height" => self.trim.height = pixels()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn read_format(&mut self, value: &str) -> Result<()> {
        let (format, is_progressive) = match value {
            "auto" => (Format::Auto, false),
            "jpeg" => (Format::Jpeg, true),
            "baseline-jpeg" => (Format::Jpeg, false),
            "json" => return Err(unsupported("format", "facts about an image are in its record: /v1/images/{id}")),
            "svg" => return Err(unsupported("format", "svg is not written here")),
            name => match Format::from_name(name) {
                Some(format) => (format, false),
                None => return Err(invalid("format", format!("{name:?} is not an image format"))),
            },
        };
        self.native.format = Some(format);
        self.native.is_progressive = is_progressive;
        Ok(())
    }

    /// The native text for a picture of `size`.
    pub(crate) fn lower(&self, size: Size) -> Result<String> {
        let mut native = self.native.clone();
        native.is_lossless = native.format == Some(Format::WebP) && native.quality == Some(Quality::Percent(100));
        let region = self.region(size)?;
        if region != Rect::whole(size) {
            native.crop = Some(region);
        }
        let turned = native.turn.size(region.size);
        self.frame(turned)?.write(&mut native);
        // Gravity is for what is cut off; padding goes all around.
        if native.fit == NativeFit::Contain {
            native.gravity = Gravity::CENTER;
        }
        Ok(native.to_string())
    }

    /// What `trim` leaves of the picture, before it is turned.
    fn region(&self, size: Size) -> Result<Rect> {
        let trim = self.trim;
        if trim == Trim::default() {
            return Ok(Rect::whole(size));
        }
        let scaled = |pixels: u32| f64::from(pixels) * self.dpr;
        let span = |start: Option<u32>, length: Option<u32>, end: Option<u32>, whole: u32| {
            let whole = f64::from(whole);
            let start_at = match (start, length, end) {
                (None, Some(length), Some(end)) => whole - scaled(end) - scaled(length),
                (start, ..) => scaled(start.unwrap_or(0)),
            };
            let end_at = match length {
                Some(length) => start_at + scaled(length),
                None => whole - scaled(end.unwrap_or(0)),
            };
            (start_at, end_at)
        };
        let (left, right) = span(trim.left, trim.width, trim.right, size.width);
        let (top, bottom) = span(trim.top, trim.height, trim.bottom, size.height);
        Rect::between(left, top, right, bottom, size).ok_or_else(|| invalid("trim", "leaves nothing of the picture"))
    }

    fn frame(&self, turned: Size) -> Result<Frame> {
        let side = |side: Option<u32>| side.map(|side| (f64::from(side) * self.dpr).round().max(1.0) as u32);
        let (mut width, mut height) = (side(self.width), side(self.height));
        if let (Fit::AspectCrop, Some(w), Some(h)) = (self.fit, width, height) {
            if self.native.trim.is_some() {
                return Err(unsupported("fit", "aspect-crop needs the size, which is not known before trim=border"));
            }
            if w > turned.width || h > turned.height {
                let size = largest_with_ratio(turned, (w.into(), h.into()));
                (width, height) = (Some(size.width), Some(size.height));
            }
        }
        let (fit, enlarge) = match self.fit {
            Fit::ScaleDown => (NativeFit::Inside, false),
            Fit::Contain => (NativeFit::Inside, true),
            Fit::Cover => (NativeFit::Cover, true),
            Fit::Crop | Fit::AspectCrop => (NativeFit::Cover, false),
            Fit::Pad => (NativeFit::Contain, true),
            Fit::Squeeze => (NativeFit::Fill, true),
        };
        Ok(Frame::new(width, height, fit, enlarge))
    }
}

fn fit(name: &str) -> Result<Fit> {
    match name {
        "scale-down" => Ok(Fit::ScaleDown),
        "contain" => Ok(Fit::Contain),
        "cover" => Ok(Fit::Cover),
        "crop" => Ok(Fit::Crop),
        "aspect-crop" => Ok(Fit::AspectCrop),
        "pad" => Ok(Fit::Pad),
        "squeeze" => Ok(Fit::Squeeze),
        _ => Err(invalid("fit", format!("{name:?} is not a fit"))),
    }
}

fn gravity(text: &str) -> Result<Gravity> {
    Ok(match text {
        "auto" => Gravity::Auto,
        "face" => Gravity::Faces,
        "center" => Gravity::CENTER,
        "left" => Gravity::Share(0, 5_000),
        "right" => Gravity::Share(10_000, 5_000),
        "top" => Gravity::Share(5_000, 0),
        "bottom" => Gravity::Share(5_000, 10_000),
        text => {
            let (x, y) =
                text.split_once('x').ok_or_else(|| invalid("gravity", format!("{text:?} is not a gravity")))?;
            let share = |text| decimal_in("gravity", text, 0.0, 1.0).map(|share| (share * 10_000.0).round() as u16);
            Gravity::Share(share(x)?, share(y)?)
        }
    })
}

/// A number, or one of four words; each stands for the middle of its range.
fn quality(name: &str, text: &str) -> Result<Quality> {
    Ok(Quality::Percent(match text {
        "high" => 90,
        "medium-high" => 80,
        "medium-low" => 65,
        "low" => 50,
        text => whole_in(name, text, 1, 100)? as u8,
    }))
}

/// A colour of CSS: a name, hexadecimal digits, `rgb()` or `rgba()` with commas, spaces or a slash between.
fn css_color(name: &str, text: &str) -> Result<Color> {
    let text = text.trim();
    let call = text.strip_prefix("rgba(").or_else(|| text.strip_prefix("rgb("));
    let Some(call) = call.and_then(|call| call.strip_suffix(')')) else {
        return color(name, text, Alpha::Last);
    };
    let parts: Vec<&str> = call.split([',', ' ', '/', '+']).filter(|part| !part.is_empty()).collect();
    let channel = |text: &str| whole_in(name, text, 0, 255).map(|channel| channel as u8);
    let (channels, alpha) = match parts[..] {
        [red, green, blue] => ([red, green, blue], 255),
        [red, green, blue, alpha] => {
            let share = match alpha.strip_suffix('%') {
                Some(percent) => decimal_in(name, percent, 0.0, 100.0)? / 100.0,
                // Alphas above 1 are percentages in the product's own examples.
                None => match decimal_in(name, alpha, 0.0, 100.0)? {
                    share if share <= 1.0 => share,
                    percent => percent / 100.0,
                },
            };
            ([red, green, blue], (share * 255.0).round() as u8)
        }
        _ => return Err(invalid(name, format!("{text:?} is not a colour"))),
    };
    let [red, green, blue] = channels;
    Ok(Color { rgb: [channel(red)?, channel(green)?, channel(blue)?], alpha })
}
