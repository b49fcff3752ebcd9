//! Image formats, and the facts about a stored picture that a plan depends on.

use std::fmt;
use std::str::FromStr;

use crate::TransformError;

/// A format this service reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// JPEG (JFIF or Exif).
    Jpeg,
    /// PNG, still or animated (APNG).
    Png,
    /// WebP, lossy or lossless, still or animated.
    WebP,
    /// GIF, still or animated.
    Gif,
    /// AVIF.
    Avif,
    /// TIFF; read only.
    Tiff,
    /// BMP; read only.
    Bmp,
    /// ICO, the largest of its pictures; read only.
    Ico,
    /// SVG; read only.
    Svg,
    /// JPEG XL; read only.
    Jxl,
    /// HEIC; read only.
    Heic,
}

/// Each format with its name, media type and file name extension.
const FORMATS: [(Format, &str, &str, &str); 11] = [
    (Format::Jpeg, "jpeg", "image/jpeg", "jpg"),
    (Format::Png, "png", "image/png", "png"),
    (Format::WebP, "webp", "image/webp", "webp"),
    (Format::Gif, "gif", "image/gif", "gif"),
    (Format::Avif, "avif", "image/avif", "avif"),
    (Format::Tiff, "tiff", "image/tiff", "tif"),
    (Format::Bmp, "bmp", "image/bmp", "bmp"),
    (Format::Ico, "ico", "image/vnd.microsoft.icon", "ico"),
    (Format::Svg, "svg", "image/svg+xml", "svg"),
    (Format::Jxl, "jxl", "image/jxl", "jxl"),
    (Format::Heic, "heic", "image/heic", "heic"),
];

impl Format {
    /// Every format.
    pub fn all() -> impl Iterator<Item = Self> {
        FORMATS.into_iter().map(|(format, ..)| format)
    }

    fn row(self) -> (Self, &'static str, &'static str, &'static str) {
        FORMATS[self as usize]
    }

    /// The media type, as in `Content-Type`.
    pub fn mime(self) -> &'static str {
        self.row().2
    }

    /// The format of a media type, spelled as [`Format::mime`] spells it.
    pub fn from_mime(mime: &str) -> Option<Self> {
        Self::all().find(|format| format.mime() == mime)
    }

    /// The usual file name extension, without the dot.
    pub fn extension(self) -> &'static str {
        self.row().3
    }

    /// The name used in transforms, plans and documents: `jpeg`, `png`, `webp` and so on.
    pub fn name(self) -> &'static str {
        self.row().1
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = TransformError;

    /// Reads [`Format::name`].
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::all()
            .find(|format| format.name() == name)
            .ok_or_else(|| TransformError::invalid(Some("format"), "unknown image format"))
    }
}

/// How well a lossy format is to keep the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quality {
    /// 1 (smallest) to 100 (best), on the format's own scale.
    Fixed(u8),
    /// The lowest that looks like the picture.
    Auto,
}

impl Quality {
    /// The quality of a JPEG, and of a lossy WebP, when none is asked for.
    pub const DEFAULT: u8 = 80;
    /// The quality of an AVIF when none is asked for. As good as [`Quality::DEFAULT`] is in the other formats.
    pub const DEFAULT_AVIF: u8 = 50;

    /// Reads `auto` or a whole number from 1 to 100.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        if text == "auto" {
            return Some(Self::Auto);
        }
        let number = crate::values::whole(text).filter(|number| (1..=100).contains(number))?;
        u8::try_from(number).ok().map(Self::Fixed)
    }

    /// Itself, or the default where it is to be searched for.
    pub(crate) fn or_default(self) -> Self {
        if self == Self::Auto { Self::Fixed(Self::DEFAULT) } else { self }
    }

    /// On AVIF's scale what this one is on JPEG's: five eighths of it.
    pub(crate) fn jpeg_to_avif(self) -> Self {
        match self {
            Self::Fixed(quality) => Self::Fixed(((u16::from(quality) * 5 + 4) / 8).clamp(1, 100) as u8),
            Self::Auto => Self::Auto,
        }
    }

    /// On JPEG's scale what this one is on AVIF's.
    pub(crate) fn avif_to_jpeg(self) -> Self {
        match self {
            Self::Fixed(quality) => Self::Fixed(((u16::from(quality) * 8 + 2) / 5).clamp(1, 100) as u8),
            Self::Auto => Self::Auto,
        }
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(quality) => quality.fmt(f),
            Self::Auto => f.write_str("auto"),
        }
    }
}

/// A format this service writes, with what its encoder needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Output {
    /// JPEG. Has no transparency.
    Jpeg {
        /// How well.
        quality: Quality,
        /// Whether it is sent in passes from coarse to fine.
        progressive: bool,
    },
    /// PNG, eight bits a channel.
    Png {
        /// The most colours it may have, 2 to 256, in a palette; `None` for as many as there are.
        colors: Option<u16>,
    },
    /// Lossy WebP.
    WebP {
        /// How well.
        quality: Quality,
    },
    /// Lossless WebP.
    WebPLossless,
    /// AVIF.
    Avif {
        /// How well.
        quality: Quality,
    },
    /// GIF.
    Gif,
}

impl Output {
    /// The format of the bytes.
    pub fn format(self) -> Format {
        match self {
            Self::Jpeg { .. } => Format::Jpeg,
            Self::Png { .. } => Format::Png,
            Self::WebP { .. } | Self::WebPLossless => Format::WebP,
            Self::Avif { .. } => Format::Avif,
            Self::Gif => Format::Gif,
        }
    }

    /// How well a lossy format is to keep the picture; `None` for PNG, GIF and lossless WebP.
    pub fn quality(self) -> Option<Quality> {
        match self {
            Self::Jpeg { quality, .. } | Self::WebP { quality } | Self::Avif { quality } => Some(quality),
            Self::Png { .. } | Self::WebPLossless | Self::Gif => None,
        }
    }

    /// The same at another quality; as it is, where there is none.
    #[must_use]
    pub fn at(self, quality: u8) -> Self {
        let quality = Quality::Fixed(quality);
        match self {
            Self::Jpeg { progressive, .. } => Self::Jpeg { quality, progressive },
            Self::WebP { .. } => Self::WebP { quality },
            Self::Avif { .. } => Self::Avif { quality },
            Self::Png { .. } | Self::WebPLossless | Self::Gif => self,
        }
    }

    /// Whether it can hold more than one frame, as far as we write them.
    pub fn can_be_animated(self) -> bool {
        matches!(self, Self::WebP { .. } | Self::WebPLossless | Self::Gif)
    }
}

/// The facts about a stored picture that a plan depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source {
    /// Width in pixels, after EXIF orientation.
    pub width: u32,
    /// Height in pixels, after EXIF orientation.
    pub height: u32,
    /// The format of the original.
    pub format: Format,
    /// Whether any pixel may be transparent.
    pub has_alpha: bool,
    /// Frames of an animation, pages or sizes; 1 for a still picture.
    pub frames: u32,
    /// Whether the file keeps every pixel; `None` where only the format is known.
    pub is_lossless: Option<bool>,
}

impl Source {
    /// A still picture of which no more is known.
    pub fn still(width: u32, height: u32, format: Format, has_alpha: bool) -> Self {
        Self { width, height, format, has_alpha, frames: 1, is_lossless: None }
    }

    /// Whether the file keeps every pixel; by what is usual for the format where it is not known.
    pub fn is_lossless(&self) -> bool {
        self.is_lossless.unwrap_or(match self.format {
            Format::Png | Format::Gif | Format::Tiff | Format::Bmp | Format::Ico | Format::Svg => true,
            Format::Jpeg | Format::WebP | Format::Avif | Format::Jxl | Format::Heic => false,
        })
    }

    /// Whether it moves. The pages of a TIFF and the sizes of an ICO are no animation.
    pub fn is_animated(&self) -> bool {
        self.frames > 1 && matches!(self.format, Format::Gif | Format::WebP | Format::Png)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_read_as_they_print() {
        for format in Format::all() {
            assert_eq!(FORMATS[format as usize].0, format);
            assert_eq!(format.name().parse(), Ok(format));
            assert_eq!(Format::from_mime(format.mime()), Some(format));
        }
        assert!("jpg".parse::<Format>().is_err());
        assert_eq!(Format::from_mime("text/html"), None);
    }

    #[test]
    fn qualities_of_avif_match_those_of_jpeg() {
        let check = |jpeg: u8, avif: u8| {
            assert_eq!(Quality::Fixed(jpeg).jpeg_to_avif(), Quality::Fixed(avif), "{jpeg}");
            let back = Quality::Fixed(avif).avif_to_jpeg();
            assert!(matches!(back, Quality::Fixed(quality) if quality.abs_diff(jpeg) <= 1), "{jpeg}: {back}");
        };
        check(Quality::DEFAULT, Quality::DEFAULT_AVIF);
        check(100, 63);
        check(60, 38);
        check(1, 1);
        assert_eq!(Quality::Fixed(100).avif_to_jpeg(), Quality::Fixed(100));
        assert_eq!(Quality::Auto.jpeg_to_avif(), Quality::Auto);
    }
}
