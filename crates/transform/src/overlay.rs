//! What is laid over a picture, and the operator's own filters.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::values::{Color, Gravity, whole};

/// Another picture of the same store, laid over a result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Watermark {
    pub(crate) image: String,
    pub(crate) place: Place,
    pub(crate) opacity: u8,
    pub(crate) scale: u8,
    pub(crate) padding: u32,
}

/// Where a watermark lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Once, at a point of the room that is over.
    At(Gravity),
    /// Again and again, all over the picture.
    Tile,
}

impl Watermark {
    pub(crate) const DEFAULT_PLACE: Place = Place::At(Gravity::SOUTHEAST);
    pub(crate) const DEFAULT_OPACITY: u8 = 100;
    pub(crate) const DEFAULT_SCALE: u8 = 20;
    pub(crate) const DEFAULT_PADDING: u32 = 10;

    /// The id of the picture: a ULID in lower case.
    pub fn image(&self) -> &str {
        &self.image
    }

    /// Where it lies.
    pub fn place(&self) -> Place {
        self.place
    }

    /// How opaque it is, in percent of its own opacity: 1 to 100.
    pub fn opacity(&self) -> u8 {
        self.opacity
    }

    /// Its width in percent of the result's: 1 to 100.
    pub fn scale(&self) -> u8 {
        self.scale
    }

    /// How far it stays from the edges, and from its like when tiled, in pixels of the result.
    pub fn padding(&self) -> u32 {
        self.padding
    }

    /// Reads what it prints in a plan.
    pub(crate) fn from_plan(text: &str) -> Option<Self> {
        let mut parts = text.split('_');
        let mut next = || parts.next();
        let watermark = Self {
            image: next().and_then(image_id)?,
            place: next().and_then(Place::from_text)?,
            opacity: next().and_then(percent)?,
            scale: next().and_then(percent)?,
            padding: next().and_then(whole)?,
        };
        parts.next().is_none().then_some(watermark)
    }
}

impl fmt::Display for Watermark {
    /// As it stands in a plan.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { image, place, opacity, scale, padding } = self;
        write!(f, "{image}_{place}_{opacity}_{scale}_{padding}")
    }
}

/// Reads the id of a picture: a ULID, 26 digits of Crockford's base 32 in lower case.
pub(crate) fn image_id(text: &str) -> Option<String> {
    let is_digit = |b: u8| b.is_ascii_digit() || (b.is_ascii_lowercase() && !b"ilou".contains(&b));
    let is_ulid = text.len() == 26 && text.bytes().all(is_digit) && text.as_bytes()[0] <= b'7';
    is_ulid.then(|| text.to_owned())
}

/// Reads a whole number from 1 to 100.
pub(crate) fn percent(text: &str) -> Option<u8> {
    whole(text).filter(|n| (1..=100).contains(n)).and_then(|n| u8::try_from(n).ok())
}

impl Place {
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        if text == "tile" { Some(Self::Tile) } else { Gravity::from_text(text).map(Self::At) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(gravity) => gravity.fmt(f),
            Self::Tile => f.write_str("tile"),
        }
    }
}

/// A line of text, laid over a result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TextOverlay {
    pub(crate) text: String,
    pub(crate) gravity: Gravity,
    pub(crate) size: u32,
    pub(crate) color: Color,
    pub(crate) font: Font,
    pub(crate) padding: u32,
}

impl TextOverlay {
    /// The longest text, in bytes of UTF-8.
    pub const MAX_BYTES: usize = 120;
    /// The largest size of a text, in pixels.
    pub const MAX_SIZE: u32 = 2_000;
    pub(crate) const DEFAULT_GRAVITY: Gravity = Gravity::SOUTH;
    pub(crate) const DEFAULT_SIZE: u32 = 32;
    pub(crate) const DEFAULT_PADDING: u32 = 10;

    /// What it says: one line, without control characters.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where it lies.
    pub fn gravity(&self) -> Gravity {
        self.gravity
    }

    /// The size of the font (its em), in pixels of the result.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Its colour.
    pub fn color(&self) -> Color {
        self.color
    }

    /// In which font.
    pub fn font(&self) -> Font {
        self.font
    }

    /// How far it stays from the edges, in pixels of the result.
    pub fn padding(&self) -> u32 {
        self.padding
    }

    /// Reads what it prints in a plan.
    pub(crate) fn from_plan(text: &str) -> Option<Self> {
        let mut parts = text.splitn(6, '_');
        let mut next = || parts.next();
        Some(Self {
            size: next().and_then(whole).filter(|size| (1..=Self::MAX_SIZE).contains(size))?,
            color: next().and_then(Color::from_text).filter(|color| color.alpha > 0)?,
            font: next().and_then(Font::from_name)?,
            padding: next().and_then(whole)?,
            gravity: next().and_then(Gravity::from_text)?,
            text: next().and_then(text_from_base64)?,
        })
    }
}

impl fmt::Display for TextOverlay {
    /// As it stands in a plan.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, gravity, size, color, font, padding } = self;
        write!(f, "{size}_{color}_{}_{padding}_{gravity}_{}", font.name(), text_to_base64(text))
    }
}

/// Reads the text of an overlay; padding (`=`) may be left out.
pub(crate) fn text_from_base64(text: &str) -> Option<String> {
    let unpadded = text.trim_end_matches('=');
    let n_padding = text.len() - unpadded.len();
    if n_padding > 0 && (n_padding > 2 || !text.len().is_multiple_of(4)) {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(unpadded).ok()?).ok()?;
    let is_good = (1..=TextOverlay::MAX_BYTES).contains(&text.len()) && !text.contains(char::is_control);
    is_good.then_some(text)
}

/// The inverse of [`text_from_base64`], without padding.
pub(crate) fn text_to_base64(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// The fonts that text can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Font {
    /// Without serifs.
    #[default]
    Sans,
    /// With serifs.
    Serif,
    /// Every letter of one width.
    Mono,
}

impl Font {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Sans, Self::Serif, Self::Mono].into_iter().find(|font| font.name() == name)
    }

    /// The name in a transform.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sans => "sans",
            Self::Serif => "serif",
            Self::Mono => "mono",
        }
    }
}

/// The operator's own filter and its arguments, as asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Filter {
    /// The name, and after a colon each, the arguments.
    words: String,
}

impl Filter {
    /// The longest call, name and arguments with their colons, in bytes.
    pub const MAX_BYTES: usize = 100;

    /// Reads `name` or `name:arg:arg`. The name begins with a letter or digit.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let is_word = |word: &str| {
            let is_known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
            !word.is_empty() && word.bytes().all(is_known)
        };
        let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        let is_good = text.len() <= Self::MAX_BYTES && starts_well && text.split(':').all(is_word);
        is_good.then(|| Self { words: text.to_owned() })
    }

    /// Which filter.
    pub fn name(&self) -> &str {
        self.words.split(':').next().unwrap_or_default()
    }

    /// Its arguments, each a word of lower-case letters, digits, `.` and `-`.
    pub fn args(&self) -> impl Iterator<Item = &str> {
        self.words.split(':').skip(1)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// A filter in a plan: with the code that is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PlannedFilter {
    call: Filter,
    digest: String,
}

impl PlannedFilter {
    /// How much of the digest stands in a plan, in hexadecimal digits.
    pub const DIGEST_DIGITS: usize = 16;

    /// `None` when `digest` does not begin with enough hexadecimal digits in lower case.
    pub(crate) fn new(call: Filter, digest: &str) -> Option<Self> {
        let digest = digest.get(..Self::DIGEST_DIGITS)?;
        let is_hexadecimal = digest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        is_hexadecimal.then(|| Self { call, digest: digest.to_owned() })
    }

    /// Which filter.
    pub fn name(&self) -> &str {
        self.call.name()
    }

    /// Its arguments.
    pub fn args(&self) -> impl Iterator<Item = &str> {
        self.call.args()
    }

    /// The first [`PlannedFilter::DIGEST_DIGITS`] hexadecimal digits of the digest of its code.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Reads what it prints in a plan.
    pub(crate) fn from_plan(text: &str) -> Option<Self> {
        let (call, digest) = text.split_once('_')?;
        Filter::from_text(call).and_then(|call| Self::new(call, digest)).filter(|_| digest.len() == Self::DIGEST_DIGITS)
    }
}

impl fmt::Display for PlannedFilter {
    /// As it stands in a plan.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.call, self.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_ids_are_ulids_in_lower_case() {
        let check = |text: &str, is_good: bool| assert_eq!(image_id(text).is_some(), is_good, "{text}");
        check("01arz3ndektsv4rrffq69g5fav", true);
        check("7zzzzzzzzzzzzzzzzzzzzzzzzz", true);
        for text in ["", "01arz3ndektsv4rrffq69g5fa", "01arz3ndektsv4rrffq69g5favv", "81arz3ndektsv4rrffq69g5fav"] {
            check(text, false);
        }
        for text in ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "01arz3ndektsv4rrffq69g5fai", "01arz3ndektsv4rrffq69g5fa_"] {
            check(text, false);
        }
    }

    #[test]
    fn text_is_one_line_of_utf8() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(text_from_base64(text).as_deref(), expected, "{text}");
        };
        check("aGk", Some("hi"));
        check("aGk=", Some("hi"));
        check("w5w_Pz8-", Some("Ü???>"));
        check("4piD", Some("☃"));
        check(&text_to_base64(&"x".repeat(120)), Some(&"x".repeat(120)));
        check(&text_to_base64(&"x".repeat(121)), None);
        // Empty, no base64, the other alphabet, padding too much or amiss, stray bits, no UTF-8, a line break.
        for text in ["", "a", "aG k", "w5w/Pz8+", "aGk==", "aGk===", "4piD=", "=", "aGl", "_w", "YQpi"] {
            check(text, None);
        }
    }

    #[test]
    fn filters_are_words() {
        let check = |text: &str, expected: Option<(&str, &[&str])>| {
            let filter = Filter::from_text(text);
            let found = filter.as_ref().map(|filter| (filter.name(), filter.args().collect::<Vec<_>>()));
            assert_eq!(found, expected.map(|(name, args)| (name, args.to_vec())), "{text}");
        };
        check("sepia", Some(("sepia", &[])));
        check("duotone:ff0000:-0.5", Some(("duotone", &["ff0000", "-0.5"])));
        check("3d.v2:.:-", Some(("3d.v2", &[".", "-"])));
        for text in ["", ":", "a:", "a::b", ":a", "A", "a_b", "..", ".a", "-a", "a:B", "a b", &"a".repeat(101)] {
            check(text, None);
        }
    }

    #[test]
    fn digests_are_hexadecimal() {
        let check = |digest: &str, expected: Option<&str>| {
            let filter = PlannedFilter::new(Filter::from_text("a:1").unwrap(), digest);
            assert_eq!(filter.as_ref().map(|filter| filter.digest()), expected, "{digest}");
            if let Some(filter) = filter {
                assert_eq!(PlannedFilter::from_plan(&filter.to_string()), Some(filter));
            }
        };
        check(&"0123456789abcdef".repeat(4), Some("0123456789abcdef"));
        check("0123456789abcde", None);
        check("0123456789ABCDEF", None);
        check("0123456789abcdeé", None);
    }
}
