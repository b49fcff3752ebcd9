//! What an image file says about itself: format, size, orientation, alpha, frames.
//!
//! Only headers are read. There is no pixel decoder here, so that the component which downloads can look at hostile
//! bytes without one. Nothing is allocated, every loop moves forward through the given bytes, and no input panics.
//!
//! [`probe`] takes a whole file or its beginning: as soon as the size is known it answers, and [`Probe::is_complete`]
//! says whether the end of the file was among the bytes.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod bmp;
mod boxes;
mod exif;
mod gif;
mod heif;
mod ico;
mod jpeg;
mod jxl;
mod limits;
mod png;
mod reader;
mod sniff;
mod svg;
mod tiff;
mod webp;

#[cfg(test)]
mod samples;

pub use exif::Orientation;
pub use limits::{LimitError, Limits, check_decodable};

/// The formats that are recognised. [`check_decodable`] says which of their files are of a kind that can be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JPEG: baseline, extended or progressive, of 8 or 12 bits, with Huffman or arithmetic coding.
    Jpeg,
    /// PNG, animated PNG included.
    Png,
    /// WebP: lossy, lossless, extended.
    WebP,
    /// GIF 87a and 89a.
    Gif,
    /// AVIF, sequences included.
    Avif,
    /// HEIC: HEIF with HEVC, whose decoding others hold patents on.
    Heic,
    /// JPEG XL, bare or in its container.
    JpegXl,
    /// TIFF and BigTIFF.
    Tiff,
    /// BMP of Windows or OS/2.
    Bmp,
    /// A Windows icon: the largest of its pictures.
    Ico,
    /// SVG as text in UTF-8 or another superset of ASCII; not compressed, and without declarations of its own.
    Svg,
}

impl Format {
    /// The name that the public contract uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Format::Jpeg => "jpeg",
            Format::Png => "png",
            Format::WebP => "webp",
            Format::Gif => "gif",
            Format::Avif => "avif",
            Format::Heic => "heic",
            Format::JpegXl => "jxl",
            Format::Tiff => "tiff",
            Format::Bmp => "bmp",
            Format::Ico => "ico",
            Format::Svg => "svg",
        }
    }

    /// The media type to serve the file with.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Format::Jpeg => "image/jpeg",
            Format::Png => "image/png",
            Format::WebP => "image/webp",
            Format::Gif => "image/gif",
            Format::Avif => "image/avif",
            Format::Heic => "image/heic",
            Format::JpegXl => "image/jxl",
            Format::Tiff => "image/tiff",
            Format::Bmp => "image/bmp",
            Format::Ico => "image/vnd.microsoft.icon",
            Format::Svg => "image/svg+xml",
        }
    }
}

/// How a file stores its colours, alpha aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorModel {
    /// One channel of brightness.
    Gray,
    /// Red, green and blue, or a luma and chroma form of them.
    Rgb,
    /// Four printing inks.
    Cmyk,
    /// Indices into a table of colours.
    Palette,
}

/// What the header of an image says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The format, from the content alone: of a HEIF file, that of the picture inside.
    pub format: Format,
    /// Width in pixels as stored, cropped as the file says, before the orientation is applied. Never 0.
    pub width: u32,
    /// Height in pixels as stored, cropped as the file says, before the orientation is applied. Never 0.
    pub height: u32,
    /// What turns the stored picture upright, as in EXIF, from wherever the format has it; upright where that is
    /// nowhere or makes no sense.
    pub orientation: Orientation,
    /// Whether pixels may be transparent.
    pub has_alpha: bool,
    /// Frames, or pages of a TIFF: those that the header claims or those that were counted, whichever is more. At
    /// least 1. An animated JPEG XL counts as 2, because only decoding tells how many it has.
    pub frames: u32,
    /// Bits per channel as stored; of the index, for a palette. 8 for SVG and icons.
    pub bits: u8,
    /// Whether the pixels come in several passes (progressive JPEG, interlaced PNG or GIF).
    pub is_progressive: bool,
    /// Whether a JPEG uses arithmetic coding, which few decoders know.
    pub is_arithmetic: bool,
    /// How colours are stored.
    pub color: ColorModel,
    /// The largest area, in pixels, that a decoder is asked to hold: the canvas, a frame that claims more, or what is
    /// there before a crop.
    pub pixels: u64,
    /// The most bytes of memory that decoding at full size takes, the pixels that come of it included, in the worst
    /// layout that the header leaves open. 0 of a JPEG, which is decoded at about the size that is wanted.
    pub decoding_bytes: u64,
    /// Whether the end of the file was among the bytes. A whole file for which this is false has been cut off. Always
    /// true for a bare JPEG XL codestream, whose end only decoding finds.
    pub is_complete: bool,
}

impl Probe {
    /// Width and height after the orientation is applied: what a viewer sees.
    #[must_use]
    pub const fn oriented_size(&self) -> (u32, u32) {
        if self.orientation.swaps_sides() { (self.height, self.width) } else { (self.width, self.height) }
    }
}

/// Why bytes were not recognised as an image that we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// There are no bytes at all.
    #[error("the file is empty")]
    Empty,
    /// Something else: `found` names it, as well as its first bytes allow.
    #[error("the file is {found}, which is not supported")]
    Unsupported {
        /// A short name such as `PDF` or `an HTML page`, ready for a sentence.
        found: &'static str,
    },
    /// Of a format that we take, but with something inside that is not handled: `found` names it.
    #[error("the file has {found}, which is not supported")]
    UnsupportedInside {
        /// What it has, such as `a crop after a turn`, ready for a sentence.
        found: &'static str,
    },
    /// The bytes end before the size is known. More of them may help.
    #[error("the file ends inside its header")]
    Truncated,
    /// The header contradicts itself or its format.
    #[error("the file is damaged: {detail}")]
    Corrupt {
        /// What is wrong.
        detail: &'static str,
    },
}

/// Reads the header in `bytes`, which are a file or the beginning of one.
///
/// # Errors
/// See [`ProbeError`]. `Truncated` is the only one that more bytes can change.
pub fn probe(bytes: &[u8]) -> Result<Probe, ProbeError> {
    match sniff::sniff(bytes)? {
        Format::Jpeg => jpeg::read(bytes),
        Format::Png => png::read(bytes),
        Format::WebP => webp::read(bytes),
        Format::Gif => gif::read(bytes),
        Format::Avif | Format::Heic => heif::read(bytes),
        Format::JpegXl => jxl::read(bytes),
        Format::Tiff => tiff::read(bytes),
        Format::Bmp => bmp::read(bytes),
        Format::Ico => ico::read(bytes),
        Format::Svg => svg::read(bytes),
    }
}

fn corrupt(detail: &'static str) -> ProbeError {
    ProbeError::Corrupt { detail }
}

fn area(width: u32, height: u32) -> u64 {
    u64::from(width) * u64::from(height)
}

#[cfg(test)]
mod tests {
    use ::heif::samples::{Sample, av1c, avif, boxed, clap, hvcc, ispe};

    use super::*;
    use crate::samples::*;

    fn check(name: &str, bytes: &[u8], expected: &str) {
        let found = match probe(bytes) {
            Ok(found) => describe(&found),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{name}");
    }

    /// One line for a probe: what is not the usual value is named.
    fn describe(probe: &Probe) -> String {
        let mut line =
            format!("{} {}x{} {:?}{}", probe.format.name(), probe.width, probe.height, probe.color, probe.bits);
        let (width, height) = probe.oriented_size();
        for (is_said, word) in [
            (probe.has_alpha, "alpha".to_owned()),
            (probe.is_progressive, "progressive".to_owned()),
            (probe.is_arithmetic, "arithmetic".to_owned()),
            (probe.frames != 1, format!("frames={}", probe.frames)),
            (probe.orientation != Orientation::UPRIGHT, format!("turned={}:{width}x{height}", probe.orientation.get())),
            (probe.pixels != area(probe.width, probe.height), format!("pixels={}", probe.pixels)),
            (!probe.is_complete, "cut".to_owned()),
        ] {
            if is_said {
                line.push(' ');
                line.push_str(&word);
            }
        }
        line
    }

    #[test]
    fn reads_jpeg() {
        for (name, bytes, expected) in [
            ("baseline", jpeg().bytes(), "jpeg 640x480 Rgb8"),
            ("progressive", jpeg().sof(0xC2).bytes(), "jpeg 640x480 Rgb8 progressive"),
            ("gray", jpeg().components(1).bytes(), "jpeg 640x480 Gray8"),
            ("cmyk", jpeg().components(4).bytes(), "jpeg 640x480 Cmyk8"),
            (
                "two components",
                jpeg().components(2).bytes(),
                "the file is damaged: a JPEG of neither 1, 3 nor 4 components",
            ),
            ("turned, little endian", jpeg().exif(6, true).bytes(), "jpeg 640x480 Rgb8 turned=6:480x640"),
            ("turned, big endian", jpeg().exif(3, false).bytes(), "jpeg 640x480 Rgb8 turned=3:640x480"),
            ("orientation 0", jpeg().exif(0, true).bytes(), "jpeg 640x480 Rgb8"),
            ("orientation 9", jpeg().exif(9, true).bytes(), "jpeg 640x480 Rgb8"),
            ("no height", jpeg().size(640, 0).bytes(), "the file is damaged: a side of no pixels"),
            ("huge", jpeg().size(65535, 65535).bytes(), "jpeg 65535x65535 Rgb8"),
            ("12 bit", jpeg().bits(12).bytes(), "jpeg 640x480 Rgb12"),
            ("10 bit", jpeg().bits(10).bytes(), "the file is damaged: a JPEG of neither 8 nor 12 bits"),
            ("lossless", jpeg().sof(0xC3).bytes(), "the file is a lossless JPEG, which is not supported"),
            ("arithmetic", jpeg().sof(0xC9).bytes(), "jpeg 640x480 Rgb8 arithmetic"),
            ("arithmetic, progressive", jpeg().sof(0xCA).bytes(), "jpeg 640x480 Rgb8 progressive arithmetic"),
            ("arithmetic, lossless", jpeg().sof(0xCB).bytes(), "the file is a lossless JPEG, which is not supported"),
            ("hierarchical", jpeg().sof(0xC5).bytes(), "the file is a hierarchical JPEG, which is not supported"),
            ("end without a frame", vec![0xFF, 0xD8, 0xFF, 0xD9], "the file is damaged: a JPEG without a frame"),
            (
                "scan without a frame",
                vec![0xFF, 0xD8, 0xFF, 0xDA, 0, 2, 1],
                "the file is damaged: a JPEG without a frame",
            ),
            (
                "segment of length 1",
                vec![0xFF, 0xD8, 0xFF, 0xE0, 0, 1, 0, 0],
                "the file is damaged: a JPEG segment shorter than its length field",
            ),
            ("cut in the scan", jpeg().cut(3), "jpeg 640x480 Rgb8 cut"),
            ("cut before the scan", jpeg().cut(19), "jpeg 640x480 Rgb8 cut"),
            (
                "damage like a short segment in the scan",
                [jpeg().cut(2), vec![0xFF, 0xE0, 0, 1, 0xFF, 0xD9]].concat(),
                "jpeg 640x480 Rgb8 cut",
            ),
            (
                "damage like another frame in the scan",
                [jpeg().cut(2), vec![0xFF, 0xC3, 0, 2, 0xFF, 0xD9]].concat(),
                "jpeg 640x480 Rgb8",
            ),
            ("garbage between segments", jpeg().garbage().bytes(), "jpeg 640x480 Rgb8"),
        ] {
            check(name, &bytes, expected);
        }
    }

    #[test]
    fn reads_png() {
        for (name, bytes, expected) in [
            ("rgb", png().bytes(), "png 30x20 Rgb8"),
            ("rgba", png().color(6).bytes(), "png 30x20 Rgb8 alpha"),
            ("gray 16", png().color(0).bits(16).bytes(), "png 30x20 Gray16"),
            ("gray alpha", png().color(4).bytes(), "png 30x20 Gray8 alpha"),
            ("palette of 16", png().color(3).bits(4).bytes(), "png 30x20 Palette4"),
            ("transparent palette", png().color(3).chunk(b"tRNS", &[0]).bytes(), "png 30x20 Palette8 alpha"),
            ("interlaced", png().interlaced().bytes(), "png 30x20 Rgb8 progressive"),
            ("animated", png().chunk(b"acTL", &[0, 0, 0, 7, 0, 0, 0, 0]).bytes(), "png 30x20 Rgb8 frames=7"),
            ("turned", png().exif(8).bytes(), "png 30x20 Rgb8 turned=8:20x30"),
            ("turned after the pixels", png().late_exif(5).bytes(), "png 30x20 Rgb8 turned=5:20x30"),
            ("bomb", png().size(100_000, 100_000).bytes(), "png 100000x100000 Rgb8"),
            ("no width", png().size(0, 20).bytes(), "the file is damaged: a side of no pixels"),
            (
                "side beyond the format",
                png().size(0x8000_0000, 1).bytes(),
                "the file is damaged: a PNG side beyond 2^31",
            ),
            ("color type 5", png().color(5).bytes(), "the file is damaged: a PNG of unknown colour type or depth"),
            ("rgb of 4 bits", png().bits(4).bytes(), "the file is damaged: a PNG of unknown colour type or depth"),
            (
                "chunk beyond the format",
                png().chunk_of_length(0xFFFF_FFFF).bytes(),
                "the file is damaged: a PNG chunk longer than the format allows",
            ),
            ("cut", png().cut(5), "png 30x20 Rgb8 cut"),
            ("cut in the header", png().bytes()[..20].to_vec(), "the file ends inside its header"),
            (
                "first chunk is another",
                png().without_header(),
                "the file is damaged: a PNG that does not begin with its header",
            ),
        ] {
            check(name, &bytes, expected);
        }
    }

    #[test]
    fn reads_webp() {
        for (name, bytes, expected) in [
            ("lossy", webp().lossy(320, 200).bytes(), "webp 320x200 Rgb8"),
            ("lossy with scaling bits", webp().lossy(320 | 0x4000, 200).bytes(), "webp 320x200 Rgb8"),
            ("lossless", webp().lossless(16384, 1, false).bytes(), "webp 16384x1 Rgb8"),
            ("lossless with alpha", webp().lossless(5, 6, true).bytes(), "webp 5x6 Rgb8 alpha"),
            ("extended", webp().extended(0x10, 5, 6).lossless(5, 6, true).bytes(), "webp 5x6 Rgb8 alpha"),
            ("extended, turned", webp().extended(0x08, 5, 6).lossy(5, 6).exif(6).bytes(), "webp 5x6 Rgb8 turned=6:6x5"),
            (
                "animated",
                webp().extended(0x02, 9, 9).animation().frame(9, 9).frame(3, 3).bytes(),
                "webp 9x9 Rgb8 frames=2",
            ),
            (
                "frame beyond its canvas",
                webp().extended(0x02, 9, 9).animation().frame(90, 9).bytes(),
                "the file is damaged: a WebP frame beyond its canvas",
            ),
            (
                "frame whose image claims more than the frame holds",
                webp().extended(0x02, 9, 9).animation().frame_without_image().bytes(),
                "the file is damaged: a WebP image shorter than its header",
            ),
            (
                "frame with opacity",
                webp().extended(0x12, 9, 9).frame_of(9, 9, &[(b"ALPH", &[0]), (b"VP8 ", &lossy_body(9, 9))]).bytes(),
                "webp 9x9 Rgb8 alpha",
            ),
            (
                "frame whose image goes by another name",
                webp().extended(0x12, 9, 9).frame_of(9, 9, &[(b"ALPH", &[0]), (b"VP6 ", &lossy_body(9, 5))]).bytes(),
                "the file is damaged: a WebP frame without an image",
            ),
            (
                "frame of an odd length",
                webp().extended(0x02, 9, 9).odd_frame(9, 9).bytes(),
                "the file is damaged: a WebP frame of an odd length",
            ),
            (
                "frame of opacity alone",
                webp().extended(0x12, 9, 9).frame_of(9, 9, &[(b"ALPH", &[0])]).bytes(),
                "the file is damaged: a WebP frame without an image",
            ),
            (
                "canvas unlike its image",
                webp().extended(0, 1, 1).lossy(9000, 9000).bytes(),
                "the file is damaged: a WebP canvas unlike its image",
            ),
            (
                "not a key frame",
                webp().chunk(b"VP8 ", &[1, 0, 0, 0x9D, 1, 0x2A, 1, 0, 1, 0]).bytes(),
                "the file is damaged: a WebP without a key frame",
            ),
            (
                "wrong lossless signature",
                webp().chunk(b"VP8L", &[0x2E, 0, 0, 0, 0]).bytes(),
                "the file is damaged: a WebP without the lossless signature",
            ),
            (
                "unknown first chunk",
                webp().chunk(b"ABCD", &[0; 8]).bytes(),
                "the file is damaged: a WebP that begins with an unknown chunk",
            ),
            ("cut", webp().lossy(320, 200).cut(4), "webp 320x200 Rgb8 cut"),
        ] {
            check(name, &bytes, expected);
        }
    }

    #[test]
    fn reads_gif() {
        for (name, bytes, expected) in [
            ("still", gif().frame(0, 0, 40, 30).bytes(), "gif 40x30 Palette8"),
            ("transparent", gif().transparent().frame(0, 0, 40, 30).bytes(), "gif 40x30 Palette8 alpha"),
            ("frame smaller than the screen", gif().frame(1, 1, 4, 3).bytes(), "gif 40x30 Palette8 alpha"),
            (
                "three frames",
                gif().frame(0, 0, 40, 30).frame(0, 0, 40, 30).frame(5, 5, 1, 1).bytes(),
                "gif 40x30 Palette8 frames=3",
            ),
            ("interlaced", gif().interlaced().frame(0, 0, 40, 30).bytes(), "gif 40x30 Palette8 progressive"),
            ("comment first", gif().comment().frame(0, 0, 40, 30).bytes(), "gif 40x30 Palette8"),
            (
                "frame larger than the screen",
                gif().frame(0, 0, 1000, 1000).bytes(),
                "gif 40x30 Palette8 pixels=1000000",
            ),
            ("no frame", gif().bytes(), "the file is damaged: a GIF without an image"),
            ("no screen", gif().size(0, 0).frame(0, 0, 4, 3).bytes(), "the file is damaged: a side of no pixels"),
            (
                "cut after a frame",
                gif().frame(0, 0, 40, 30).frame(0, 0, 40, 30).cut(3),
                "gif 40x30 Palette8 frames=2 cut",
            ),
            ("garbage after a frame", gif().frame(0, 0, 40, 30).garbage(), "gif 40x30 Palette8 cut"),
            ("garbage at once", gif().garbage(), "the file is damaged: a GIF block of unknown kind"),
        ] {
            check(name, &bytes, expected);
        }
    }

    #[test]
    fn reads_avif_and_heic() {
        let turn = |angle| boxed(b"irot", &[angle]);
        let mirror = |axis| boxed(b"imir", &[axis]);
        let of = |property: Vec<u8>| {
            let mut sample = avif();
            sample.items[0].properties[1] = property;
            sample
        };
        let sequence = |frames| Sample { brands: vec![*b"avis", *b"avif"], frames, ..avif() };
        for (name, sample, expected) in [
            ("plain", avif(), "avif 30x20 Rgb8"),
            ("with opacity", avif().alpha(), "avif 30x20 Rgb8 alpha"),
            ("ten bits", of(av1c(0x40)), "avif 30x20 Rgb10"),
            ("twelve bits, gray", of(av1c(0x70)), "avif 30x20 Gray12"),
            ("turned left", avif().property(turn(1)), "avif 30x20 Rgb8 turned=8:20x30"),
            ("mirrored", avif().property(mirror(1)), "avif 30x20 Rgb8 turned=2:30x20"),
            ("cropped", avif().property(clap(20, 10, [1, 1], [-2, 1])), "avif 20x10 Rgb8 pixels=600"),
            (
                "cropped, then turned",
                avif().property(clap(20, 10, [1, 1], [-2, 1])).property(turn(3)),
                "avif 20x10 Rgb8 turned=6:10x20 pixels=600",
            ),
            (
                "turned, then cropped",
                avif().property(turn(3)).property(clap(20, 10, [1, 1], [-2, 1])),
                "the file has a crop after a turn, which is not supported",
            ),
            (
                "cropped beyond its edge",
                avif().property(clap(20, 10, [9, 1], [0, 1])),
                "the file is damaged: a crop that is not of whole pixels inside of the picture",
            ),
            ("sequence", sequence(Some(5)), "avif 30x20 Rgb8 frames=5"),
            ("sequence without a movie", sequence(None), "avif 30x20 Rgb8"),
            ("frames beside a still picture", Sample { frames: Some(5), ..avif() }, "avif 30x20 Rgb8"),
            ("heic", heic(), "heic 30x20 Rgb10"),
            ("hevc under the brand of avif", Sample { brands: vec![*b"avif"], ..heic() }, "heic 30x20 Rgb10"),
            ("no size", avif().property(ispe(0, 48)), "the file is damaged: a side of no pixels"),
            ("no settings", of(hvcc(1, 8)), "the file is damaged: a picture without its decoder's settings"),
        ] {
            check(name, &sample.bytes(), expected);
        }
        for (name, bytes, expected) in [
            ("cut", cut(avif().bytes(), 3), "avif 30x20 Rgb8 cut"),
            ("cut in the properties", cut(avif().bytes(), 60), "the file ends inside its header"),
            ("nothing but a brand", media_box(b"ftyp", b"avif\0\0\0\0avif"), "the file ends inside its header"),
            (
                "properties that run over",
                [media_box(b"ftyp", b"avif\0\0\0\0avif"), media_box(b"meta", b"\0\0\0\0\0\0\x0F\0pitm")].concat(),
                "the file is damaged: a box longer than what it is in",
            ),
        ] {
            check(name, &bytes, expected);
        }
    }

    #[test]
    fn reads_jpeg_xl() {
        for (name, bytes, expected) in [
            ("by default", jxl(&[(0, 1), (0, 2), (299, 9), (1, 3), (1, 1)]).bytes(), "jxl 300x300 Rgb8"),
            ("of eights", jxl(&[(1, 1), (4, 5), (0, 3), (9, 5), (1, 1)]).bytes(), "jxl 80x40 Rgb8"),
            ("animated", jxl(JXL_ANIMATED).bytes(), "jxl 1000x600 Gray8 frames=2 turned=6:600x1000"),
            ("boxed", jxl(JXL_ALPHA).boxed(1), "jxl 455x256 Rgb16 alpha"),
            ("in pieces", jxl(JXL_ALPHA).boxed(2), "jxl 455x256 Rgb16 alpha"),
            ("cut in its box", cut(jxl(JXL_ALPHA).boxed(1), 1), "the file ends inside its header"),
            (
                "cut behind the header",
                cut([jxl(JXL_ALPHA).boxed(1), vec![0; 4]].concat(), 1),
                "jxl 455x256 Rgb16 alpha cut",
            ),
            (
                "a box of something else",
                [media_box(b"JXL ", b"\r\n\x87\n"), media_box(b"jxlc", b"\xFF\xD8")].concat(),
                "the file is damaged: a JPEG XL without its codestream",
            ),
        ] {
            check(name, &bytes, expected);
        }
    }

    #[test]
    fn reads_tiff() {
        let rgb = || tiff().field(262, 3, 2).field(277, 3, 3);
        for (name, bytes, expected) in [
            ("gray", tiff().bytes(), "tiff 30x20 Gray8"),
            ("big endian", tiff().big_endian().bytes(), "tiff 30x20 Gray8"),
            ("bigtiff", tiff().big().bytes(), "tiff 30x20 Gray8"),
            ("one bit by default", tiff().without(258).bytes(), "tiff 30x20 Gray1"),
            ("16 bits, rgb", rgb().field(258, 3, 16).bytes(), "tiff 30x20 Rgb16"),
            ("opacity", rgb().field(277, 3, 4).bytes(), "tiff 30x20 Rgb8 alpha"),
            ("inks", tiff().field(262, 3, 5).field(277, 3, 4).bytes(), "tiff 30x20 Cmyk8"),
            ("palette", tiff().field(262, 3, 3).bytes(), "tiff 30x20 Palette8"),
            ("turned", tiff().field(274, 3, 6).bytes(), "tiff 30x20 Gray8 turned=6:20x30"),
            ("orientation 9", tiff().field(274, 3, 9).bytes(), "tiff 30x20 Gray8"),
            ("three pages", tiff().pages(3).bytes(), "tiff 30x20 Gray8 frames=3"),
            ("cut in the second page", cut(tiff().pages(2).bytes(), 3), "tiff 30x20 Gray8 cut"),
            ("pixels beyond the end", tiff().field(273, 4, 4000).bytes(), "tiff 30x20 Gray8 cut"),
            ("no height", tiff().without(257).bytes(), "the file is damaged: a side of no pixels"),
            (
                "a width in words",
                tiff().field(256, 2, 1).bytes(),
                "the file is damaged: a TIFF field that is no number",
            ),
            ("raw", tiff().field(50706, 1, 1).bytes(), "the file is a camera's raw file, which is not supported"),
            (
                "preview",
                tiff().field(254, 4, 1).bytes(),
                "the file is a TIFF that begins with a preview, which is not supported",
            ),
            ("no page", b"II*\0\0\0\0\0".to_vec(), "the file is damaged: a TIFF without a page"),
        ] {
            check(name, &bytes, expected);
        }
        let mut circle = tiff().bytes();
        let end = circle.len();
        circle[end - 4] = 12;
        check("a page that is followed by itself", &circle, "tiff 30x20 Gray8 frames=1000");
    }

    #[test]
    fn reads_bmp_and_ico() {
        for (name, bytes, expected) in [
            ("bmp", bmp(40, 30, 20, 24, 0, 0), "bmp 30x20 Rgb8"),
            ("from the top", bmp(40, 30, -20, 32, 0, 0), "bmp 30x20 Rgb8"),
            ("palette", bmp(40, 30, 20, 4, 2, 0), "bmp 30x20 Palette4"),
            ("15 bits", bmp(40, 30, 20, 16, 0, 0), "bmp 30x20 Rgb5"),
            ("opacity", bmp(124, 30, 20, 32, 3, 0xFF00_0000), "bmp 30x20 Rgb8 alpha"),
            ("no mask for opacity", bmp(124, 30, 20, 32, 3, 0), "bmp 30x20 Rgb8"),
            ("of OS/2", bmp(12, 30, 20, 8, 0, 0), "bmp 30x20 Palette8"),
            ("cut", cut(bmp(40, 30, 20, 24, 0, 0), 2), "bmp 30x20 Rgb8 cut"),
            ("no width", bmp(40, 0, 20, 24, 0, 0), "the file is damaged: a side of no pixels"),
            ("narrower than nothing", bmp(40, -5, 20, 24, 0, 0), "the file is damaged: a BMP side beyond 2^31"),
            ("7 bits", bmp(40, 30, 20, 7, 0, 0), "the file is damaged: a BMP of unknown depth"),
            ("icon", ico(32, 24, false, (32, 24)), "ico 32x24 Rgb8 alpha"),
            ("icon of a png", ico(0, 0, true, (512, 300)), "ico 512x300 Rgb8 alpha"),
            ("small icon last", ico(8, 8, false, (8, 8)), "ico 16x16 Rgb8 alpha"),
            ("bomb", ico(0, 0, true, (60_000, 60_000)), "ico 60000x60000 Rgb8 alpha"),
            ("cut icon", cut(ico(0, 0, true, (512, 300)), 5), "ico 512x300 Rgb8 alpha cut"),
            ("empty", b"\0\0\x01\0\0\0".to_vec(), "the file is damaged: an icon of no picture or of more than 256"),
        ] {
            check(name, &bytes, expected);
        }
    }

    #[test]
    fn reads_svg() {
        for (attributes, expected) in [
            ("width='30' height='20'", "svg 30x20 Rgb8 alpha"),
            ("width=\"30px\"\n height = \"20.2\" viewBox='0 0 9 9'", "svg 30x21 Rgb8 alpha"),
            ("width='1in' height='25.4mm'", "svg 96x96 Rgb8 alpha"),
            ("width='2.54CM' height='72pt'", "svg 96x96 Rgb8 alpha"),
            ("width='2em' height='1pc'", "svg 32x16 Rgb8 alpha"),
            ("width='1e2' height='.5e2Q'", "svg 100x48 Rgb8 alpha"),
            ("viewBox='0 0 24 12'", "svg 24x12 Rgb8 alpha"),
            ("viewBox='-5,-5 , 24.5 12'", "svg 25x12 Rgb8 alpha"),
            ("width='100%' height='100%' viewBox='0 0 24 12'", "svg 24x12 Rgb8 alpha"),
            ("width='48' viewBox='0 0 24 12'", "svg 48x24 Rgb8 alpha"),
            ("height='48' viewBox='0 0 24 12'", "svg 96x48 Rgb8 alpha"),
            ("", "svg 300x150 Rgb8 alpha"),
            ("width='auto' height='-3' viewBox='0 0 0 9'", "svg 300x150 Rgb8 alpha"),
            ("width='9' viewBox='0 0 nonsense'", "svg 9x150 Rgb8 alpha"),
            ("width='0.1' height='0.1'", "svg 1x1 Rgb8 alpha"),
            ("width='0' height='9'", "the file is damaged: a side of no pixels"),
            ("width='1e300' height='9'", "the file is damaged: an SVG side beyond 2^31"),
            ("width=9", "the file is damaged: an SVG whose root is not well-formed"),
            ("width", "the file is damaged: an SVG whose root is not well-formed"),
        ] {
            check(attributes, &svg(attributes), expected);
        }
        for (text, expected) in [
            ("<s:svg xmlns:s='http://www.w3.org/2000/svg' width='3' height='2'/>", "svg 3x2 Rgb8 alpha"),
            ("<svg xmlns='http://www.w3.org/2000/svg'>", "svg 300x150 Rgb8 alpha cut"),
            ("<svg width='9", "the file ends inside its header"),
            ("<svg width='3' height='2'/>", "the file is damaged: an SVG without its namespace"),
        ] {
            check(text, text.as_bytes(), expected);
        }
        let far = [b"<!--".to_vec(), vec![b' '; 70_000], b"-->".to_vec(), svg("")].concat();
        check("a root too far in", &far, "the file is XML, which is not supported");
        let long = svg(&format!("a='{}'", "b".repeat(70_000)));
        check("a root too long", &long, "the file is damaged: an SVG whose root does not end in 64 KiB");
    }

    #[test]
    fn every_beginning_of_a_file_is_known_cut_or_too_short() {
        for (name, bytes) in everything() {
            let whole = probe(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            for length in 1..bytes.len() {
                match probe(&bytes[..length]) {
                    Ok(part) => {
                        assert_eq!((part.width, part.height), (whole.width, whole.height), "{name}, {length} bytes")
                    }
                    Err(error) => {
                        assert_eq!(error, ProbeError::Truncated, "{name}, {length} bytes")
                    }
                }
            }
        }
    }

    #[test]
    fn no_damage_to_one_byte_panics() {
        for (_, mut bytes) in everything() {
            for at in 0..bytes.len() {
                let kept = bytes[at];
                for value in [0, 1, 0x7F, 0x80, 0xFF, kept ^ 1, kept.wrapping_add(1)] {
                    bytes[at] = value;
                    let _ = probe(&bytes);
                }
                bytes[at] = kept;
            }
        }
    }
}
