//! Every key of the store: the string, who owns it, the type behind it. No key is built anywhere else.
//!
//! A key is made by a constructor of the module that owns it ([`category`], [`asset`], [`content`], [`image`],
//! [`preset`], [`job`], [`api`], [`schema`]) and is one of the shapes in [`shape`]. Keys use `:` between their parts, hold none of
//! `/ \ ? #`, and stay under [`MAX_KEY_BYTES`]; values stay under [`MAX_VALUE_BYTES`]. Both are the smallest limit of
//! the stores that Spin documents, so that the same data fits all of them. The table of the whole key space is in
//! this crate's `README.md`.

#![deny(missing_docs)]

pub mod api;
pub mod asset;
pub mod category;
pub mod content;
pub mod image;
pub mod job;
pub mod preset;
pub mod schema;
pub mod shape;

mod id;

pub use id::{Id, IdError};

/// The longest key that every store behind Spin takes, in bytes (CosmosDB's limit).
pub const MAX_KEY_BYTES: usize = 255;

/// The largest value that every store behind Spin takes, in bytes (DynamoDB's 400 KB, less room for the key).
pub const MAX_VALUE_BYTES: usize = 384 * 1024;

/// Milliseconds since the Unix epoch, UTC.
pub type Millis = i64;

/// Makes any text fit for a key: ASCII letters, digits, `-` and `_` stay, every other byte becomes `~` and two hex digits.
pub(crate) fn key_text(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("~{byte:02x}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_text_keeps_different_texts_apart() {
        let cases = [("red", "red"), ("a b", "a~20b"), ("a~20b", "a~7e20b"), ("é", "~c3~a9"), ("a:b/c", "a~3ab~2fc")];
        for (text, expected) in cases {
            assert_eq!(key_text(text), expected);
        }
    }
}
