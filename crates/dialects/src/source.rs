//! What a URL names as its source, and the encodings it may be written in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Result, malformed, no_image};

/// Reads an image id: 26 characters, as in native URLs. A leading slash and a file name extension, which products
/// that name files are used to, are passed over.
pub(crate) fn image_id(text: &str) -> Result<String> {
    let name = text.strip_prefix('/').unwrap_or(text);
    let id = name.split_once('.').map_or(name, |(id, _)| id);
    let is_ulid = id.len() == 26 && id.bytes().all(is_crockford) && id.starts_with(|c| c <= '7');
    if is_ulid { Ok(id.to_owned()) } else { Err(no_image("the source is not the id of an image")) }
}

/// Whether the byte is a digit of lower-case Crockford base 32.
fn is_crockford(byte: u8) -> bool {
    byte.is_ascii_digit() || (byte.is_ascii_lowercase() && !b"ilou".contains(&byte))
}

/// Undoes percent-encoding, once.
pub(crate) fn percent_decoded(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
        match (digit(), digit()) {
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => return Err(malformed("a percent sign is not followed by two hexadecimal digits")),
        }
    }
    String::from_utf8(bytes).map_err(|_| malformed("the percent-encoded text is not UTF-8"))
}

/// Undoes base64 in the alphabet for URLs, with or without padding.
pub(crate) fn base64_decoded(text: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    String::from_utf8(bytes).ok()
}

/// The form that the native `text` option takes.
pub(crate) fn base64_encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DialectErrorKind;

    #[test]
    fn ids_are_lower_case_ulids_with_or_without_an_extension() {
        let id = "01hzy3v7q8e9r0t1a2b3c4d5e6";
        for text in [id.to_owned(), format!("/{id}"), format!("{id}.jpg"), format!("/{id}.tar.gz")] {
            assert_eq!(image_id(&text).as_deref(), Ok(id), "{text}");
        }
        let upper = id.to_uppercase();
        for text in ["", "/", "cat.jpg", &id[1..], &upper, "81hzy3v7q8e9r0t1a2b3c4d5e6", "01hzy3v7q8e9r0t1a2b3c4d5ei"] {
            assert_eq!(image_id(text).map_err(|error| error.kind), Err(DialectErrorKind::NoImage), "{text}");
        }
    }

    #[test]
    fn percent_encoding_is_undone_once() {
        assert_eq!(percent_decoded("a%2Fb%252fc").as_deref(), Ok("a/b%2fc"));
        for text in ["%", "%4", "%4g", "%ff"] {
            assert!(percent_decoded(text).is_err(), "{text}");
        }
    }
}
