//! imgproxy, versions 3 and 4: `/{signature}/{option:argument:…}/…/plain/{id}@{extension}`, or the source in base64.
//!
//! Sizes are worked out as imgproxy does it: scale factors first, `dpr` only as far as it does not enlarge, then what
//! is cut off and what is extended.

use std::collections::BTreeMap;

use crate::error::{DialectError, Result, invalid, malformed, unsupported};
use crate::layout::{Frame, Layout, around, settle};
use crate::native::{Fit, Format, Gravity, Native, Quality, Rect, Size, Turn};
use crate::source::{base64_decoded, image_id, percent_decoded};
use crate::values::{Alpha, Color, decimal, decimal_in, hex, hundredths, switch, whole, whole_in};
use crate::{Request, Wish, no_query};

/// Short names and the names that they stand for.
const ALIASES: &[(&str, &str)] = &[
    ("rs", "resize"),
    ("s", "size"),
    ("rt", "resizing_type"),
    ("w", "width"),
    ("h", "height"),
    ("mw", "min-width"),
    ("mh", "min-height"),
    ("z", "zoom"),
    ("el", "enlarge"),
    ("ex", "extend"),
    ("extend_ar", "extend_aspect_ratio"),
    ("exar", "extend_aspect_ratio"),
    ("g", "gravity"),
    ("c", "crop"),
    ("t", "trim"),
    ("pd", "padding"),
    ("ar", "auto_rotate"),
    ("rot", "rotate"),
    ("fl", "flip"),
    ("bg", "background"),
    ("bga", "background_alpha"),
    ("a", "adjust"),
    ("br", "brightness"),
    ("co", "contrast"),
    ("sa", "saturation"),
    ("bl", "blur"),
    ("sh", "sharpen"),
    ("pix", "pixelate"),
    ("wm", "watermark"),
    ("sm", "strip_metadata"),
    ("kcr", "keep_copyright"),
    ("scp", "strip_color_profile"),
    ("ph", "preserve_hdr"),
    ("eth", "enforce_thumbnail"),
    ("q", "quality"),
    ("fq", "format_quality"),
    ("mb", "max_bytes"),
    ("f", "format"),
    ("ext", "format"),
    ("da", "disable_animation"),
    ("skp", "skip_processing"),
    ("cb", "cachebuster"),
    ("exp", "expires"),
    ("fn", "filename"),
    ("att", "return_attachment"),
    ("pr", "preset"),
    ("maf", "max_animation_frames"),
    ("aq", "autoquality"),
];

/// Options of imgproxy that nothing here does, with the reason.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("pixelate", "pixelating is not offered"),
    ("expires", "URLs do not expire here"),
    ("return_attachment", "pictures are shown, not offered for download"),
    ("skip_processing", "the format of the source is not known from the URL; ask for raw:1 or leave it out"),
    ("max_src_resolution", SERVER_LIMIT),
    ("msr", SERVER_LIMIT),
    ("max_src_file_size", SERVER_LIMIT),
    ("msfs", SERVER_LIMIT),
    ("max_animation_frame_resolution", SERVER_LIMIT),
    ("mafr", SERVER_LIMIT),
    ("max_result_dimension", SERVER_LIMIT),
    ("mrd", SERVER_LIMIT),
    ("autoquality", PRO),
    ("resizing_algorithm", PRO),
    ("ra", PRO),
    ("objects_position", PRO),
    ("obj_pos", PRO),
    ("op", PRO),
    ("crop_aspect_ratio", PRO),
    ("crop_ar", PRO),
    ("car", PRO),
    ("monochrome", PRO),
    ("mc", PRO),
    ("duotone", PRO),
    ("dt", PRO),
    ("unsharp_masking", PRO),
    ("ush", PRO),
    ("blur_areas", PRO),
    ("ba", PRO),
    ("blur_detections", PRO),
    ("bd", PRO),
    ("draw_detections", PRO),
    ("dd", PRO),
    ("crop_objects", PRO),
    ("colorize", PRO),
    ("col", PRO),
    ("gradient", PRO),
    ("gr", PRO),
    ("watermark_url", PRO),
    ("wmu", PRO),
    ("watermark_text", PRO),
    ("wmt", PRO),
    ("style", PRO),
    ("st", PRO),
    ("dpi", PRO),
    ("color_profile", PRO),
    ("cp", PRO),
    ("icc", PRO),
    ("page", PRO),
    ("pg", PRO),
    ("pages", PRO),
    ("pgs", PRO),
    ("fallback_image_url", PRO),
    ("fiu", PRO),
    ("watermark_size", PRO),
    ("wms", PRO),
    ("watermark_rotate", PRO),
    ("wm_rot", PRO),
    ("wmr", PRO),
    ("watermark_shadow", PRO),
    ("wmsh", PRO),
    ("jpeg_options", PRO),
    ("jpgo", PRO),
    ("png_options", PRO),
    ("pngo", PRO),
    ("webp_options", PRO),
    ("webpo", PRO),
    ("avif_options", PRO),
    ("avifo", PRO),
    ("jxl_options", PRO),
    ("jxlo", PRO),
    ("video_thumbnail_second", PRO),
    ("vts", PRO),
    ("video_thumbnail_keyframes", PRO),
    ("vtk", PRO),
    ("video_thumbnail_tile", PRO),
    ("vtt", PRO),
    ("video_thumbnail_animation", PRO),
    ("vta", PRO),
    ("hashsum", PRO),
    ("hs", PRO),
];

/// Options of one argument.
const SINGLE: &[&str] = &[
    "resizing_type",
    "width",
    "height",
    "min-width",
    "min-height",
    "dpr",
    "enlarge",
    "rotate",
    "auto_rotate",
    "background_alpha",
    "blur",
    "sharpen",
    "brightness",
    "contrast",
    "saturation",
    "quality",
    "max_bytes",
    "format",
    "disable_animation",
    "max_animation_frames",
    "raw",
    "strip_metadata",
    "keep_copyright",
    "strip_color_profile",
    "preserve_hdr",
    "enforce_thumbnail",
];

const PRO: &str = "this option of imgproxy Pro is not offered";
const SERVER_LIMIT: &str = "limits are set for the server, not in URLs";

/// What `resizing_type` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Resizing {
    #[default]
    Fit,
    Fill,
    FillDown,
    Force,
    Auto,
}

/// What `gravity` and its relatives say.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    /// A compass point as shares of the room, and the distance from it: from 1 in pixels, below 1 of the whole.
    Compass((u16, u16), (f64, f64)),
    /// Fractions of the picture.
    Focus(f64, f64),
    Smart,
}

impl Default for Place {
    fn default() -> Self {
        Self::Compass((5_000, 5_000), (0.0, 0.0))
    }
}

/// What a URL of imgproxy asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    resizing: Resizing,
    width: u32,
    height: u32,
    min_width: u32,
    min_height: u32,
    zoom: (f64, f64),
    dpr: f64,
    enlarge: bool,
    extend: Option<Place>,
    extend_ratio: Option<Place>,
    gravity: Place,
    crop: Option<(f64, f64, Option<Place>)>,
    padding: [u32; 4],
    format_quality: BTreeMap<&'static str, u32>,
    quality: u32,
    preset: Option<String>,
    is_raw: bool,
    /// What needs no size.
    native: Native,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            resizing: Resizing::default(),
            width: 0,
            height: 0,
            min_width: 0,
            min_height: 0,
            zoom: (1.0, 1.0),
            dpr: 1.0,
            enlarge: false,
            extend: None,
            extend_ratio: None,
            gravity: Place::default(),
            crop: None,
            padding: [0; 4],
            format_quality: BTreeMap::new(),
            quality: 0,
            preset: None,
            is_raw: false,
            native: Native::default(),
        }
    }
}

/// Reads a path after `/imgproxy/`, still percent-encoded.
///
/// # Errors
/// The refusal names the option to blame: by its long name, or as it is written where it is not offered.
pub fn parse(path: &str, query: &str) -> std::result::Result<Request, DialectError> {
    no_query(query)?;
    let mut segments = path.split('/').peekable();
    segments.next().filter(|signature| !signature.is_empty()).ok_or_else(|| malformed("the signature is missing"))?;
    let mut options = Options::default();
    let mut turn = (0, false, false);
    while let Some(segment) = segments.peek() {
        let option = percent_decoded(segment)?;
        let Some((name, arguments)) = option.split_once(':') else { break };
        options.read(name, arguments, &mut turn)?;
        segments.next();
    }
    options.native.turn = Turn::default().then_turned(turn.0).then_flipped(turn.1, turn.2);
    let source: Vec<&str> = segments.collect();
    let (id, extension) = source_and_extension(&source)?;
    if let Some(extension) = extension {
        options.native.format = format("format", &extension)?;
    }
    Ok(Request { id, wish: Wish::Imgproxy(Box::new(options)) })
}

/// The image's id and the wanted format, from what follows the options.
fn source_and_extension(segments: &[&str]) -> Result<(String, Option<String>)> {
    let (source, extension) = if let ["plain", rest @ ..] = segments {
        let source = rest.join("/");
        let (source, extension) = source.split_once('@').unwrap_or((&source, ""));
        (percent_decoded(source)?, extension.to_owned())
    } else {
        if segments.first() == Some(&"enc") {
            return Err(unsupported("enc", "encrypted sources are a feature of imgproxy Pro"));
        }
        let encoded = segments.concat();
        let (encoded, extension) = encoded.split_once('.').unwrap_or((&encoded, ""));
        let source = base64_decoded(encoded).ok_or_else(|| malformed("the source is not base64"))?;
        (source, extension.to_owned())
    };
    Ok((image_id(&source)?, Some(extension).filter(|extension| !extension.is_empty())))
}

fn format(option: &str, name: &str) -> Result<Option<Format>> {
    match Format::from_name(name) {
        Some(format) => Ok(Some(format)),
        None => match name {
            "jxl" | "ico" | "svg" | "heic" | "bmp" | "tiff" | "pdf" | "psd" | "mp4" | "best" => {
                Err(unsupported(option, format!("{name} is not written here")))
            }
            _ => Err(invalid(option, format!("{name:?} is not an image format"))),
        },
    }
}

impl Options {
    /// Reads one option. `turn` is quarter turns clockwise, and the two mirrors.
    fn read(&mut self, name: &str, text: &str, turn: &mut (u8, bool, bool)) -> Result<()> {
        let name = ALIASES.iter().find(|(short, _)| *short == name).map_or(name, |(_, long)| *long);
        let all: Vec<&str> = text.split(':').collect();
        let first = all[0];
        if SINGLE.contains(&name) {
            at_most(name, &all, 1)?;
        }
        if self.read_geometry(name, &all, turn)? || self.read_look(name, &all)? || self.read_output(name, &all)? {
            return Ok(());
        }
        match name {
            "preset" if all.len() > 1 => Err(unsupported(name, "one preset at a time")),
            "preset" => {
                let is_name = first.starts_with(|c: char| c.is_ascii_lowercase())
                    && first.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
                self.preset = Some(first.to_owned()).filter(|_| is_name);
                if is_name { Ok(()) } else { Err(invalid(name, format!("{first:?} is not the name of a preset"))) }
            }
            "raw" => switch(name, first).map(|raw| self.is_raw = raw),
            "auto_rotate" if switch(name, first)? => Ok(()),
            "auto_rotate" => Err(unsupported(name, "pictures are always turned upright")),
            // Documented as without effect: nothing but the pixels is ever sent, and names are for downloads.
            "strip_metadata" | "keep_copyright" | "strip_color_profile" | "preserve_hdr" | "enforce_thumbnail" => {
                switch(name, first).map(|_| ())
            }
            "cachebuster" | "filename" => Ok(()),
            "watermark" if decimal(name, first)? == 0.0 => Ok(()),
            "watermark" => Err(unsupported(
                name,
                "the watermark of imgproxy is an image of its configuration; a native URL names one by its id",
            )),
            _ => Err(match UNSUPPORTED.iter().find(|(option, _)| *option == name) {
                Some((_, reason)) => unsupported(name, *reason),
                None => invalid(name, "unknown option"),
            }),
        }
    }

    /// Whether `name` is about sizes and places, and read.
    fn read_geometry(&mut self, name: &str, all: &[&str], turn: &mut (u8, bool, bool)) -> Result<bool> {
        let first = all[0];
        match name {
            "resize" => {
                at_most(name, all, 8)?;
                if !first.is_empty() {
                    self.resizing = resizing(first)?;
                }
                self.read_size(&all[1..])?;
            }
            "size" => {
                at_most(name, all, 7)?;
                self.read_size(all)?;
            }
            "resizing_type" => self.resizing = resizing(first)?,
            "width" => self.width = whole(name, first)?,
            "height" => self.height = whole(name, first)?,
            "min-width" => self.min_width = whole(name, first)?,
            "min-height" => self.min_height = whole(name, first)?,
            "zoom" => {
                at_most(name, all, 2)?;
                let x = decimal_in(name, first, 0.01, 100.0)?;
                let y = all.get(1).map_or(Ok(x), |y| decimal_in(name, y, 0.01, 100.0))?;
                self.zoom = (x, y);
            }
            "dpr" => self.dpr = decimal_in(name, first, 0.01, 8.0)?,
            "enlarge" => self.enlarge = switch(name, first)?,
            "extend" => self.extend = extension(name, all)?,
            "extend_aspect_ratio" => self.extend_ratio = extension(name, all)?,
            "gravity" => self.gravity = place(name, all, true)?,
            "crop" => {
                let width = decimal_in(name, first, 0.0, 1e6)?;
                let height = all.get(1).map_or(Ok(0.0), |height| decimal_in(name, height, 0.0, 1e6))?;
                let at = if all.len() > 2 { Some(place(name, &all[2..], true)?) } else { None };
                self.crop = Some((width, height, at));
            }
            "trim" => self.native.trim = trim(all)?,
            "padding" => self.padding = padding(all)?,
            "rotate" => {
                let degrees = decimal(name, first)?;
                if degrees % 90.0 != 0.0 {
                    return Err(invalid(name, "the angle is not a multiple of 90 degrees"));
                }
                turn.0 = (degrees.rem_euclid(360.0) / 90.0) as u8;
            }
            "flip" => {
                at_most(name, all, 2)?;
                let flag = |text: Option<&&str>| text.filter(|text| !text.is_empty()).map(|text| switch(name, text));
                (turn.1, turn.2) = (flag(all.first()).unwrap_or(Ok(false))?, flag(all.get(1)).unwrap_or(Ok(false))?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Width, height, enlarge, extend and its gravity, each maybe empty or left out.
    fn read_size(&mut self, all: &[&str]) -> Result<()> {
        let given = |idx: usize| all.get(idx).filter(|text| !text.is_empty());
        if let Some(width) = given(0) {
            self.width = whole("width", width)?;
        }
        if let Some(height) = given(1) {
            self.height = whole("height", height)?;
        }
        if let Some(enlarge) = given(2) {
            self.enlarge = switch("enlarge", enlarge)?;
        }
        if given(3).is_some() {
            self.extend = extension("extend", &all[3..])?;
        }
        Ok(())
    }

    fn read_look(&mut self, name: &str, all: &[&str]) -> Result<bool> {
        let first = all[0];
        match name {
            "background" => self.native.background = background(all)?,
            "background_alpha" => {
                let alpha = (decimal_in(name, first, 0.0, 1.0)? * 255.0).round() as u8;
                let color = self.native.background.unwrap_or(Color::BLACK);
                self.native.background = Some(if alpha == 0 { Color::CLEAR } else { Color { alpha, ..color } });
            }
            "blur" => self.native.blur = sigma(name, first, 100.0)?,
            "sharpen" => self.native.sharpen = sigma(name, first, 10.0)?,
            "adjust" => {
                at_most(name, all, 3)?;
                for (option, text) in ["brightness", "contrast", "saturation"].iter().zip(all) {
                    if !text.is_empty() {
                        self.read_look(option, &[text])?;
                    }
                }
            }
            "brightness" => {
                let brightness = decimal_in(name, first, -255.0, 255.0)?;
                self.native.brightness = Some(hundredths(1.0 + brightness / 255.0));
            }
            "contrast" => self.native.contrast = Some(hundredths(decimal_in(name, first, 0.0, 4.0)?)),
            "saturation" => self.native.saturation = Some(hundredths(decimal_in(name, first, 0.0, 4.0)?)),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn read_output(&mut self, name: &str, all: &[&str]) -> Result<bool> {
        let first = all[0];
        match name {
            "quality" => self.quality = whole_in(name, first, 0, 100)?,
            "format_quality" => {
                if all.len() % 2 == 1 {
                    return Err(invalid(name, "the last format has no quality"));
                }
                for pair in all.chunks_exact(2) {
                    if let Some(format) = format(name, pair[0])? {
                        self.format_quality.insert(format.name(), whole_in(name, pair[1], 0, 100)?);
                    }
                }
            }
            "max_bytes" => {
                let max_bytes = whole(name, first)?;
                self.native.max_bytes = Some(max_bytes).filter(|max_bytes| *max_bytes > 0);
            }
            "format" => self.native.format = format(name, first)?,
            "disable_animation" => self.native.is_still = switch(name, first)?,
            "max_animation_frames" if first == "1" => self.native.is_still = true,
            "max_animation_frames" => {
                return Err(unsupported(name, "an animation is kept whole, or with 1 becomes its first frame"));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The native text for a picture of `size`.
    pub(crate) fn lower(&self, size: Size) -> Result<String> {
        if self.is_raw {
            return Ok("original".to_owned());
        }
        if let Some(preset) = &self.preset {
            let rest = Self { preset: None, ..self.clone() };
            return if rest == Self::default() {
                Ok(preset.clone())
            } else {
                Err(unsupported("preset", "a preset can't be combined with other options"))
            };
        }
        let mut native = self.native.clone();
        native.quality = self.quality_wanted()?;
        if native.trim.is_some() {
            self.lower_trimmed(&mut native)?;
        } else {
            self.lower_sized(&mut native, size)?;
        }
        Ok(native.to_string())
    }

    fn quality_wanted(&self) -> Result<Option<Quality>> {
        let percent = |quality: u32| u8::try_from(quality).ok().filter(|q| *q > 0).map(Quality::Percent);
        match (self.quality, self.native.format) {
            (0, None) if !self.format_quality.is_empty() => {
                Err(unsupported("format_quality", "needs a format; without one the source decides"))
            }
            (0, Some(format)) => Ok(self.format_quality.get(format.name()).and_then(|quality| percent(*quality))),
            (quality, _) => Ok(percent(quality)),
        }
    }

    /// Sizes for a picture whose size is only known when its margins are cut off.
    fn lower_trimmed(&self, native: &mut Native) -> Result<()> {
        let fit = match self.resizing {
            Resizing::Fit if self.extend.is_some() => Some(Fit::Contain),
            Resizing::Fit => Some(Fit::Inside),
            Resizing::Fill if self.extend.is_none() => Some(Fit::Cover),
            Resizing::Force if self.extend.is_none() && self.width > 0 && self.height > 0 => Some(Fit::Fill),
            _ => None,
        };
        let is_plain = self.crop.is_none()
            && self.zoom == (1.0, 1.0)
            && (self.dpr == 1.0 || self.padding == [0; 4])
            && self.min_width == 0
            && self.min_height == 0
            && self.extend_ratio.is_none();
        let gravity = match (self.extend.unwrap_or(self.gravity), self.extend.is_some() || fit == Some(Fit::Cover)) {
            (_, false) => Some(Gravity::CENTER),
            (Place::Compass((x, y), offset), _) => (offset == (0.0, 0.0)).then_some(Gravity::Share(x, y)),
            (Place::Smart, _) => Some(Gravity::Auto),
            (Place::Focus(..), _) => None,
        };
        let (Some(fit), Some(gravity), true) = (fit, gravity, is_plain) else {
            return Err(unsupported("trim", "works with plain resizing only: the size is not known before"));
        };
        let side = |side: u32| Some(side).filter(|side| *side > 0).map(|side| scaled(side, self.dpr));
        Frame::new(side(self.width), side(self.height), fit, self.enlarge).write(native);
        native.gravity = gravity;
        native.pad = self.padding;
        Ok(())
    }

    fn lower_sized(&self, native: &mut Native, size: Size) -> Result<()> {
        let turned = native.turn.size(size);
        let region = self.region(turned)?;
        let work = self.work(region.size);
        let (layout, gravity) = self.result(&work);
        let gravity = gravity.unwrap_or_else(|| gravity_of(self.gravity, layout.scaled, layout.kept, work.dpr));
        let fit = match self.resizing {
            Resizing::Fit if self.extend.is_some() => Fit::Contain,
            Resizing::Fit => Fit::Inside,
            Resizing::Force => Fit::Fill,
            Resizing::Fill | Resizing::FillDown => Fit::Cover,
            Resizing::Auto if layout.kept == layout.scaled => Fit::Inside,
            Resizing::Auto => Fit::Cover,
        };
        let side = |side: u32, target: u32| Some(target).filter(|_| side > 0);
        let frame = Frame::new(side(self.width, work.target.0), side(self.height, work.target.1), fit, self.enlarge);
        settle(native, "gravity", turned, region, layout, gravity, frame)?;
        let place = self.extend.or(self.extend_ratio).unwrap_or_default();
        if native.fit == Fit::Contain {
            native.gravity = canvas_gravity(place, layout, work.dpr)?;
        } else if native.pad != [0; 4] {
            native.pad = canvas_pad(place, layout, work.dpr)?;
        }
        for (side, padding) in native.pad.iter_mut().zip(self.padding) {
            *side += scaled(padding, work.dpr);
        }
        Ok(())
    }

    /// The part of the turned picture that is worked on.
    fn region(&self, turned: Size) -> Result<Rect> {
        let Some((width, height, at)) = self.crop else { return Ok(Rect::whole(turned)) };
        let length = |wish: f64, whole: u32| match wish {
            0.0 => whole,
            wish if wish >= 1.0 => (wish as u32).min(whole),
            share => ((f64::from(whole) * share).round() as u32).clamp(1, whole),
        };
        let kept = Size::new(length(width, turned.width), length(height, turned.height));
        if kept == turned {
            return Ok(Rect::whole(turned));
        }
        match at.unwrap_or(self.gravity) {
            Place::Smart => Err(unsupported("crop", "the part to crop to can't be found by what is in the picture")),
            place => {
                let (x, y) = position(place, turned, kept, 1.0);
                Ok(Rect { x, y, size: kept })
            }
        }
    }

    /// The sizes that imgproxy works with, for a region of `size`.
    fn work(&self, size: Size) -> Work {
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        let target = |side: u32, whole: f64| if side == 0 { whole } else { f64::from(side) };
        let (target_x, target_y) = (target(self.width, width), target(self.height, height));
        let (mut x, mut y) = (width / target_x, height / target_y);
        let resizing = match self.resizing {
            Resizing::Auto if (width >= height) == (target_x >= target_y) => Resizing::Fill,
            Resizing::Auto => Resizing::Fit,
            resizing => resizing,
        };
        if x != 1.0 || y != 1.0 {
            (x, y) = match resizing {
                Resizing::Force => (x, y),
                _ if self.width == 0 => (y, y),
                _ if self.height == 0 => (x, x),
                Resizing::Fit => (x.max(y), x.max(y)),
                _ => (x.min(y), x.min(y)),
            };
        }
        (x, y) = (x / self.zoom.0, y / self.zoom.1);
        let mut dpr = self.dpr;
        if !self.enlarge {
            let least = x.min(y);
            if least < 1.0 {
                (x, y) = (x / least, y / least);
                if self.extend.is_none() {
                    dpr /= least;
                }
            }
            dpr = dpr.min(x).min(y);
        }
        if self.min_width > 0 && width / f64::from(self.min_width) < x {
            let least = width / f64::from(self.min_width);
            (x, y) = (least, y * least / x);
        }
        if self.min_height > 0 && height / f64::from(self.min_height) < y {
            let least = height / f64::from(self.min_height);
            (x, y) = (x * least / y, least);
        }
        let side = |side: f64, shrink: f64| (side / (shrink / dpr).min(side)).round().clamp(1.0, 1e9) as u32;
        Work {
            resizing,
            dpr,
            target: (scaled(self.width, dpr * self.zoom.0), scaled(self.height, dpr * self.zoom.1)),
            scaled: Size::new(side(width, x), side(height, y)),
        }
    }

    /// What is cut off and extended; a gravity where the product does not use `gravity` for it.
    fn result(&self, work: &Work) -> (Layout, Option<Gravity>) {
        let Work { scaled: whole, target, .. } = *work;
        let ratio = |a: u32, b: u32| f64::from(a) / f64::from(b.max(1));
        let mut wanted = target;
        if work.resizing == Resizing::FillDown && !self.enlarge && target.0 > 0 && target.1 > 0 {
            let (over_x, over_y) = (ratio(target.0, whole.width), ratio(target.1, whole.height));
            if over_x > over_y && over_x > 1.0 {
                wanted = (whole.width, scaled(whole.width, ratio(target.1, target.0)));
            } else if over_y > over_x && over_y > 1.0 {
                wanted = (scaled(whole.height, ratio(target.0, target.1)), whole.height);
            }
        }
        let least = |wanted: u32, whole: u32| if wanted == 0 { whole } else { wanted.min(whole) };
        let kept = Size::new(least(wanted.0, whole.width), least(wanted.1, whole.height));
        let mut canvas = kept;
        if self.extend.is_some() {
            canvas = Size::new(kept.width.max(target.0), kept.height.max(target.1));
        } else if self.extend_ratio.is_some() && target.0 > 0 && target.1 > 0 {
            let (over_x, over_y) = (ratio(target.0, kept.width), ratio(target.1, kept.height));
            if over_y > over_x {
                canvas.height = canvas.height.max(scaled(kept.width, ratio(target.1, target.0)));
            } else if over_x > over_y {
                canvas.width = canvas.width.max(scaled(kept.height, ratio(target.0, target.1)));
            }
        }
        let gravity = if kept == whole { Some(Gravity::CENTER) } else { None };
        (Layout { scaled: whole, kept, canvas }, gravity)
    }
}

/// Sizes on the way to a result, in pixels.
struct Work {
    resizing: Resizing,
    /// How far `dpr` could be followed.
    dpr: f64,
    /// The box, 0 for a side that follows.
    target: (u32, u32),
    scaled: Size,
}

fn scaled(side: u32, factor: f64) -> u32 {
    (f64::from(side) * factor).round().clamp(0.0, 1e9) as u32
}

/// Left and top of a part of `kept` in `whole`.
fn position(place: Place, whole: Size, kept: Size, dpr: f64) -> (u32, u32) {
    let clamped = |start: f64, whole: u32, kept: u32| start.round().clamp(0.0, f64::from(whole - kept)) as u32;
    let along = |whole: u32, kept: u32, share: u16, offset: f64| {
        let offset = if offset.abs() >= 1.0 { offset * dpr } else { offset * f64::from(whole) };
        let room = f64::from(whole - kept);
        clamped(if share == 10_000 { room - offset } else { room * f64::from(share) / 1e4 + offset }, whole, kept)
    };
    match place {
        Place::Compass((x, y), (right, down)) => {
            (along(whole.width, kept.width, x, right), along(whole.height, kept.height, y, down))
        }
        Place::Focus(x, y) => (
            clamped(f64::from(whole.width) * x - f64::from(kept.width / 2), whole.width, kept.width),
            clamped(f64::from(whole.height) * y - f64::from(kept.height / 2), whole.height, kept.height),
        ),
        Place::Smart => ((whole.width - kept.width) / 2, (whole.height - kept.height) / 2),
    }
}

fn gravity_of(place: Place, whole: Size, kept: Size, dpr: f64) -> Gravity {
    match place {
        Place::Smart => Gravity::Auto,
        Place::Focus(x, y) => around((x, y), whole, kept),
        Place::Compass((x, y), (0.0, 0.0)) => Gravity::Share(x, y),
        place => {
            let (x, y) = position(place, whole, kept, dpr);
            Gravity::Share(Gravity::share(x, kept.width, whole.width), Gravity::share(y, kept.height, whole.height))
        }
    }
}

fn canvas_gravity(place: Place, layout: Layout, dpr: f64) -> Result<Gravity> {
    match place {
        Place::Smart => Err(unsupported("extend", "can't be guided by what is in the picture")),
        place => Ok(gravity_of(place, layout.canvas, layout.kept, dpr)),
    }
}

fn canvas_pad(place: Place, layout: Layout, dpr: f64) -> Result<[u32; 4]> {
    if place == Place::Smart {
        return Err(unsupported("extend", "can't be guided by what is in the picture"));
    }
    let (left, top) = position(place, layout.canvas, layout.kept, dpr);
    let right = layout.canvas.width - layout.kept.width - left;
    let bottom = layout.canvas.height - layout.kept.height - top;
    Ok([top, right, bottom, left])
}

fn at_most(name: &str, all: &[&str], most: usize) -> Result<()> {
    if all.len() > most { Err(invalid(name, format!("takes {most} arguments at most"))) } else { Ok(()) }
}

fn resizing(name: &str) -> Result<Resizing> {
    match name {
        "fit" => Ok(Resizing::Fit),
        "fill" => Ok(Resizing::Fill),
        "fill-down" => Ok(Resizing::FillDown),
        "force" => Ok(Resizing::Force),
        "auto" => Ok(Resizing::Auto),
        _ => Err(invalid("resizing_type", format!("{name:?} is not one of fit, fill, fill-down, force, auto"))),
    }
}

/// `extend` and its like: a switch, then maybe where the picture lies.
fn extension(name: &str, all: &[&str]) -> Result<Option<Place>> {
    let is_on = switch(name, all[0])?;
    let place = if all.len() > 1 && !all[1].is_empty() { place(name, &all[1..], false)? } else { Place::default() };
    Ok(is_on.then_some(place))
}

fn place(name: &str, all: &[&str], may_be_smart: bool) -> Result<Place> {
    let compass = |x, y| {
        let offset = |idx: usize| {
            all.get(idx).filter(|text| !text.is_empty()).map_or(Ok(0.0), |text| decimal_in(name, text, -1e5, 1e5))
        };
        Ok(Place::Compass((x, y), (offset(1)?, offset(2)?)))
    };
    if !all[0].starts_with("obj") {
        at_most(name, all, if all[0] == "sm" { 1 } else { 3 })?;
    }
    match all[0] {
        "ce" | "" => compass(5_000, 5_000),
        "no" => compass(5_000, 0),
        "so" => compass(5_000, 10_000),
        "ea" => compass(10_000, 5_000),
        "we" => compass(0, 5_000),
        "noea" => compass(10_000, 0),
        "nowe" => compass(0, 0),
        "soea" => compass(10_000, 10_000),
        "sowe" => compass(0, 10_000),
        "sm" if may_be_smart => Ok(Place::Smart),
        "fp" => {
            let part = |idx: usize| match all.get(idx) {
                Some(text) => decimal_in(name, text, 0.0, 1.0),
                None => Err(invalid(name, "a focus point is fp:x:y")),
            };
            Ok(Place::Focus(part(1)?, part(2)?))
        }
        "obj" | "objw" => Err(unsupported(name, PRO)),
        other => Err(invalid(name, format!("{other:?} is not a gravity"))),
    }
}

fn trim(all: &[&str]) -> Result<Option<u8>> {
    at_most("trim", all, 4)?;
    if all[0].is_empty() {
        return Ok(None);
    }
    if all[1..].iter().any(|text| !text.is_empty() && !matches!(*text, "0" | "f" | "false")) {
        return Err(unsupported("trim", "takes a threshold only: the colour is that of the upper left pixel"));
    }
    let threshold = decimal_in("trim", all[0], 0.0, 255.0)?;
    Ok(Some((threshold.round() as u8).max(1)))
}

/// Top, right, bottom, left; what is left out is as in CSS.
fn padding(all: &[&str]) -> Result<[u32; 4]> {
    at_most("padding", all, 4)?;
    let given = |idx: usize| {
        all.get(idx).filter(|text| !text.is_empty()).map(|text| whole_in("padding", text, 0, 8_192)).transpose()
    };
    let top = given(0)?.unwrap_or(0);
    let right = given(1)?.unwrap_or(top);
    Ok([top, right, given(2)?.unwrap_or(top), given(3)?.unwrap_or(right)])
}

fn background(all: &[&str]) -> Result<Option<Color>> {
    match all {
        [""] => Ok(None),
        [digits] => match hex(digits, Alpha::None) {
            Some(color) => Ok(Some(color)),
            None => Err(invalid("background", format!("{digits:?} is not a colour in hexadecimal"))),
        },
        [red, green, blue] => {
            let channel = |text: &str| whole_in("background", text, 0, 255).map(|channel| channel as u8);
            Ok(Some(Color::opaque([channel(red)?, channel(green)?, channel(blue)?])))
        }
        _ => Err(invalid("background", "is neither a colour nor red:green:blue")),
    }
}

/// A sigma of 0 does nothing; one that would show nothing is the least that does.
fn sigma(name: &str, text: &str, most: f64) -> Result<Option<u32>> {
    let sigma = decimal_in(name, text, 0.0, most)?;
    Ok(Some(hundredths(sigma).max(30)).filter(|_| sigma > 0.0))
}
