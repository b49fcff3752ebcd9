//! A native transform in the making, and its text.

use std::fmt;

use crate::values::Color;

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    /// Width in pixels, of the upright picture.
    pub width: u32,
    /// Height in pixels, of the upright picture.
    pub height: u32,
}

impl Size {
    pub(crate) const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    pub(crate) fn swapped(self) -> Self {
        Self::new(self.height, self.width)
    }
}

/// A part of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rect {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) size: Size,
}

impl Rect {
    pub(crate) const fn new(x: u32, y: u32, width: u32, height: u32) -> Self {
        Self { x, y, size: Size::new(width, height) }
    }

    pub(crate) const fn whole(size: Size) -> Self {
        Self { x: 0, y: 0, size }
    }

    /// The part from `left`, `top` to `right`, `bottom`, cut at the picture's edges; nothing if nothing is left.
    pub(crate) fn between(left: f64, top: f64, right: f64, bottom: f64, picture: Size) -> Option<Self> {
        let within = |edge: f64, side: u32| edge.round().clamp(0.0, f64::from(side)) as u32;
        let (left, right) = (within(left, picture.width), within(right, picture.width));
        let (top, bottom) = (within(top, picture.height), within(bottom, picture.height));
        (left < right && top < bottom).then(|| Self::new(left, top, right - left, bottom - top))
    }
}

/// How a picture meets a box, in the native names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Fit {
    #[default]
    Inside,
    Outside,
    Cover,
    Contain,
    Fill,
}

impl Fit {
    fn name(self) -> &'static str {
        match self {
            Self::Inside => "inside",
            Self::Outside => "outside",
            Self::Cover => "cover",
            Self::Contain => "contain",
            Self::Fill => "fill",
        }
    }
}

/// Where the cut or the padding falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gravity {
    /// Shares of the room that is over, from the left and from the top, in ten-thousandths.
    Share(u16, u16),
    /// Where the eye falls first.
    Auto,
    /// Where most happens.
    Entropy,
    /// At the faces.
    Faces,
}

impl Default for Gravity {
    fn default() -> Self {
        Self::CENTER
    }
}

impl Gravity {
    pub(crate) const CENTER: Self = Self::Share(5_000, 5_000);

    /// Whether it depends on what is in the picture.
    pub(crate) fn is_smart(self) -> bool {
        !matches!(self, Self::Share(..))
    }

    /// The share that puts a part of `kept` pixels at `start` within `whole` pixels.
    pub(crate) fn share(start: u32, kept: u32, whole: u32) -> u16 {
        let room = u64::from(whole.saturating_sub(kept));
        if room == 0 {
            return 5_000;
        }
        let share = (u64::from(start) * 10_000 + room / 2) / room;
        share.min(10_000) as u16
    }
}

/// Shares and their compass names.
const COMPASS: [(u16, u16, &str); 9] = [
    (5_000, 5_000, "center"),
    (5_000, 0, "n"),
    (10_000, 0, "ne"),
    (10_000, 5_000, "e"),
    (10_000, 10_000, "se"),
    (5_000, 10_000, "s"),
    (0, 10_000, "sw"),
    (0, 5_000, "w"),
    (0, 0, "nw"),
];

impl fmt::Display for Gravity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Auto => f.write_str("auto"),
            Self::Entropy => f.write_str("entropy"),
            Self::Faces => f.write_str("faces"),
            Self::Share(x, y) => match COMPASS.iter().find(|point| (point.0, point.1) == (x, y)) {
                Some((.., name)) => f.write_str(name),
                None => write!(f, "{}:{}", Decimal(x.into(), 4), Decimal(y.into(), 4)),
            },
        }
    }
}

/// A number printed with `places` decimals at most: the value in units of the last place.
struct Decimal(u32, usize);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value, places) = *self;
        let unit = 10_u32.pow(places as u32);
        write!(f, "{}", value / unit)?;
        if value % unit == 0 {
            return Ok(());
        }
        let fraction = format!("{:0places$}", value % unit);
        write!(f, ".{}", fraction.trim_end_matches('0'))
    }
}

/// Quarter turns clockwise, then maybe a mirror from left to right: what `rotate` and `flip` say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Turn {
    quarters: u8,
    is_mirrored: bool,
}

impl Turn {
    /// This, then `quarters` more clockwise.
    pub(crate) fn then_turned(self, quarters: u8) -> Self {
        let quarters = if self.is_mirrored { 4 - quarters % 4 } else { quarters };
        Self { quarters: (self.quarters + quarters) % 4, ..self }
    }

    /// This, then mirrored from left to right and from top to bottom, each if asked for.
    pub(crate) fn then_flipped(self, horizontally: bool, vertically: bool) -> Self {
        // Upside down is half a turn and a mirror.
        let turned = if vertically { self.then_turned(2) } else { self };
        Self { is_mirrored: self.is_mirrored ^ horizontally ^ vertically, ..turned }
    }

    /// Whether width and height change places.
    pub(crate) fn swaps_sides(self) -> bool {
        self.quarters % 2 == 1
    }

    /// The size of a picture of `size` after this.
    pub(crate) fn size(self, size: Size) -> Size {
        if self.swaps_sides() { size.swapped() } else { size }
    }

    /// Where the gravity of the picture before this lies after it.
    pub(crate) fn gravity(self, gravity: Gravity) -> Gravity {
        let Gravity::Share(mut x, mut y) = gravity else { return gravity };
        for _ in 0..self.quarters {
            (x, y) = (10_000 - y, x);
        }
        Gravity::Share(if self.is_mirrored { 10_000 - x } else { x }, y)
    }

    /// The part of the picture before this that becomes `rect` of the picture of `size` after it.
    pub(crate) fn undone(self, rect: Rect, size: Size) -> Rect {
        let Rect { mut x, mut y, size: mut part } = rect;
        let mut whole = size;
        if self.is_mirrored {
            x = whole.width.saturating_sub(x + part.width);
        }
        for _ in 0..self.quarters {
            (x, y) = (y, whole.width.saturating_sub(x + part.width));
            part = part.swapped();
            whole = whole.swapped();
        }
        Rect { x, y, size: part }
    }
}

/// How far the corners are rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Radius {
    Pixels(u32),
    Max,
}

/// How much may be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quality {
    Auto,
    Percent(u8),
}

/// A format that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Auto,
    Jpeg,
    Png,
    WebP,
    Avif,
    Gif,
}

impl Format {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Avif => "avif",
            Self::Gif => "gif",
        }
    }

    /// The format of that name or file name extension, if it is one of those written here.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "jpg" | "jpeg" => Some(Self::Jpeg),
            "png" => Some(Self::Png),
            "webp" => Some(Self::WebP),
            "avif" => Some(Self::Avif),
            "gif" => Some(Self::Gif),
            _ => None,
        }
    }

    /// Whether the encoder has a quality to choose.
    fn has_quality(self) -> bool {
        !matches!(self, Self::Png | Self::Gif)
    }
}

/// Another image on top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Watermark {
    pub(crate) id: String,
    /// `None` is all over, as tiles.
    pub(crate) gravity: Option<Gravity>,
    /// Percent.
    pub(crate) opacity: u32,
    /// Percent of the result's width.
    pub(crate) scale: u32,
    /// Pixels.
    pub(crate) pad: u32,
}

/// Words on top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    /// Base64 in the alphabet for URLs.
    pub(crate) encoded: String,
    pub(crate) gravity: Gravity,
    /// Pixels.
    pub(crate) size: u32,
    pub(crate) color: Color,
    pub(crate) font: &'static str,
    /// Pixels.
    pub(crate) pad: u32,
}

/// Everything that a native transform can say. What is left at its default is not written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Native {
    /// Of the upright picture, before it is turned.
    pub(crate) crop: Option<Rect>,
    /// Threshold.
    pub(crate) trim: Option<u8>,
    /// Of the turned picture.
    pub(crate) width: Option<u32>,
    pub(crate) height: Option<u32>,
    pub(crate) fit: Fit,
    pub(crate) gravity: Gravity,
    pub(crate) enlarge: bool,
    pub(crate) turn: Turn,
    /// Hundredths; 100 is no change. The same for the next three.
    pub(crate) brightness: Option<u32>,
    pub(crate) contrast: Option<u32>,
    pub(crate) saturation: Option<u32>,
    pub(crate) gamma: Option<u32>,
    pub(crate) grayscale: bool,
    pub(crate) bitonal: bool,
    pub(crate) tint: Option<[u8; 3]>,
    /// Hundredths of a pixel.
    pub(crate) blur: Option<u32>,
    pub(crate) sharpen: Option<u32>,
    /// Top, right, bottom, left, in pixels.
    pub(crate) pad: [u32; 4],
    pub(crate) radius: Option<Radius>,
    pub(crate) background: Option<Color>,
    pub(crate) watermark: Option<Watermark>,
    pub(crate) text: Option<Text>,
    pub(crate) format: Option<Format>,
    pub(crate) is_lossless: bool,
    pub(crate) is_progressive: bool,
    pub(crate) colors: Option<u32>,
    pub(crate) quality: Option<Quality>,
    pub(crate) max_bytes: Option<u32>,
    pub(crate) is_still: bool,
}

impl Native {
    fn geometry(&self, options: &mut Vec<String>) {
        if let Some(Rect { x, y, size }) = self.crop {
            options.push(format!("crop={x}:{y}:{}:{}", size.width, size.height));
        }
        options.extend(self.trim.map(|threshold| format!("trim={threshold}")));
        // What is over every limit needs no more digits: the native grammar says by how much it is too large.
        let side = |side: u32| side.min(999_999);
        options.extend(self.width.map(|width| format!("w={}", side(width))));
        options.extend(self.height.map(|height| format!("h={}", side(height))));
        let has_box = self.width.is_some() && self.height.is_some();
        if has_box && self.fit != Fit::default() {
            options.push(format!("fit={}", self.fit.name()));
        }
        let has_gravity = self.fit == Fit::Cover || (self.fit == Fit::Contain && !self.gravity.is_smart());
        if has_box && has_gravity && self.gravity != Gravity::default() {
            options.push(format!("g={}", self.gravity));
        }
        if self.enlarge && (self.width.is_some() || self.height.is_some()) {
            options.push("enlarge=1".to_owned());
        }
        if self.turn.quarters > 0 {
            options.push(format!("rotate={}", u16::from(self.turn.quarters) * 90));
        }
        if self.turn.is_mirrored {
            options.push("flip=h".to_owned());
        }
    }

    fn look(&self, options: &mut Vec<String>) {
        let factors = [
            ("brightness", self.brightness),
            ("contrast", self.contrast),
            ("saturation", self.saturation),
            ("gamma", self.gamma),
        ];
        for (name, factor) in factors {
            let factor = factor.filter(|factor| *factor != 100);
            options.extend(factor.map(|factor| format!("{name}={}", Decimal(factor, 2))));
        }
        options.extend(self.grayscale.then(|| "grayscale=1".to_owned()));
        options.extend(self.bitonal.then(|| "bitonal=1".to_owned()));
        options.extend(self.tint.map(|[r, g, b]| format!("tint={r:02x}{g:02x}{b:02x}")));
        options.extend(self.blur.map(|sigma| format!("blur={}", Decimal(sigma, 2))));
        options.extend(self.sharpen.map(|sigma| format!("sharpen={}", Decimal(sigma, 2))));
        match self.pad {
            [0, 0, 0, 0] => {}
            [top, right, bottom, left] if [right, bottom, left] == [top; 3] => options.push(format!("pad={top}")),
            [top, right, bottom, left] => options.push(format!("pad={top}:{right}:{bottom}:{left}")),
        }
        match self.radius {
            None | Some(Radius::Pixels(0)) => {}
            Some(Radius::Pixels(pixels)) => options.push(format!("radius={pixels}")),
            Some(Radius::Max) => options.push("radius=max".to_owned()),
        }
        options.extend(self.background.map(|color| format!("bg={}", Digits(color))));
    }

    fn overlays(&self, options: &mut Vec<String>) {
        if let Some(Watermark { id, gravity, opacity, scale, pad }) = &self.watermark {
            let gravity = gravity.map_or("tile".to_owned(), |gravity| gravity.to_string());
            options.push(format!("wm={id},wm-g={gravity},wm-opacity={opacity},wm-scale={scale},wm-pad={pad}"));
        }
        if let Some(Text { encoded, gravity, size, color, font, pad }) = &self.text {
            let [r, g, b] = color.rgb;
            options.push(format!("text={encoded},text-g={gravity},text-size={size}"));
            options.push(format!("text-color={r:02x}{g:02x}{b:02x},text-font={font},text-pad={pad}"));
        }
    }

    fn encoding(&self, options: &mut Vec<String>) {
        options.extend(self.format.map(|format| format!("f={}", format.name())));
        options.extend(self.is_lossless.then(|| "lossless=1".to_owned()));
        options.extend(self.is_progressive.then(|| "progressive=1".to_owned()));
        options.extend(self.colors.map(|colors| format!("colors={colors}")));
        // The products too let a quality be without effect where nothing is lost.
        let has_quality = self.format.is_none_or(Format::has_quality) && !self.is_lossless;
        match self.quality {
            _ if !has_quality => {}
            None => {}
            Some(Quality::Auto) => options.push("q=auto".to_owned()),
            Some(Quality::Percent(percent)) => options.push(format!("q={percent}")),
        }
        let max_bytes = self.max_bytes.filter(|_| has_quality);
        options.extend(max_bytes.map(|max_bytes| format!("max-bytes={max_bytes}")));
        let can_move = self.format.is_none_or(|format| matches!(format, Format::Auto | Format::WebP | Format::Gif));
        options.extend((self.is_still && can_move).then(|| "anim=0".to_owned()));
    }
}

impl fmt::Display for Native {
    /// Options joined by commas, or `original` where nothing is asked for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut options = Vec::new();
        self.geometry(&mut options);
        self.look(&mut options);
        self.overlays(&mut options);
        self.encoding(&mut options);
        if options.is_empty() { f.write_str("original") } else { f.write_str(&options.join(",")) }
    }
}

/// A colour as the native `bg` takes it.
struct Digits(Color);

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Color { rgb: [r, g, b], alpha } = self.0;
        match alpha {
            0 => f.write_str("transparent"),
            255 => write!(f, "{r:02x}{g:02x}{b:02x}"),
            _ => write!(f, "{r:02x}{g:02x}{b:02x}{alpha:02x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURNED: Turn = Turn { quarters: 1, is_mirrored: false };
    const MIRRORED: Turn = Turn { quarters: 0, is_mirrored: true };

    #[test]
    fn turns_add_up() {
        let turn = Turn::default;
        assert_eq!(turn().then_turned(1).then_turned(3), turn());
        assert_eq!(turn().then_flipped(true, true), turn().then_turned(2));
        // Mirrored and then turned is turned the other way and then mirrored.
        assert_eq!(turn().then_flipped(true, false).then_turned(1), turn().then_turned(3).then_flipped(true, false));
        assert_eq!(turn().then_flipped(false, true).then_flipped(false, true), turn());
    }

    #[test]
    fn gravity_and_parts_turn_with_the_picture() {
        let corner = Gravity::Share(0, 0);
        assert_eq!(TURNED.gravity(corner).to_string(), "ne");
        assert_eq!(MIRRORED.gravity(corner).to_string(), "ne");
        assert_eq!(TURNED.gravity(Gravity::Auto), Gravity::Auto);

        // The upper left corner of 400x300, 10 by 20 pixels of it, is the upper right one of 300x400.
        let turned = Size::new(300, 400);
        assert_eq!(TURNED.undone(Rect::new(280, 0, 20, 10), turned), Rect::new(0, 0, 10, 20));
        let mirrored = Size::new(400, 300);
        assert_eq!(MIRRORED.undone(Rect::new(390, 0, 10, 20), mirrored), Rect::new(0, 0, 10, 20));
        for quarters in 0..4 {
            for is_mirrored in [false, true] {
                let turn = Turn { quarters, is_mirrored };
                let whole = Rect::whole(turn.size(mirrored));
                assert_eq!(turn.undone(whole, whole.size), Rect::whole(mirrored), "{turn:?}");
            }
        }
    }

    #[test]
    fn a_share_finds_its_place_again() {
        for (start, kept, whole) in [(0, 10, 100), (90, 10, 100), (33, 10, 4000), (1, 1, 3), (0, 5, 5)] {
            let share = u64::from(Gravity::share(start, kept, whole));
            let room = u64::from(whole - kept);
            assert_eq!((share * room + 5_000) / 10_000, if room == 0 { 0 } else { u64::from(start) });
        }
    }

    #[test]
    fn what_means_nothing_is_not_written() {
        let plain = Native { fit: Fit::Cover, gravity: Gravity::Auto, enlarge: true, ..Native::default() };
        assert_eq!(plain.to_string(), "original");
        let png = Native { format: Some(Format::Png), quality: Some(Quality::Percent(5)), ..Native::default() };
        assert_eq!(png.to_string(), "f=png");
    }
}
