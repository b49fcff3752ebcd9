//! Pictures to encode, and the reference decoder.
#![allow(dead_code, reason = "each test file uses its part")]

use libwebp_sys as reference;
use webp::{Picture, Pixels};

/// A small generator of pseudo-random numbers, so that each run sees the same pictures.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 56) as u8
    }
}

/// The kinds of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Noise,
    /// Noise of nothing but black and white.
    Extreme,
    Flat,
    Gradient,
    /// Text-like: flat areas with hard edges.
    Edges,
    /// Areas of the other kinds next to each other.
    Mixed,
}

pub const KINDS: [Kind; 6] = [Kind::Noise, Kind::Extreme, Kind::Flat, Kind::Gradient, Kind::Edges, Kind::Mixed];

pub fn rgb(kind: Kind, width: u32, height: u32) -> Vec<u8> {
    let mut random = Random(u64::from(width) << 32 | u64::from(height));
    let mut pixels = Vec::with_capacity((width * height * 3) as usize);
    for y in 0..height {
        for x in 0..width {
            let kind = match kind {
                Kind::Mixed => KINDS[((x / 24 + y / 24 * 3) % 5) as usize],
                kind => kind,
            };
            pixels.extend_from_slice(&pixel(kind, x, y, &mut random));
        }
    }
    pixels
}

fn pixel(kind: Kind, x: u32, y: u32, random: &mut Random) -> [u8; 3] {
    match kind {
        Kind::Noise => [random.next(), random.next(), random.next()],
        Kind::Extreme => [[0; 3], [255; 3]][usize::from(random.next() & 1)],
        Kind::Flat => [200, 30, 90],
        Kind::Gradient => [(x * 3) as u8, (y * 2) as u8, (x + y) as u8],
        Kind::Edges | Kind::Mixed => {
            let is_ink = (x * x / 7 + y * 5) % 23 < 6 || (x / 3 + y).is_multiple_of(17);
            if is_ink { [10, 20, 60] } else { [250, 250, 240] }
        }
    }
}

pub fn picture(pixels: &[u8], width: u32, height: u32) -> Picture<'_> {
    let is_rgba = pixels.len() == (width * height * 4) as usize;
    Picture { width, height, pixels: if is_rgba { Pixels::Rgba(pixels) } else { Pixels::Rgb(pixels) } }
}

/// Luma and both chroma planes as libwebp decodes them, without the loop filter if so wanted, cut to the picture.
pub fn decode_planes(file: &[u8], filter: bool) -> [Vec<u8>; 3] {
    decoded_planes(file, filter).unwrap_or_else(|| panic!("libwebp refuses {} bytes", file.len()))
}

/// The same of a file that may be broken.
pub fn try_decode_planes(file: &[u8]) -> Option<[Vec<u8>; 3]> {
    decoded_planes(file, true)
}

#[expect(unsafe_code, reason = "libwebp is C")]
fn decoded_planes(file: &[u8], filter: bool) -> Option<[Vec<u8>; 3]> {
    // SAFETY: the structure is plain data that the library initialises, and its buffers are read before they are freed.
    unsafe {
        let mut config: reference::WebPDecoderConfig = std::mem::zeroed();
        assert!(reference::WebPInitDecoderConfig(&mut config), "the versions differ");
        config.output.colorspace = reference::WEBP_CSP_MODE::MODE_YUV;
        config.options.bypass_filtering = i32::from(!filter);
        let status = reference::WebPDecode(file.as_ptr(), file.len(), &mut config);
        if status != reference::VP8StatusCode::VP8_STATUS_OK {
            reference::WebPFreeDecBuffer(&mut config.output);
            return None;
        }
        let (width, height) = (config.output.width as usize, config.output.height as usize);
        let buffer = config.output.u.YUVA;
        let plane = |start: *const u8, stride: i32, width: usize, height: usize| {
            (0..height)
                .flat_map(|y| std::slice::from_raw_parts(start.add(y * stride as usize), width))
                .copied()
                .collect()
        };
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        let planes = [
            plane(buffer.y, buffer.y_stride, width, height),
            plane(buffer.u, buffer.u_stride, half_width, half_height),
            plane(buffer.v, buffer.v_stride, half_width, half_height),
        ];
        reference::WebPFreeDecBuffer(&mut config.output);
        Some(planes)
    }
}

/// A lossy file as libwebp writes it, from three bytes a pixel.
#[expect(unsafe_code, reason = "libwebp is C")]
pub fn encode_reference(
    pixels: &[u8],
    (width, height): (u32, u32),
    configure: impl FnOnce(&mut reference::WebPConfig),
) -> Vec<u8> {
    // SAFETY: the structures are plain data that the library initialises, the writer's memory is copied before it is
    // freed, and the pixels are as many as the size says.
    unsafe {
        let mut config: reference::WebPConfig = std::mem::zeroed();
        assert!(reference::WebPInitConfig(&mut config), "the versions differ");
        configure(&mut config);
        assert_ne!(reference::WebPValidateConfig(&config), 0, "not a configuration");
        let mut picture: reference::WebPPicture = std::mem::zeroed();
        assert!(reference::WebPPictureInit(&mut picture), "the versions differ");
        (picture.width, picture.height) = (width as i32, height as i32);
        assert_eq!(pixels.len(), (width * height * 3) as usize);
        assert_ne!(reference::WebPPictureImportRGB(&mut picture, pixels.as_ptr(), width as i32 * 3), 0);
        let mut writer: reference::WebPMemoryWriter = std::mem::zeroed();
        reference::WebPMemoryWriterInit(&mut writer);
        picture.writer = Some(reference::WebPMemoryWrite);
        picture.custom_ptr = std::ptr::from_mut(&mut writer).cast();
        assert_ne!(reference::WebPEncode(&config, &mut picture), 0);
        let file = std::slice::from_raw_parts(writer.mem, writer.size).to_vec();
        reference::WebPMemoryWriterClear(&mut writer);
        reference::WebPPictureFree(&mut picture);
        file
    }
}

/// RGBA as libwebp decodes it.
#[expect(unsafe_code, reason = "libwebp is C")]
pub fn decode_rgba(file: &[u8]) -> (u32, u32, Vec<u8>) {
    let (mut width, mut height) = (0, 0);
    // SAFETY: the library gives four bytes for each pixel or nothing at all.
    unsafe {
        let pixels = reference::WebPDecodeRGBA(file.as_ptr(), file.len(), &mut width, &mut height);
        assert!(!pixels.is_null(), "libwebp refuses {} bytes", file.len());
        let copy = std::slice::from_raw_parts(pixels, (width * height * 4) as usize).to_vec();
        reference::WebPFree(pixels.cast());
        (width as u32, height as u32, copy)
    }
}

/// Cuts a padded plane to its size.
pub fn cut(plane: &[u8], stride: usize, width: usize, height: usize) -> Vec<u8> {
    plane.chunks(stride).take(height).flat_map(|row| &row[..width]).copied().collect()
}
