//! The short way for photos: from the planes of a JPEG or a WebP, brightness and two of colour, to a JPEG or a WebP,
//! without making pixels of them. Scaling is linear, so that it may come before or after the change of colours; and most of a
//! photo's colour has a quarter of the samples.

use std::borrow::Cow;

use jpeg::Color;
use jpeg::encode::Options;
use probe::Probe;
use transform::{Geometry, Output, Quality, Render};
use webp::{LossyPicture, Picture, Pixels, PlaneSlices, Range};

use super::container::webp::opaque_lossy;
use super::decode::{Input, decoded_size, jpeg as jpeg_decoder, webp as webp_decoder};
use super::encode::jpeg::{FULL_CHROMA_QUALITY, process};
use super::encode::{Encoded, or_smaller};
use super::orient::oriented;
use super::profile::is_srgb;
use super::raster::{Layout, Raster};
use super::render::{cropped, exif_orientation, part_of, unturned};
use super::resize::{Area, plane_scaler, whole_of};
use super::{Limits, PixelError};

/// Smaller results are made of pixels.
const LEAST_SIDE: u32 = 32;

/// Carries out a plan on planes, if it is one that can be.
///
/// # Errors
/// As [`render`](super::render()).
pub(super) fn rendered(
    input: &[u8],
    probe: &Probe,
    render: &Render,
    limits: &Limits,
) -> Result<Option<Encoded>, PixelError> {
    let Some(geometry) = render.geometry().filter(|geometry| is_plain(render, geometry)) else { return Ok(None) };
    if !matches!(probe.format, probe::Format::Jpeg | probe::Format::WebP) || probe.color != probe::ColorModel::Rgb {
        return Ok(None);
    }
    let upright = exif_orientation(probe);
    let orientation = upright.then(render.orientation());
    let window = unturned(orientation, geometry.scaled, geometry.window);
    // Colour has one sample for two pixels. Of an odd side the last stands for one and no more, and can't come first.
    if orientation != transform::Orientation::UPRIGHT && (window.width % 2 == 1 || window.height % 2 == 1) {
        return Ok(None);
    }
    // Where the last sample stands for one pixel, the other is made up. In a small picture that would show.
    if window.width.min(window.height) < LEAST_SIDE {
        return Ok(None);
    }
    let whole = render.source_size().unwrap_or(geometry.scaled);
    let size = decoded_size(probe);
    let input = Input { file: input, probe, least: Some(whole) };
    limits.check_memory(input.decoding_bytes())?;
    let Some(planes) = Ycc::decoded(&input)? else { return Ok(None) };
    limits.check_memory(planes.scaling_bytes(window.width, window.height))?;
    let n = f64::from(input.shrink().divisor());
    let extent = (f64::from(size.0) / n, f64::from(size.1) / n);
    let part = cropped(extent, upright, render.crop());
    let sides = orientation.sides(geometry.scaled.0, geometry.scaled.1);
    let scaled = planes.scaled(part_of(part, sides, window), window.width, window.height)?;
    let turned = scaled.map(|plane| oriented(plane, orientation))?;
    turned.written(render).map(Some)
}

/// Whether a plan scales and cuts, and does no more, and ends in what has a quarter of the samples for colour.
fn is_plain(render: &Render, geometry: &Geometry) -> bool {
    let has_quarter = |output: Output| match output {
        Output::Jpeg { quality: Quality::Fixed(quality), .. } => quality < FULL_CHROMA_QUALITY,
        Output::WebP { quality } => quality != Quality::Auto,
        _ => false,
    };
    let is_colored = !render.adjustments().is_none() || render.tone().is_some() || render.tint().is_some();
    let is_filtered = render.blur().is_some() || render.sharpen().is_some() || render.filter().is_some();
    let is_covered = render.watermark().is_some() || render.text().is_some() || render.radius().is_some();
    !(is_colored || is_filtered || is_covered || render.is_linear() || geometry.is_padded())
        && geometry.smart.is_none()
        && render.max_bytes().is_none()
        && has_quarter(render.output())
        && render.alternative().is_none_or(has_quarter)
}

/// Brightness, and two of colour.
struct Ycc {
    /// Each with how much of its plane the picture covers.
    planes: [(Raster, (f64, f64)); 3],
    range: Range,
}

impl Ycc {
    /// The planes of a file; none if it has others, or colours that would have to be changed.
    fn decoded(input: &Input) -> Result<Option<Self>, PixelError> {
        if input.probe.format == probe::Format::WebP {
            return match opaque_lossy(input.file) {
                Some(still) if still.profile.is_none_or(is_srgb) => {
                    Self::of_webp(webp_decoder::planes(&still)?).map(Some)
                }
                _ => Ok(None),
            };
        }
        if jpeg_decoder::profile(input.file).is_some_and(|profile| !is_srgb(&profile)) {
            return Ok(None);
        }
        let planes = jpeg_decoder::planes(input)?;
        if planes.color == Color::YCbCr { Self::of_jpeg(planes).map(Some) } else { Ok(None) }
    }

    fn of_jpeg(planes: jpeg::Planes) -> Result<Self, PixelError> {
        let mut all = planes.planes.into_iter().map(|plane| {
            let (width, height, stride, extent) = (plane.width, plane.height, plane.stride, plane.extent);
            Ok((tight(plane.samples, width, height, stride)?, extent))
        });
        let mut next = || all.next().unwrap_or_else(|| Err(PixelError::corrupt("too few components")));
        Ok(Self { planes: [next()?, next()?, next()?], range: Range::Full })
    }

    fn of_webp(picture: LossyPicture) -> Result<Self, PixelError> {
        let (width, height) = (picture.width as usize, picture.height as usize);
        let PlaneSlices { y_stride, chroma_stride, .. } = picture.planes();
        let [y, cb, cr] = picture.into_planes();
        let extent = (width as f64 / 2.0, height as f64 / 2.0);
        let (columns, rows) = (width.div_ceil(2), height.div_ceil(2));
        let chroma = |plane| Ok::<_, PixelError>((tight(plane, columns, rows, chroma_stride)?, extent));
        let luma = (tight(y, width, height, y_stride)?, (width as f64, height as f64));
        Ok(Self { planes: [luma, chroma(cb)?, chroma(cr)?], range: Range::Limited })
    }

    /// What scaling to `width` by `height` pixels holds, in bytes: the planes, one of them at the new height, and the
    /// result, at the worst with as many samples of each colour as of brightness.
    fn scaling_bytes(&self, width: u32, height: u32) -> u64 {
        let [(y, _), (cb, _), (cr, _)] = &self.planes;
        let high = u64::from(y.width()) * u64::from(height);
        y.n_bytes() + cb.n_bytes() + cr.n_bytes() + high + 3 * u64::from(width) * u64::from(height)
    }

    /// `area` of the brightness, and what of the colours belongs to it, scaled to `width` by `height` pixels.
    fn scaled(self, area: Area, width: u32, height: u32) -> Result<Self, PixelError> {
        let [(y, whole), (cb, extent), (cr, _)] = self.planes;
        let (columns, rows) = (width.div_ceil(2), height.div_ceil(2));
        let (across, down) = (extent.0 / whole.0, extent.1 / whole.1);
        // Of an odd side the last sample stands for a pixel that is not there.
        let (past_right, past_bottom) =
            (f64::from(2 * columns) / f64::from(width), f64::from(2 * rows) / f64::from(height));
        let chroma_area = Area {
            left: area.left * across,
            top: area.top * down,
            width: area.width * across * past_right,
            height: area.height * down * past_bottom,
        };
        let (right, bottom) = (chroma_area.left + chroma_area.width, chroma_area.top + chroma_area.height);
        let chroma =
            scaled_planes([extended(cb, right, bottom)?, extended(cr, right, bottom)?], chroma_area, columns, rows)?;
        let [luma] = scaled_planes([y], area, width, height)?;
        let extent = (f64::from(width) / 2.0, f64::from(height) / 2.0);
        let [cb, cr] = chroma.map(|plane| (plane, extent));
        Ok(Self { planes: [(luma, (width.into(), height.into())), cb, cr], range: self.range })
    }

    fn map(self, change: impl Fn(Raster) -> Result<Raster, PixelError>) -> Result<Self, PixelError> {
        let [(y, y_extent), (cb, cb_extent), (cr, cr_extent)] = self.planes;
        let planes = [(change(y)?, y_extent), (change(cb)?, cb_extent), (change(cr)?, cr_extent)];
        Ok(Self { planes, range: self.range })
    }

    fn written(&self, render: &Render) -> Result<Encoded, PixelError> {
        or_smaller(self.encoded(render.output())?, render, |other| self.encoded(other))
    }

    fn encoded(&self, output: Output) -> Result<Encoded, PixelError> {
        let [(y, _), (cb, _), (cr, _)] = &self.planes;
        let (width, height) = (y.width(), y.height());
        let bytes = match output {
            Output::Jpeg { quality: Quality::Fixed(quality), progressive } => {
                let full = [(y, &FULL_LUMA), (cb, &FULL_CHROMA), (cr, &FULL_CHROMA)].map(|(plane, table)| {
                    let is_full = self.range == Range::Full;
                    if is_full { Cow::Borrowed(plane.pixels()) } else { Cow::Owned(mapped(plane.pixels(), table)) }
                });
                let samples =
                    [(y, &full[0]), (cb, &full[1]), (cr, &full[2])].map(|(plane, full)| jpeg::encode::Samples {
                        samples: full,
                        width: plane.width() as usize,
                        height: plane.height() as usize,
                        stride: plane.stride(),
                    });
                let options = Options { quality, process: process(progressive), ..Options::default() };
                jpeg::encode::encode(&jpeg::encode::Picture::YCbCr(samples), &options).map_err(PixelError::encode)?
            }
            Output::WebP { quality: Quality::Fixed(quality) } => {
                let planes = PlaneSlices {
                    y: y.pixels(),
                    cb: cb.pixels(),
                    cr: cr.pixels(),
                    y_stride: y.stride(),
                    chroma_stride: cb.stride(),
                    range: self.range,
                    chroma: webp::Chroma::Half,
                };
                let picture = Picture { width, height, pixels: Pixels::Planes(planes) };
                let options = webp::Options { quality, ..webp::Options::default() };
                webp::encode(&picture, &options).map_err(PixelError::encode)?
            }
            _ => return Err(PixelError::encode(format!("{output:?} has no planes"))),
        };
        Ok(Encoded { bytes, format: output.format(), width, height })
    }
}

/// From 16..=235 to 0..=255, and from 16..=240 around 128: what VP8 has to what JPEG has.
static FULL_LUMA: [u8; 256] = spread(219, 16, 0);
static FULL_CHROMA: [u8; 256] = spread(224, 128, 128);

/// Spans of `span` made 255 wide, so that `from` becomes `to`.
const fn spread(span: i32, from: i32, to: i32) -> [u8; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let value = ((i as i32 - from) * 510 + span).div_euclid(2 * span) + to;
        table[i] = if value < 0 {
            0
        } else if value > 255 {
            255
        } else {
            value as u8
        };
        i += 1;
    }
    table
}

fn mapped(samples: &[u8], table: &[u8; 256]) -> Vec<u8> {
    samples.iter().map(|sample| table[usize::from(*sample)]).collect()
}

/// A plane without what is behind its rows and below them, in place.
fn tight(mut samples: Vec<u8>, width: usize, height: usize, stride: usize) -> Result<Raster, PixelError> {
    if stride > width {
        let n_samples = samples.len();
        for (y, start) in (0..n_samples).step_by(stride).enumerate().take(height) {
            samples.copy_within(start..(start + width).min(n_samples), y * width);
        }
    }
    samples.truncate(width * height);
    let side = |side: usize| u32::try_from(side).map_err(PixelError::corrupt);
    Raster::new(side(width)?, side(height)?, Layout::Gray, samples)
}

/// Planes of one size, each scaled alike.
fn scaled_planes<const N: usize>(
    mut planes: [Raster; N],
    area: Area,
    width: u32,
    height: u32,
) -> Result<[Raster; N], PixelError> {
    let [first, ..] = &planes[..] else { return Ok(planes) };
    let is_whole = area == whole_of(first) && (first.width(), first.height()) == (width, height);
    let scaler = plane_scaler(first, area, width, height);
    for plane in planes.iter_mut().filter(|_| !is_whole) {
        let samples = scaler.scaled(plane.pixels()).ok_or_else(|| PixelError::corrupt("planes of several sizes"))?;
        *plane = Raster::new(width, height, Layout::Gray, samples)?;
    }
    Ok(planes)
}

/// A plane that reaches as far as `right` and `bottom`, its last column and row repeated.
fn extended(plane: Raster, right: f64, bottom: f64) -> Result<Raster, PixelError> {
    let beyond = |end: f64, side: u32| (end - 1e-6 - f64::from(side)).ceil().clamp(0.0, 64.0) as u32;
    let (columns, rows) = (beyond(right, plane.width()), beyond(bottom, plane.height()));
    if (columns, rows) == (0, 0) {
        return Ok(plane);
    }
    let mut samples = Vec::with_capacity(plane.pixels().len() + 64 * (plane.stride() + plane.height() as usize));
    for row in plane.pixels().chunks_exact(plane.stride()) {
        samples.extend_from_slice(row);
        samples.extend(std::iter::repeat_n(row.last().copied().unwrap_or_default(), columns as usize));
    }
    let last = samples.len() - plane.stride() - columns as usize;
    for _ in 0..rows {
        samples.extend_from_within(last..last + plane.stride() + columns as usize);
    }
    Raster::new(plane.width() + columns, plane.height() + rows, Layout::Gray, samples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::samples::{exif, jpeg, png_of, smooth, webp as lossless_webp};
    use crate::pixels::{Extras, Facts, render};
    use transform::{Accept, Plan};

    /// The plan, and what the short way makes of it.
    fn short(file: &[u8], options: &str) -> (Plan, Option<Encoded>) {
        let limits = Limits::default();
        let source = Facts::read(file, &limits).unwrap().source;
        let plan = Plan::resolve(&options.parse().unwrap(), &source, Accept::default()).unwrap();
        let Plan::Render(wanted) = &plan else { panic!("{options} is a render") };
        let encoded = rendered(file, &probe::probe(file).unwrap(), wanted, &limits).unwrap();
        (plan, encoded)
    }

    fn pixels(file: &[u8]) -> Raster {
        let probe = probe::probe(file).unwrap();
        crate::pixels::decode::decode(&Input::whole(file, &probe), &Limits::default()).unwrap().raster.into_rgb()
    }

    /// The short way of a plan, beside the long way of the same pixels without planes, what a decoder shows, upright.
    fn check(file: &[u8], orientation: transform::Orientation, about: &str) {
        for options in [
            "w=64,f=jpeg,q=85",
            "w=63,f=jpeg,q=85",
            "w=41,h=57,fit=cover,g=ne,f=jpeg,q=85",
            "w=40,h=56,fit=cover,g=sw,rotate=90,f=jpeg,q=85",
            "crop=10p:20p:50p:40p,w=96,f=webp,q=90",
            "flip=h,f=jpeg,q=85",
            "f=webp,q=90",
            "w=1,f=jpeg,q=85",
        ] {
            let (plan, made) = short(file, options);
            let turned = oriented(pixels(file), orientation).unwrap();
            let expected = render(&png_of(&turned), &plan, &Extras::default(), &Limits::default()).unwrap();
            let Plan::Render(wanted) = &plan else { panic!("{options} is a render") };
            let is_even = expected.width.is_multiple_of(2) && expected.height.is_multiple_of(2);
            let is_turned = orientation.then(wanted.orientation()) != transform::Orientation::UPRIGHT;
            let is_small = expected.width.min(expected.height) < LEAST_SIDE;
            let is_short = !is_small && (is_even || !is_turned);
            assert_eq!(made.is_some(), is_short, "{about}, {options}");
            let Some(made) = made else { continue };
            assert_eq!((made.width, made.height), (expected.width, expected.height), "{about}, {options}");
            let (found, wanted) = (pixels(&made.bytes), pixels(&expected.bytes));
            // Both were compressed once more; what is left is noise, and leans to no side.
            let differences = found.pixels().iter().zip(wanted.pixels()).map(|(a, b)| f64::from(*a) - f64::from(*b));
            let (mut lean, mut size) = ([0.0; 3], 0.0);
            for (idx, difference) in differences.enumerate() {
                lean[idx % 3] += difference;
                size += difference.abs();
            }
            let n = found.pixels().len() as f64;
            let (lean, size) = (lean.map(|sum| 3.0 * sum / n), size / n);
            assert!(size < 1.5 && lean.iter().all(|lean| lean.abs() < 0.6), "{about}, {options}: {size}, {lean:?}");
        }
    }

    #[test]
    fn the_short_way_leads_where_the_long_one_does() {
        for (width, height) in [(640, 480), (333, 251), (97, 640)] {
            for orientation in [1, 3, 6, 7] {
                let file = jpeg(&smooth(width, height), |encoder| {
                    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
                    encoder.add_exif_metadata(&exif(orientation)).unwrap();
                });
                let turn = transform::Orientation::from_exif(orientation.into());
                check(&file, turn, &format!("JPEG, {width}x{height}, {orientation}"));
                let file = with_orientation(&webp_of(&smooth(width, height), None), orientation);
                check(&file, turn, &format!("WebP, {width}x{height}, {orientation}"));
            }
        }
    }

    /// A simple lossy file in the extended form, lying as EXIF says.
    fn with_orientation(file: &[u8], orientation: u8) -> Vec<u8> {
        let probe = probe::probe(file).unwrap();
        let side = |side: u32| (side - 1).to_le_bytes()[..3].to_vec();
        let canvas = [vec![0b1000, 0, 0, 0], side(probe.width), side(probe.height)].concat();
        let exif = exif(orientation);
        let chunk = |name: &[u8; 4], data: &[u8]| {
            [name, (data.len() as u32).to_le_bytes().as_slice(), data, &[0][..data.len() % 2]].concat()
        };
        let chunks = [chunk(b"VP8X", &canvas), file[12..].to_vec(), chunk(b"EXIF", &exif)].concat();
        [b"RIFF", (chunks.len() as u32 + 4).to_le_bytes().as_slice(), b"WEBP", &chunks].concat()
    }

    /// A lossy file.
    fn webp_of(raster: &Raster, icc_profile: Option<&[u8]>) -> Vec<u8> {
        let (width, height) = (raster.width(), raster.height());
        let picture = Picture { width, height, pixels: Pixels::Rgb(raster.pixels()) };
        webp::encode(&picture, &webp::Options { quality: 90, icc_profile, ..webp::Options::default() }).unwrap()
    }

    #[test]
    fn colours_that_are_not_srgb_go_the_long_way() {
        let encoded = |profile: moxcms::ColorProfile| profile.encode().unwrap();
        let srgb = encoded(moxcms::ColorProfile::new_srgb());
        let wide = encoded(moxcms::ColorProfile::new_display_p3());
        assert!(short(&webp_of(&smooth(128, 96), Some(&srgb)), "w=64,f=jpeg").1.is_some());
        assert!(short(&webp_of(&smooth(128, 96), Some(&wide)), "w=64,f=jpeg").1.is_none());
    }

    #[test]
    fn a_plane_that_would_become_too_large_between_its_directions_is_refused() {
        let file = jpeg(&smooth(4000, 16), |encoder| {
            encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
        });
        let source = Facts::read(&file, &Limits::default()).unwrap().source;
        let options = "w=40,h=4000,fit=fill,enlarge=1,f=jpeg".parse().unwrap();
        let Plan::Render(wanted) = Plan::resolve(&options, &source, Accept::default()).unwrap() else { panic!() };
        let made = |max_memory_bytes| {
            let limits = Limits { max_memory_bytes, ..Limits::default() };
            rendered(&file, &probe::probe(&file).unwrap(), &wanted, &limits).map(|encoded| encoded.is_some())
        };
        assert_eq!(made(17_000_000), Ok(true));
        assert!(matches!(made(15_999_999), Err(PixelError::Limit(probe::LimitError::TooMuchMemory { .. }))));
    }

    #[test]
    fn ranges_are_brought_into_each_other() {
        for value in 0..=255 {
            assert_eq!(FULL_LUMA[value], ((value as f64 - 16.0) * 255.0 / 219.0).round() as u8);
            assert_eq!(FULL_CHROMA[value], ((value as f64 - 128.0) * 255.0 / 224.0 + 128.0).round() as u8);
        }
        assert_eq!((FULL_LUMA[16], FULL_LUMA[235], FULL_CHROMA[128]), (0, 255, 128));
    }

    #[test]
    fn what_is_more_than_scaling_goes_the_long_way() {
        let file = jpeg(&smooth(128, 96), |encoder| {
            encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
        });
        let webp = webp_of(&smooth(128, 96), None);
        for options in ["w=64,f=jpeg", "w=64,f=webp,q=80"] {
            assert!(short(&file, options).1.is_some(), "{options}");
            assert!(short(&webp, options).1.is_some(), "{options}");
        }
        assert!(short(&lossless_webp(&smooth(128, 96), |_| {}), "w=64,f=jpeg").1.is_none());
        for options in
            ["w=64,f=png", "w=64,q=90", "w=64,blur=1", "w=64,gray=1", "w=64,radius=4", "w=64,h=64,fit=contain", "trim"]
        {
            assert!(short(&file, options).1.is_none(), "{options}");
        }
        assert!(short(&png_of(&smooth(128, 96)), "w=64,f=jpeg").1.is_none());
    }
}
