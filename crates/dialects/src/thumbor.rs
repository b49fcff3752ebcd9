//! Thumbor, and imagor, which speaks the same language with additions:
//! `/{signature}/trim/AxB:CxD/fit-in/-ExF/left/top/smart/filters:name(arguments):…/{id}`.

use crate::error::{DialectError, Result, invalid, malformed, unsupported};
use crate::layout::{Frame, around};
use crate::native::{Fit, Format, Gravity, Native, Quality, Radius, Rect, Size, Turn, Watermark};
use crate::source::{base64_decoded, image_id, percent_decoded};
use crate::values::{Alpha, Color, color, decimal, decimal_in, hundredths, switch, whole, whole_in};
use crate::{Request, Wish, no_query};

/// Filters that nothing here does, with the reason.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("autojpg", "ask for format(jpeg)"),
    ("attachment", "pictures are shown, not offered for download"),
    ("avgcolor", IN_THE_RECORD),
    ("blurhash", IN_THE_RECORD),
    ("colorize", NOT_OFFERED),
    ("convolution", NOT_OFFERED),
    ("crop", "cutting after resizing is not offered; give the crop AxB:CxD"),
    ("curve", NOT_OFFERED),
    ("distributed_collage", NOT_OFFERED),
    ("dpi", "there are no vector sources"),
    ("draw_detections", NOT_OFFERED),
    ("equalize", NOT_OFFERED),
    ("expire", "URLs do not expire here"),
    ("extract_focal", "sources are images by id, not URLs to look into"),
    ("fallback_format", "the format of the source is not known from the URL"),
    ("frame", NOT_OFFERED),
    ("hue", NOT_OFFERED),
    ("image", "nested pictures are not offered; watermark() lays one image on another"),
    ("invert", NOT_OFFERED),
    ("label", NOT_OFFERED),
    ("max_age", "every answer may be cached for ever, because what is under a URL never changes"),
    ("max_frames", "an animation is kept whole, or with max_frames(1) becomes its first frame"),
    ("modulate", "ask for brightness() and saturation()"),
    ("noise", NOT_OFFERED),
    ("padding", "give the padding GxH:IxJ of the path"),
    ("page", "of an animation there is the whole or the first frame"),
    ("pixelate", NOT_OFFERED),
    ("red_eye", NOT_OFFERED),
    ("redact", NOT_OFFERED),
    ("redact_oval", NOT_OFFERED),
    ("rgb", NOT_OFFERED),
    ("text", "words are not offered in this dialect"),
    ("thumbhash", IN_THE_RECORD),
    ("to_colorspace", "colours are always sRGB"),
    ("trim", "give the trim of the path"),
];

const NOT_OFFERED: &str = "this filter is not offered";
const IN_THE_RECORD: &str = "facts about an image are in its record, not in a picture of it";

/// How the picture meets the box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mode {
    #[default]
    Crop,
    FitIn,
    FullFitIn,
    Stretch,
}

/// One side of the box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Side {
    /// Follows from the other.
    #[default]
    Auto,
    /// The picture's own.
    Original,
    Pixels(u32),
}

/// What a URL of Thumbor or imagor asks for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// Left, top, right, bottom: pixels, or fractions if all are at most 1.
    crop: Option<[f64; 4]>,
    mode: Mode,
    is_adaptive: bool,
    width: Side,
    height: Side,
    flip: (bool, bool),
    align: (Option<u16>, Option<u16>),
    is_smart: bool,
    /// Corners of the region to keep, or one point twice.
    focal: Option<[f64; 4]>,
    fill: Option<Color>,
    /// Whether a filter says that small pictures are enlarged, or are not.
    upscale: Option<bool>,
    /// A fraction of the result so far.
    proportion: Option<f64>,
    /// Quarter turns clockwise, before anything else and at the end.
    orient: u8,
    rotate: u8,
    is_raw: bool,
    native: Native,
}

/// Reads a path after `/thumbor/`, still percent-encoded.
///
/// # Errors
/// The refusal names the part or filter to blame.
pub fn parse(path: &str, query: &str) -> std::result::Result<Request, DialectError> {
    no_query(query)?;
    let (signature, rest) = path.split_once('/').unwrap_or((path, ""));
    if signature.is_empty() {
        return Err(malformed("the signature is missing; without one it is the word unsafe"));
    }
    let mut parts = Parts { rest };
    let mut options = Options::default();
    options.read_path(&mut parts)?;
    let rest = percent_decoded(parts.rest)?;
    let source = match rest.strip_prefix("filters:") {
        Some(filters) => options.read_filters(filters)?,
        None => &rest,
    };
    if source.starts_with("color:") {
        return Err(unsupported("color", "pictures are made from images only"));
    }
    let id = match source.strip_prefix("b64:") {
        Some(encoded) => base64_decoded(encoded).ok_or_else(|| malformed("the source is not base64"))?,
        None => source.to_owned(),
    };
    Ok(Request { id: image_id(&id)?, wish: Wish::Thumbor(Box::new(options)) })
}

/// The path, part by part.
struct Parts<'a> {
    rest: &'a str,
}

impl<'a> Parts<'a> {
    /// What `read` makes of the next part, which is then read; `None`, and nothing read, if it makes nothing of it.
    fn next<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let (part, rest) = self.rest.split_once('/')?;
        let decoded = percent_decoded(part).ok()?;
        let value = read(&decoded)?;
        self.rest = rest;
        Some(value)
    }

    fn next_is(&mut self, word: &str) -> bool {
        self.next(|part| (part == word).then_some(())).is_some()
    }
}

impl Options {
    fn read_path(&mut self, parts: &mut Parts) -> Result<()> {
        for word in ["meta", "debug", "params"] {
            if parts.next_is(word) {
                return Err(unsupported(word, "pictures only; what is known of an image is in its record"));
            }
        }
        if let Some(trim) = parts.next(|part| (part == "trim" || part.starts_with("trim:")).then(|| part.to_owned())) {
            self.native.trim = Some(trim_threshold(&trim)?);
        }
        self.crop = parts.next(corners).filter(|edges| edges.iter().any(|edge| *edge > 0.0));
        let fit_in = parts.next(|part| {
            let (is_adaptive, part) = part.strip_prefix("adaptive-").map_or((false, part), |part| (true, part));
            match part {
                "fit-in" => Some((Mode::FitIn, is_adaptive)),
                "full-fit-in" => Some((Mode::FullFitIn, is_adaptive)),
                _ => None,
            }
        });
        (self.mode, self.is_adaptive) = fit_in.unwrap_or_default();
        if parts.next_is("stretch") {
            self.mode = Mode::Stretch;
        }
        if let Some((width, height, flip)) = parts.next(sides) {
            (self.width, self.height, self.flip) = (width, height, flip);
            if let Some(pad) = parts.next(padding) {
                self.native.pad = pad;
            }
        }
        let words = |words: [(&'static str, u16); 3]| {
            move |part: &str| words.iter().find(|(word, _)| *word == part).map(|(_, share)| *share)
        };
        self.align.0 = parts.next(words([("left", 0), ("center", 5_000), ("right", 10_000)]));
        self.align.1 = parts.next(words([("top", 0), ("middle", 5_000), ("bottom", 10_000)]));
        self.is_smart = parts.next_is("smart");
        Ok(())
    }

    /// Reads `name(arguments):name(arguments)/` and gives what follows.
    fn read_filters<'a>(&mut self, text: &'a str) -> Result<&'a str> {
        let mut rest = text;
        loop {
            let (name, after) =
                rest.split_once('(').ok_or_else(|| invalid("filters", "a filter is name(arguments)"))?;
            let end = closing(after).ok_or_else(|| invalid("filters", "a parenthesis is not closed"))?;
            let (arguments, after) = (&after[..end], &after[end + 1..]);
            self.read_filter(name, arguments)?;
            match after.split_at_checked(1) {
                Some((":", next)) => rest = next,
                Some(("/", source)) => return Ok(source),
                _ => return Err(invalid("filters", "filters are followed by a slash and the source")),
            }
        }
    }

    fn read_filter(&mut self, name: &str, arguments: &str) -> Result<()> {
        let all: Vec<&str> = arguments.split(',').map(str::trim).collect();
        let first = all[0];
        if most_arguments(name).is_some_and(|most| all.len() > most.max(1) || (most == 0 && !first.is_empty())) {
            return Err(invalid(name, "has more arguments than it takes"));
        }
        if self.read_color_filter(name, &all)? || self.read_encoding_filter(name, &all)? {
            return Ok(());
        }
        match name {
            "upscale" => self.upscale = Some(true),
            "no_upscale" => self.upscale = Some(false),
            "stretch" => self.mode = Mode::Stretch,
            "focal" => self.focal = Some(focal(arguments)?),
            "proportion" => {
                let proportion = decimal_in(name, first, 0.0, 100.0)?;
                let proportion = if proportion > 1.0 { proportion / 100.0 } else { proportion };
                self.proportion = Some(proportion).filter(|proportion| *proportion > 0.0);
            }
            "rotate" => self.rotate = quarters(name, first)?,
            "orient" => self.orient = quarters(name, first)?,
            "round_corner" => self.read_round_corner(&all)?,
            "watermark" => self.native.watermark = watermark(&all)?,
            "raw" => self.is_raw = true,
            // Documented as without effect: only pixels are sent, in sRGB, and every result is stored.
            "strip_exif" | "strip_icc" | "strip_metadata" | "preview" => {}
            "to_colorspace" if ["", "srgb"].contains(&first) => {}
            _ => {
                return Err(match UNSUPPORTED.iter().find(|(filter, _)| *filter == name) {
                    Some((_, reason)) => unsupported(name, *reason),
                    None => invalid(name, "unknown filter"),
                });
            }
        }
        Ok(())
    }

    fn read_color_filter(&mut self, name: &str, all: &[&str]) -> Result<bool> {
        let first = all[0];
        match name {
            "background_color" => self.native.background = Some(color(name, first, Alpha::None)?),
            "fill" => {
                self.fill = Some(match first {
                    "blur" | "auto" => return Err(unsupported(name, "fills with one colour, which has to be given")),
                    "none" => Color::CLEAR,
                    first => color(name, first, Alpha::None)?,
                });
            }
            "grayscale" => self.native.grayscale = true,
            "brightness" => {
                self.native.brightness = Some(hundredths(1.0 + decimal_in(name, first, -100.0, 100.0)? / 100.0));
            }
            "contrast" => {
                let factor = 1.0 + decimal_in(name, first, -100.0, 100.0)? / 100.0;
                self.native.contrast = Some(hundredths(factor * factor));
            }
            // A factor in Thumbor, written with a point; a percentage in imagor.
            "saturation" => {
                let factor = if first.contains('.') {
                    decimal_in(name, first, 0.0, 4.0)?
                } else {
                    1.0 + decimal_in(name, first, -100.0, 300.0)? / 100.0
                };
                self.native.saturation = Some(hundredths(factor));
            }
            "blur" => {
                let radius = decimal_in(name, first, 0.0, 150.0)?;
                let given = all.get(1).map_or(Ok(0.0), |text| decimal_in(name, text, 0.0, 150.0))?;
                self.native.blur = sigma(if given > 0.0 { given } else { radius }, 100.0);
            }
            "sharpen" => {
                let amount = decimal_in(name, first, 0.0, 100.0)?;
                let radius = all.get(1).map_or(Ok(amount), |text| decimal_in(name, text, 0.0, 100.0))?;
                self.native.sharpen = sigma(radius, 10.0).filter(|_| amount > 0.0);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn read_encoding_filter(&mut self, name: &str, all: &[&str]) -> Result<bool> {
        let first = all[0];
        match name {
            "format" => {
                self.native.format = Some(match Format::from_name(first) {
                    Some(format) => format,
                    None if ["jxl", "tiff", "jp2", "heif", "heic", "mp4", "webm", "pdf", "svg"].contains(&first) => {
                        return Err(unsupported(name, format!("{first} is not written here")));
                    }
                    None => return Err(invalid(name, format!("{first:?} is not an image format"))),
                });
            }
            "quality" => self.native.quality = Some(Quality::Percent(whole_in(name, first, 1, 100)? as u8)),
            "max_bytes" => self.native.max_bytes = Some(whole(name, first)?).filter(|bytes| *bytes > 0),
            "lossless" => self.native.is_lossless = true,
            "cover" => self.native.is_still = true,
            "max_frames" if first == "1" => self.native.is_still = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Thumbor: `radius|radius,red,green,blue,transparent`; imagor: `radius,radius,colour`.
    fn read_round_corner(&mut self, all: &[&str]) -> Result<()> {
        let name = "round_corner";
        let (x, y) = all[0].split_once('|').unwrap_or((all[0], all[0]));
        let is_thumbor = all.len() >= 4;
        let y = all.get(1).filter(|_| !is_thumbor).unwrap_or(&y);
        let (x, y) = (whole(name, x)?, whole(name, y)?);
        if x != y {
            return Err(unsupported(name, "corners are parts of circles: one radius"));
        }
        self.native.radius = Some(Radius::Pixels(x));
        let behind = match all {
            [_, _, text] => Some(color(name, text, Alpha::None)?),
            [_, red, green, blue, transparent @ ..] => {
                let channel = |text: &str| whole_in(name, text, 0, 255).map(|channel| channel as u8);
                let is_clear = transparent.first().map_or(Ok(false), |text| switch(name, text))?;
                let behind = Color::opaque([channel(red)?, channel(green)?, channel(blue)?]);
                Some(behind).filter(|_| !is_clear)
            }
            _ => None,
        };
        self.native.background = self.native.background.or(behind);
        if behind.is_some() && self.native.background != behind {
            return Err(unsupported(name, "there is one background: this colour and another one is given"));
        }
        Ok(())
    }

    /// The native text for a picture of `size`.
    pub(crate) fn lower(&self, size: Size) -> Result<String> {
        if self.is_raw {
            return Ok("original".to_owned());
        }
        let mut native = self.native.clone();
        if native.is_lossless && native.format != Some(Format::WebP) {
            if native.format.is_none() {
                return Err(unsupported("lossless", "needs format(webp)"));
            }
            native.is_lossless = false;
        }
        self.check_trim()?;
        native.turn = Turn::default().then_turned(self.orient);
        let oriented = native.turn.size(size);
        let region = self.region(oriented)?;
        if region != Rect::whole(oriented) {
            native.crop = Some(native.turn.undone(region, oriented));
        }
        let flip = self.flip;
        let after = Turn::default().then_flipped(flip.0, flip.1).then_turned(self.rotate);
        native.turn = native.turn.then_flipped(flip.0, flip.1).then_turned(self.rotate);
        let mut frame = self.frame(region.size);
        native.gravity = self.gravity(oriented, region, frame);
        if let Some(proportion) = self.proportion {
            frame = reduced(frame, region.size, proportion);
        }
        if after.swaps_sides() {
            (frame.width, frame.height) = (frame.height, frame.width);
        }
        native.gravity = after.gravity(native.gravity);
        frame.write(&mut native);
        native.pad = turned_padding(native.pad, after);
        if let Some(fill) = self.fill {
            if native.background.is_some_and(|background| background != fill) {
                return Err(unsupported("fill", "there is one background: this colour and another one is given"));
            }
            native.background = Some(fill);
        }
        Ok(native.to_string())
    }

    /// Refuses what needs the size of the picture when that is only known after its margins are cut off.
    fn check_trim(&self) -> Result<()> {
        let needs_size = self.crop.is_some()
            || self.is_adaptive
            || self.focal.is_some()
            || self.proportion.is_some()
            || self.width == Side::Original
            || self.height == Side::Original;
        if self.native.trim.is_some() && needs_size {
            let detail = "works without crop, focal, proportion, orig and adaptive: the size is not known before";
            return Err(unsupported("trim", detail));
        }
        Ok(())
    }

    fn region(&self, picture: Size) -> Result<Rect> {
        let Some(edges) = self.crop else { return Ok(Rect::whole(picture)) };
        let [left, top, right, bottom] = in_pixels(edges, picture);
        let right = if right == 0.0 { f64::from(picture.width) } else { right };
        let bottom = if bottom == 0.0 { f64::from(picture.height) } else { bottom };
        // Both products leave the picture whole if nothing would remain of it.
        Ok(Rect::between(left, top, right, bottom, picture).unwrap_or(Rect::whole(picture)))
    }

    /// The box before the last turn.
    fn frame(&self, region: Size) -> Frame {
        let side = |side: Side, original: u32| match side {
            Side::Auto => None,
            Side::Original => Some(original),
            Side::Pixels(pixels) => Some(pixels),
        };
        let (mut width, mut height) = (side(self.width, region.width), side(self.height, region.height));
        let is_wide = |width: u32, height: u32| width > height;
        if let (true, Some(w), Some(h)) = (self.is_adaptive, width, height) {
            let is_square = region.width == region.height || w == h;
            if !is_square && is_wide(region.width, region.height) != is_wide(w, h) {
                (width, height) = (height, width);
            }
        }
        let (fit, enlarges) = match self.mode {
            Mode::Crop => (Fit::Cover, true),
            Mode::FitIn if self.fill.is_some() => (Fit::Contain, false),
            Mode::FitIn => (Fit::Inside, false),
            Mode::FullFitIn => (Fit::Outside, true),
            Mode::Stretch => (Fit::Fill, true),
        };
        Frame::new(width, height, fit, self.upscale.unwrap_or(enlarges))
    }

    /// Where the box cuts, before the last turn.
    fn gravity(&self, picture: Size, region: Rect, frame: Frame) -> Gravity {
        if frame.fit != Fit::Cover {
            return Gravity::CENTER;
        }
        if let Some(edges) = self.focal {
            let [left, top, right, bottom] = in_pixels(edges, picture);
            let x = ((left + right) / 2.0 - f64::from(region.x)) / f64::from(region.size.width);
            let y = ((top + bottom) / 2.0 - f64::from(region.y)) / f64::from(region.size.height);
            let layout = frame.layout(region.size);
            return around((x, y), layout.scaled, layout.kept);
        }
        if self.is_smart {
            return Gravity::Auto;
        }
        Gravity::Share(self.align.0.unwrap_or(5_000), self.align.1.unwrap_or(5_000))
    }
}

/// The frame of a result that is made smaller once more.
fn reduced(frame: Frame, region: Size, proportion: f64) -> Frame {
    let kept = frame.layout(region).kept;
    let side = |side: u32| Some(((f64::from(side) * proportion) as u32).max(1));
    let fit = if frame.fit == Fit::Cover { Fit::Cover } else { Fit::Fill };
    Frame::new(side(kept.width), side(kept.height), fit, true)
}

/// Padding is part of the picture that is turned at the end.
fn turned_padding(pad: [u32; 4], turn: Turn) -> [u32; 4] {
    let [top, right, bottom, left] = pad;
    // The sides as parts of a picture three by three pixels, so that they turn as it does.
    let whole = Size::new(3, 3);
    let side_at = |x, y| {
        let before = turn.undone(Rect::new(x, y, 1, 1), whole);
        match (before.x, before.y) {
            (1, 0) => top,
            (2, 1) => right,
            (1, 2) => bottom,
            _ => left,
        }
    };
    [side_at(1, 0), side_at(2, 1), side_at(1, 2), side_at(0, 1)]
}

/// Four coordinates in pixels; all at most 1 are fractions.
fn in_pixels(edges: [f64; 4], picture: Size) -> [f64; 4] {
    let [left, top, right, bottom] = edges;
    let is_relative = left < 1.0 && top < 1.0 && right <= 1.0 && bottom <= 1.0;
    let (x, y) = if is_relative { (f64::from(picture.width), f64::from(picture.height)) } else { (1.0, 1.0) };
    [left * x, top * y, right * x, bottom * y]
}

/// `AxB:CxD`.
fn corners(text: &str) -> Option<[f64; 4]> {
    let (start, end) = text.split_once(':')?;
    let ((left, top), (right, bottom)) = (start.split_once('x')?, end.split_once('x')?);
    let edge = |text| decimal("crop", text).ok().filter(|edge| *edge >= 0.0);
    Some([edge(left)?, edge(top)?, edge(right)?, edge(bottom)?])
}

/// `AxB:CxD` or `X,Y`.
fn focal(text: &str) -> Result<[f64; 4]> {
    let point = || {
        let (x, y) = text.split_once(',')?;
        let edge = |text: &str| decimal("focal", text.trim()).ok();
        Some([edge(x)?, edge(y)?, edge(x)?, edge(y)?])
    };
    corners(text).or_else(point).ok_or_else(|| invalid("focal", format!("{text:?} is neither AxB:CxD nor X,Y")))
}

/// `-ExF`, each side a number, `orig`, or nothing; a minus is a mirror.
fn sides(text: &str) -> Option<(Side, Side, (bool, bool))> {
    let (width, height) = text.split_once('x')?;
    let side = |text: &str| {
        let (is_flipped, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
        let side = match text {
            "" => Side::Auto,
            "orig" => Side::Original,
            text => match whole("size", text).ok()? {
                0 => Side::Auto,
                pixels => Side::Pixels(pixels),
            },
        };
        Some((side, is_flipped))
    };
    let ((width, flip_x), (height, flip_y)) = (side(width)?, side(height)?);
    Some((width, height, (flip_x, flip_y)))
}

/// `GxH` or `GxH:IxJ` as top, right, bottom, left.
fn padding(text: &str) -> Option<[u32; 4]> {
    let pair = |text: &str| {
        let (x, y) = text.split_once('x')?;
        let pixels = |text| whole_in("padding", text, 0, 8_192).ok();
        Some((pixels(x)?, pixels(y)?))
    };
    let (first, second) = text.split_once(':').unwrap_or((text, text));
    let ((left, top), (right, bottom)) = (pair(first)?, pair(second)?);
    Some([top, right, bottom, left])
}

/// `trim`, `trim:position`, `trim:tolerance`, `trim:position:tolerance`.
fn trim_threshold(text: &str) -> Result<u8> {
    let mut threshold = 1;
    for word in text.split(':').skip(1) {
        match word {
            "top-left" => {}
            "bottom-right" => return Err(unsupported("trim", "margins are those of the upper left pixel's colour")),
            word => threshold = whole_in("trim", word, 0, 442)?.clamp(1, 255) as u8,
        }
    }
    Ok(threshold)
}

/// How many arguments a filter takes that is offered.
fn most_arguments(name: &str) -> Option<usize> {
    match name {
        "grayscale" | "lossless" | "cover" | "upscale" | "no_upscale" | "stretch" | "raw" | "strip_exif"
        | "strip_icc" | "strip_metadata" | "preview" => Some(0),
        "quality" | "format" | "max_bytes" | "max_frames" | "brightness" | "contrast" | "saturation"
        | "background_color" | "proportion" | "rotate" | "orient" => Some(1),
        "blur" | "fill" => Some(2),
        "sharpen" => Some(3),
        "round_corner" => Some(5),
        "watermark" => Some(6),
        _ => None,
    }
}

/// Quarter turns clockwise; both products turn the other way round.
fn quarters(name: &str, text: &str) -> Result<u8> {
    let degrees = decimal(name, text)?;
    if degrees % 90.0 != 0.0 {
        return Err(unsupported(name, "turns are by quarters: 0, 90, 180, 270"));
    }
    Ok((-degrees / 90.0).rem_euclid(4.0) as u8)
}

fn sigma(sigma: f64, most: f64) -> Option<u32> {
    (sigma > 0.0).then(|| hundredths(sigma.min(most)).max(30))
}

/// The place after which the parenthesis that is open is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    for (idx, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(idx);
        }
    }
    None
}

/// `image,x,y,alpha[,w_ratio[,h_ratio]]`; nothing when it would be invisible.
fn watermark(all: &[&str]) -> Result<Option<Watermark>> {
    let name = "watermark";
    let [image, x, y, alpha, ratios @ ..] = all else {
        return Err(invalid(name, "is watermark(image,x,y,alpha,w_ratio)"));
    };
    let image = match image.strip_prefix("b64:") {
        Some(encoded) => base64_decoded(encoded).ok_or_else(|| invalid(name, "the image is not base64"))?,
        None => (*image).to_owned(),
    };
    let id = image_id(&image).map_err(|_| invalid(name, "the image is not the id of an image"))?;
    let opacity = 100 - whole_in(name, alpha, 0, 100)?;
    let scale = match ratios {
        [width] | [width, "none"] if *width != "none" => whole_in(name, width, 1, 100)?,
        _ => return Err(unsupported(name, "needs w_ratio, and no h_ratio: its size is a share of the width")),
    };
    let (gravity, pad) = match (*x, *y) {
        ("repeat", "repeat") => (None, 0),
        ("repeat", _) | (_, "repeat") => return Err(unsupported(name, "is repeated both ways or not at all")),
        (x, y) => {
            let (x, pad_x) = watermark_edge(x, ["left", "center", "right"])?;
            let (y, pad_y) = watermark_edge(y, ["top", "center", "bottom"])?;
            let pad = pad_x.or(pad_y).unwrap_or(0);
            if pad_x.is_some_and(|pad_x| pad_y.is_some_and(|pad_y| pad_x != pad_y)) {
                return Err(unsupported(name, "is as far from one edge as from the other"));
            }
            (Some(Gravity::Share(x, y)), pad)
        }
    };
    Ok(Some(Watermark { id, gravity, opacity, scale, pad }).filter(|_| opacity > 0))
}

/// Where along one side, and how far from its end; no distance in the middle.
fn watermark_edge(text: &str, words: [&str; 3]) -> Result<(u16, Option<u32>)> {
    if let Some(word_idx) = words.iter().position(|word| *word == text) {
        return Ok((word_idx as u16 * 5_000, Some(0).filter(|_| word_idx != 1)));
    }
    match text.strip_prefix('-') {
        Some(text) => Ok((10_000, Some(whole_in("watermark", text, 0, 8_192)?))),
        None if text.ends_with('p') => Err(unsupported("watermark", "is placed by pixels, not by a share")),
        None => Ok((0, Some(whole_in("watermark", text, 0, 8_192)?))),
    }
}
