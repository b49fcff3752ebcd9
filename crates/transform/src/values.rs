//! The values that options take.

use std::fmt;

/// How a picture meets a box of width and height, in the CSS and sharp meanings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Fit {
    /// Fills the box, keeps the proportions, cuts off what is over.
    Cover,
    /// Whole picture inside the box, keeps the proportions, pads the rest.
    Contain,
    /// Stretched to the box.
    Fill,
    /// As large as fits inside the box; no padding.
    #[default]
    Inside,
    /// As small as still covers the box; nothing is cut off.
    Outside,
}

impl Fit {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Cover, Self::Contain, Self::Fill, Self::Inside, Self::Outside].into_iter().find(|fit| fit.name() == name)
    }

    /// The name in a transform.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cover => "cover",
            Self::Contain => "contain",
            Self::Fill => "fill",
            Self::Inside => "inside",
            Self::Outside => "outside",
        }
    }
}

/// Where a crop or a padded picture lies: fractions of the room that is over, in ten-thousandths from the left and
/// from the top. Equal to CSS `object-position`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Gravity {
    x: u16,
    y: u16,
}

impl Default for Gravity {
    fn default() -> Self {
        Self::CENTER
    }
}

/// One whole, in the unit of [`Gravity`].
const WHOLE: u16 = 10_000;

/// Short name, long name, and position of each compass point.
const COMPASS: [(&str, &str, Gravity); 9] = [
    ("center", "centre", Gravity::CENTER),
    ("n", "north", Gravity { x: WHOLE / 2, y: 0 }),
    ("ne", "northeast", Gravity { x: WHOLE, y: 0 }),
    ("e", "east", Gravity { x: WHOLE, y: WHOLE / 2 }),
    ("se", "southeast", Gravity::SOUTHEAST),
    ("s", "south", Gravity::SOUTH),
    ("sw", "southwest", Gravity { x: 0, y: WHOLE }),
    ("w", "west", Gravity { x: 0, y: WHOLE / 2 }),
    ("nw", "northwest", Gravity { x: 0, y: 0 }),
];

impl Gravity {
    /// The middle.
    pub const CENTER: Self = Self { x: WHOLE / 2, y: WHOLE / 2 };
    /// The middle of the lower edge.
    pub const SOUTH: Self = Self { x: WHOLE / 2, y: WHOLE };
    /// The lower right corner.
    pub const SOUTHEAST: Self = Self { x: WHOLE, y: WHOLE };

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        if let Some((.., gravity)) = COMPASS.iter().find(|(short, long, _)| [*short, *long].contains(&text)) {
            return Some(*gravity);
        }
        let (x, y) = text.split_once(':')?;
        let fraction = |text| decimal(text, 4).and_then(|n| u16::try_from(n).ok()).filter(|n| *n <= WHOLE);
        Some(Self { x: fraction(x)?, y: fraction(y)? })
    }

    /// Left edge, in pixels, of a crop that leaves `room` pixels over. Halves round up, as in sharp.
    pub fn crop_left(self, room: u32) -> u32 {
        share(room, self.x, u64::from(WHOLE) / 2)
    }

    /// Upper edge of such a crop.
    pub fn crop_top(self, room: u32) -> u32 {
        share(room, self.y, u64::from(WHOLE) / 2)
    }

    /// Left edge, in pixels, of a picture on a canvas `room` pixels wider. Halves round down, as in sharp.
    pub fn pad_left(self, room: u32) -> u32 {
        share(room, self.x, 0)
    }

    /// Upper edge of such a picture.
    pub fn pad_top(self, room: u32) -> u32 {
        share(room, self.y, 0)
    }
}

/// `fraction` of `room`, never more than `room`.
fn share(room: u32, fraction: u16, rounding: u64) -> u32 {
    let share = (u64::from(room) * u64::from(fraction) + rounding) / u64::from(WHOLE);
    u32::try_from(share).unwrap_or(room).min(room)
}

impl fmt::Display for Gravity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match COMPASS.iter().find(|(.., gravity)| gravity == self) {
            Some((name, ..)) => f.write_str(name),
            None => write!(f, "{}:{}", Decimal(self.x.into(), 4), Decimal(self.y.into(), 4)),
        }
    }
}

/// Where a crop lies: at a place that is given, or at one that is found in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Focus {
    At(Gravity),
    Smart(Smart),
}

impl Default for Focus {
    fn default() -> Self {
        Self::At(Gravity::CENTER)
    }
}

impl Focus {
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Smart(Smart::Attention)),
            _ => Smart::from_name(text).map(Self::Smart).or_else(|| Gravity::from_text(text).map(Self::At)),
        }
    }

    /// The place that is given; the centre where it is to be found.
    pub(crate) fn gravity(self) -> Gravity {
        match self {
            Self::At(gravity) => gravity,
            Self::Smart(_) => Gravity::CENTER,
        }
    }

    pub(crate) fn smart(self) -> Option<Smart> {
        match self {
            Self::At(_) => None,
            Self::Smart(smart) => Some(smart),
        }
    }
}

impl fmt::Display for Focus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(gravity) => gravity.fmt(f),
            Self::Smart(smart) => f.write_str(smart.name()),
        }
    }
}

/// What to look for in a picture that is to be cropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Smart {
    /// What draws the eye: edges, saturated colours, skin.
    Attention,
    /// Where most is going on.
    Entropy,
    /// Faces.
    Faces,
}

impl Smart {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Attention, Self::Entropy, Self::Faces].into_iter().find(|smart| smart.name() == name)
    }

    /// The name in a transform and in a plan.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::Entropy => "entropy",
            Self::Faces => "faces",
        }
    }
}

/// A picture without colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Shades of gray.
    Gray,
    /// Black and white, nothing between.
    Bitonal,
}

impl Tone {
    /// The short name of the option that asks for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gray => "gray",
            Self::Bitonal => "bitonal",
        }
    }
}

/// A colour, eight bits a channel, alpha not premultiplied. All wholly transparent colours are [`Color::CLEAR`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Color {
    /// Red, green, blue.
    pub rgb: [u8; 3],
    /// Opacity: 0 is transparent, 255 is opaque.
    pub alpha: u8,
}

impl Color {
    /// Nothing there.
    pub const CLEAR: Self = Self { rgb: [0; 3], alpha: 0 };
    /// Opaque white, what JPEG puts behind a transparent picture.
    pub const WHITE: Self = Self { rgb: [255; 3], alpha: 255 };

    /// Reads `rgb`, `rrggbb`, `rrggbbaa` (hexadecimal, either case) or `transparent`.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        if text == "transparent" {
            return Some(Self::CLEAR);
        }
        let nibbles = text.chars().map(|c| c.to_digit(16).map(|n| n as u8)).collect::<Option<Vec<u8>>>()?;
        let [red, green, blue, alpha] = match nibbles[..] {
            [r, g, b] => [r * 17, g * 17, b * 17, 255],
            [a, b, c, d, e, f] => [a * 16 + b, c * 16 + d, e * 16 + f, 255],
            [a, b, c, d, e, f, g, h] => [a * 16 + b, c * 16 + d, e * 16 + f, g * 16 + h],
            _ => return None,
        };
        let color = Self { rgb: [red, green, blue], alpha };
        Some(if alpha == 0 { Self::CLEAR } else { color })
    }

    /// Reads `rgb` or `rrggbb`.
    pub(crate) fn rgb_from_text(text: &str) -> Option<[u8; 3]> {
        Self::from_text(text).filter(|_| matches!(text.len(), 3 | 6)).map(|color| color.rgb)
    }

    /// Whether nothing can be seen through it.
    pub fn is_opaque(self) -> bool {
        self.alpha == 255
    }

    /// This colour on an opaque white ground.
    pub fn on_white(self) -> Self {
        let alpha = u32::from(self.alpha);
        let mix = |channel: u8| ((u32::from(channel) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        Self { rgb: self.rgb.map(mix), alpha: 255 }
    }
}

impl fmt::Display for Color {
    /// `rrggbb`, or `rrggbbaa` if it is not opaque.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.rgb;
        write!(f, "{red:02x}{green:02x}{blue:02x}")?;
        if self.is_opaque() { Ok(()) } else { write!(f, "{:02x}", self.alpha) }
    }
}

/// The standard deviation of a Gaussian, in hundredths of a pixel of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sigma(u16);

impl Sigma {
    /// The smallest that does anything visible: 0.3 pixels.
    pub const MIN: Self = Self(30);
    /// The largest blur: 100 pixels.
    pub const MAX_BLUR: Self = Self(10_000);
    /// The largest sharpening radius: 10 pixels, as in sharp.
    pub const MAX_SHARPEN: Self = Self(1_000);

    /// Reads a decimal number with at most two places, from [`Sigma::MIN`] to `max`.
    pub(crate) fn from_text(text: &str, max: Self) -> Option<Self> {
        let hundredths = decimal(text, 2).and_then(|n| u16::try_from(n).ok())?;
        Some(Self(hundredths)).filter(|sigma| (Self::MIN..=max).contains(sigma))
    }

    /// In pixels.
    pub fn pixels(self) -> f32 {
        f32::from(self.0) / 100.0
    }
}

impl fmt::Display for Sigma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Decimal(self.0.into(), 2).fmt(f)
    }
}

/// Reads a whole number without sign, leading zero or more than nine digits.
pub(crate) fn whole(text: &str) -> Option<u32> {
    let is_plain = (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let has_leading_zero = text.len() > 1 && text.starts_with('0');
    if !is_plain || has_leading_zero {
        return None;
    }
    text.parse().ok()
}

/// Reads a decimal number with at most `places` digits after the point, in units of the last place.
pub(crate) fn decimal(text: &str, places: u32) -> Option<u32> {
    let (integer, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_plain = (1..=places as usize).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit());
    if !is_plain {
        return None;
    }
    let n_missing = places - fraction.len() as u32;
    let fraction: u32 = fraction.parse().ok()?;
    whole(integer)?.checked_mul(10_u32.pow(places))?.checked_add(fraction * 10_u32.pow(n_missing))
}

/// Prints what [`decimal`] reads: the value in units of the last place, and the number of places.
pub(crate) struct Decimal(pub(crate) u32, pub(crate) usize);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_print_as_they_read() {
        let check = |text: &str, expected: Option<(u32, &str)>| {
            let value = decimal(text, 2);
            assert_eq!(value, expected.map(|(value, _)| value), "{text}");
            assert_eq!(value.map(|n| Decimal(n, 2).to_string()).as_deref(), expected.map(|(_, text)| text), "{text}");
        };
        check("0", Some((0, "0")));
        check("2", Some((200, "2")));
        check("2.0", Some((200, "2")));
        check("2.50", Some((250, "2.5")));
        check("0.05", Some((5, "0.05")));
        for text in ["", ".", "2.", ".5", "2.555", "-1", "+1", "1e2", "02", "1.-1", "1.5.5", "9999999999", "99999999"] {
            check(text, None);
        }
    }

    #[test]
    fn colours_print_as_they_read() {
        let check = |text: &str, expected: Option<&str>| {
            let color = Color::from_text(text);
            assert_eq!(color.map(|c| c.to_string()).as_deref(), expected, "{text}");
        };
        check("fff", Some("ffffff"));
        check("A1b2C3", Some("a1b2c3"));
        check("a1b2c3ff", Some("a1b2c3"));
        check("a1b2c380", Some("a1b2c380"));
        check("a1b2c300", Some("00000000"));
        check("transparent", Some("00000000"));
        for text in ["", "f", "ff", "ffff", "fffff", "#fff", "ggg", "éé", "fffffffff"] {
            check(text, None);
        }
    }

    #[test]
    fn gravity_prints_as_it_reads() {
        let check = |text: &str, expected: Option<&str>| {
            let gravity = Gravity::from_text(text);
            assert_eq!(gravity.map(|g| g.to_string()).as_deref(), expected, "{text}");
        };
        check("center", Some("center"));
        check("0.5:0.50", Some("center"));
        check("northwest", Some("nw"));
        check("1:0.5", Some("e"));
        check("0.3333:0", Some("0.3333:0"));
        for text in ["", ":", "0.5", "0.5:", "1.1:0", "0:1.0001", "0.33333:0", "-0.1:0", "0:0:0", "middle"] {
            check(text, None);
        }
    }
}
