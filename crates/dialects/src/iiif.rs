//! The International Image Interoperability Framework's Image API 3.0, level 2 and more:
//! `/iiif/3/{id}/{region}/{size}/{rotation}/{quality}.{format}`, `/iiif/3/{id}/info.json`, and the base URI.
//!
//! What the specification leaves to the server, and where its text and its validator disagree:
//!
//! - Sizes are rounded to the nearest pixel, halves up, except at the limits, where they are rounded down.
//! - A square region lies in the middle.
//! - `!w,h` of a region that is smaller than the box gives the region as it is. The specification demands that; the
//!   validator's test `size_noup` wants a refusal.
//! - A size over the limits is refused with 400, as section 4.2 says, not with the 404 of section 7.3.

use serde_json::{Value, json};

use crate::Lowered;
use crate::error::{DialectError, Result, invalid, malformed, no_image};
use crate::native::{Fit, Format, Native, Rect, Size, Turn};
use crate::source::{image_id, percent_decoded};

/// How large a result may be: what `info.json` states, and requests are held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest side, in pixels.
    pub max_side: u32,
    /// Area, in pixels.
    pub max_pixels: u64,
}

impl Default for Limits {
    /// The hard limits of the native transforms.
    fn default() -> Self {
        Self { max_side: 8_192, max_pixels: 50_000_000 }
    }
}

/// The path that all requests of the Image API begin with.
pub const PREFIX: &str = "/iiif/3/";

/// The `Link` header, or its part, that states the compliance level.
pub const PROFILE_LINK: &str = "<http://iiif.io/api/image/3/level2.json>;rel=\"profile\"";

/// The media type of `info.json` as linked data.
pub const JSON_LD: &str = "application/ld+json;profile=\"http://iiif.io/api/image/3/context.json\"";

/// A request of the Image API.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// The base URI: to be answered by 303 See Other, to `info.json`.
    Base {
        /// The id of the image.
        id: String,
    },
    /// The image's information: [`info`].
    Info {
        /// The id of the image.
        id: String,
    },
    /// A picture.
    Image(ImageRequest),
}

/// A request for a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageRequest {
    /// The id of the image.
    pub id: String,
    region: Region,
    size: SizeWish,
    can_enlarge: bool,
    is_mirrored: bool,
    quarter_turns: u8,
    quality: Quality,
    format: Format,
}

/// What a request for a picture comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The image's id and the native transform.
    pub lowered: Lowered,
    /// The canonical form of the request, from the region on: `full/max/0/default.jpg`.
    pub canonical: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Region {
    Full,
    Square,
    /// x, y, width, height.
    Pixels([u32; 4]),
    Percent([f64; 4]),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum SizeWish {
    Max,
    Width(u32),
    Height(u32),
    Percent(f64),
    Exact(u32, u32),
    Confined(u32, u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quality {
    Default,
    Color,
    Gray,
    Bitonal,
}

/// Reads a path, which is still percent-encoded. `None` when it does not begin with [`PREFIX`].
///
/// # Errors
/// `NoImage` for what is not an image's id, or has more or fewer parts than a request; else `Invalid`, in the name of
/// the parameter.
pub fn parse(path: &str) -> Option<std::result::Result<Request, DialectError>> {
    path.strip_prefix(PREFIX).map(read)
}

fn read(path: &str) -> Result<Request> {
    let segments: Vec<&str> = path.split('/').collect();
    match segments[..] {
        [id] => Ok(Request::Base { id: identifier(id)? }),
        [id, "info.json"] => Ok(Request::Info { id: identifier(id)? }),
        [id, region, size, rotation, file] => {
            let [region, size, rotation, file] = [region, size, rotation, file].map(percent_decoded);
            let (can_enlarge, size) = size_wish(&size?)?;
            let (is_mirrored, quarter_turns) = turns(&rotation?)?;
            let file = file?;
            let (name, extension) = file.rsplit_once('.').ok_or_else(|| invalid("format", "is missing"))?;
            Ok(Request::Image(ImageRequest {
                region: self::region(&region?)?,
                size,
                can_enlarge,
                is_mirrored,
                quarter_turns,
                quality: quality(name)?,
                format: format(extension)?,
                id: identifier(id)?,
            }))
        }
        _ => Err(no_image("neither a picture, nor information about one: slashes in an identifier are encoded")),
    }
}

fn identifier(segment: &str) -> Result<String> {
    let text = percent_decoded(segment)?;
    // One image has one identifier: no extension here.
    if text.contains(['.', '/']) {
        return Err(no_image("the identifier is not the id of an image"));
    }
    image_id(&text)
}

/// A whole number, as pixels are given.
fn pixels(name: &str, text: &str) -> Result<u32> {
    let is_plain = (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(pixels) if is_plain => Ok(pixels),
        _ => Err(invalid(name, format!("{text:?} is not a number of pixels"))),
    }
}

/// Digits, maybe with a point among them.
fn number(name: &str, text: &str) -> Result<f64> {
    let is_plain = (1..=16).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && text.bytes().any(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(number) if is_plain => Ok(number),
        _ => Err(invalid(name, format!("{text:?} is not a number"))),
    }
}

fn region(text: &str) -> Result<Region> {
    let four = |text: &str| -> Result<[String; 4]> {
        let parts: Vec<String> = text.split(',').map(str::to_owned).collect();
        parts.try_into().map_err(|_| invalid("region", "is full, square, x,y,w,h or pct:x,y,w,h"))
    };
    match text {
        "full" => Ok(Region::Full),
        "square" => Ok(Region::Square),
        text => match text.strip_prefix("pct:") {
            Some(text) => {
                let [x, y, width, height] = four(text)?.map(|part| number("region", &part));
                Ok(Region::Percent([x?, y?, width?, height?]))
            }
            None => {
                let [x, y, width, height] = four(text)?.map(|part| pixels("region", &part));
                Ok(Region::Pixels([x?, y?, width?, height?]))
            }
        },
    }
}

fn size_wish(text: &str) -> Result<(bool, SizeWish)> {
    let (can_enlarge, text) = text.strip_prefix('^').map_or((false, text), |text| (true, text));
    let sides = |text: &str| {
        let (width, height) =
            text.split_once(',').ok_or_else(|| invalid("size", "is max, w,h with one or both of them, or pct:n"))?;
        Ok((width.to_owned(), height.to_owned()))
    };
    let pixels = |text: &str| pixels("size", text);
    let wish = if text == "max" {
        SizeWish::Max
    } else if let Some(percent) = text.strip_prefix("pct:") {
        SizeWish::Percent(number("size", percent)?)
    } else if let Some(text) = text.strip_prefix('!') {
        let (width, height) = sides(text)?;
        SizeWish::Confined(pixels(&width)?, pixels(&height)?)
    } else {
        let (width, height) = sides(text)?;
        match (width.as_str(), height.as_str()) {
            ("", height) => SizeWish::Height(pixels(height)?),
            (width, "") => SizeWish::Width(pixels(width)?),
            (width, height) => SizeWish::Exact(pixels(width)?, pixels(height)?),
        }
    };
    Ok((can_enlarge, wish))
}

/// Whether it is mirrored, and then how many quarter turns clockwise.
fn turns(text: &str) -> Result<(bool, u8)> {
    let (is_mirrored, text) = text.strip_prefix('!').map_or((false, text), |text| (true, text));
    let degrees = number("rotation", text)?;
    if degrees > 360.0 {
        return Err(invalid("rotation", "is from 0 to 360 degrees"));
    }
    if degrees % 90.0 != 0.0 {
        return Err(invalid("rotation", "turns are by quarters: 0, 90, 180, 270"));
    }
    Ok((is_mirrored, (degrees / 90.0) as u8 % 4))
}

fn quality(name: &str) -> Result<Quality> {
    match name {
        "default" => Ok(Quality::Default),
        "color" => Ok(Quality::Color),
        "gray" => Ok(Quality::Gray),
        "bitonal" => Ok(Quality::Bitonal),
        _ => Err(invalid("quality", format!("{name:?} is not default, color, gray or bitonal"))),
    }
}

fn format(extension: &str) -> Result<Format> {
    match extension {
        "jpg" => Ok(Format::Jpeg),
        "png" => Ok(Format::Png),
        "webp" => Ok(Format::WebP),
        "gif" => Ok(Format::Gif),
        "avif" => Ok(Format::Avif),
        _ => Err(invalid("format", format!("{extension:?} is not jpg, png, webp, gif or avif"))),
    }
}

fn extension(format: Format) -> &'static str {
    if format == Format::Jpeg { "jpg" } else { format.name() }
}

impl ImageRequest {
    /// What the request comes to for the image, whose upright picture is of `size`.
    ///
    /// # Errors
    /// `Invalid`: the region has no pixel of the picture, or the result has none, or is larger than the region
    /// without being asked for, or than `limits`.
    pub fn lower(&self, size: Size, limits: Limits) -> std::result::Result<Image, DialectError> {
        if size.width == 0 || size.height == 0 {
            return Err(malformed("the picture has no pixels"));
        }
        let region = self.region(size)?;
        let scaled = self.scaled(region.size, limits)?;
        let turn = Turn::default().then_flipped(self.is_mirrored, false).then_turned(self.quarter_turns);
        let mut native = Native {
            crop: Some(region).filter(|region| *region != Rect::whole(size)),
            turn,
            grayscale: self.quality == Quality::Gray,
            bitonal: self.quality == Quality::Bitonal,
            format: Some(self.format),
            ..Native::default()
        };
        if scaled != region.size {
            let turned = turn.size(scaled);
            (native.width, native.height) = (Some(turned.width), Some(turned.height));
            native.fit = Fit::Fill;
            native.enlarge = scaled.width > region.size.width || scaled.height > region.size.height;
        }
        let lowered = Lowered { id: self.id.clone(), transform: native.to_string() };
        Ok(Image { lowered, canonical: self.canonical(size, region, scaled, limits) })
    }

    fn region(&self, size: Size) -> Result<Rect> {
        let [x, y, width, height] = match self.region {
            Region::Full => return Ok(Rect::whole(size)),
            Region::Square => {
                let side = size.width.min(size.height);
                return Ok(Rect::new((size.width - side) / 2, (size.height - side) / 2, side, side));
            }
            Region::Pixels(parts) => parts.map(f64::from),
            Region::Percent([x, y, width, height]) => {
                let share = |percent: f64, side: u32| percent * f64::from(side) / 100.0;
                // A region that is not empty has at least a pixel.
                let length = |percent: f64, side: u32| {
                    let length = share(percent, side);
                    if length > 0.0 { length.round().max(1.0) } else { 0.0 }
                };
                [
                    share(x, size.width).round(),
                    share(y, size.height).round(),
                    length(width, size.width),
                    length(height, size.height),
                ]
            }
        };
        Rect::between(x, y, x + width, y + height, size)
            .ok_or_else(|| invalid("region", "is empty, or lies outside of the picture"))
    }

    /// The size that the region is scaled to.
    fn scaled(&self, region: Size, limits: Limits) -> Result<Size> {
        let (width, height) = (f64::from(region.width), f64::from(region.height));
        let scaled = match self.size {
            SizeWish::Max => return Ok(largest(region, limits, self.can_enlarge)),
            SizeWish::Confined(w, h) => {
                if w == 0 || h == 0 {
                    return Err(invalid("size", "has no pixels"));
                }
                let limit = f64::from(limits.max_side);
                let (w, h) = (f64::from(w).min(limit), f64::from(h).min(limit));
                let most = if self.can_enlarge { f64::MAX } else { 1.0 };
                let area = (limits.max_pixels as f64 / (width * height)).sqrt();
                let scale = (w / width).min(h / height).min(most);
                // At the limit of the area nothing may be rounded up.
                if area < scale {
                    return Ok(floored(region, area));
                }
                rounded(width * scale, height * scale)
            }
            SizeWish::Width(w) => rounded(f64::from(w), height * f64::from(w) / width),
            SizeWish::Height(h) => rounded(width * f64::from(h) / height, f64::from(h)),
            SizeWish::Percent(percent) => rounded(width * percent / 100.0, height * percent / 100.0),
            SizeWish::Exact(w, h) => Size::new(w, h),
        };
        if scaled.width == 0 || scaled.height == 0 {
            return Err(invalid("size", "has no pixels"));
        }
        let is_enlarged = scaled.width > region.width
            || scaled.height > region.height
            || matches!(self.size, SizeWish::Percent(percent) if percent > 100.0);
        if is_enlarged && !self.can_enlarge {
            return Err(invalid("size", "is larger than the region; that has to be asked for with ^"));
        }
        let is_over = scaled.width.max(scaled.height) > limits.max_side
            || u64::from(scaled.width) * u64::from(scaled.height) > limits.max_pixels;
        if is_over { Err(invalid("size", "is over the limits that info.json states")) } else { Ok(scaled) }
    }

    fn canonical(&self, size: Size, region: Rect, scaled: Size, limits: Limits) -> String {
        let Rect { x, y, size: Size { width, height } } = region;
        let region_text =
            if region == Rect::whole(size) { "full".to_owned() } else { format!("{x},{y},{width},{height}") };
        let is_enlarged = scaled.width > width || scaled.height > height;
        let size_text = if scaled == largest(region.size, limits, false) {
            "max".to_owned()
        } else if is_enlarged && scaled == largest(region.size, limits, true) {
            "^max".to_owned()
        } else {
            format!("{}{},{}", if is_enlarged { "^" } else { "" }, scaled.width, scaled.height)
        };
        let mirror = if self.is_mirrored { "!" } else { "" };
        let degrees = u32::from(self.quarter_turns) * 90;
        let quality = match self.quality {
            Quality::Default | Quality::Color => "default",
            Quality::Gray => "gray",
            Quality::Bitonal => "bitonal",
        };
        format!("{region_text}/{size_text}/{mirror}{degrees}/{quality}.{}", extension(self.format))
    }
}

fn rounded(width: f64, height: f64) -> Size {
    let side = |side: f64| (side + 0.5).floor().clamp(0.0, 1e9) as u32;
    Size::new(side(width), side(height))
}

/// `size` times `scale`, rounded down.
fn floored(size: Size, scale: f64) -> Size {
    let side = |side: u32| ((f64::from(side) * scale) as u32).max(1);
    Size::new(side(size.width), side(size.height))
}

/// The largest size within `limits` that has the proportions of `size`.
fn largest(size: Size, limits: Limits, can_enlarge: bool) -> Size {
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let limit = f64::from(limits.max_side);
    let area = (limits.max_pixels as f64 / (width * height)).sqrt();
    let scale = (limit / width).min(limit / height).min(area);
    if scale >= 1.0 && !can_enlarge { size } else { floored(size, scale) }
}

/// The `Link` header of a picture: its canonical URI and the compliance level. `id_uri` is the image's base URI.
pub fn link_header(id_uri: &str, canonical: &str) -> String {
    format!("<{id_uri}/{canonical}>;rel=\"canonical\",{PROFILE_LINK}")
}

/// The side of a tile, in pixels.
const TILE: u32 = 512;

/// The smallest side of the preferred sizes, in pixels.
const SMALLEST_SIZE: u32 = 64;

/// The document `info.json` about an image, whose upright picture is of `size`; `id_uri` is its base URI, with scheme
/// and server and without a slash at the end.
pub fn info(size: Size, id_uri: &str, limits: Limits) -> Value {
    let tile = TILE.min(limits.max_side);
    let halves = |n: u32| -> Vec<u32> { (0..n).map(|power| 1 << power).collect() };
    let is_large = |factor: u32| size.width.max(size.height).div_ceil(factor) > tile;
    let n_factors = (0..16).find(|power| !is_large(1 << power)).unwrap_or(16) + 1;
    let is_offered = |half: &Size| {
        half.width.min(half.height) >= SMALLEST_SIZE.min(size.width.min(size.height))
            && half.width.max(half.height) <= limits.max_side
            && u64::from(half.width) * u64::from(half.height) <= limits.max_pixels
    };
    let sizes: Vec<Value> = halves(n_factors)
        .into_iter()
        .rev()
        .map(|factor| Size::new(size.width.div_ceil(factor), size.height.div_ceil(factor)))
        .filter(is_offered)
        .map(|Size { width, height }| json!({ "width": width, "height": height }))
        .collect();
    json!({
        "@context": "http://iiif.io/api/image/3/context.json",
        "id": id_uri,
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": size.width,
        "height": size.height,
        "maxWidth": limits.max_side,
        "maxHeight": limits.max_side,
        "maxArea": limits.max_pixels,
        "sizes": sizes,
        "tiles": [{ "width": tile, "scaleFactors": halves(n_factors) }],
        "extraFormats": ["webp", "gif", "avif"],
        "extraQualities": ["color", "gray", "bitonal"],
        "extraFeatures": ["canonicalLinkHeader", "mirroring", "profileLinkHeader", "sizeUpscaling"],
    })
}

/// The media type of `info.json` for a client with this `Accept` header: linked data, unless it names plain JSON, or
/// is a browser that would offer linked data for download.
pub fn info_media_type(accept: Option<&str>) -> &'static str {
    let accept = accept.unwrap_or_default().to_ascii_lowercase();
    let names = |media_type: &str| accept.split(',').any(|range| range.trim_start().starts_with(media_type));
    let wants_json = names("application/json") || names("text/html");
    if wants_json && !names("application/ld+json") { "application/json" } else { JSON_LD }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DialectErrorKind;

    const ID: &str = "01hzy3v7q8e9r0t1a2b3c4d5e6";

    fn lower(request: &str, size: (u32, u32), limits: Limits) -> std::result::Result<Image, DialectError> {
        match parse(&format!("/iiif/3/{ID}/{request}")).expect("the prefix is there")? {
            Request::Image(image) => image.lower(Size::new(size.0, size.1), limits),
            other => panic!("{request} is no picture: {other:?}"),
        }
    }

    /// The requests of the specification's examples, of its picture of 300 by 200 pixels, and of the validator, of
    /// its picture of 1000 by 1000; the native transform and the canonical form.
    #[test]
    fn requests_become_transforms() {
        let check = |size: (u32, u32), request: &str, transform: &str, canonical: &str| {
            let image = lower(request, size, Limits::default()).unwrap_or_else(|error| panic!("{request}: {error}"));
            assert_eq!(
                (image.lowered.transform.as_str(), image.canonical.as_str()),
                (transform, canonical),
                "{request}"
            );
        };
        let spec = |request, transform, canonical| check((300, 200), request, transform, canonical);
        spec("full/max/0/default.jpg", "f=jpeg", "full/max/0/default.jpg");
        spec("square/max/0/default.jpg", "crop=50:0:200:200,f=jpeg", "50,0,200,200/max/0/default.jpg");
        spec("125,15,120,140/max/0/default.jpg", "crop=125:15:120:140,f=jpeg", "125,15,120,140/max/0/default.jpg");
        let percent = "pct:41.6,7.5,40,70/max/0/default.jpg";
        spec(percent, "crop=125:15:120:140,f=jpeg", "125,15,120,140/max/0/default.jpg");
        spec("125,15,200,200/max/0/default.jpg", "crop=125:15:175:185,f=jpeg", "125,15,175,185/max/0/default.jpg");
        let over = "pct:41.6,7.5,66.6,100/max/0/default.jpg";
        spec(over, "crop=125:15:175:185,f=jpeg", "125,15,175,185/max/0/default.jpg");
        spec("full/150,/0/default.jpg", "w=150,h=100,fit=fill,f=jpeg", "full/150,100/0/default.jpg");
        spec("full/,150/0/default.jpg", "w=225,h=150,fit=fill,f=jpeg", "full/225,150/0/default.jpg");
        spec("full/^360,/0/default.jpg", "w=360,h=240,fit=fill,enlarge=1,f=jpeg", "full/^360,240/0/default.jpg");
        spec("full/^,240/0/default.jpg", "w=360,h=240,fit=fill,enlarge=1,f=jpeg", "full/^360,240/0/default.jpg");
        spec("full/pct:50/0/default.jpg", "w=150,h=100,fit=fill,f=jpeg", "full/150,100/0/default.jpg");
        spec("full/^pct:120/0/default.jpg", "w=360,h=240,fit=fill,enlarge=1,f=jpeg", "full/^360,240/0/default.jpg");
        spec("full/225,100/0/default.jpg", "w=225,h=100,fit=fill,f=jpeg", "full/225,100/0/default.jpg");
        spec("full/^360,360/0/default.jpg", "w=360,h=360,fit=fill,enlarge=1,f=jpeg", "full/^360,360/0/default.jpg");
        spec("full/!225,100/0/default.jpg", "w=150,h=100,fit=fill,f=jpeg", "full/150,100/0/default.jpg");
        spec("full/^!360,360/0/default.jpg", "w=360,h=240,fit=fill,enlarge=1,f=jpeg", "full/^360,240/0/default.jpg");
        spec("full/!400,400/0/default.jpg", "f=jpeg", "full/max/0/default.jpg");
        spec("full/max/180/default.jpg", "rotate=180,f=jpeg", "full/max/180/default.jpg");
        spec("full/max/90/default.png", "rotate=90,f=png", "full/max/90/default.png");
        spec("full/max/!0/default.jpg", "flip=h,f=jpeg", "full/max/!0/default.jpg");
        spec("full/max/!180/default.jpg", "rotate=180,flip=h,f=jpeg", "full/max/!180/default.jpg");
        // Mirrored and then turned is turned the other way and then mirrored.
        spec("full/max/!90/default.jpg", "rotate=270,flip=h,f=jpeg", "full/max/!90/default.jpg");
        spec("full/max/360/default.jpg", "f=jpeg", "full/max/0/default.jpg");
        spec("full/150,/90/default.jpg", "w=100,h=150,fit=fill,rotate=90,f=jpeg", "full/150,100/90/default.jpg");
        spec("full/max/0/color.webp", "f=webp", "full/max/0/default.webp");
        spec("full/max/0/gray.avif", "grayscale=1,f=avif", "full/max/0/gray.avif");
        spec("full/max/0/bitonal.gif", "bitonal=1,f=gif", "full/max/0/bitonal.gif");
        // Encoded as some clients do.
        spec(
            "full/%5E%21360%2C360/%2190/default.jpg",
            "w=240,h=360,fit=fill,enlarge=1,rotate=270,flip=h,f=jpeg",
            "full/^360,240/!90/default.jpg",
        );
        // `^max` is the largest of the same proportions within the limits: here of the side.
        spec("full/^max/0/default.jpg", "w=8192,h=5461,fit=fill,enlarge=1,f=jpeg", "full/^max/0/default.jpg");

        let validator = |request, transform, canonical| check((1000, 1000), request, transform, canonical);
        validator("full/!612,377/0/default.jpg", "w=377,h=377,fit=fill,f=jpeg", "full/377,377/0/default.jpg");
        validator("full/,597/0/default.jpg", "w=597,h=597,fit=fill,f=jpeg", "full/597,597/0/default.jpg");
        validator("full/pct:57/0/default.jpg", "w=570,h=570,fit=fill,f=jpeg", "full/570,570/0/default.jpg");
        validator(
            "400,700,100,100/61,61/0/default.jpg",
            "crop=400:700:100:100,w=61,h=61,fit=fill,f=jpeg",
            "400,700,100,100/61,61/0/default.jpg",
        );
        validator("pct:31,41,9,9/max/0/default.jpg", "crop=310:410:90:90,f=jpeg", "310,410,90,90/max/0/default.jpg");
        validator(
            "313,413,76,76/max/180/default.jpg",
            "crop=313:413:76:76,rotate=180,f=jpeg",
            "313,413,76,76/max/180/default.jpg",
        );
        validator("square/max/0/default.jpg", "f=jpeg", "full/max/0/default.jpg");
        validator(
            "full/^2000,/0/default.jpg",
            "w=2000,h=2000,fit=fill,enlarge=1,f=jpeg",
            "full/^2000,2000/0/default.jpg",
        );
        validator(
            "full/^pct:200/0/default.jpg",
            "w=2000,h=2000,fit=fill,enlarge=1,f=jpeg",
            "full/^2000,2000/0/default.jpg",
        );
        validator("full/^!2000,500/0/default.jpg", "w=500,h=500,fit=fill,f=jpeg", "full/500,500/0/default.jpg");
        validator(
            "full/^!2000,3000/0/default.jpg",
            "w=2000,h=2000,fit=fill,enlarge=1,f=jpeg",
            "full/^2000,2000/0/default.jpg",
        );
    }

    #[test]
    fn what_no_picture_can_be_is_refused_by_name() {
        let check = |request: &str, option: &str| {
            let error = lower(request, (1000, 1000), Limits::default()).expect_err(request);
            assert_eq!((error.kind, error.option.as_deref()), (DialectErrorKind::Invalid, Some(option)), "{request}");
        };
        let regions = ["abcdef", "1,2,3", "1,2,3,4,5", "-1,0,5,5", "pct:1,2,3", "pct:-1,0,5,5", "1.5,0,5,5", "FULL"];
        for region in
            regions.into_iter().chain(["0,0,0,10", "0,0,10,0", "1000,0,10,10", "pct:100,0,10,10", "pct:0,0,0,9"])
        {
            check(&format!("{region}/max/0/default.jpg"), "region");
        }
        let sizes = ["full", "abcdef", ",", "1", "0,", ",0", "0,0", "pct:0", "pct:", "!5,", "!,5", "^", "-5,", "5.5,"];
        for size in sizes.into_iter().chain(["1500,1500", ",1500", "1500,", "pct:200", "pct:100.01", "^9000,", "!0,5"])
        {
            check(&format!("full/{size}/0/default.jpg"), "size");
        }
        check("full/^8000,8000/0/default.jpg", "size");
        check("0,0,1000,1/1,/0/default.jpg", "size");
        for rotation in ["", "abcd", "-90", "22.5", "361", "450", "!", "!!0", "+90", "9e1"] {
            check(&format!("full/max/{rotation}/default.jpg"), "rotation");
        }
        for quality in ["native", "abcdef", "", "grey", "Default"] {
            check(&format!("full/max/0/{quality}.jpg"), "quality");
        }
        for format in ["tif", "jp2", "pdf", "jpeg", "abc", ""] {
            check(&format!("full/max/0/default.{format}"), "format");
        }
        check("full/max/0/default", "format");
    }

    #[test]
    fn paths_are_pictures_or_information_or_nothing() {
        let id = || ID.to_owned();
        assert_eq!(parse("/i/x"), None);
        assert_eq!(parse(&format!("/iiif/3/{ID}")), Some(Ok(Request::Base { id: id() })));
        assert_eq!(parse(&format!("/iiif/3/{ID}/info.json")), Some(Ok(Request::Info { id: id() })));
        assert_eq!(parse(&format!("/iiif/3/%30{}/info.json", &ID[1..])), Some(Ok(Request::Info { id: id() })));
        let unknown = [
            "".to_owned(),
            format!("{ID}/"),
            format!("{ID}/info.xml"),
            format!("{ID}.jpg/info.json"),
            "[frob]/full/max/0/default.jpg".to_owned(),
            "a/b/full/max/0/default.jpg".to_owned(),
            "a%2Fb/full/max/0/default.jpg".to_owned(),
            "67352ccc-d1b0-11e1-89ae-279075081939/full/max/0/default.jpg".to_owned(),
        ];
        for path in unknown {
            let kind = parse(&format!("/iiif/3/{path}")).map(|request| request.map_err(|error| error.kind));
            assert_eq!(kind, Some(Err(DialectErrorKind::NoImage)), "{path}");
        }
    }

    #[test]
    fn results_are_held_to_the_limits() {
        let limits = Limits { max_side: 400, max_pixels: 100_000 };
        let check = |request: &str, transform: Option<&str>| {
            let image = lower(request, (1000, 500), limits).ok();
            assert_eq!(image.map(|image| image.lowered.transform).as_deref(), transform, "{request}");
        };
        check("full/max/0/default.png", Some("w=400,h=200,fit=fill,f=png"));
        check("full/^max/0/default.png", Some("w=400,h=200,fit=fill,f=png"));
        // 316 times 316 is the largest square of at most 100,000 pixels.
        check("0,0,500,500/max/0/default.png", Some("crop=0:0:500:500,w=316,h=316,fit=fill,f=png"));
        check("0,0,500,500/!400,400/0/default.png", Some("crop=0:0:500:500,w=316,h=316,fit=fill,f=png"));
        check("full/!900,900/0/default.png", Some("w=400,h=200,fit=fill,f=png"));
        check("full/401,/0/default.png", None);
        check("full/400,300/0/default.png", None);
        check("0,0,10,10/^320,/0/default.png", None);
        check("0,0,10,10/^max/0/default.png", Some("crop=0:0:10:10,w=316,h=316,fit=fill,enlarge=1,f=png"));
    }

    /// What the validator's test `info_json` looks at, and that what the document offers is delivered.
    #[test]
    fn information_states_what_is_offered() {
        let uri = "https://images.example/iiif/3/01hzy3v7q8e9r0t1a2b3c4d5e6";
        let document = info(Size::new(6000, 4000), uri, Limits::default());
        assert_eq!(document["id"], uri);
        assert_eq!(document["@context"], "http://iiif.io/api/image/3/context.json");
        assert_eq!(document["type"], "ImageService3");
        assert_eq!(document["protocol"], "http://iiif.io/api/image");
        assert_eq!(document["profile"], "level2");
        assert_eq!((&document["width"], &document["height"]), (&json!(6000), &json!(4000)));
        assert_eq!((&document["maxWidth"], &document["maxArea"]), (&json!(8192), &json!(50_000_000)));
        assert_eq!(document["tiles"], json!([{ "width": 512, "scaleFactors": [1, 2, 4, 8, 16] }]));
        assert_eq!(document["sizes"].as_array().map(Vec::len), Some(5));
        assert_eq!(document["sizes"][0], json!({ "width": 375, "height": 250 }));
        for half in document["sizes"].as_array().into_iter().flatten() {
            let request = format!("full/{},{}/0/default.jpg", half["width"], half["height"]);
            assert!(lower(&request, (6000, 4000), Limits::default()).is_ok(), "{request}");
        }
        // The first key of the text is the context.
        assert!(document.to_string().starts_with("{\"@context\""));

        for (size, factors, n_sizes) in [((1, 1), json!([1]), 1), ((100, 3000), json!([1, 2, 4, 8]), 1)] {
            let document = info(Size::new(size.0, size.1), uri, Limits::default());
            assert_eq!(document["tiles"][0]["scaleFactors"], factors, "{size:?}");
            assert_eq!(document["sizes"].as_array().map(Vec::len), Some(n_sizes), "{size:?}");
        }
        let document = info(Size::new(9000, 9000), uri, Limits::default());
        assert_eq!(document["sizes"][4], json!({ "width": 4500, "height": 4500 }));
        assert_eq!(document["sizes"].as_array().map(Vec::len), Some(5));
    }

    #[test]
    fn headers_are_those_of_the_specification() {
        let link = link_header("https://images.example/iiif/3/a", "full/400,300/0/default.jpg");
        let expected = "<https://images.example/iiif/3/a/full/400,300/0/default.jpg>;rel=\"canonical\",\
                        <http://iiif.io/api/image/3/level2.json>;rel=\"profile\"";
        assert_eq!(link, expected);
        for accept in [None, Some("*/*"), Some("application/ld+json"), Some("application/json, application/ld+json")] {
            assert_eq!(info_media_type(accept), JSON_LD, "{accept:?}");
        }
        for accept in ["application/json", "text/html,application/xhtml+xml,*/*;q=0.8"] {
            assert_eq!(info_media_type(Some(accept)), "application/json", "{accept}");
        }
    }
}
