//! `q=auto`: the lowest quality at which a picture still looks like itself.
//!
//! Qualities are halved between two bounds. Each candidate is encoded, decoded as a browser would, and compared with
//! what it was made of ([`score`]); the lowest that is not under the floor is taken. Everything is computed, nothing
//! measured or drawn by lot: the same pixels get the same quality everywhere.

use std::borrow::Cow;
use std::cmp::Reverse;

use score::Reference;
use transform::{Output, Quality, Render, Window};

use super::decode::{Input, decode};
use super::encode::{Encoded, encoded};
use super::raster::{Layout, Raster};
use super::{Limits, PixelError};

/// The score that a picture has at least, on the scale of SSIMULACRA2, where 70 is "high quality" and 90 cannot be told
/// from the original side by side. A little more than 70, because the search takes the first quality that is good
/// enough, where a fixed one is mostly better than it has to be.
const FLOOR: f64 = 72.0;
/// A side shorter than this, in pixels, is not worth a search.
const SHORTEST_SIDE: u32 = 16;
/// From this side on, in pixels, the metric has all its scales, and its weights are what they were fitted to. Smaller
/// pictures are judged together with their mirror images.
const FULL_SIDE: usize = 128;
/// Pictures with more pixels are judged by parts with no more than these together.
const MOST_PIXELS: u64 = 1 << 20;
/// The longest side of a part, in pixels. A quarter of [`MOST_PIXELS`] each.
const TILE: u32 = 512;
/// What a search holds at most for each pixel that is looked at, in bytes: on two grounds the reference (39), one
/// comparison (15 and 3), and the sample and a candidate with what its decoder needs.
const SEARCHING_BYTES: u64 = 2 * 39 + 18 + 32;

/// Encodes `raster` at the lowest quality that looks like it. Other ways to write than `output` are not tried.
///
/// # Errors
/// `Encode` for a format without a quality, and what encoding it says.
pub(super) fn searched(raster: &Raster, output: Output) -> Result<Encoded, PixelError> {
    found(raster, output).map(|(_, encoded)| encoded)
}

/// The same, and the quality beside it.
pub(super) fn found(raster: &Raster, output: Output) -> Result<(u8, Encoded), PixelError> {
    let scale = Scale::of(output).ok_or_else(|| PixelError::encode(format!("{output:?} has no quality")))?;
    if raster.width().min(raster.height()) < SHORTEST_SIDE {
        return Ok((scale.default, encoded(raster, output.at(scale.default))?));
    }
    let sample = sample(raster)?;
    let judge = Judge::new(&sample)?;
    // Steps under `low` are too bad. Step `high` is good enough, or the last there is.
    let (mut low, mut high) = (0, scale.last_step());
    let mut best = None;
    while low < high {
        let step = low.midpoint(high);
        let attempt = encoded(&sample, output.at(scale.quality(step)))?;
        if judge.score(&attempt)? >= FLOOR {
            (high, best) = (step, Some(attempt));
        } else {
            low = step + 1;
        }
    }
    let quality = scale.quality(high);
    match best {
        Some(encoded) if matches!(sample, Cow::Borrowed(_)) => Ok((quality, encoded)),
        _ => Ok((quality, encoded(raster, output.at(quality))?)),
    }
}

/// `output` with the quality that `raster` needs, if that is to be searched for.
pub(super) fn settled(raster: &Raster, output: Output) -> Result<Output, PixelError> {
    match output.quality() {
        Some(Quality::Auto) => Ok(output.at(found(raster, output)?.0)),
        Some(Quality::Fixed(_)) | None => Ok(output),
    }
}

/// The most bytes that the search of a plan holds at once, for a result of `width` by `height` pixels.
pub(super) fn searching_bytes(render: &Render, width: u32, height: u32) -> u64 {
    let is_searched = |output: Output| output.quality() == Some(Quality::Auto);
    if !is_searched(render.output()) && !render.alternative().is_some_and(is_searched) {
        return 0;
    }
    let [width, height] = [width, height].map(|side| u64::from(side).max(FULL_SIDE as u64));
    SEARCHING_BYTES * (width * height).min(MOST_PIXELS)
}

/// The qualities of a format that are tried.
struct Scale {
    lowest: u8,
    highest: u8,
    step: u8,
    default: u8,
}

impl Scale {
    /// Below the lowest a picture shows it in places however high it scores; above the highest files grow and pictures
    /// do not. AVIF takes seconds for each, so that every fourth quality is tried, and four of them suffice.
    fn of(output: Output) -> Option<Self> {
        match output {
            Output::Jpeg { .. } | Output::WebP { .. } => {
                Some(Self { lowest: 40, highest: 95, step: 1, default: Quality::DEFAULT })
            }
            Output::Avif { .. } => Some(Self { lowest: 25, highest: 85, step: 4, default: Quality::DEFAULT_AVIF }),
            Output::Png { .. } | Output::WebPLossless | Output::Gif => None,
        }
    }

    fn last_step(&self) -> u8 {
        (self.highest - self.lowest) / self.step
    }

    fn quality(&self, step: u8) -> u8 {
        self.lowest + step * self.step
    }
}

/// What candidates are compared with: the picture, and if it can be seen through, on black and on white.
struct Judge(Vec<(u8, Reference)>);

impl Judge {
    fn new(raster: &Raster) -> Result<Self, PixelError> {
        let grounds: &[u8] = if raster.layout() == Layout::Rgba { &[0, 255] } else { &[0] };
        let width = FULL_SIDE.max(raster.width() as usize);
        let height = FULL_SIDE.max(raster.height() as usize);
        let reference = |ground: &u8| {
            let reference = Reference::new(&seen(raster, *ground), width, height);
            Ok((*ground, reference.map_err(PixelError::encode)?))
        };
        grounds.iter().map(reference).collect::<Result<_, _>>().map(Self)
    }

    /// The score of a candidate, on the ground where it is lower.
    fn score(&self, candidate: &Encoded) -> Result<f64, PixelError> {
        let probe = probe::probe(&candidate.bytes)?;
        let decoded = decode(&Input::whole(&candidate.bytes, &probe), &Limits::default())?.raster;
        let mut lowest = f64::INFINITY;
        for (ground, reference) in &self.0 {
            let score = reference.score(&seen(&decoded, *ground)).map_err(PixelError::encode)?;
            lowest = lowest.min(score);
        }
        Ok(lowest)
    }
}

/// What is compared: the picture without transparency, and if it is small with its mirror images.
fn seen(raster: &Raster, ground: u8) -> Cow<'_, [u8]> {
    let rgb = flattened(raster, ground);
    let (width, height) = (raster.width() as usize, raster.height() as usize);
    if width.min(height) >= FULL_SIDE {
        return rgb;
    }
    let mut mirrored = Vec::with_capacity(3 * width.max(FULL_SIDE) * height.max(FULL_SIDE));
    for y in (0..height.max(FULL_SIDE)).map(|y| reflected(y, height)) {
        for x in (0..width.max(FULL_SIDE)).map(|x| reflected(x, width)) {
            mirrored.extend_from_slice(&rgb[3 * (y * width + x)..][..3]);
        }
    }
    Cow::Owned(mirrored)
}

/// Where in `0..side` one gets by going back and forth.
fn reflected(at: usize, side: usize) -> usize {
    let at = at % (2 * side);
    at.min(2 * side - 1 - at)
}

/// Three bytes for each pixel, what is transparent on gray of the brightness `ground`.
fn flattened(raster: &Raster, ground: u8) -> Cow<'_, [u8]> {
    match raster.layout() {
        Layout::Rgb => Cow::Borrowed(raster.pixels()),
        Layout::Gray => Cow::Owned(raster.pixels().iter().flat_map(|gray| [*gray; 3]).collect()),
        Layout::Rgba | Layout::Cmyk => {
            let over = |pixel: &[u8; 4]| {
                let [red, green, blue, alpha] = pixel.map(u32::from);
                [red, green, blue].map(|color| ((color * alpha + u32::from(ground) * (255 - alpha) + 127) / 255) as u8)
            };
            Cow::Owned(raster.pixels().as_chunks::<4>().0.iter().flat_map(over).collect())
        }
    }
}

/// What of a picture is looked at: all of it, or of a large one four tiles, put together two by two. They are taken from
/// the whole range between the one with the most detail and the one with the least, so that they score like the whole.
///
/// They begin at multiples of sixteen pixels, as the blocks of every format do, and what borders on another tile there
/// borders on it in the candidates, too.
fn sample(raster: &Raster) -> Result<Cow<'_, Raster>, PixelError> {
    if u64::from(raster.width()) * u64::from(raster.height()) <= MOST_PIXELS {
        return Ok(Cow::Borrowed(raster));
    }
    let (width, height) = (raster.width().min(TILE), raster.height().min(TILE));
    let mut tiles = Vec::new();
    for y in starts(raster.height(), height) {
        for x in starts(raster.width(), width) {
            let tile = raster.cut(Window { x, y, width, height })?;
            tiles.push((Reverse(detail(&tile)), y, x));
        }
    }
    tiles.sort_unstable();
    let chosen = [1, 3, 5, 7].map(|eighth| tiles.get(eighth * tiles.len() / 8));
    let parts: Vec<Raster> = chosen
        .into_iter()
        .flatten()
        .map(|(_, y, x)| raster.cut(Window { x: *x, y: *y, width, height }))
        .collect::<Result<_, _>>()?;
    joined(&parts).map(Cow::Owned)
}

/// Where tiles of `tile` pixels begin, to cover `side`.
fn starts(side: u32, tile: u32) -> impl Iterator<Item = u32> {
    let n_gaps = side.div_ceil(tile).saturating_sub(1);
    (0..=n_gaps).map(move |i| (u64::from(i) * u64::from(side - tile) / u64::from(n_gaps.max(1))) as u32 & !15)
}

/// How much neighbours differ, all told.
fn detail(raster: &Raster) -> u64 {
    let (stride, channels) = (raster.stride(), raster.layout().channels());
    let difference = |(a, b): (&u8, &u8)| u64::from(a.abs_diff(*b));
    let row_detail = |row: &[u8]| row.iter().zip(&row[channels..]).map(difference).sum::<u64>();
    let across: u64 = raster.pixels().chunks_exact(stride).map(row_detail).sum();
    let down: u64 = raster.pixels().iter().zip(&raster.pixels()[stride..]).map(difference).sum();
    across + down
}

/// Four tiles of one size, two by two.
fn joined(tiles: &[Raster]) -> Result<Raster, PixelError> {
    let [a, b, c, d] = tiles else { return Err(PixelError::encode("a large picture has four tiles or more")) };
    let beside = |left: &Raster, right: &Raster| {
        let rows = left.pixels().chunks_exact(left.stride()).zip(right.pixels().chunks_exact(right.stride()));
        rows.flat_map(|(left, right)| [left, right]).collect::<Vec<_>>().concat()
    };
    let pixels = [beside(a, b), beside(c, d)].concat();
    Raster::new(a.width() * 2, a.height() * 2, a.layout(), pixels)
}

#[cfg(test)]
mod tests {
    use probe::LimitError;
    use transform::{Accept, Plan};

    use super::super::samples::{ANIMATED_GIF, noisy, png_of, quadrants, smooth};
    use super::super::{Extras, Facts, render};
    use super::*;

    const JPEG: Output = Output::Jpeg { quality: Quality::Auto, progressive: false };
    const WEBP: Output = Output::WebP { quality: Quality::Auto };
    const AVIF: Output = Output::Avif { quality: Quality::Auto };

    /// Slopes with grain.
    fn picture(width: u32, height: u32) -> Raster {
        let mut raster = smooth(width, height);
        let mut random: u32 = 5;
        for pixel in raster.pixels_mut().as_chunks_mut::<3>().0 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = (random >> 27) as u8;
            *pixel = pixel.map(|value| (value / 2).saturating_add(grain + 40));
        }
        raster
    }

    fn score(raster: &Raster, output: Output, quality: u8) -> f64 {
        Judge::new(raster).unwrap().score(&encoded(raster, output.at(quality)).unwrap()).unwrap()
    }

    fn check(raster: &Raster, output: Output) -> u8 {
        let scale = Scale::of(output).unwrap();
        let (quality, file) = found(raster, output).unwrap();
        assert_eq!(file, encoded(raster, output.at(quality)).unwrap());
        assert_eq!(file, searched(raster, output).unwrap());
        assert!((scale.lowest..=scale.highest).contains(&quality), "{output:?} {quality}");
        if quality < scale.highest {
            assert!(score(raster, output, quality) >= FLOOR, "{output:?} {quality}");
        }
        if quality > scale.lowest {
            assert!(score(raster, output, quality - scale.step) < FLOOR, "{output:?} {quality}");
        }
        quality
    }

    #[test]
    fn the_quality_found_is_good_enough_and_the_one_below_is_not() {
        let raster = picture(96, 80);
        for output in [JPEG, WEBP, AVIF] {
            let quality = check(&raster, output);
            let scale = Scale::of(output).unwrap();
            assert!(scale.lowest < quality && quality < scale.highest, "{output:?} {quality} is at a bound");
        }
    }

    #[test]
    fn what_has_no_detail_gets_the_lowest() {
        let flat = Raster::new(64, 48, Layout::Rgb, [120, 90, 60].repeat(64 * 48)).unwrap();
        for output in [JPEG, WEBP, AVIF] {
            assert_eq!(check(&flat, output), Scale::of(output).unwrap().lowest, "{output:?}");
        }
    }

    #[test]
    fn what_no_quality_keeps_gets_the_highest() {
        // Single pixels of pure colour, which are lost where colour has a quarter of the samples.
        let pixels = (0..64 * 64).flat_map(|i| [[255, 0, 0], [0, 0, 255], [0, 255, 0]][(i + i / 64) % 3]).collect();
        let raster = Raster::new(64, 64, Layout::Rgb, pixels).unwrap();
        assert_eq!(check(&raster, WEBP), 95);
    }

    #[test]
    fn gray_and_transparent_pictures_are_judged_too() {
        check(&noisy(40, 40, Layout::Gray), JPEG);
        check(&quadrants(48, 48, [0, 0, 0, 0]), WEBP);
    }

    #[test]
    fn transparent_pictures_are_judged_on_the_ground_that_shows_more() {
        let clear = |red: u8| Raster::new(32, 32, Layout::Rgba, [red, 255, 255, 128].repeat(32 * 32)).unwrap();
        assert_eq!(flattened(&clear(255), 255)[..3], [255; 3]);
        assert_eq!(flattened(&clear(255), 0)[..3], [128; 3]);
        // A hole that was white: on white nobody sees that it is gone.
        let holes = |alpha: u8| {
            let pixels = (0..32 * 32).flat_map(|i| [255, 255, 255, if i / 4 % 3 == 0 { alpha } else { 255 }]);
            Raster::new(32, 32, Layout::Rgba, pixels.collect()).unwrap()
        };
        let judge = Judge::new(&holes(255)).unwrap();
        let file = encoded(&holes(0), Output::WebPLossless).unwrap();
        assert!(judge.score(&file).unwrap() < 50.0);
    }

    #[test]
    fn tiny_pictures_get_the_default() {
        for (output, default) in [(JPEG, 80), (WEBP, 80), (AVIF, 50)] {
            assert_eq!(found(&smooth(15, 40), output).unwrap().0, default);
        }
    }

    #[test]
    fn a_format_without_quality_is_refused() {
        assert!(matches!(found(&smooth(32, 32), Output::Gif), Err(PixelError::Encode { .. })));
        assert_eq!(settled(&smooth(32, 32), Output::Gif), Ok(Output::Gif));
        assert_eq!(settled(&smooth(32, 32), JPEG.at(7)), Ok(JPEG.at(7)));
    }

    #[test]
    fn large_pictures_are_judged_by_tiles_of_much_and_of_little_detail() {
        assert_eq!(starts(1500, 512).collect::<Vec<_>>(), [0, 480, 976]);
        // Detail in the upper of three rows of tiles, and none below.
        let mut raster = Raster::zeroed(1500, 1600, Layout::Rgb).unwrap();
        let fine = noisy(1500, 500, Layout::Rgb);
        raster.pixels_mut()[..fine.pixels().len()].copy_from_slice(fine.pixels());
        let part = sample(&raster).unwrap();
        let tile = |x, y| part.cut(Window { x, y, width: 512, height: 512 }).unwrap();
        assert_eq!((part.width(), part.height()), (1024, 1024));
        assert!(detail(&tile(0, 0)) > 0);
        assert_eq!(detail(&tile(512, 512)), 0);
        let (quality, file) = found(&raster, JPEG).unwrap();
        assert_eq!((file.width, file.height), (1500, 1600));
        assert_eq!(file, encoded(&raster, JPEG.at(quality)).unwrap());
    }

    #[test]
    fn small_pictures_are_judged_with_their_mirror_images() {
        let raster = smooth(40, 200);
        let seen = seen(&raster, 0);
        assert_eq!(seen.len(), 3 * 128 * 200);
        let row = &seen[3 * 128 * 150..][..3 * 128];
        let at = |x: usize| &row[3 * x..][..3];
        assert_eq!(at(39), at(40));
        assert_eq!(at(0), at(79));
        assert_eq!(at(7), at(87));
    }

    #[test]
    fn max_bytes_is_the_lower_of_both() {
        let raster = picture(96, 80);
        let free = searched(&raster, JPEG).unwrap();
        let within = |most: usize| super::super::encode::encoded_within(&raster, JPEG, most).unwrap();
        assert_eq!(within(free.bytes.len()), free);
        let less = within(free.bytes.len() - 1);
        assert!(less.bytes.len() < free.bytes.len());
    }

    #[test]
    fn thin_pictures_are_judged_by_tiles_as_thin() {
        let raster = smooth(8192, 200);
        let sample = sample(&raster).unwrap();
        assert_eq!((sample.width(), sample.height()), (1024, 400));
    }

    fn rendered(file: &[u8], options: &str, limits: &Limits) -> Result<Encoded, PixelError> {
        let facts = Facts::read(file, limits)?;
        let plan = Plan::resolve(&options.parse().unwrap(), &facts.source, Accept::default()).unwrap();
        render(file, &plan, &Extras::default(), limits)
    }

    #[test]
    fn an_animation_has_the_quality_that_its_first_frame_needs() {
        let animation = |options: &str| rendered(ANIMATED_GIF, options, &Limits::default()).unwrap();
        let frame = rendered(ANIMATED_GIF, "f=png", &Limits::default()).unwrap();
        let probe = probe::probe(&frame.bytes).unwrap();
        let frame = decode(&Input::whole(&frame.bytes, &probe), &Limits::default()).unwrap().raster;
        let quality = found(&frame, WEBP).unwrap().0;
        assert_eq!(animation("f=webp,q=auto"), animation(&format!("f=webp,q={quality}")));
    }

    #[test]
    fn memory_for_the_search_is_asked_for_before() {
        let file = png_of(&smooth(300, 200));
        let limits = Limits { max_memory_bytes: 4 << 20, ..Limits::default() };
        assert!(rendered(&file, "f=jpeg,q=80", &limits).is_ok());
        let refused = rendered(&file, "f=jpeg,q=auto", &limits);
        assert!(matches!(refused, Err(PixelError::Limit(LimitError::TooMuchMemory { .. }))), "{refused:?}");
        assert!(rendered(&file, "f=jpeg,q=auto", &Limits::default()).is_ok());
    }
}
