//! The plan: a transform worked out for one picture, all in numbers, with a short spelling of its own.

mod resolve;
#[cfg(test)]
mod tests;
mod text;

pub use self::resolve::Context;

use crate::geometry::{Frame, Geometry, Limits, Window};
use crate::measures::{Adjustments, Radius};
use crate::overlay::{PlannedFilter, TextOverlay, Watermark};
use crate::values::{Color, Sigma, Tone};
use crate::{Orientation, Output, Quality, TransformError};

/// What to make of a picture. Two requests that must give the same bytes give equal plans.
///
/// Prints as at most [`Plan::MAX_BYTES`] bytes of `[a-zA-Z0-9.,:=_-]`, fit for a store key and a URL, and parses back:
/// `original`, or for instance `s=720x588,f=jpeg,q=80` or `s=900x600,c=300.0.300.600,b=ffffff,f=png`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::large_enum_variant, reason = "nearly every plan is a render, and there are few at a time")]
pub enum Plan {
    /// The picture as it came, upright and without metadata.
    Original,
    /// A new picture.
    Render(Render),
}

impl Plan {
    /// The longest spelling of a plan, in bytes.
    pub const MAX_BYTES: usize = 512;
}

/// Everything that decides the bytes of a new picture. Sizes and positions are pixels.
///
/// Made by [`Plan::resolve`] and by parsing only, so that what its parts promise holds, and the canvas is within
/// [`Limits::default`].
///
/// The order of work: upright, [`crop`](Self::crop), [`trim`](Self::trim), the [`orientation`](Self::orientation),
/// scaling and the window of the [`geometry`](Self::geometry), [`adjustments`](Self::adjustments) (brightness,
/// contrast, saturation, gamma), [`tone`](Self::tone), [`tint`](Self::tint), [`blur`](Self::blur),
/// [`sharpen`](Self::sharpen), [`filter`](Self::filter), the canvas, [`radius`](Self::radius),
/// [`watermark`](Self::watermark), [`text`](Self::text), [`background`](Self::background), [`output`](Self::output).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Render {
    crop: Option<Crop>,
    orientation: Orientation,
    layout: Layout,
    is_linear: bool,
    background: Color,
    adjustments: Adjustments,
    tone: Option<Tone>,
    tint: Option<[u8; 3]>,
    blur: Option<Sigma>,
    sharpen: Option<Sigma>,
    filter: Option<PlannedFilter>,
    radius: Option<Radius>,
    watermark: Option<Watermark>,
    text: Option<TextOverlay>,
    output: Output,
    is_animated: bool,
    max_bytes: Option<u32>,
    alternative: Option<Output>,
}

/// A part of the upright picture, never the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Crop {
    /// The part, in pixels of a picture of the size [`of`](Self::of).
    pub window: Window,
    /// Width and height of the whole upright picture, in pixels. So a smaller copy can be cropped alike.
    pub of: (u32, u32),
}

/// Sizes and positions, as far as they are known before decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Layout {
    Fixed(Geometry),
    /// They depend on what a trim with this threshold leaves.
    Trimmed {
        threshold: u8,
        frame: Frame,
    },
}

impl Render {
    /// Which part of the upright picture to take first; `None` for all of it.
    pub fn crop(&self) -> Option<Crop> {
        self.crop
    }

    /// Whether to cut off the even border of what [`crop`](Self::crop) leaves, and the largest difference from the
    /// border's colour that still counts as even: 1 to 255, in eight-bit steps.
    pub fn trim(&self) -> Option<u8> {
        match self.layout {
            Layout::Fixed(_) => None,
            Layout::Trimmed { threshold, .. } => Some(threshold),
        }
    }

    /// How to turn the picture after that.
    pub fn orientation(&self) -> Orientation {
        self.orientation
    }

    /// Sizes and positions; `None` with [`trim`](Self::trim), see [`resolve_trimmed`](Self::resolve_trimmed).
    pub fn geometry(&self) -> Option<Geometry> {
        match self.layout {
            Layout::Fixed(geometry) => Some(geometry),
            Layout::Trimmed { .. } => None,
        }
    }

    /// Sizes and positions, where trimming left `width` by `height` pixels (upright: not turned yet). Without
    /// [`trim`](Self::trim) those of the plan, whatever was left.
    ///
    /// # Errors
    /// `Limit` when the result would be larger than `limits`; `Invalid` when nothing was left.
    pub fn resolve_trimmed(&self, width: u32, height: u32, limits: Limits) -> Result<Geometry, TransformError> {
        match self.layout {
            Layout::Fixed(geometry) => Ok(geometry),
            Layout::Trimmed { .. } if width == 0 || height == 0 => {
                Err(TransformError::invalid(Some("trim"), "leaves no pixels"))
            }
            Layout::Trimmed { frame, .. } => {
                let (width, height) = self.orientation.sides(width, height);
                frame.lay_out(width, height, limits)
            }
        }
    }

    /// How large (upright) a smaller copy of the whole picture would be that need be neither enlarged nor reduced; a
    /// larger one is good enough as a source. `None` where only the original will do: with [`trim`](Self::trim), and
    /// for an animation.
    pub fn source_size(&self) -> Option<(u32, u32)> {
        let geometry = self.geometry().filter(|_| !self.is_animated)?;
        let (width, height) = self.orientation.sides(geometry.scaled.0, geometry.scaled.1);
        let Some(Crop { window, of }) = self.crop else { return Some((width, height)) };
        let whole = |scaled: u32, part: u32, whole: u32| {
            let side = (u64::from(scaled) * u64::from(whole)).div_ceil(part.into());
            u32::try_from(side).unwrap_or(u32::MAX)
        };
        Some((whole(width, window.width, of.0), whole(height, window.height, of.1)))
    }

    /// Whether to scale in linear light.
    pub fn is_linear(&self) -> bool {
        self.is_linear
    }

    /// What lies under the picture; [`Color::CLEAR`] for nothing.
    pub fn background(&self) -> Color {
        self.background
    }

    /// Changes of light and colour.
    pub fn adjustments(&self) -> Adjustments {
        self.adjustments
    }

    /// Whether colours are taken out, and which way.
    pub fn tone(&self) -> Option<Tone> {
        self.tone
    }

    /// The colour that everything takes on, keeping its lightness: red, green, blue.
    pub fn tint(&self) -> Option<[u8; 3]> {
        self.tint
    }

    /// Blur, if any; its sigma in pixels of the result.
    pub fn blur(&self) -> Option<Sigma> {
        self.blur
    }

    /// Sharpening after the blur, if any; its sigma in pixels of the result.
    pub fn sharpen(&self) -> Option<Sigma> {
        self.sharpen
    }

    /// The operator's own filter, if any.
    pub fn filter(&self) -> Option<&PlannedFilter> {
        self.filter.as_ref()
    }

    /// How round the corners are; `None` for square ones. See [`Radius::half_pixels`].
    pub fn radius(&self) -> Option<Radius> {
        self.radius
    }

    /// A picture laid over the result.
    pub fn watermark(&self) -> Option<&Watermark> {
        self.watermark.as_ref()
    }

    /// Text laid over the result.
    pub fn text(&self) -> Option<&TextOverlay> {
        self.text.as_ref()
    }

    /// The format of the result.
    pub fn output(&self) -> Output {
        self.output
    }

    /// Whether every frame is rendered, not only the first.
    pub fn is_animated(&self) -> bool {
        self.is_animated
    }

    /// The most bytes that the file may have. The quality of the [`output`](Self::output) is then the highest to try;
    /// [`Quality::Auto`] stands for what it finds.
    pub fn max_bytes(&self) -> Option<u32> {
        self.max_bytes
    }

    /// A second way to write the result (`f=auto`): whichever file is smaller is the answer, the
    /// [`output`](Self::output) when they are equal.
    pub fn alternative(&self) -> Option<Output> {
        self.alternative
    }

    /// Whether it takes so long that a client should not wait for it: AVIF, and the search for a quality.
    pub fn is_expensive(&self) -> bool {
        let is_searched = |output: Output| output.quality() == Some(Quality::Auto);
        matches!(self.output, Output::Avif { .. })
            || is_searched(self.output)
            || self.alternative.is_some_and(is_searched)
    }

    /// The same picture as it can be had soon, to answer with while an expensive one is being made: WebP for AVIF, and
    /// the default quality for a search. `None` when it is not expensive.
    ///
    /// Of a plan of `f=auto` it is a plan of `f=auto` for a client without AVIF, and so often there already.
    pub fn ready_alternative(&self) -> Option<Self> {
        let ready = |output: Output| match output {
            Output::Jpeg { quality, progressive } => Output::Jpeg { quality: quality.or_default(), progressive },
            Output::WebP { quality } => Output::WebP { quality: quality.or_default() },
            // What the same request would have been on the scale of the others.
            Output::Avif { quality: Quality::Auto } => Output::WebP { quality: Quality::Fixed(Quality::DEFAULT) },
            Output::Avif { quality } => {
                let jpeg = self.alternative.and_then(Output::quality);
                Output::WebP { quality: jpeg.unwrap_or(quality.avif_to_jpeg()) }
            }
            Output::Png { .. } | Output::WebPLossless | Output::Gif => output,
        };
        self.is_expensive().then(|| Self {
            output: ready(self.output),
            alternative: self.alternative.map(ready),
            ..self.clone()
        })
    }

    /// Whether its parts keep their promises. What its spelling shows is not checked here.
    fn is_sound(&self) -> bool {
        let crop_is_sound = self.crop.is_none_or(|Crop { window, of }| window.fits(of) && window != Window::whole(of));
        let layout_is_sound = match self.layout {
            Layout::Fixed(geometry) => {
                let Geometry { canvas, .. } = geometry;
                let is_least = |radius: Radius| radius == radius.within(canvas.width, canvas.height);
                geometry.is_sound() && self.radius.is_none_or(is_least)
            }
            Layout::Trimmed { .. } => true,
        };
        let alternative_is_sound = match self.alternative {
            None => true,
            Some(Output::Jpeg { .. } | Output::WebPLossless) => {
                matches!(self.output, Output::WebP { .. } | Output::Avif { .. })
                    && !self.is_animated
                    && self.max_bytes.is_none()
            }
            Some(_) => false,
        };
        crop_is_sound
            && layout_is_sound
            && alternative_is_sound
            && self.radius != Some(Radius::Pixels(0))
            && (!self.is_animated || self.output.can_be_animated())
            && (self.max_bytes.is_none() || self.output.quality().is_some())
    }
}
