//! Which format bytes are in, by the bytes alone: a name or a declared type is not believed.

use heif::Brand;

use crate::heif::format_of;
use crate::svg::{self, Text};
use crate::{Format, ProbeError, bmp, corrupt, jxl};

pub(crate) const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// How far into a text to look for the tag that says what it is.
const MAX_TEXT: usize = 1024;

/// What other files begin with.
const FOREIGN: &[(&[u8], &str)] = &[
    (b"\0\0\x02\0", "CUR"),
    (b"\0\0\0\x0CjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xFF\x4F\xFF\x51", "JPEG 2000"),
    (b"8BPS", "a Photoshop file"),
    (b"qoif", "QOI"),
    (b"DDS ", "DDS"),
    (b"v/1\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"\xFF\xFE<\0", "XML in UTF-16"),
    (b"\xFE\xFF\0<", "XML in UTF-16"),
    (b"farbfeld", "farbfeld"),
    (b"P1\n", "PNM"),
    (b"P2\n", "PNM"),
    (b"P3\n", "PNM"),
    (b"P4\n", "PNM"),
    (b"P5\n", "PNM"),
    (b"P6\n", "PNM"),
    (b"P7\n", "PNM"),
    (b"%PDF-", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\x1f\x8b", "compressed with gzip, as SVGZ is"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x28\xB5\x2F\xFD", "zstd data"),
    (b"\x1A\x45\xDF\xA3", "Matroska or WebM"),
    (b"OggS", "Ogg"),
    (b"\0asm", "WebAssembly"),
    (b"\x7FELF", "an ELF binary"),
];

/// Tags that a text may open with.
const TAGS: &[(&[u8], &str)] = &[
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<head", "an HTML page"),
    (b"<body", "an HTML page"),
    (b"<script", "an HTML page"),
    (b"<?xml", "XML"),
    (b"<!doctype", "XML"),
    (b"<!--", "XML"),
];

pub(crate) fn sniff(bytes: &[u8]) -> Result<Format, ProbeError> {
    if bytes.is_empty() {
        return Err(ProbeError::Empty);
    }
    if bytes.starts_with(b"\0\0") && bytes.get(4..8) == Some(b"ftyp") {
        return match heif::brand(bytes) {
            Brand::Family(family) => Ok(format_of(family)),
            Brand::OtherImage => Err(ProbeError::Unsupported { found: "a HEIF image of another kind" }),
            Brand::Other => Err(ProbeError::Unsupported { found: "a video or another ISO media file" }),
            Brand::Cut => Err(ProbeError::Truncated),
        };
    }
    if let Some(format) = taken(bytes) {
        return Ok(format);
    }
    // Only a transfer as text changes what follows: line ends became others.
    if bytes.starts_with(b"\x89PNG") && bytes.len() >= PNG_SIGNATURE.len() {
        return Err(corrupt("a PNG signature that was changed on the way"));
    }
    if is_beginning_of_taken(bytes) {
        return Err(ProbeError::Truncated);
    }
    if let Some(found) = foreign(bytes) {
        return Err(ProbeError::Unsupported { found });
    }
    match svg::look(bytes) {
        Text::Svg => Ok(Format::Svg),
        Text::Refused(found) => Err(ProbeError::Unsupported { found }),
        Text::Other => Err(ProbeError::Unsupported { found: text(bytes) }),
        Text::Unknown => Err(ProbeError::Truncated),
    }
}

fn taken(bytes: &[u8]) -> Option<Format> {
    const TIFF: [&[u8]; 4] = [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"];
    if bytes.starts_with(b"\xFF\xD8\xFF") {
        Some(Format::Jpeg)
    } else if bytes.starts_with(PNG_SIGNATURE) {
        Some(Format::Png)
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        Some(Format::Gif)
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some(Format::WebP)
    } else if bytes.starts_with(jxl::CODESTREAM) || bytes.starts_with(jxl::CONTAINER) {
        Some(Format::JpegXl)
    } else if TIFF.iter().any(|mark| bytes.starts_with(mark)) {
        Some(Format::Tiff)
    } else if bytes.starts_with(b"\0\0\x01\0") && !(bytes.len() < 8 && b"ftyp".starts_with(&bytes[4..])) {
        Some(Format::Ico)
    } else if bmp::is_bmp(bytes) == Some(true) {
        Some(Format::Bmp)
    } else {
        None
    }
}

/// Whether more bytes could still make this one of ours. Texts are looked at apart.
fn is_beginning_of_taken(bytes: &[u8]) -> bool {
    let signatures: [&[u8]; 12] = [
        b"\xFF\xD8\xFF",
        PNG_SIGNATURE,
        b"GIF87a",
        b"GIF89a",
        b"RIFF",
        jxl::CODESTREAM,
        jxl::CONTAINER,
        b"II*\0",
        b"MM\0*",
        b"II+\0",
        b"MM\0+",
        b"\0\0\x01\0",
    ];
    let is_png = bytes.starts_with(b"\x89PNG") && bytes.len() < PNG_SIGNATURE.len();
    let is_riff = bytes.starts_with(b"RIFF") && b"WEBP".starts_with(bytes.get(8..).unwrap_or_default());
    // The first box of an ISO media file is a few hundred bytes long at the most.
    let is_media = bytes.len() < 8
        && b"\0\0".starts_with(&bytes[..bytes.len().min(2)])
        && b"ftyp".starts_with(bytes.get(4..).unwrap_or_default());
    is_png
        || is_riff
        || is_media
        || bmp::is_bmp(bytes).is_none()
        || signatures.iter().any(|signature| signature.starts_with(bytes))
}

fn foreign(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"RIFF") {
        return Some("a RIFF file other than WebP");
    }
    FOREIGN.iter().find(|(signature, _)| bytes.starts_with(signature)).map(|(_, name)| *name)
}

fn text(bytes: &[u8]) -> &'static str {
    let bytes = &bytes[..bytes.len().min(MAX_TEXT)];
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    let opens_with =
        |text: &[u8], tag: &[u8]| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
    if let Some((_, name)) = TAGS.iter().find(|(tag, _)| opens_with(bytes, tag)) {
        return name;
    }
    let is_text = bytes.iter().all(|&byte| byte >= 0x20 && byte != 0x7F || byte.is_ascii_whitespace());
    if is_text { "text" } else { "unknown data" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: Result<Format, &str>) {
        let found = match sniff(bytes) {
            Ok(format) => Ok(format),
            Err(ProbeError::Unsupported { found } | ProbeError::UnsupportedInside { found }) => Err(found),
            Err(ProbeError::Truncated) => Err("truncated"),
            Err(ProbeError::Empty) => Err("empty"),
            Err(ProbeError::Corrupt { .. }) => Err("corrupt"),
        };
        assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(bytes));
    }

    #[test]
    fn knows_ours_and_names_the_others() {
        for (bytes, expected) in [
            (&b"\xFF\xD8\xFF\xE0"[..], Ok(Format::Jpeg)),
            (b"\x89PNG\r\n\x1a\n", Ok(Format::Png)),
            (b"GIF87a", Ok(Format::Gif)),
            (b"GIF89a..", Ok(Format::Gif)),
            (b"RIFF\0\0\0\0WEBP", Ok(Format::WebP)),
            (b"", Err("empty")),
            (b"\xFF", Err("truncated")),
            (b"\x89PN", Err("truncated")),
            (b"GIF8", Err("truncated")),
            (b"RIFF\0\0\0\0WE", Err("truncated")),
            (b"\x89PNG\n\x1a\nIHDR", Err("corrupt")),
            (b"\x89PNG\n\x1a", Err("truncated")),
            (b"RIFF\0\0\0\0AVI ", Err("a RIFF file other than WebP")),
            (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", Ok(Format::Avif)),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif\0\0\0\0", Ok(Format::Avif)),
            (b"\0\0\0\x1cftypmif1\0\0\0\0heicavif\0\0\0\0", Ok(Format::Avif)),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1av", Err("truncated")),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Ok(Format::Heic)),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1jpeg", Err("a HEIF image of another kind")),
            (b"\0\0\0\x18ftypisom\0\0\0\0mp42isom", Err("a video or another ISO media file")),
            (b"\0\0\0\x18ft", Err("truncated")),
            (b"II*\0\x08\0\0\0", Ok(Format::Tiff)),
            (b"MM\0*\0\0\0\x08", Ok(Format::Tiff)),
            (b"MM\0+\0\x08\0\0", Ok(Format::Tiff)),
            (b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", Ok(Format::Bmp)),
            (b"BM\x36\0\0\0", Err("truncated")),
            (b"BMW and other makers", Err("text")),
            (b"\0\0\x01\0\x01\0", Ok(Format::Ico)),
            (b"\0\0\x02\0\x01\0", Err("CUR")),
            (b"\xFF\x0A\xFA\x1F", Ok(Format::JpegXl)),
            (b"\0\0\0\x0CJXL \r\n\x87\n\0\0", Ok(Format::JpegXl)),
            (b"\0\0\0\x0CJXL", Err("truncated")),
            (b"%PDF-1.7", Err("PDF")),
            (b"PK\x03\x04", Err("a ZIP archive")),
            (b"\x1f\x8b\x08", Err("compressed with gzip, as SVGZ is")),
            (b"<svg xmlns='http://www.w3.org/2000/svg'>", Ok(Format::Svg)),
            (b"<?xml version='1.0'?>\n<!-- x -->\n<svg/>", Ok(Format::Svg)),
            (b"\xEF\xBB\xBF <!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'a>b'><s:svg >", Ok(Format::Svg)),
            (b"<!DOCTYPE svg [<!ENTITY a 'aaaa'>]><svg/>", Err("an SVG with declarations of its own")),
            (b"<!-- <svg> --><sv", Err("truncated")),
            (b"<!", Err("truncated")),
            (b" \n", Err("truncated")),
            (b"<SVG>", Err("text")),
            (b"<svgx>", Err("text")),
            (b"<\0s\0v\0g\0", Err("unknown data")),
            (b"\xFF\xFE<\0s\0v\0g\0", Err("XML in UTF-16")),
            (b"<?xml version='1.0'?><rss/>", Err("XML")),
            (b"<?xml version='1.0'?><html><svg/></html>", Err("XML")),
            (b"\xEF\xBB\xBF\r\n <!DOCTYPE html><p>", Err("an HTML page")),
            (b"<HTML><body>no</body>", Err("an HTML page")),
            (b"{\"error\": 404}", Err("text")),
            (b"GIF8 is a format", Err("text")),
            (b"\x01\x02\x03\x04", Err("unknown data")),
        ] {
            check(bytes, expected);
        }
    }
}
