//! imgix: `/imgix/{id}?w=…&h=…`, each parameter maybe with the suffix `64` and its value in base64.

use std::collections::BTreeMap;

use crate::error::{DialectError, Result, invalid, unsupported};
use crate::layout::{Frame, around, largest_with_ratio};
use crate::native::{Fit as NativeFit, Format, Gravity, Native, Quality, Radius, Rect, Size, Text, Turn, Watermark};
use crate::source::{base64_decoded, base64_encoded, image_id, percent_decoded};
use crate::values::{Alpha, Color, color, decimal, decimal_in, hundredths, switch, whole_in};
use crate::{Request, Wish};

/// Other names and the parameters that they stand for.
const ALIASES: &[(&str, &str)] = &[
    ("f", "fit"),
    ("width", "w"),
    ("height", "h"),
    ("max-width", "max-w"),
    ("max-height", "max-h"),
    ("min-width", "min-w"),
    ("min-height", "min-h"),
    ("or", "orient"),
    ("mono", "monochrome"),
    ("inv", "invert"),
    ("fillcolor", "fill-color"),
    ("maskbg", "mask-bg"),
    ("jpeg-progressive", "jpg-progressive"),
    ("trimcolor", "trim-color"),
    ("trimtol", "trim-tol"),
    ("trimpad", "trim-pad"),
    ("trimmd", "trim-md"),
    ("trimsd", "trim-sd"),
    ("rottype", "rot-type"),
    ("rott", "rot-type"),
    ("t", "txt"),
    ("ta", "txt-align"),
    ("txtalign", "txt-align"),
    ("tc", "txt-color"),
    ("txtcolor", "txt-color"),
    ("txt-clr", "txt-color"),
    ("txtclr", "txt-color"),
    ("tf", "txt-font"),
    ("txtfont", "txt-font"),
    ("tsz", "txt-size"),
    ("txtsize", "txt-size"),
    ("tp", "txt-pad"),
    ("txtpad", "txt-pad"),
    ("m", "mark"),
    ("ma", "mark-align"),
    ("markalign", "mark-align"),
    ("malph", "mark-alpha"),
    ("markalpha", "mark-alpha"),
    ("mp", "mark-pad"),
    ("markpad", "mark-pad"),
    ("ms", "mark-scale"),
    ("markscale", "mark-scale"),
    ("mw", "mark-w"),
    ("markw", "mark-w"),
    ("mtile", "mark-tile"),
    ("marktile", "mark-tile"),
];

/// Parameters without effect here: signatures grant nothing, and only pixels are sent.
const WITHOUT_EFFECT: &[&str] = &["s", "ixlib", "ixid", "ch", "iptc", "dpi", "svg-sanitize", "fp-debug"];

/// Parameters of imgix that nothing here does, with the reason. A name that ends in a hyphen stands for its family.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("expires", "URLs do not expire here"),
    ("dl", "pictures are shown, not offered for download"),
    ("page", "there are no documents of several pages"),
    ("palette", "facts about an image are in its record, not in a picture of it"),
    ("colors", "belongs to palette, which is not offered; colorquant sets the number of colours of a PNG"),
    ("faces", "belongs to fm=json, which is not offered"),
    ("prefix", "belongs to palette, which is not offered"),
    ("faceindex", FACES),
    ("facepad", FACES),
    ("face-", FACES),
    ("lp-", NOT_OFFERED),
    ("hue", NOT_OFFERED),
    ("exp", NOT_OFFERED),
    ("high", NOT_OFFERED),
    ("shad", NOT_OFFERED),
    ("vib", NOT_OFFERED),
    ("nr", NOT_OFFERED),
    ("nrs", NOT_OFFERED),
    ("usm", "sharpen with sharp"),
    ("usmrad", "sharpen with sharp"),
    ("invert", NOT_OFFERED),
    ("sepia", NOT_OFFERED),
    ("htn", NOT_OFFERED),
    ("px", NOT_OFFERED),
    ("duotone", NOT_OFFERED),
    ("duotone-", NOT_OFFERED),
    ("blend", NOT_OFFERED),
    ("blend-", NOT_OFFERED),
    ("border", NOT_OFFERED),
    ("border-", NOT_OFFERED),
    ("bg-", NOT_OFFERED),
    ("fill-gen-", NOT_OFFERED),
    ("fill-gradient-", NOT_OFFERED),
    ("object-removal-", NOT_OFFERED),
    ("upscale", NOT_OFFERED),
    ("upscale-fallback", NOT_OFFERED),
    ("transparency", NOT_OFFERED),
    ("grid-", NOT_OFFERED),
    ("fp-z", "the focal point is kept in the picture, not zoomed to"),
    ("frame", "of an animation there is the whole, or with frame=1 the first"),
    ("fps", ANIMATION),
    ("interval", ANIMATION),
    ("loop", ANIMATION),
    ("reverse", ANIMATION),
    ("skip", ANIMATION),
    ("video-", "there are no videos"),
    ("trim-color", "the colour is that of the upper left pixel"),
    ("trim-md", "give trim-tol"),
    ("trim-sd", "give trim-tol"),
    ("trim-alpha", "give trim-tol"),
    ("trim-pad", "margins are cut off wholly"),
    ("rot-type", "turns are by quarters, with orient"),
    ("txt-", "words have an alignment, size, colour, font and distance from the edge only"),
    ("mark-", "a watermark has an alignment, opacity, scale, distance from the edge and tiles only"),
    ("pdf-annotation", "there are no documents"),
    ("annotation", "there are no documents"),
    ("rasterize-bypass", "there are no vector sources"),
];

const NOT_OFFERED: &str = "this parameter is not offered";
const FACES: &str = "faces are kept in the picture with crop=faces, not zoomed to";
const ANIMATION: &str = "an animation is kept as it is";

/// What `fit` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Fit {
    #[default]
    Clip,
    Crop,
    Fill,
    FillMax,
    Max,
    Min,
    Scale,
}

/// One side: pixels, or a share of the picture's.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Side {
    Pixels(u32),
    Share(f64),
}

/// What `mask` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mask {
    Ellipse,
    Corners,
}

/// What a URL of imgix asks for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    width: Option<Side>,
    height: Option<Side>,
    least: (Option<u32>, Option<u32>),
    most: (Option<u32>, Option<u32>),
    ratio: Option<(f64, f64)>,
    dpr: Option<f64>,
    fit: Fit,
    fill_color: Option<Color>,
    focal: Option<(f64, f64)>,
    rect: Option<[String; 4]>,
    mask: Option<Mask>,
    native: Native,
}

/// Reads a path after `/imgix/`, still percent-encoded, and the query.
///
/// # Errors
/// The refusal names the parameter to blame.
pub fn parse(path: &str, query: &str) -> std::result::Result<Request, DialectError> {
    let id = image_id(&percent_decoded(path)?)?;
    let given = Given::read(query)?;
    let mut options = Options::default();
    options.read_size(&given)?;
    options.read_crop(&given)?;
    options.read_turn(&given)?;
    options.read_look(&given)?;
    options.read_frame_and_mask(&given)?;
    options.read_mark(&given)?;
    options.read_text(&given)?;
    options.read_format(&given)?;
    given.refuse_the_rest()?;
    Ok(Request { id, wish: Wish::Imgix(Box::new(options)) })
}

/// The parameters by their names, and which of them were looked at.
struct Given {
    values: BTreeMap<String, String>,
    seen: std::cell::RefCell<Vec<&'static str>>,
}

impl Given {
    fn read(query: &str) -> Result<Self> {
        let mut values = BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (percent_decoded(name)?, percent_decoded(&value.replace('+', " "))?);
            let (name, value) = match name.strip_suffix("64") {
                Some(name) => match base64_decoded(&value) {
                    Some(value) => (name.to_owned(), value),
                    None => return Err(invalid(&format!("{name}64"), "is not base64")),
                },
                None => (name, value),
            };
            let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| (*name).to_owned());
            if values.insert(name.clone(), value).is_some() {
                return Err(invalid(&name, "is given more than once"));
            }
        }
        Ok(Self { values, seen: Vec::new().into() })
    }

    /// The value of a parameter that is known here.
    fn get(&self, name: &'static str) -> Option<&str> {
        self.seen.borrow_mut().push(name);
        self.values.get(name).map(String::as_str)
    }

    /// The value through `read`.
    fn map<T>(&self, name: &'static str, read: impl Fn(&str, &str) -> Result<T>) -> Result<Option<T>> {
        self.get(name).map(|value| read(name, value)).transpose()
    }

    fn refuse_the_rest(&self) -> Result<()> {
        let seen = self.seen.borrow();
        let is_known = |name: &&String| seen.contains(&name.as_str()) || WITHOUT_EFFECT.contains(&name.as_str());
        let Some(name) = self.values.keys().find(|name| !is_known(name)) else { return Ok(()) };
        let is_of_family = |known: &str| known == name || (known.ends_with('-') && name.starts_with(known));
        Err(match UNSUPPORTED.iter().find(|(known, _)| is_of_family(known)) {
            Some((_, reason)) => unsupported(name, *reason),
            None => invalid(name, "unknown parameter"),
        })
    }
}

impl Options {
    fn read_size(&mut self, given: &Given) -> Result<()> {
        self.width = given.map("w", side)?;
        self.height = given.map("h", side)?;
        let pixels = |name: &str, text: &str| whole_in(name, text, 1, 8_192);
        self.least = (given.map("min-w", pixels)?, given.map("min-h", pixels)?);
        self.most = (given.map("max-w", pixels)?, given.map("max-h", pixels)?);
        self.dpr = given.map("dpr", |name, text| decimal_in(name, text, 0.1, 5.0))?;
        self.ratio = given.map("ar", |name, text| {
            let (width, height) = text.split_once(':').ok_or_else(|| invalid(name, "is width:height"))?;
            Ok((decimal_in(name, width, 0.01, 10_000.0)?, decimal_in(name, height, 0.01, 10_000.0)?))
        })?;
        self.fit = given.map("fit", fit)?.unwrap_or_default();
        if self.fit != Fit::Crop {
            let names = ["ar", "min-w", "min-h", "max-w", "max-h"];
            if let Some(name) = names.iter().find(|name| given.get(name).is_some()) {
                return Err(invalid(name, "means nothing without fit=crop"));
            }
        }
        Ok(())
    }

    fn read_crop(&mut self, given: &Given) -> Result<()> {
        self.rect = given.map("rect", |name, text| {
            let sides: Vec<String> = text.split(',').map(|side| side.trim().to_owned()).collect();
            sides.try_into().map_err(|_| invalid(name, "is x,y,width,height"))
        })?;
        let point = |name: &str, text: &str| decimal_in(name, text, 0.0, 1.0);
        let (x, y) = (given.map("fp-x", point)?, given.map("fp-y", point)?);
        if let Some(zoom) = given.get("fp-z")
            && decimal("fp-z", zoom)? != 1.0
        {
            return Err(unsupported("fp-z", "the focal point is kept in the picture, not zoomed to"));
        }
        let crop = given.get("crop").unwrap_or_default();
        if crop.split(',').any(|word| word == "focalpoint") {
            self.focal = Some((x.unwrap_or(0.5), y.unwrap_or(0.5)));
        }
        self.native.gravity = crop_gravity(crop)?;
        self.native.trim = match given.get("trim") {
            None => None,
            Some("auto" | "color") => Some(10),
            Some("alpha" | "colorunlessalpha") => {
                return Err(unsupported("trim", "margins are cut off by the colour of the upper left pixel"));
            }
            Some(other) => return Err(invalid("trim", format!("{other:?} is not auto or color"))),
        };
        if let Some(tolerance) = given.map("trim-tol", |name, text| decimal_in(name, text, 0.0, 255.0))? {
            let trim = self.native.trim.as_mut().ok_or_else(|| invalid("trim-tol", "means nothing without trim"))?;
            *trim = (tolerance.round() as u8).max(1);
        }
        Ok(())
    }

    fn read_turn(&mut self, given: &Given) -> Result<()> {
        let turn = Turn::default();
        let turn = match given.get("orient") {
            None | Some("0" | "1") => turn,
            Some("2") => turn.then_flipped(true, false),
            Some("3" | "180") => turn.then_turned(2),
            Some("4") => turn.then_flipped(false, true),
            Some("5") => turn.then_turned(1).then_flipped(true, false),
            Some("6" | "90") => turn.then_turned(1),
            Some("7") => turn.then_turned(3).then_flipped(true, false),
            Some("8" | "270") => turn.then_turned(3),
            Some(other) => return Err(invalid("orient", format!("{other:?} is not an orientation"))),
        };
        let turn = match given.get("flip") {
            None => turn,
            Some("h") => turn.then_flipped(true, false),
            Some("v") => turn.then_flipped(false, true),
            Some("hv" | "vh") => turn.then_flipped(true, true),
            Some(other) => return Err(invalid("flip", format!("{other:?} is not h, v or hv"))),
        };
        let degrees = given.map("rot", |name, text| decimal_in(name, text, 0.0, 360.0))?.unwrap_or(0.0);
        self.native.turn = match degrees {
            0.0 | 360.0 => turn,
            180.0 => turn.then_turned(2),
            _ => return Err(unsupported("rot", "turns inside of the frame; orient turns by quarters, frame and all")),
        };
        Ok(())
    }

    fn read_look(&mut self, given: &Given) -> Result<()> {
        let percent = |name: &str, text: &str| decimal_in(name, text, -100.0, 100.0);
        let factor = |name| Ok(given.map(name, percent)?.map(|percent| hundredths(1.0 + percent / 100.0)));
        self.native.brightness = factor("bri")?;
        self.native.contrast = factor("con")?;
        self.native.saturation = factor("sat")?;
        // Twice as strong at 100, half as strong at -100.
        let gamma = given.map("gam", percent)?.map(|percent| match percent {
            percent if percent < 0.0 => hundredths(1.0 / (1.0 - percent / 100.0)),
            percent => hundredths(1.0 + percent / 100.0),
        });
        self.native.gamma = gamma;
        let sigma = |name, most: f64, per_pixel: f64| {
            let strength = given.map(name, |name, text| decimal_in(name, text, 0.0, most))?;
            Ok(strength.filter(|n| *n > 0.0).map(|n| hundredths(n / per_pixel).max(30)))
        };
        self.native.blur = sigma("blur", 2_000.0, 20.0)?;
        self.native.sharpen = sigma("sharp", 100.0, 10.0)?;
        let tint = given.map("monochrome", |name, text| color(name, text, Alpha::First))?;
        self.native.tint = tint.map(|color| color.rgb);
        match given.get("cs") {
            None | Some("srgb" | "tinysrgb" | "strip") => Ok(()),
            Some(_) => Err(unsupported("cs", "colours are always sRGB")),
        }
    }

    fn read_frame_and_mask(&mut self, given: &Given) -> Result<()> {
        let pixels = |name: &str, text: &str| whole_in(name, text, 0, 8_192);
        let all = given.map("pad", pixels)?.unwrap_or(0);
        let side = |name| Ok(given.map(name, pixels)?.unwrap_or(all));
        self.native.pad = [side("pad-top")?, side("pad-right")?, side("pad-bottom")?, side("pad-left")?];
        self.native.background = given.map("bg", |name, text| color(name, text, Alpha::First))?;
        self.fill_color = given.map("fill-color", |name, text| color(name, text, Alpha::First))?;
        match given.get("fill") {
            None | Some("solid") => {}
            Some(_) => return Err(unsupported("fill", "what is left free is filled with one colour")),
        }
        self.mask = match given.get("mask") {
            None => None,
            Some("ellipse") => Some(Mask::Ellipse),
            Some("corners") => Some(Mask::Corners),
            Some(_) => return Err(unsupported("mask", "is ellipse or corners, and no image")),
        };
        let radius = given.map("corner-radius", |name, text| {
            let mut corners = text.split(',').map(|corner| whole_in(name, corner.trim(), 0, 8_192));
            let first = corners.next().unwrap_or(Ok(0))?;
            for corner in corners {
                if corner? != first {
                    return Err(unsupported(name, "is the same in all corners"));
                }
            }
            Ok(first)
        })?;
        match (self.mask, radius) {
            (Some(Mask::Corners), radius) => self.native.radius = Some(Radius::Pixels(radius.unwrap_or(10))),
            (_, Some(_)) => return Err(invalid("corner-radius", "means nothing without mask=corners")),
            _ => {}
        }
        let behind = given.map("mask-bg", |name, text| color(name, text, Alpha::First))?;
        if let Some(behind) = behind.filter(|_| self.mask.is_some()) {
            self.background("mask-bg", behind)?;
        }
        Ok(())
    }

    /// The one background there is.
    fn background(&mut self, name: &str, color: Color) -> Result<()> {
        if self.native.background.is_some_and(|background| background != color) {
            return Err(unsupported(name, "there is one background: this colour and another one is given"));
        }
        self.native.background = Some(color);
        Ok(())
    }

    fn read_mark(&mut self, given: &Given) -> Result<()> {
        let align = given.map("mark-align", align)?.unwrap_or(Gravity::Share(10_000, 10_000));
        let opacity = given.map("mark-alpha", |name, text| whole_in(name, text, 0, 100))?.unwrap_or(100);
        let pad = given.map("mark-pad", |name, text| whole_in(name, text, 0, 8_192))?.unwrap_or(5);
        let scale = given.map("mark-scale", |name, text| whole_in(name, text, 1, 100))?;
        let width = given.map("mark-w", |name, text| match side(name, text)? {
            Side::Share(share) => Ok(((share * 100.0).round() as u32).clamp(1, 100)),
            Side::Pixels(_) => Err(unsupported(name, "is a share of the width, from 0 to 1")),
        })?;
        let is_tiled = match given.get("mark-tile") {
            None => false,
            Some("grid") => true,
            Some(other) => return Err(invalid("mark-tile", format!("{other:?} is not grid"))),
        };
        let Some(mark) = given.get("mark") else { return Ok(()) };
        let id = image_id(mark).map_err(|_| invalid("mark", "is not the id of an image"))?;
        let Some(scale) = width.or(scale) else {
            return Err(unsupported("mark", "needs mark-scale or mark-w: its size is a share of the width"));
        };
        let gravity = Some(align).filter(|_| !is_tiled);
        self.native.watermark = Some(Watermark { id, gravity, opacity, scale, pad }).filter(|_| opacity > 0);
        Ok(())
    }

    fn read_text(&mut self, given: &Given) -> Result<()> {
        let gravity = given.map("txt-align", align)?.unwrap_or(Gravity::Share(0, 10_000));
        let size = given.map("txt-size", |name, text| whole_in(name, text, 1, 2_000))?.unwrap_or(12);
        let color = given.map("txt-color", |name, text| color(name, text, Alpha::None))?.unwrap_or(Color::BLACK);
        let pad = given.map("txt-pad", |name, text| whole_in(name, text, 0, 8_192))?.unwrap_or(10);
        let font = given.map("txt-font", font)?.unwrap_or("sans");
        let Some(text) = given.get("txt").filter(|text| !text.is_empty()) else { return Ok(()) };
        if text.len() > 120 {
            return Err(unsupported("txt", "is at most 120 bytes long"));
        }
        self.native.text = Some(Text { encoded: base64_encoded(text), gravity, size, color, font, pad });
        Ok(())
    }

    fn read_format(&mut self, given: &Given) -> Result<()> {
        let quality = given.map("q", |name, text| whole_in(name, text, 0, 100))?;
        self.native.quality = quality.map(|quality| Quality::Percent((quality as u8).max(1)));
        let is_progressive = given.map("jpg-progressive", switch)?;
        self.native.colors = given.map("colorquant", |name, text| whole_in(name, text, 2, 256))?;
        self.native.is_lossless = given.map("lossless", switch)?.unwrap_or(false);
        if let Some(format) = given.get("fm") {
            self.read_fm(format, is_progressive)?;
        }
        if given.get("frame") == Some("1") {
            self.native.is_still = true;
        } else if given.get("frame").is_some() {
            return Err(unsupported("frame", "of an animation there is the whole, or with frame=1 the first"));
        }
        match given.get("chromasub") {
            None | Some("420") => {}
            Some(_) => return Err(unsupported("chromasub", "is always 420")),
        }
        for word in given.get("auto").unwrap_or_default().split(',').filter(|word| !word.is_empty()) {
            match word {
                // The format asked for is for those browsers that take no better one.
                "format" | "true" => {
                    self.native.format = Some(Format::Auto);
                    self.native.is_progressive = false;
                }
                "compress" => self.native.quality = self.native.quality.or(Some(Quality::Auto)),
                "enhance" | "redeye" => return Err(unsupported("auto", format!("{word} is not offered"))),
                word => return Err(invalid("auto", format!("{word:?} is not known"))),
            }
        }
        if self.native.colors.is_some() && self.native.format != Some(Format::Png) {
            return Err(unsupported("colorquant", "needs fm=png"));
        }
        if self.native.is_lossless && self.native.format != Some(Format::WebP) {
            return Err(invalid("lossless", "means nothing without fm=webp"));
        }
        Ok(())
    }

    fn read_fm(&mut self, name: &str, is_progressive: Option<bool>) -> Result<()> {
        self.native.format = Some(match name {
            "pjpg" => Format::Jpeg,
            "png8" | "png32" => Format::Png,
            "jp2" | "jxr" | "json" | "mp4" | "webm" | "blurhash" => {
                return Err(unsupported("fm", format!("{name} is not written here")));
            }
            name => Format::from_name(name).ok_or_else(|| invalid("fm", format!("{name:?} is not an image format")))?,
        });
        let is_jpeg = self.native.format == Some(Format::Jpeg);
        self.native.is_progressive = is_jpeg && (is_progressive == Some(true) || name == "pjpg");
        if name == "png8" {
            self.native.colors = self.native.colors.or(Some(256));
        }
        Ok(())
    }

    /// The native text for a picture of `size`.
    pub(crate) fn lower(&self, size: Size) -> Result<String> {
        let mut native = self.native.clone();
        if self.native.trim.is_some() && self.needs_size() {
            return Err(unsupported("trim", "works with plain sizes only: the size is not known before"));
        }
        // A rectangle is one of the picture as it is turned.
        let turned = native.turn.size(size);
        let region = self.region(turned)?;
        if region != Rect::whole(turned) {
            native.crop = Some(native.turn.undone(region, turned));
        }
        let (frame, cut) = self.frame(region.size)?;
        if frame.fit == NativeFit::Contain {
            native.gravity = Gravity::CENTER;
            let fill = self.fill_color.or(native.background).unwrap_or(Color::WHITE);
            if native.background.is_some_and(|background| background != fill) {
                return Err(unsupported("fill-color", "there is one background: this colour and another one is given"));
            }
            native.background = Some(fill);
        }
        if let Some(point) = self.focal {
            native.gravity = around(point, cut.0, cut.1);
        }
        frame.write(&mut native);
        if self.mask == Some(Mask::Ellipse) {
            if cut.1.width != cut.1.height || self.native.trim.is_some() {
                return Err(unsupported("mask", "an ellipse is offered for results as wide as they are high"));
            }
            native.radius = Some(Radius::Max);
        }
        Ok(native.to_string())
    }

    /// Whether the size of the picture changes more than the result's.
    fn needs_size(&self) -> bool {
        let is_share = |side: Option<Side>| matches!(side, Some(Side::Share(_)));
        let has_both = self.width.is_some() && self.height.is_some();
        self.rect.is_some()
            || self.focal.is_some()
            || self.fit == Fit::Min
            || is_share(self.width)
            || is_share(self.height)
            || (self.least, self.most) != Default::default()
            || (self.ratio.is_some() && !has_both && self.width.is_none() && self.height.is_none())
    }

    /// The part that `rect` names, of the turned picture.
    fn region(&self, turned: Size) -> Result<Rect> {
        let Some([x, y, width, height]) = &self.rect else { return Ok(Rect::whole(turned)) };
        let length = |text: &str, whole: u32| {
            let length = decimal_in("rect", text, 0.0, 1e6)?;
            Ok(if length < 1.0 { length * f64::from(whole) } else { length })
        };
        let (width, height) = (length(width, turned.width)?, length(height, turned.height)?);
        let start = |text: &str, words: [&str; 3], length: f64, whole: u32| {
            let room = (f64::from(whole) - length).max(0.0);
            match words.iter().position(|word| *word == text) {
                Some(word_idx) => Ok((room * word_idx as f64 / 2.0).round()),
                None => {
                    let start = decimal_in("rect", text, 0.0, 1e6)?;
                    Ok(if start < 1.0 { start * f64::from(whole) } else { start })
                }
            }
        };
        let left = start(x, ["left", "center", "right"], width, turned.width)?;
        let top = start(y, ["top", "middle", "bottom"], height, turned.height)?;
        Rect::between(left, top, left + width, top + height, turned)
            .ok_or_else(|| invalid("rect", "lies outside of the picture"))
    }

    /// The box, and for it the size that the picture is scaled to and what is kept of that.
    fn frame(&self, region: Size) -> Result<(Frame, (Size, Size))> {
        let dpr = self.dpr.unwrap_or(1.0);
        let side = |side: Option<Side>, whole: u32| {
            let pixels = match side? {
                Side::Pixels(pixels) => f64::from(pixels) * dpr,
                Side::Share(share) => f64::from(whole) * share * dpr,
            };
            Some((pixels.round() as u32).max(1))
        };
        let (mut width, mut height) = (side(self.width, region.width), side(self.height, region.height));
        if let Some(ratio) = self.ratio {
            let along = |side: u32, factor: f64| ((f64::from(side) * factor).round() as u32).max(1);
            (width, height) = match (width, height) {
                (Some(width), None) => (Some(width), Some(along(width, ratio.1 / ratio.0))),
                (None, Some(height)) => (Some(along(height, ratio.0 / ratio.1)), Some(height)),
                (None, None) => {
                    let size = largest_with_ratio(region, ratio);
                    (Some(size.width), Some(size.height))
                }
                both => both,
            };
        }
        (width, height) = self.bounded(width, height, region);
        let (mut fit, enlarge) = match self.fit {
            Fit::Clip => (NativeFit::Inside, true),
            Fit::Max => (NativeFit::Inside, false),
            Fit::Crop => (NativeFit::Cover, true),
            Fit::Min => (NativeFit::Cover, false),
            Fit::Fill => (NativeFit::Contain, true),
            Fit::FillMax => (NativeFit::Contain, false),
            Fit::Scale => (NativeFit::Fill, true),
        };
        if let (Fit::Min, Some(w), Some(h)) = (self.fit, width, height)
            && (w > region.width || h > region.height)
        {
            let size = largest_with_ratio(region, (w.into(), h.into()));
            (width, height) = (Some(size.width), Some(size.height));
        }
        if width.is_none() || height.is_none() {
            fit = NativeFit::Inside;
        }
        (width, height) = self.without_padding(width, height)?;
        let frame = Frame::new(width, height, fit, enlarge);
        let layout = frame.layout(region);
        Ok((frame, (layout.scaled, layout.kept)))
    }

    /// The sides within `min-w` and its like.
    fn bounded(&self, width: Option<u32>, height: Option<u32>, region: Size) -> (Option<u32>, Option<u32>) {
        if (self.least, self.most) == Default::default() {
            return (width, height);
        }
        let within = |side: u32, least: Option<u32>, most: Option<u32>| {
            let side = most.map_or(side, |most| side.min(most));
            least.map_or(side, |least| side.max(least))
        };
        let width = width.map(|width| within(width, self.least.0, self.most.0));
        let height = height.map(|height| within(height, self.least.1, self.most.1));
        // A side that follows from the other is cut off only where it leaves its bounds.
        let natural = Frame::new(width, height, NativeFit::Inside, true).layout(region).scaled;
        let bounded = |natural: u32, least, most| Some(within(natural, least, most)).filter(|side| *side != natural);
        let other_width = bounded(natural.width, self.least.0, self.most.0);
        let other_height = bounded(natural.height, self.least.1, self.most.1);
        (width.or(other_width), height.or(other_height))
    }

    /// The box less the padding, which lies inside of it.
    fn without_padding(&self, width: Option<u32>, height: Option<u32>) -> Result<(Option<u32>, Option<u32>)> {
        let [top, right, bottom, left] = self.native.pad;
        let less = |side: Option<u32>, padding: u32| match side {
            None => Ok(None),
            Some(side) if side > padding => Ok(Some(side - padding)),
            Some(_) => Err(invalid("pad", "leaves no room for the picture")),
        };
        Ok((less(width, left + right)?, less(height, top + bottom)?))
    }
}

/// Pixels, or below 1 with a point in it a share.
fn side(name: &str, text: &str) -> Result<Side> {
    if text.contains('.') {
        let share = decimal(name, text)?;
        if share > 0.0 && share <= 1.0 {
            return Ok(Side::Share(share));
        }
        return Err(invalid(name, format!("{text:?} is neither a number of pixels nor a share from 0 to 1")));
    }
    Ok(Side::Pixels(whole_in(name, text, 1, 8_192)?))
}

fn fit(name: &str, text: &str) -> Result<Fit> {
    match text {
        "clip" => Ok(Fit::Clip),
        "crop" => Ok(Fit::Crop),
        "fill" => Ok(Fit::Fill),
        "fillmax" => Ok(Fit::FillMax),
        "max" => Ok(Fit::Max),
        "min" => Ok(Fit::Min),
        "scale" => Ok(Fit::Scale),
        "clamp" => Err(unsupported(name, "edges are not drawn out; ask for fill")),
        text if text.starts_with("facearea") => Err(unsupported(name, FACES)),
        _ => Err(invalid(name, format!("{text:?} is not a fit"))),
    }
}

/// `crop`: the first word that looks into the picture, or the edges to keep.
fn crop_gravity(text: &str) -> Result<Gravity> {
    let (mut x, mut y) = (5_000, 5_000);
    let mut smart = None;
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word {
            "left" => x = 0,
            "right" => x = 10_000,
            "top" => y = 0,
            "bottom" => y = 10_000,
            "faces" => smart = smart.or(Some(Gravity::Faces)),
            "entropy" => smart = smart.or(Some(Gravity::Entropy)),
            "edges" => smart = smart.or(Some(Gravity::Auto)),
            "focalpoint" => {}
            word => return Err(invalid("crop", format!("{word:?} is not known"))),
        }
    }
    Ok(smart.unwrap_or(Gravity::Share(x, y)))
}

/// `top,left` and the like.
fn align(name: &str, text: &str) -> Result<Gravity> {
    let (mut x, mut y) = (5_000, 5_000);
    for word in text.split(',').map(str::trim) {
        match word {
            "left" => x = 0,
            "right" => x = 10_000,
            "top" => y = 0,
            "bottom" => y = 10_000,
            "center" | "middle" => {}
            word => return Err(invalid(name, format!("{word:?} is not an alignment"))),
        }
    }
    Ok(Gravity::Share(x, y))
}

/// Of the families there are here; not of names of fonts.
fn font(name: &str, text: &str) -> Result<&'static str> {
    match text {
        "sans-serif" | "sans" | "system-ui" => Ok("sans"),
        "serif" => Ok("serif"),
        "monospace" | "mono" => Ok("mono"),
        _ => Err(unsupported(name, "the fonts are sans-serif, serif and monospace, plain")),
    }
}
