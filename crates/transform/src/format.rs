//! Image formats, and the facts about a stored picture that a plan depends on.

use std::fmt;
use std::str::FromStr;

/// A format this service reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// JPEG (JFIF or Exif).
    Jpeg,
    /// PNG; of an animated one, the default image.
    Png,
    /// WebP, lossy or lossless; of an animated one, the first frame.
    WebP,
    /// GIF; read only, and of an animated one the first frame.
    Gif,
}

impl Format {
    /// The media type, as in `Content-Type`.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
        }
    }

    /// The usual file name extension, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Gif => "gif",
        }
    }

    /// The name used in transforms, plans and documents: `jpeg`, `png`, `webp`, `gif`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Gif => "gif",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = crate::TransformError;

    /// Reads [`Format::name`].
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Jpeg, Self::Png, Self::WebP, Self::Gif]
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| crate::TransformError::invalid(Some("format"), "unknown image format"))
    }
}

/// A format this service writes, with what its encoder needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Output {
    /// JPEG at a quality from 1 to 100. Has no transparency.
    Jpeg {
        /// 1 (smallest) to 100 (best).
        quality: u8,
    },
    /// PNG, eight bits a channel.
    Png,
    /// Lossless WebP.
    WebP,
}

impl Output {
    /// The format of the bytes.
    pub fn format(self) -> Format {
        match self {
            Self::Jpeg { .. } => Format::Jpeg,
            Self::Png => Format::Png,
            Self::WebP => Format::WebP,
        }
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
}
