//! The spelling of a plan. One plan has one spelling.

use std::fmt;
use std::str::FromStr;

use super::{Crop, Layout, Plan, Render};
use crate::geometry::{Canvas, Geometry, Window};
use crate::measures::{Adjustments, Factor, Radius};
use crate::overlay::{PlannedFilter, TextOverlay, Watermark};
use crate::values::{Color, Gravity, Sigma, Smart, Tone, whole};
use crate::{Orientation, Output, Quality, TransformError, parse};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Original => f.write_str("original"),
            Self::Render(render) => render.fmt(f),
        }
    }
}

impl fmt::Display for Render {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = Vec::new();
        fields.extend(self.crop.map(|crop| format!("crop={}", crop_text(crop))));
        fields.extend(self.trim().map(|threshold| format!("trim={threshold}")));
        fields.extend((self.orientation != Orientation::UPRIGHT).then(|| orientation_text(self.orientation)));
        match &self.layout {
            Layout::Fixed(geometry) => fields.extend(geometry_fields(geometry)),
            Layout::Trimmed { frame, .. } => fields.extend(frame.options()),
        }
        fields.extend(self.pixel_fields());
        fields.extend(self.file_fields());
        f.write_str(&fields.join(","))
    }
}

fn crop_text(Crop { window: Window { x, y, width, height }, of }: Crop) -> String {
    format!("{x}.{y}.{width}.{height}.{}.{}", of.0, of.1)
}

fn orientation_text(orientation: Orientation) -> String {
    format!("o={}{}", orientation.quarter_turns(), if orientation.is_mirrored() { "h" } else { "" })
}

fn geometry_fields(geometry: &Geometry) -> Vec<String> {
    let Geometry { scaled, window, smart, canvas } = geometry;
    let mut fields = vec![format!("s={}x{}", scaled.0, scaled.1)];
    let Window { x, y, width, height } = window;
    if let Some(smart) = smart {
        fields.push(format!("c={}.{width}.{height}", smart.name()));
    } else if *window != Window::whole(*scaled) {
        fields.push(format!("c={x}.{y}.{width}.{height}"));
    }
    if geometry.is_padded() {
        fields.push(format!("p={}.{}.{}.{}", canvas.x, canvas.y, canvas.width, canvas.height));
    }
    fields
}

impl Render {
    /// What is done to the pixels.
    fn pixel_fields(&self) -> Vec<String> {
        let mut fields = Vec::new();
        fields.extend(self.is_linear.then(|| "linear=1".to_owned()));
        fields.extend((self.background != Color::CLEAR).then(|| format!("b={}", self.background)));
        fields.extend(self.adjustments.changes().map(|(name, factor)| format!("{name}={factor}")));
        fields.extend(self.tone.map(|tone| format!("{}=1", tone.name())));
        fields.extend(self.tint.map(|rgb| format!("tint={}", Color { rgb, alpha: 255 })));
        fields.extend(self.blur.map(|sigma| format!("blur={sigma}")));
        fields.extend(self.sharpen.map(|sigma| format!("sharpen={sigma}")));
        fields.extend(self.filter.as_ref().map(|filter| format!("filter={filter}")));
        fields.extend(self.radius.map(|radius| format!("radius={radius}")));
        fields.extend(self.watermark.as_ref().map(|watermark| format!("wm={watermark}")));
        fields.extend(self.text.as_ref().map(|text| format!("text={text}")));
        fields
    }

    /// How it is written.
    fn file_fields(&self) -> Vec<String> {
        let mut fields = vec![format!("f={}", self.output.format())];
        fields.extend(self.output.quality().map(|quality| format!("q={quality}")));
        match self.output {
            Output::Jpeg { progressive: true, .. } => fields.push("progressive=1".to_owned()),
            Output::Png { colors: Some(colors) } => fields.push(format!("colors={colors}")),
            _ => {}
        }
        fields.extend(self.is_animated.then(|| "anim=1".to_owned()));
        fields.extend(self.max_bytes.map(|bytes| format!("max={bytes}")));
        fields.extend(self.alternative.map(|output| format!("or={}", alternative_text(output))));
        fields
    }
}

/// The second way to write a result: `webp` (lossless), `jpeg.80` or `jpeg.80.progressive`.
fn alternative_text(output: Output) -> String {
    let quality = output.quality().map(|quality| format!(".{quality}")).unwrap_or_default();
    let passes = if matches!(output, Output::Jpeg { progressive: true, .. }) { ".progressive" } else { "" };
    format!("{}{quality}{passes}", output.format())
}

impl FromStr for Plan {
    type Err = TransformError;

    /// Reads what [`Plan`] prints, and nothing else: one plan has one spelling.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "original" {
            return Ok(Self::Original);
        }
        let plan = read_render(text).filter(Render::is_sound).map(Self::Render);
        // Printing it again refuses other orders, repeated fields and spelled-out defaults without a rule for each.
        plan.filter(|plan| plan.to_string() == text)
            .ok_or_else(|| TransformError::invalid(None, "not the spelling of a plan"))
    }
}

/// The fields of a plan, by name.
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn split(text: &'a str) -> Option<Self> {
        text.split(',').map(|field| field.split_once('=')).collect::<Option<_>>().map(Self)
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(field, _)| *field == name).map(|(_, value)| *value)
    }

    /// The value of a field that may be missing; `None` when it is there and can't be read.
    fn read<T>(&self, name: &str, read: impl Fn(&'a str) -> Option<T>) -> Option<Option<T>> {
        match self.get(name) {
            Some(value) => read(value).map(Some),
            None => Some(None),
        }
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.read(name, |value| (value == "1").then_some(true)).map(Option::unwrap_or_default)
    }
}

/// Reads the fields in any order; what else must hold is for the caller to check.
fn read_render(text: &str) -> Option<Render> {
    if text.len() > Plan::MAX_BYTES {
        return None;
    }
    let fields = Fields::split(text)?;
    let sigma = |name: &str, max| fields.read(name, |text| Sigma::from_text(text, max));
    let max_bytes = |text: &str| whole(text).filter(|bytes| *bytes > 0);
    Some(Render {
        crop: fields.read("crop", read_crop)?,
        orientation: fields.read("o", read_orientation)?.unwrap_or_default(),
        layout: read_layout(&fields)?,
        is_linear: fields.flag("linear")?,
        background: fields.read("b", Color::from_text)?.unwrap_or(Color::CLEAR),
        adjustments: read_adjustments(&fields)?,
        tone: match (fields.flag(Tone::Gray.name())?, fields.flag(Tone::Bitonal.name())?) {
            (_, true) => Some(Tone::Bitonal),
            (true, false) => Some(Tone::Gray),
            (false, false) => None,
        },
        tint: fields.read("tint", Color::rgb_from_text)?,
        blur: sigma("blur", Sigma::MAX_BLUR)?,
        sharpen: sigma("sharpen", Sigma::MAX_SHARPEN)?,
        filter: fields.read("filter", PlannedFilter::from_plan)?,
        radius: fields.read("radius", Radius::from_text)?,
        watermark: fields.read("wm", Watermark::from_plan)?,
        text: fields.read("text", TextOverlay::from_plan)?,
        output: read_output(&fields)?,
        is_animated: fields.flag("anim")?,
        max_bytes: fields.read("max", max_bytes)?,
        alternative: fields.read("or", read_alternative)?,
    })
}

fn read_crop(text: &str) -> Option<Crop> {
    let [x, y, width, height, whole_width, whole_height] = numbers(text)?;
    Some(Crop { window: Window { x, y, width, height }, of: (whole_width, whole_height) })
}

fn read_layout(fields: &Fields<'_>) -> Option<Layout> {
    let Some(threshold) = fields.get("trim") else { return read_geometry(fields).map(Layout::Fixed) };
    let threshold = whole(threshold).and_then(|n| u8::try_from(n).ok()).filter(|n| *n > 0)?;
    let names = ["w", "h", "ar", "fit", "g", "enlarge", "pad"];
    let option = |name: &str| fields.get(name).map(|value| format!("{name}={value}"));
    let options: Vec<String> = names.into_iter().filter_map(option).collect();
    Some(Layout::Trimmed { threshold, frame: parse::frame(&options)? })
}

fn read_geometry(fields: &Fields<'_>) -> Option<Geometry> {
    let (width, height) = fields.get("s")?.split_once('x')?;
    let scaled = (number(width)?, number(height)?);
    let (window, smart) = match fields.get("c") {
        Some(text) => read_window(text, scaled)?,
        None => (Window::whole(scaled), None),
    };
    let canvas = match fields.get("p") {
        Some(text) => {
            let [x, y, width, height] = numbers(text)?;
            Canvas { width, height, x, y }
        }
        None => Canvas { width: window.width, height: window.height, x: 0, y: 0 },
    };
    Some(Geometry { scaled, window, smart, canvas })
}

fn read_window(text: &str, scaled: (u32, u32)) -> Option<(Window, Option<Smart>)> {
    let (name, size) = text.split_once('.')?;
    let Some(smart) = Smart::from_name(name) else {
        let [x, y, width, height] = numbers(text)?;
        return Some((Window { x, y, width, height }, None));
    };
    let [width, height] = numbers(size)?;
    let x = Gravity::CENTER.crop_left(scaled.0.checked_sub(width)?);
    let y = Gravity::CENTER.crop_top(scaled.1.checked_sub(height)?);
    Some((Window { x, y, width, height }, Some(smart)))
}

fn read_adjustments(fields: &Fields<'_>) -> Option<Adjustments> {
    let mut factors = [Factor::ONE; Adjustments::NAMES.len()];
    for (name, factor) in Adjustments::NAMES.into_iter().zip(&mut factors) {
        *factor = fields.read(name, |text| Adjustments::factor(name, text))?.unwrap_or_default();
    }
    Some(Adjustments::from_factors(factors))
}

fn read_output(fields: &Fields<'_>) -> Option<Output> {
    let quality = fields.read("q", Quality::from_text)?;
    let progressive = fields.flag("progressive")?;
    let colors = |text: &str| whole(text).filter(|n| (2..=256).contains(n)).and_then(|n| u16::try_from(n).ok());
    Some(match (fields.get("f")?, quality) {
        ("jpeg", Some(quality)) => Output::Jpeg { quality, progressive },
        ("png", None) => Output::Png { colors: fields.read("colors", colors)? },
        ("webp", Some(quality)) => Output::WebP { quality },
        ("webp", None) => Output::WebPLossless,
        ("avif", Some(quality)) => Output::Avif { quality },
        ("gif", None) => Output::Gif,
        _ => return None,
    })
}

fn read_alternative(text: &str) -> Option<Output> {
    if text == "webp" {
        return Some(Output::WebPLossless);
    }
    let quality = text.strip_prefix("jpeg.")?;
    let (quality, progressive) =
        quality.strip_suffix(".progressive").map_or((quality, false), |quality| (quality, true));
    Some(Output::Jpeg { quality: Quality::from_text(quality)?, progressive })
}

fn read_orientation(text: &str) -> Option<Orientation> {
    let turns = text.strip_suffix('h').unwrap_or(text);
    Some(Orientation::new(u8::try_from(number(turns)?).ok()?, text.ends_with('h')))
}

/// Exactly `N` numbers with a point between each.
fn numbers<const N: usize>(text: &str) -> Option<[u32; N]> {
    let numbers: Vec<u32> = text.split('.').map(number).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

/// A number of pixels; digits only, because `str::parse` would take a sign.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
