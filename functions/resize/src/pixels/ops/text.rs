//! Text on pictures, in one of three bundled fonts.
//!
//! From left to right, without ligatures or kerning; a character that the font has not is a box. Lines end at a line
//! feed, and where a word would not fit any more.

use skrifa::instance::{LocationRef, Size};
use skrifa::outline::DrawSettings;
use skrifa::{FontRef, GlyphId, MetadataProvider};
use transform::Color;

use super::Point;
use super::glyph::{Outline, PARTS};
use super::overlay::lay;
use crate::pixels::PixelError;
use crate::pixels::raster::{Layout, Raster};

const SANS: &[u8] = include_bytes!("../../../fonts/NotoSans-Regular.ttf");
const SERIF: &[u8] = include_bytes!("../../../fonts/NotoSerif-Regular.ttf");
const MONO: &[u8] = include_bytes!("../../../fonts/NotoSansMono-Regular.ttf");

/// The bundled fonts: the family's name, and the file (TrueType). Sans, serif and mono.
pub(in crate::pixels) fn fonts() -> [(&'static str, &'static [u8]); 3] {
    [("Noto Sans", SANS), ("Noto Serif", SERIF), ("Noto Sans Mono", MONO)]
}

/// One of the bundled fonts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::pixels) enum Font {
    /// Without serifs.
    #[default]
    Sans,
    /// With serifs.
    Serif,
    /// All characters as wide.
    Mono,
}

impl Font {
    fn file(self) -> &'static [u8] {
        match self {
            Self::Sans => SANS,
            Self::Serif => SERIF,
            Self::Mono => MONO,
        }
    }
}

/// How text looks, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pixels) struct TextStyle {
    pub(in crate::pixels) font: Font,
    /// Pixels of the em.
    pub(in crate::pixels) size: u32,
    pub(in crate::pixels) color: Color,
    /// Position to the right and down, in ten-thousandths of the room there is. Lines are aligned by it, too.
    pub(in crate::pixels) gravity: (u16, u16),
    /// Pixels between the text and the picture's edges.
    pub(in crate::pixels) margin: u32,
}

/// The picture with text on it. A gray one becomes coloured if the text is.
pub(in crate::pixels) fn written(raster: Raster, text: &str, style: &TextStyle) -> Result<Raster, PixelError> {
    let face = Face::read(style)?;
    let is_gray = style.color.rgb[0] == style.color.rgb[1] && style.color.rgb[1] == style.color.rgb[2];
    let mut raster = if is_gray { raster } else { raster.into_rgb() };
    let sides = (i64::from(raster.width()) * PARTS, i64::from(raster.height()) * PARTS);
    let margin = i64::from(style.margin) * PARTS;
    let lines = wrapped(text, |text| face.width(text), (sides.0 - 2 * margin).max(0));

    let share = |room: i64, gravity: u16| margin + ((room - 2 * margin) * i64::from(gravity)).div_euclid(10_000);
    let height = face.line_height * lines.len() as i64;
    // On a whole row, too.
    let mut baseline = (share(sides.1 - height, style.gravity.1) + face.ascent).div_euclid(PARTS) * PARTS;
    for line in lines {
        let mut x = share(sides.0 - face.width(&line), style.gravity.0);
        for glyph in line.chars().map(|character| face.glyph(character)) {
            face.draw(&mut raster, glyph, (x, baseline), style.color)?;
            x += face.advance(glyph);
        }
        baseline += face.line_height;
    }
    Ok(raster)
}

/// The lines of a text. None is wider than `room`, as `width` measures them, but for single characters that are.
fn wrapped(text: &str, width: impl Fn(&str) -> i64, room: i64) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split([' ', '\t']) {
            let extended = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if width(&extended) <= room {
                line = extended;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for character in word.chars() {
                line.push(character);
                if width(&line) > room && line.chars().nth(1).is_some() {
                    line.pop();
                    lines.push(std::mem::replace(&mut line, character.into()));
                }
            }
        }
        lines.push(line);
    }
    lines
}

/// A font at a size. Lengths in [`PARTS`] of a pixel.
struct Face {
    font: FontRef<'static>,
    size: u32,
    units: u16,
    ascent: i64,
    line_height: i64,
}

impl Face {
    fn read(style: &TextStyle) -> Result<Self, PixelError> {
        // Never fails: the fonts are bundled, and tested.
        let font = FontRef::new(style.font.file()).map_err(PixelError::encode)?;
        let metrics = font.metrics(Size::unscaled(), LocationRef::default());
        let mut face = Self { font, size: style.size, units: metrics.units_per_em, ascent: 0, line_height: 0 };
        face.ascent = face.scaled(metrics.ascent);
        // Whole rows, so that all lines look the same.
        face.line_height =
            (face.scaled(metrics.ascent - metrics.descent + metrics.leading) + PARTS / 2) / PARTS * PARTS;
        Ok(face)
    }

    fn scaled(&self, units: f32) -> i64 {
        (units as i64 * i64::from(self.size) * PARTS).div_euclid(i64::from(self.units.max(1)))
    }

    /// The glyph of a character, or the box that stands for what there is none for.
    fn glyph(&self, character: char) -> GlyphId {
        self.font.charmap().map(character).unwrap_or(GlyphId::NOTDEF)
    }

    fn advance(&self, glyph: GlyphId) -> i64 {
        let metrics = self.font.glyph_metrics(Size::unscaled(), LocationRef::default());
        self.scaled(metrics.advance_width(glyph).unwrap_or(0.0))
    }

    fn width(&self, text: &str) -> i64 {
        text.chars().map(|character| self.advance(self.glyph(character))).sum()
    }

    /// Lays a glyph over the part of the picture that it covers.
    fn draw(&self, raster: &mut Raster, glyph: GlyphId, origin: (i64, i64), color: Color) -> Result<(), PixelError> {
        let Some(glyph) = self.font.outline_glyphs().get(glyph) else { return Ok(()) };
        let mut outline = Outline::new(origin, self.size, self.units);
        let settings = DrawSettings::unhinted(Size::unscaled(), LocationRef::default());
        glyph.draw(settings, &mut outline).map_err(PixelError::encode)?;
        let Some((left, top, right, bottom)) = outline.bounds() else { return Ok(()) };
        let (left, right) = (left.max(0), right.min(raster.width().into()));
        let rows = top.max(0)..bottom.min(raster.height().into());
        if left >= right || rows.is_empty() {
            return Ok(());
        }
        let [red, green, blue] = color.rgb;
        let n_pixels = (right - left) as usize;
        for y in rows {
            let mut row = vec![0; n_pixels];
            outline.fill_row(y, left, &mut row);
            let opacity = |parts: u32| {
                let parts = parts.min(Outline::WHOLE);
                ((parts * u32::from(color.alpha) + Outline::WHOLE / 2) / Outline::WHOLE) as u8
            };
            let pixels = row.into_iter().flat_map(|parts| [red, green, blue, opacity(parts)]).collect();
            lay(raster, &Raster::new(n_pixels as u32, 1, Layout::Rgba, pixels)?, Point { x: left, y }, 100);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: TextStyle = TextStyle {
        font: Font::Sans,
        size: 20,
        color: Color { rgb: [255; 3], alpha: 255 },
        gravity: (0, 0),
        margin: 0,
    };

    fn black(width: u32, height: u32) -> Raster {
        Raster::zeroed(width, height, Layout::Gray).unwrap()
    }

    fn sum(raster: &Raster) -> u64 {
        raster.pixels().iter().map(|code| u64::from(*code)).sum()
    }

    /// Left, upper, right and lower end of what is not black.
    fn bounds(raster: &Raster) -> Option<(u32, u32, u32, u32)> {
        let channels = raster.layout().channels();
        let lit = raster.pixels().chunks(channels).enumerate().filter(|(_, pixel)| pixel.iter().any(|code| *code > 0));
        let places: Vec<_> = lit.map(|(i, _)| (i as u32 % raster.width(), i as u32 / raster.width())).collect();
        let (xs, ys) = (places.iter().map(|place| place.0), places.iter().map(|place| place.1));
        Some((xs.clone().min()?, ys.clone().min()?, xs.max()?, ys.max()?))
    }

    #[test]
    fn every_bundled_character_can_be_drawn() {
        for font in [Font::Sans, Font::Serif, Font::Mono] {
            let face = Face::read(&TextStyle { font, ..STYLE }).unwrap();
            let missing: String = ('!'..='~').chain('¡'..='ſ').chain('а'..='я').chain('α'..='ω').collect();
            let missing: String = missing.chars().filter(|c| face.glyph(*c) == GlyphId::NOTDEF).collect();
            assert_eq!(missing, "", "{font:?}");
            for (character, _) in face.font.charmap().mappings().filter_map(|(c, g)| Some((char::from_u32(c)?, g))) {
                written(black(40, 40), &character.to_string(), &TextStyle { font, ..STYLE }).unwrap();
            }
        }
        assert!(fonts().iter().all(|(_, file)| file.len() < 80_000));
    }

    #[test]
    fn a_letter_is_where_and_as_large_as_it_should_be() {
        // In Noto Sans, I is a bar with feet 714 units high.
        let (left, top, right, bottom) =
            bounds(&written(black(100, 200), "I", &TextStyle { size: 100, ..STYLE }).unwrap()).unwrap();
        assert_eq!((top, bottom), (34, 105));
        assert!(left < 10 && (20..40).contains(&right), "{left} {right}");
        // The whole is as dark as its area says: twice as large, four times as much.
        let small = sum(&written(black(300, 300), "Sg&", &TextStyle { size: 40, ..STYLE }).unwrap());
        let large = sum(&written(black(300, 300), "Sg&", &TextStyle { size: 80, ..STYLE }).unwrap());
        assert!((large as f64 / small as f64 - 4.0).abs() < 0.02, "{small} {large}");
    }

    #[test]
    fn gravity_and_margin_place_the_text() {
        let at = |gravity, margin| {
            bounds(&written(black(200, 100), "Hello", &TextStyle { gravity, margin, ..STYLE }).unwrap()).unwrap()
        };
        let (left, top, right, bottom) = at((0, 0), 10);
        assert!(left >= 10 && top >= 10 && right < 80 && bottom < 40);
        let (left, top, right, bottom) = at((10_000, 10_000), 10);
        assert!(left > 120 && top > 60 && (180..190).contains(&right) && bottom < 90);
        let (left, _, right, _) = at((5_000, 5_000), 10);
        assert!(left.abs_diff(199 - right) <= 2);
    }

    #[test]
    fn lines_break_at_line_feeds_and_at_the_edge() {
        let width = |text: &str| text.chars().count() as i64;
        let check = |text: &str, room: i64, expected: &[&str]| assert_eq!(wrapped(text, width, room), expected);
        check("one two three", 20, &["one two three"]);
        check("one two three", 8, &["one two", "three"]);
        check("one\ntwo\r\n\nthree", 8, &["one", "two", "", "three"]);
        check("extraordinary x", 5, &["extra", "ordin", "ary x"]);
        check("ab", 0, &["a", "b"]);
        check("", 5, &[]);
        let one = bounds(&written(black(300, 100), "aaa aaa", &STYLE).unwrap()).unwrap();
        let two = bounds(&written(black(60, 100), "aaa aaa", &STYLE).unwrap()).unwrap();
        assert!(two.2 < 60 && two.3 == one.3 + 27, "{one:?} {two:?}");
    }

    #[test]
    fn what_the_font_has_not_is_a_box() {
        let missing = written(black(40, 40), "漢", &STYLE).unwrap();
        assert_eq!(missing, written(black(40, 40), "\u{1}", &STYLE).unwrap());
        assert!(sum(&missing) > 1000);
        assert_eq!(sum(&written(black(40, 40), " \u{a0}", &STYLE).unwrap()), 0);
    }

    #[test]
    fn text_that_does_not_fit_is_cut_off() {
        for (width, height) in [(1, 1), (7, 300), (300, 7)] {
            for size in [1, 20, 8192] {
                let style = TextStyle { size, margin: 500, gravity: (5_000, 10_000), ..STYLE };
                written(black(width, height), "Many words, and more of them.\n\nÄЖω漢", &style).unwrap();
            }
        }
    }

    #[test]
    fn colour_and_opacity_are_the_styles() {
        let color = Color { rgb: [255, 0, 0], alpha: 128 };
        let red = written(black(60, 60), "M", &TextStyle { color, size: 60, ..STYLE }).unwrap();
        assert_eq!(red.layout(), Layout::Rgb);
        let brightest = red.pixels().chunks(3).max().unwrap();
        assert_eq!(brightest, [128, 0, 0]);
        let clear = Raster::zeroed(60, 60, Layout::Rgba).unwrap();
        let found = written(clear, "M", &TextStyle { color, size: 60, ..STYLE }).unwrap();
        assert_eq!(found.pixels().chunks(4).max().unwrap(), [255, 0, 0, 128]);
    }

    #[test]
    fn the_bytes_never_change() {
        let style = TextStyle { size: 33, gravity: (5_000, 5_000), ..STYLE };
        let hash = |font| {
            let raster = written(black(160, 90), "Grüße Ελ\nЖук @é", &TextStyle { font, ..style }).unwrap();
            raster
                .pixels()
                .iter()
                .fold(0xcbf2_9ce4_8422_2325_u64, |hash, code| (hash ^ u64::from(*code)).wrapping_mul(0x100_0000_01b3))
        };
        let found = [hash(Font::Sans), hash(Font::Serif), hash(Font::Mono)];
        assert_eq!(found, [9_060_738_607_431_731_509, 234_382_514_067_300_680, 18_171_139_867_192_482_495]);
    }
}
