//! Which format bytes are in, by the bytes alone: a name or a declared type is not believed.

use crate::{Format, ProbeError, corrupt};

pub(crate) const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// How far into a text to look for the tag that says what it is.
const MAX_TEXT: usize = 1024;

/// What other files begin with.
const FOREIGN: &[(&[u8], &str)] = &[
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
    (b"\0\0\x01\0", "ICO"),
    (b"\0\0\x02\0", "CUR"),
    (b"\xFF\x0A", "JPEG XL"),
    (b"\0\0\0\x0CJXL \r\n\x87\n", "JPEG XL"),
    (b"\0\0\0\x0CjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xFF\x4F\xFF\x51", "JPEG 2000"),
    (b"8BPS", "a Photoshop file"),
    (b"qoif", "QOI"),
    (b"DDS ", "DDS"),
    (b"v/1\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
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
    (b"\x1f\x8b", "gzip data"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x28\xB5\x2F\xFD", "zstd data"),
    (b"\x1A\x45\xDF\xA3", "Matroska or WebM"),
    (b"OggS", "Ogg"),
    (b"\0asm", "WebAssembly"),
    (b"\x7FELF", "an ELF binary"),
];

/// Tags that a text may open with.
const TAGS: &[(&[u8], &str)] = &[
    (b"<svg", "SVG"),
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<head", "an HTML page"),
    (b"<body", "an HTML page"),
    (b"<script", "an HTML page"),
];

pub(crate) fn sniff(bytes: &[u8]) -> Result<Format, ProbeError> {
    if bytes.is_empty() {
        return Err(ProbeError::Empty);
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
    Err(ProbeError::Unsupported { found: foreign(bytes) })
}

fn taken(bytes: &[u8]) -> Option<Format> {
    if bytes.starts_with(b"\xFF\xD8\xFF") {
        Some(Format::Jpeg)
    } else if bytes.starts_with(PNG_SIGNATURE) {
        Some(Format::Png)
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        Some(Format::Gif)
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some(Format::WebP)
    } else {
        None
    }
}

/// Whether more bytes could still make this one of ours.
fn is_beginning_of_taken(bytes: &[u8]) -> bool {
    let signatures: [&[u8]; 5] = [b"\xFF\xD8\xFF", PNG_SIGNATURE, b"GIF87a", b"GIF89a", b"RIFF"];
    let is_png = bytes.starts_with(b"\x89PNG") && bytes.len() < PNG_SIGNATURE.len();
    let is_riff = bytes.starts_with(b"RIFF") && b"WEBP".starts_with(bytes.get(8..).unwrap_or_default());
    is_png || is_riff || signatures.iter().any(|signature| signature.starts_with(bytes))
}

fn foreign(bytes: &[u8]) -> &'static str {
    if bytes.get(4..8) == Some(b"ftyp") {
        return iso_media(bytes);
    }
    if bytes.starts_with(b"RIFF") {
        return "a RIFF file other than WebP";
    }
    if let Some((_, name)) = FOREIGN.iter().find(|(signature, _)| bytes.starts_with(signature)) {
        return name;
    }
    text(bytes)
}

/// The family of AVIF and HEIC, told apart by the brands in its first box.
fn iso_media(bytes: &[u8]) -> &'static str {
    let length = bytes.first_chunk().map_or(0, |length| u32::from_be_bytes(*length));
    let end = usize::try_from(length).unwrap_or(usize::MAX).min(256).min(bytes.len());
    let brands = bytes.get(8..end).unwrap_or_default();
    let has = |wanted: &[&[u8]]| brands.chunks_exact(4).any(|brand| wanted.contains(&brand));
    if has(&[b"avif", b"avis"]) {
        "AVIF"
    } else if has(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"]) {
        "HEIC"
    } else {
        "a video or another ISO media file"
    }
}

fn text(bytes: &[u8]) -> &'static str {
    let bytes = &bytes[..bytes.len().min(MAX_TEXT)];
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    let opens_with =
        |text: &[u8], tag: &[u8]| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
    if opens_with(bytes, b"<?xml") || opens_with(bytes, b"<!--") || opens_with(bytes, b"<!doctype svg") {
        let is_svg = (0..bytes.len()).any(|at| opens_with(&bytes[at..], b"<svg"));
        return if is_svg { "SVG" } else { "XML" };
    }
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
            Err(ProbeError::Unsupported { found }) => Err(found),
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
            (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", Err("AVIF")),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif\0\0\0\0", Err("AVIF")),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Err("HEIC")),
            (b"\0\0\0\x18ftypisom\0\0\0\0mp42isom", Err("a video or another ISO media file")),
            (b"II*\0\x08\0\0\0", Err("TIFF")),
            (b"MM\0*\0\0\0\x08", Err("TIFF")),
            (b"BM\x36\0\0\0", Err("BMP")),
            (b"\0\0\x01\0\x01\0", Err("ICO")),
            (b"\xFF\x0A\xFA\x1F", Err("JPEG XL")),
            (b"\0\0\0\x0CJXL \r\n\x87\n\0\0", Err("JPEG XL")),
            (b"%PDF-1.7", Err("PDF")),
            (b"PK\x03\x04", Err("a ZIP archive")),
            (b"\x1f\x8b\x08", Err("gzip data")),
            (b"<svg xmlns='http://www.w3.org/2000/svg'>", Err("SVG")),
            (b"<?xml version='1.0'?>\n<!-- x -->\n<svg/>", Err("SVG")),
            (b"<?xml version='1.0'?><rss/>", Err("XML")),
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
