//! From a transform to a plan: every size, position and format becomes a number.

use super::{Crop, Layout, Plan, Render};
use crate::geometry::{Limits, Window};
use crate::overlay::{Filter, PlannedFilter};
use crate::spec::{Encoding, FormatWish, Transform};
use crate::values::{Color, Fit};
use crate::{Accept, Format, Output, Quality, Source, TransformError};

/// What a plan depends on besides the request and the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Context<'a> {
    /// What the client accepts. Matters with `f=auto` only.
    pub accept: Accept,
    /// How large a result may be.
    pub limits: Limits,
    /// The digest of the code of the filter that is asked for, in hexadecimal (lower case, at least
    /// [`PlannedFilter::DIGEST_DIGITS`] digits). `None` where there is no such filter.
    pub filter_digest: Option<&'a str>,
}

impl From<Accept> for Context<'_> {
    fn from(accept: Accept) -> Self {
        Self { accept, ..Self::default() }
    }
}

impl Plan {
    /// Works out `transform` for the picture `source`. An [`Accept`] will do as the context where the rest is as usual.
    ///
    /// # Errors
    /// - `Limit` when the result would be larger than the limits.
    /// - `Invalid` when the source has no pixels, or `crop` lies outside of it, or all is too much for one plan.
    /// - `FilterUnknown` when a filter is asked for, and the context has no digest.
    pub fn resolve<'a>(
        transform: &Transform,
        source: &Source,
        context: impl Into<Context<'a>>,
    ) -> Result<Self, TransformError> {
        let context = context.into();
        if source.width == 0 || source.height == 0 {
            return Err(TransformError::invalid(None, "the picture has no pixels"));
        }
        let crop = crop(transform, source)?;
        let (width, height) =
            crop.map_or((source.width, source.height), |crop| (crop.window.width, crop.window.height));
        let turned = transform.orientation.sides(width, height);
        let layout = layout(transform, turned, context.limits)?;
        let written = Written::of(transform, source, &layout, context.accept);
        let render = Render {
            crop,
            orientation: transform.orientation,
            layout,
            is_linear: transform.is_linear && is_scaled(&layout, turned),
            background: background(transform, source, &layout, written.output),
            adjustments: transform.adjustments,
            tone: transform.tone,
            tint: transform.tint,
            blur: transform.blur,
            sharpen: transform.sharpen,
            filter: transform.filter.as_ref().map(|filter| planned(filter, context.filter_digest)).transpose()?,
            radius: transform.radius.map(|radius| match layout {
                Layout::Fixed(geometry) => radius.within(geometry.canvas.width, geometry.canvas.height),
                Layout::Trimmed { .. } => radius,
            }),
            watermark: transform.watermark.clone(),
            text: transform.text.clone(),
            output: written.output,
            is_animated: written.is_animated,
            max_bytes: written.max_bytes,
            alternative: written.alternative,
        };
        // One byte is kept for the alternative of an AVIF, whose quality may have a digit more.
        let length = render.to_string().len() + 1;
        if length > Self::MAX_BYTES {
            let detail = format!("asks for too much at once: its plan takes {length} bytes of {}", Self::MAX_BYTES);
            return Err(TransformError::invalid(None, detail));
        }
        Ok(Self::Render(render))
    }
}

/// The part to take, in pixels of the upright picture; `None` for the whole.
fn crop(transform: &Transform, source: &Source) -> Result<Option<Crop>, TransformError> {
    let Some(region) = transform.crop else { return Ok(None) };
    let of = (source.width, source.height);
    let Some(window) = region.of(of.0, of.1) else {
        let detail = format!("lies outside of the picture, which has {}x{} pixels", of.0, of.1);
        return Err(TransformError::invalid(Some("crop"), detail));
    };
    Ok((window != Window::whole(of)).then_some(Crop { window, of }))
}

fn layout(transform: &Transform, (width, height): (u32, u32), limits: Limits) -> Result<Layout, TransformError> {
    match transform.trim {
        Some(threshold) => Ok(Layout::Trimmed { threshold, frame: transform.frame }),
        None => transform.frame.lay_out(width, height, limits).map(Layout::Fixed),
    }
}

/// Whether the picture's pixels are not the result's; may be so where that is not known yet.
fn is_scaled(layout: &Layout, whole: (u32, u32)) -> bool {
    match layout {
        Layout::Fixed(geometry) => geometry.scaled != whole,
        Layout::Trimmed { frame, .. } => frame.width.or(frame.height).is_some(),
    }
}

/// Whether the canvas shows around the picture; may do so where that is not known yet.
fn is_padded(layout: &Layout) -> bool {
    match layout {
        Layout::Fixed(geometry) => geometry.is_padded(),
        Layout::Trimmed { frame, .. } => frame.fit == Fit::Contain || !frame.padding.is_none(),
    }
}

/// What lies under the picture; clear where nothing of it would be seen.
fn background(transform: &Transform, source: &Source, layout: &Layout, output: Output) -> Color {
    // A filter may make holes.
    let has_holes = source.has_alpha || transform.radius.is_some() || transform.filter.is_some();
    match output {
        _ if !has_holes && !is_padded(layout) => Color::CLEAR,
        Output::Jpeg { .. } => transform.background.on_white(),
        _ => transform.background,
    }
}

fn planned(filter: &Filter, digest: Option<&str>) -> Result<PlannedFilter, TransformError> {
    let Some(digest) = digest else {
        return Err(TransformError::filter_unknown(format!("there is no filter {}", filter.name())));
    };
    PlannedFilter::new(filter.clone(), digest)
        .ok_or_else(|| TransformError::invalid(Some("filter"), format!("{digest:?} is no digest")))
}

/// How the result is written.
struct Written {
    output: Output,
    is_animated: bool,
    max_bytes: Option<u32>,
    alternative: Option<Output>,
}

impl Written {
    fn of(transform: &Transform, source: &Source, layout: &Layout, accept: Accept) -> Self {
        let encoding = &transform.encoding;
        let is_filled = transform.background.is_opaque();
        let moves = source.is_animated() && !encoding.is_still;
        let mut alternative = None;
        let output = match transform.format {
            FormatWish::This(format) => encoding.output(format),
            FormatWish::Same => same(encoding, source, source.has_alpha && !is_filled),
            FormatWish::Auto if moves => animation(encoding, accept),
            FormatWish::Auto => {
                let has_holes = source.has_alpha || transform.radius.is_some() || is_padded(layout);
                let is_transparent = has_holes && !is_filled;
                let best = best(encoding, source, is_transparent, accept);
                alternative = second_best(encoding, source, is_transparent, best);
                best
            }
        };
        let max_bytes = encoding.max_bytes.filter(|_| output.quality().is_some());
        // Of two files within a limit the better one is not the smaller.
        let alternative = alternative.filter(|_| max_bytes.is_none());
        Self { output, is_animated: moves && output.can_be_animated(), max_bytes, alternative }
    }
}

impl Encoding {
    /// As `format`, which is one that we write.
    fn output(&self, format: Format) -> Output {
        let quality = |default: u8| self.quality.unwrap_or(Quality::Fixed(default));
        match format {
            Format::Jpeg => Output::Jpeg { quality: quality(Quality::DEFAULT), progressive: self.is_progressive },
            Format::WebP if self.is_lossless => Output::WebPLossless,
            Format::WebP => Output::WebP { quality: quality(Quality::DEFAULT) },
            Format::Avif => Output::Avif { quality: quality(Quality::DEFAULT_AVIF) },
            Format::Gif => Output::Gif,
            _ => Output::Png { colors: self.colors },
        }
    }
}

/// Without `f`: the source's own format where we write it quickly, otherwise what is closest.
fn same(encoding: &Encoding, source: &Source, is_transparent: bool) -> Output {
    match source.format {
        Format::WebP if source.is_lossless() => Output::WebPLossless,
        Format::Jpeg | Format::Png | Format::WebP | Format::Gif => encoding.output(source.format),
        // Drawings.
        Format::Ico | Format::Svg => encoding.output(Format::Png),
        Format::Avif | Format::Tiff | Format::Bmp | Format::Jxl | Format::Heic => {
            encoding.output(match (is_transparent, source.is_lossless()) {
                (false, _) => Format::Jpeg,
                (true, true) => Format::Png,
                (true, false) => Format::WebP,
            })
        }
    }
}

/// `f=auto` of an animation.
fn animation(encoding: &Encoding, accept: Accept) -> Output {
    encoding.output(if accept.takes_webp() { Format::WebP } else { Format::Gif })
}

/// `f=auto` of a still picture. Clients that name no format get without loss what came without loss; for the others
/// [`second_best`] sees to it that a drawing does not grow by being blurred.
fn best(encoding: &Encoding, source: &Source, is_transparent: bool, accept: Accept) -> Output {
    match accept {
        Accept::WebP | Accept::Avif if encoding.is_lossless => Output::WebPLossless,
        Accept::Avif => Output::Avif {
            quality: encoding.quality.map_or(Quality::Fixed(Quality::DEFAULT_AVIF), Quality::jpeg_to_avif),
        },
        Accept::WebP => encoding.output(Format::WebP),
        Accept::Plain if is_transparent || source.is_lossless() => encoding.output(Format::Png),
        Accept::Plain => encoding.output(Format::Jpeg),
    }
}

/// What might be smaller than the best: the picture without loss where it came so (drawings, screenshots), the plain
/// JPEG otherwise. `None` where neither can be.
fn second_best(encoding: &Encoding, source: &Source, is_transparent: bool, best: Output) -> Option<Output> {
    match best {
        Output::WebP { .. } | Output::Avif { .. } if source.is_lossless() => Some(Output::WebPLossless),
        Output::WebP { .. } | Output::Avif { .. } if !is_transparent => Some(encoding.output(Format::Jpeg)),
        _ => None,
    }
}
