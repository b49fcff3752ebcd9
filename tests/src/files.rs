//! What files say of themselves, read byte by byte.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, Delay, Frame, RgbaImage};

/// Whether a JPEG is drawn from coarse to fine: whether its frame is one of SOF2.
///
/// # Panics
/// When it is no JPEG with a frame.
#[track_caller]
pub fn is_progressive(jpeg: &[u8]) -> bool {
    let mut at = 2;
    loop {
        let [0xFF, marker, high, low] = jpeg[at..at + 4] else { panic!("no marker at {at}") };
        match marker {
            0xC4 | 0xC8 | 0xCC => {}
            0xC0..=0xCF => return marker == 0xC2,
            _ => {}
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
}

/// How many colours the palette of a PNG has; none for a PNG without.
///
/// # Panics
/// When it is no PNG.
#[track_caller]
pub fn n_palette_colors(png: &[u8]) -> Option<usize> {
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"), "no PNG");
    let is_indexed = png[25] == 3;
    let mut at = 8;
    while is_indexed {
        let length = u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes")) as usize;
        if &png[at + 4..at + 8] == b"PLTE" {
            return Some(length / 3);
        }
        at += 12 + length;
    }
    None
}

/// The names of the chunks of a WebP, in order.
///
/// # Panics
/// When it is no WebP.
#[track_caller]
pub fn webp_chunks(webp: &[u8]) -> Vec<String> {
    assert!(webp.starts_with(b"RIFF") && &webp[8..12] == b"WEBP", "no WebP");
    let mut chunks = Vec::new();
    let mut rest = &webp[12..];
    while let Some((head, behind)) = rest.split_first_chunk::<8>() {
        chunks.push(String::from_utf8_lossy(&head[..4]).into_owned());
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        rest = &behind[length.next_multiple_of(2).min(behind.len())..];
    }
    chunks
}

/// The size that an AVIF states first.
///
/// # Panics
/// When it is no AVIF.
#[track_caller]
pub fn avif_size(avif: &[u8]) -> (u32, u32) {
    assert!(&avif[4..12] == b"ftypavif", "no AVIF");
    let at = avif.windows(4).position(|name| name == b"ispe").expect("a picture has a size");
    let side = |at: usize| u32::from_be_bytes(avif[at..at + 4].try_into().expect("four bytes"));
    (side(at + 8), side(at + 12))
}

/// The frames of a GIF or WebP as they are shown, each with its time in milliseconds.
///
/// # Panics
/// When it is neither, or broken.
#[track_caller]
pub fn frames(bytes: &[u8]) -> Vec<(RgbaImage, u32)> {
    let stream = Cursor::new(bytes);
    let frames = if bytes.starts_with(b"GIF8") {
        GifDecoder::new(stream).expect("a sound GIF").into_frames()
    } else {
        WebPDecoder::new(stream).expect("a sound WebP").into_frames()
    };
    let shown = |frame: Frame| {
        let (numerator, denominator) = Delay::numer_denom_ms(frame.delay());
        (frame.into_buffer(), numerator / denominator)
    };
    frames.collect_frames().expect("sound frames").into_iter().map(shown).collect()
}
