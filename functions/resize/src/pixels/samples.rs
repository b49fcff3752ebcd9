//! Files for tests: one picture in every format and kind that is read.

use super::raster::{Layout, Raster};

/// Sides of the sample picture, in pixels.
pub(super) const WIDTH: u32 = 32;
pub(super) const HEIGHT: u32 = 24;

pub(super) const RED: [u8; 4] = [220, 30, 30, 255];
pub(super) const GREEN: [u8; 4] = [30, 180, 30, 255];
pub(super) const BLUE: [u8; 4] = [30, 30, 220, 255];
pub(super) const WHITE: [u8; 4] = [240, 240, 240, 255];
pub(super) const CLEAR: [u8; 4] = [0, 0, 0, 0];

pub(super) const LOSSY_WEBP: &[u8] = include_bytes!("fixtures/lossy.webp");
pub(super) const LOSSY_ALPHA_WEBP: &[u8] = include_bytes!("fixtures/lossy_alpha.webp");
pub(super) const ANIMATED_WEBP: &[u8] = include_bytes!("fixtures/animated.webp");
pub(super) const ANIMATED_GIF: &[u8] = include_bytes!("fixtures/animated.gif");
pub(super) const INTERLACED_PNG: &[u8] = include_bytes!("fixtures/interlaced.png");
pub(super) const INTERLACED_ALPHA_PNG: &[u8] = include_bytes!("fixtures/interlaced_alpha.png");

/// A picture of four quadrants: red and green above, blue and `last` below.
pub(super) fn quadrants(width: u32, height: u32, last: [u8; 4]) -> Raster {
    let pixels = (0..height).flat_map(|y| {
        (0..width).flat_map(move |x| match (x < width / 2, y < height / 2) {
            (true, true) => RED,
            (false, true) => GREEN,
            (true, false) => BLUE,
            (false, false) => last,
        })
    });
    Raster::new(width, height, Layout::Rgba, pixels.collect()).unwrap()
}

/// The quadrants, opaque, in three channels.
pub(super) fn opaque() -> Raster {
    quadrants(WIDTH, HEIGHT, WHITE).without_useless_alpha()
}

/// A picture that compresses badly, for files of some length.
pub(super) fn noisy(width: u32, height: u32, layout: Layout) -> Raster {
    let mut random: u32 = 1;
    let pixels = (0..width as usize * height as usize * layout.channels()).map(|i| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 27) as u8 + (i / 7 % 200) as u8
    });
    Raster::new(width, height, layout, pixels.collect()).unwrap()
}

/// The colours in the middles of the four quadrants, in reading order, as RGBA.
pub(super) fn corners(raster: &Raster) -> [[u8; 4]; 4] {
    let rgba = raster.clone().into_rgba();
    let at = |x: u32, y: u32| {
        let start = (y * rgba.width() + x) as usize * 4;
        [0, 1, 2, 3].map(|i| rgba.pixels()[start + i])
    };
    let (left, right) = (rgba.width() / 4, rgba.width() * 3 / 4);
    let (top, bottom) = (rgba.height() / 4, rgba.height() * 3 / 4);
    [at(left, top), at(right, top), at(left, bottom), at(right, bottom)]
}

/// Whether colours are the same but for what lossy compression does to them.
pub(super) fn are_close(found: &[[u8; 4]], expected: &[[u8; 4]]) -> bool {
    let is_close = |(found, expected): (&[u8; 4], &[u8; 4])| {
        (found[3] == 0 && expected[3] == 0) || found.iter().zip(expected).all(|(a, b)| a.abs_diff(*b) <= 12)
    };
    found.len() == expected.len() && found.iter().zip(expected).all(is_close)
}

/// A JPEG, sequential and with full colour resolution unless `configure` says otherwise.
pub(super) fn jpeg(raster: &Raster, configure: impl Fn(&mut jpeg_encoder::Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let color = match raster.layout() {
        Layout::Gray => jpeg_encoder::ColorType::Luma,
        Layout::Rgb => jpeg_encoder::ColorType::Rgb,
        Layout::Rgba => jpeg_encoder::ColorType::Rgba,
        Layout::Cmyk => jpeg_encoder::ColorType::Cmyk,
    };
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 95);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_1_1);
    configure(&mut encoder);
    encoder.encode(raster.pixels(), raster.width() as u16, raster.height() as u16, color).unwrap();
    file
}

/// Where the entropy-coded data of a JPEG's first scan begins.
pub(super) fn first_scan(file: &[u8]) -> usize {
    ::jpeg::segments(file).find(|segment| segment.marker == 0xDA).unwrap().contents.end
}

/// A JPEG without the second half of its scans.
pub(super) fn half_of(jpeg: &[u8]) -> &[u8] {
    &jpeg[..first_scan(jpeg).midpoint(jpeg.len())]
}

/// What a JPEG shows where nothing of it can be decoded.
pub(super) const MISSING: [u8; 4] = [128, 128, 128, 255];

/// A PNG of `bytes`, rows already packed, with the information `configure` adds.
pub(super) fn png(
    (width, height): (u32, u32),
    (color, depth): (png::ColorType, png::BitDepth),
    bytes: &[u8],
    configure: impl Fn(&mut png::Info),
) -> Vec<u8> {
    let mut info = png::Info::with_size(width, height);
    info.color_type = color;
    info.bit_depth = depth;
    configure(&mut info);
    let mut file = Vec::new();
    let mut writer = png::Encoder::with_info(&mut file, info).unwrap().write_header().unwrap();
    writer.write_image_data(bytes).unwrap();
    writer.finish().unwrap();
    file
}

/// A PNG of a raster.
pub(super) fn png_of(raster: &Raster) -> Vec<u8> {
    let color = match raster.layout() {
        Layout::Gray => png::ColorType::Grayscale,
        Layout::Rgb => png::ColorType::Rgb,
        Layout::Rgba | Layout::Cmyk => png::ColorType::Rgba,
    };
    png((raster.width(), raster.height()), (color, png::BitDepth::Eight), raster.pixels(), |_| {})
}

/// A lossless WebP.
pub(super) fn webp(raster: &Raster, configure: impl Fn(&mut image_webp::WebPEncoder<&mut Vec<u8>>)) -> Vec<u8> {
    let color = match raster.layout() {
        Layout::Gray => image_webp::ColorType::L8,
        Layout::Rgb => image_webp::ColorType::Rgb8,
        Layout::Rgba | Layout::Cmyk => image_webp::ColorType::Rgba8,
    };
    let mut file = Vec::new();
    let mut encoder = image_webp::WebPEncoder::new(&mut file);
    configure(&mut encoder);
    encoder.encode(raster.pixels(), raster.width(), raster.height(), color).unwrap();
    file
}

/// A GIF of a canvas of `width` by `height` pixels and frames, each with its left and upper edge.
pub(super) fn gif((width, height): (u16, u16), frames: &[(&Raster, u16, u16)]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = gif::Encoder::new(&mut file, width, height, &[]).unwrap();
    for (raster, left, top) in frames {
        let mut colors: Vec<[u8; 4]> = Raster::clone(raster).into_rgba().pixels().as_chunks::<4>().0.to_vec();
        let indices: Vec<[u8; 4]> = colors.clone();
        colors.sort_unstable();
        colors.dedup();
        let index = |color: &[u8; 4]| colors.iter().position(|other| other == color).unwrap() as u8;
        let frame = gif::Frame {
            left: *left,
            top: *top,
            width: raster.width() as u16,
            height: raster.height() as u16,
            transparent: colors.iter().position(|color| color[3] == 0).map(|index| index as u8),
            palette: Some(colors.iter().flat_map(|color| color[..3].to_vec()).collect()),
            buffer: indices.iter().map(index).collect(),
            ..gif::Frame::default()
        };
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    file
}

/// An EXIF block (without any container's prefix) with the orientation and a GPS directory's tag.
pub(super) fn exif(orientation: u8) -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let entries = [entry(0x0112, 3, 1, orientation.into()), entry(0x8825, 4, 1, 0)].concat();
    [b"II*\0\x08\0\0\0\x02\0".as_slice(), &entries, &[0; 4], b"secret place"].concat()
}

/// One file of every format and kind, and whether it keeps every pixel. All show the opaque quadrants, or those with
/// a transparent last one.
pub(super) fn every_kind() -> Vec<(&'static str, Vec<u8>)> {
    let (rgb, rgba) = (opaque(), quadrants(WIDTH, HEIGHT, CLEAR));
    let gif_size = (WIDTH as u16, HEIGHT as u16);
    vec![
        ("jpeg", jpeg(&rgb, |_| {})),
        ("jpeg_420", jpeg(&rgb, |encoder| encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2))),
        ("jpeg_422", jpeg(&rgb, |encoder| encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_1))),
        ("jpeg_progressive", jpeg(&rgb, |encoder| encoder.set_progressive(true))),
        ("jpeg_restarts", jpeg(&rgb, |encoder| encoder.set_restart_interval(2))),
        ("png", png_of(&rgb)),
        ("png_alpha", png_of(&rgba)),
        ("png_interlaced", INTERLACED_PNG.to_vec()),
        ("png_interlaced_alpha", INTERLACED_ALPHA_PNG.to_vec()),
        ("webp_lossless", webp(&rgb, |_| {})),
        ("webp_lossless_alpha", webp(&rgba, |_| {})),
        ("webp_lossy", LOSSY_WEBP.to_vec()),
        ("webp_lossy_alpha", LOSSY_ALPHA_WEBP.to_vec()),
        ("webp_animated_alpha", ANIMATED_WEBP.to_vec()),
        ("gif", gif(gif_size, &[(&rgb, 0, 0)])),
        ("gif_alpha", gif(gif_size, &[(&rgba, 0, 0)])),
        ("gif_animated_alpha", ANIMATED_GIF.to_vec()),
    ]
}

/// A picture of slow changes, each place of which has a colour of its own.
pub(super) fn smooth(width: u32, height: u32) -> Raster {
    let pixels = (0..height).flat_map(|y| {
        (0..width).flat_map(move |x| [(x * 255 / width) as u8, (y * 255 / height) as u8, ((x + y) % 1024 / 4) as u8])
    });
    // The blue channel climbs and falls, so that nowhere is a jump.
    let fold = |(i, value): (usize, u8)| if i % 3 == 2 { value.min(255 - value) * 2 } else { value };
    Raster::new(width, height, Layout::Rgb, pixels.enumerate().map(fold).collect()).unwrap()
}
