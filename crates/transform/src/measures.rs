//! The values of options that measure something: regions, ratios, paddings, radii, factors.

use std::fmt;

use crate::geometry::Window;
use crate::values::{Decimal, decimal, whole};

/// One hundred percent, in ten-thousandths of a percent.
const HUNDRED_PERCENT: u32 = 1_000_000;

/// A length along one side of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Length {
    Pixels(u32),
    /// In ten-thousandths of a percent of the side; never 0, for which zero pixels stand.
    Percent(u32),
}

impl Length {
    /// Reads `300` or `12.5p`.
    fn from_text(text: &str) -> Option<Self> {
        let Some(percent) = text.strip_suffix('p') else { return whole(text).map(Self::Pixels) };
        match decimal(percent, 4)? {
            0 => Some(Self::Pixels(0)),
            percent if percent <= HUNDRED_PERCENT => Some(Self::Percent(percent)),
            _ => None,
        }
    }

    /// In millionths of a pixel of a side of `side` pixels.
    fn along(self, side: u32) -> u64 {
        match self {
            Self::Pixels(pixels) => u64::from(pixels) * u64::from(HUNDRED_PERCENT),
            Self::Percent(percent) => u64::from(side) * u64::from(percent),
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pixels(pixels) => pixels.fmt(f),
            Self::Percent(percent) => write!(f, "{}p", Decimal(*percent, 4)),
        }
    }
}

/// What `crop` asks for: a part of any picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Region {
    x: Length,
    y: Length,
    width: Length,
    height: Length,
}

impl Region {
    /// Reads `x:y:width:height`.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let mut lengths = text.split(':').map(Length::from_text);
        let mut next = || lengths.next().flatten();
        let region = Self { x: next()?, y: next()?, width: next()?, height: next()? };
        let is_empty = [region.width, region.height].contains(&Length::Pixels(0));
        (lengths.next().is_none() && !is_empty).then_some(region)
    }

    /// Whether it is the whole of every picture.
    pub(crate) fn is_whole(&self) -> bool {
        let (start, length) = (Length::Pixels(0), Length::Percent(HUNDRED_PERCENT));
        *self == Self { x: start, y: start, width: length, height: length }
    }

    /// The region of a picture of `width` by `height` pixels, cut off where the picture ends; `None` when it lies
    /// outside.
    pub(crate) fn of(&self, width: u32, height: u32) -> Option<Window> {
        let (x, width) = part(self.x, self.width, width)?;
        let (y, height) = part(self.y, self.height, height)?;
        Some(Window { x, y, width, height })
    }
}

/// Start and length of a part of a side, in pixels. Edges, not lengths, are rounded (halves up), so that neighbouring
/// parts meet.
fn part(start: Length, length: Length, side: u32) -> Option<(u32, u32)> {
    let begin = start.along(side);
    if begin >= u64::from(side) * u64::from(HUNDRED_PERCENT) {
        return None;
    }
    let pixels = |edge: u64| (edge + u64::from(HUNDRED_PERCENT / 2)) / u64::from(HUNDRED_PERCENT);
    let first = u32::try_from(pixels(begin)).ok()?.min(side - 1);
    let end = u32::try_from(pixels(begin + length.along(side))).unwrap_or(side).clamp(first + 1, side);
    Some((first, end - first))
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:{}", self.x, self.y, self.width, self.height)
    }
}

/// Width to height, in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Ratio {
    width: u32,
    height: u32,
}

impl Ratio {
    /// The largest part of a ratio as written.
    const MAX: u32 = 10_000;

    /// Reads `16:9` or `1.91:1`: two numbers up to 10000, with at most two decimals.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let (width, height) = text.split_once(':')?;
        let hundredths = |text| decimal(text, 2).filter(|n| (1..=Self::MAX * 100).contains(n));
        let (width, height) = (hundredths(width)?, hundredths(height)?);
        let divisor = greatest_common_divisor(width, height);
        Some(Self { width: width / divisor, height: height / divisor })
    }

    /// Whether a picture of `width` by `height` pixels is wider than that.
    pub(crate) fn is_exceeded_by(self, width: u32, height: u32) -> bool {
        u64::from(width) * u64::from(self.height) > u64::from(height) * u64::from(self.width)
    }

    /// The height that goes with `width`, at least 1. Halves round up.
    pub(crate) fn height_for(self, width: u32) -> u64 {
        rounded_quotient(u64::from(width) * u64::from(self.height), self.width.into()).max(1)
    }

    /// The width that goes with `height`, at least 1. Halves round up.
    pub(crate) fn width_for(self, height: u32) -> u64 {
        rounded_quotient(u64::from(height) * u64::from(self.width), self.height.into()).max(1)
    }
}

fn rounded_quotient(number: u64, divisor: u64) -> u64 {
    (number + divisor / 2) / divisor
}

fn greatest_common_divisor(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl fmt::Display for Ratio {
    /// In whole numbers where [`Ratio::from_text`] reads those back, in hundredths otherwise.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.width.max(self.height) <= Self::MAX {
            write!(f, "{}:{}", self.width, self.height)
        } else {
            write!(f, "{}:{}", Decimal(self.width, 2), Decimal(self.height, 2))
        }
    }
}

/// Room around a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Padding {
    pub(crate) top: u32,
    pub(crate) right: u32,
    pub(crate) bottom: u32,
    pub(crate) left: u32,
}

impl Padding {
    /// Reads `20` (all around) or `10:20:30:40` (top, right, bottom, left, as in CSS).
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let sides = text.split(':').map(whole).collect::<Option<Vec<u32>>>()?;
        match sides[..] {
            [all] => Some(Self { top: all, right: all, bottom: all, left: all }),
            [top, right, bottom, left] => Some(Self { top, right, bottom, left }),
            _ => None,
        }
    }

    pub(crate) fn is_none(self) -> bool {
        self == Self::default()
    }

    pub(crate) fn sides(self) -> [u32; 4] {
        [self.top, self.right, self.bottom, self.left]
    }
}

impl fmt::Display for Padding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { top, right, bottom, left } = self;
        if [right, bottom, left].iter().all(|side| *side == top) {
            top.fmt(f)
        } else {
            write!(f, "{top}:{right}:{bottom}:{left}")
        }
    }
}

/// How round the corners of a result are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Radius {
    /// A quarter of a circle of so many pixels in each corner.
    Pixels(u32),
    /// As round as can be: a circle, or a pill.
    Max,
}

impl Radius {
    /// Reads `max` or a whole number of pixels.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        if text == "max" { Some(Self::Max) } else { whole(text).map(Self::Pixels) }
    }

    /// `Max` where so many pixels are as much on a picture of `width` by `height`.
    pub(crate) fn within(self, width: u32, height: u32) -> Self {
        match self {
            Self::Pixels(pixels) if u64::from(pixels) * 2 < u64::from(width.min(height)) => self,
            _ => Self::Max,
        }
    }

    /// The radius in half pixels on a result of `width` by `height` pixels: never more than half of the shorter side.
    pub fn half_pixels(self, width: u32, height: u32) -> u32 {
        let most = width.min(height);
        match self {
            Self::Pixels(pixels) => pixels.saturating_mul(2).min(most),
            Self::Max => most,
        }
    }
}

impl fmt::Display for Radius {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pixels(pixels) => pixels.fmt(f),
            Self::Max => f.write_str("max"),
        }
    }
}

/// What something is multiplied by, or raised to, in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Factor(u16);

impl Factor {
    /// Changes nothing.
    pub const ONE: Self = Self(100);
    /// 4.
    pub(crate) const FOUR: Self = Self(400);

    /// Reads a number from `least` to `most` with at most two decimals.
    pub(crate) fn from_text(text: &str, least: Self, most: Self) -> Option<Self> {
        let hundredths = decimal(text, 2).and_then(|n| u16::try_from(n).ok())?;
        Some(Self(hundredths)).filter(|factor| (least..=most).contains(factor))
    }

    /// In hundredths: 100 changes nothing.
    pub fn hundredths(self) -> u16 {
        self.0
    }

    /// As a number: 1.0 changes nothing.
    pub fn value(self) -> f32 {
        f32::from(self.0) / 100.0
    }
}

impl Default for Factor {
    fn default() -> Self {
        Self::ONE
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Decimal(self.0.into(), 2).fmt(f)
    }
}

/// Changes of light and colour, each [`Factor::ONE`] where nothing was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Adjustments {
    /// Multiplies light. 0 to 4.
    pub brightness: Factor,
    /// Multiplies the distance from middle gray. 0 to 4.
    pub contrast: Factor,
    /// Multiplies the distance from gray of the same light. 0 to 4.
    pub saturation: Factor,
    /// The exponent, by its inverse: more than 1 makes the middle lighter. 0.1 to 10.
    pub gamma: Factor,
}

impl Adjustments {
    /// The least and the largest gamma.
    const GAMMA: (Factor, Factor) = (Factor(10), Factor(1_000));

    /// Each option's name, as in transforms and plans.
    pub(crate) const NAMES: [&str; 4] = ["brightness", "contrast", "saturation", "gamma"];

    /// Whether nothing changes.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Reads the value of the option called `name`.
    pub(crate) fn factor(name: &str, text: &str) -> Option<Factor> {
        let (least, most) = if name == "gamma" { Self::GAMMA } else { (Factor(0), Factor::FOUR) };
        Factor::from_text(text, least, most)
    }

    /// In the order of [`Adjustments::NAMES`].
    pub(crate) fn from_factors([brightness, contrast, saturation, gamma]: [Factor; 4]) -> Self {
        Self { brightness, contrast, saturation, gamma }
    }

    /// Name and value of each that changes something.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (&'static str, Factor)> {
        let values = [self.brightness, self.contrast, self.saturation, self.gamma];
        Self::NAMES.into_iter().zip(values).filter(|(_, factor)| *factor != Factor::ONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_print_as_they_read() {
        let check = |text: &str, expected: Option<&str>| {
            let region = Region::from_text(text);
            assert_eq!(region.map(|region| region.to_string()).as_deref(), expected, "{text}");
        };
        check("10:20:300:400", Some("10:20:300:400"));
        check("10.50p:0p:50.0000p:100p", Some("10.5p:0:50p:100p"));
        check("0.0001p:5:33.3333p:1", Some("0.0001p:5:33.3333p:1"));
        for text in ["", "1:2:3", "1:2:3:4:5", "1:2:0:4", "1:2:3:0p", "1:2:3:101p", "1:2:3:1.23456p", "-1:0:1:1"] {
            check(text, None);
        }
        for text in ["1.5:0:1:1", "1:2:3:p", "1::3:4", "01:2:3:4", "1:2:3:4px", "1:2:3:4P"] {
            check(text, None);
        }
    }

    #[test]
    fn regions_are_cut_off_where_the_picture_ends() {
        let check = |text: &str, (width, height): (u32, u32), expected: Option<[u32; 4]>| {
            let window = Region::from_text(text).unwrap().of(width, height);
            let expected = expected.map(|[x, y, width, height]| Window { x, y, width, height });
            assert_eq!(window, expected, "{text} of {width}x{height}");
        };
        check("10:20:30:40", (100, 100), Some([10, 20, 30, 40]));
        check("10:20:300:400", (100, 100), Some([10, 20, 90, 80]));
        check("99:99:1:1", (100, 100), Some([99, 99, 1, 1]));
        check("100:0:1:1", (100, 100), None);
        check("0:100p:1:1", (100, 100), None);
        check("25p:10p:50p:12.5p", (200, 80), Some([50, 8, 100, 10]));
        check("99.9999p:0:50p:50p", (10, 10), Some([9, 0, 1, 5]));
        check("0:0:0.0001p:0.0001p", (10, 10), Some([0, 0, 1, 1]));
        check("999999999:0:999999999:1", (u32::MAX, 1), Some([999_999_999, 0, 999_999_999, 1]));
        check("50p:0:100p:100p", (u32::MAX, 1), Some([1 << 31, 0, u32::MAX / 2, 1]));
        check("0:0:100p:100p", (u32::MAX, u32::MAX), Some([0, 0, u32::MAX, u32::MAX]));
    }

    #[test]
    fn neighbouring_regions_meet() {
        for side in 1..300 {
            let thirds = [("0", "33.3333p"), ("33.3333p", "33.3333p"), ("66.6666p", "33.3334p")];
            if side < 3 {
                continue;
            }
            let mut end = 0;
            for (x, width) in thirds {
                let window = Region::from_text(&format!("{x}:0:{width}:1")).unwrap().of(side, 1).unwrap();
                assert_eq!(window.x, end, "{x} of {side}");
                end += window.width;
            }
            assert_eq!(end, side);
        }
    }

    #[test]
    fn ratios_print_as_they_read_in_lowest_terms() {
        let check = |text: &str, expected: Option<&str>| {
            let ratio = Ratio::from_text(text);
            assert_eq!(ratio.map(|ratio| ratio.to_string()).as_deref(), expected, "{text}");
            assert_eq!(expected.and_then(Ratio::from_text), ratio, "{text}");
        };
        check("16:9", Some("16:9"));
        check("1600:900", Some("16:9"));
        check("1.91:1", Some("191:100"));
        check("1.50:1.0", Some("3:2"));
        check("10000:0.01", Some("10000:0.01"));
        check("9999.99:10000", Some("9999.99:10000"));
        for text in ["16", "16:", ":9", "0:1", "1:0", "1:2:3", "10001:1", "1.234:1", "-1:1", "16x9"] {
            check(text, None);
        }
    }

    #[test]
    fn radii_are_at_most_half_of_the_shorter_side() {
        let check = |text: &str, expected: Radius, half_pixels: u32| {
            let radius = Radius::from_text(text).unwrap();
            assert_eq!(radius.within(41, 60), expected, "{text}");
            assert_eq!(radius.half_pixels(41, 60), half_pixels, "{text}");
        };
        check("10", Radius::Pixels(10), 20);
        check("20", Radius::Pixels(20), 40);
        check("21", Radius::Max, 41);
        check("max", Radius::Max, 41);
        check("999999999", Radius::Max, 41);
    }
}
