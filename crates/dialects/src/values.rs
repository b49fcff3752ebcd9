//! Values as the dialects write them: numbers, switches, colours.

use crate::colors::named;
use crate::error::{Result, invalid};

/// A whole number from 0, in decimal digits.
pub(crate) fn whole(option: &str, text: &str) -> Result<u32> {
    let is_plain = (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(number) if is_plain => Ok(number),
        _ => Err(invalid(option, format!("{text:?} is not a whole number from 0"))),
    }
}

/// A whole number from `least` to `most`.
pub(crate) fn whole_in(option: &str, text: &str, least: u32, most: u32) -> Result<u32> {
    match whole(option, text) {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(invalid(option, format!("{text:?} is not a whole number from {least} to {most}"))),
    }
}

/// A decimal number, maybe negative; no exponent, no infinity.
pub(crate) fn decimal(option: &str, text: &str) -> Result<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = (1..=16).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.bytes().any(|b| b.is_ascii_digit());
    match text.parse::<f64>() {
        Ok(number) if is_plain => Ok(number),
        _ => Err(invalid(option, format!("{text:?} is not a number"))),
    }
}

/// A decimal number from `least` to `most`.
pub(crate) fn decimal_in(option: &str, text: &str, least: f64, most: f64) -> Result<f64> {
    match decimal(option, text) {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(invalid(option, format!("{text:?} is not a number from {least} to {most}"))),
    }
}

/// Hundredths, halves up; negative numbers are 0.
pub(crate) fn hundredths(number: f64) -> u32 {
    (number * 100.0 + 0.5).max(0.0) as u32
}

/// A switch: `1`, `t`, `true` or `0`, `f`, `false`, in either case.
pub(crate) fn switch(option: &str, text: &str) -> Result<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "t" | "true" => Ok(true),
        "0" | "f" | "false" => Ok(false),
        _ => Err(invalid(option, format!("{text:?} is neither true nor false"))),
    }
}

/// A colour, eight bits a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Color {
    pub(crate) rgb: [u8; 3],
    pub(crate) alpha: u8,
}

impl Color {
    pub(crate) const WHITE: Self = Self::opaque([255; 3]);
    pub(crate) const BLACK: Self = Self::opaque([0; 3]);
    pub(crate) const CLEAR: Self = Self { rgb: [0; 3], alpha: 0 };

    pub(crate) const fn opaque(rgb: [u8; 3]) -> Self {
        Self { rgb, alpha: 255 }
    }
}

/// Where a colour of four or eight hexadecimal digits has its alpha.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alpha {
    /// Colours have three or six digits only.
    None,
    /// `aarrggbb`, as in imgix.
    First,
    /// `rrggbbaa`, as in CSS.
    Last,
}

/// A colour in hexadecimal digits, without a number sign.
pub(crate) fn hex(text: &str, alpha: Alpha) -> Option<Color> {
    let digits = text.chars().map(|c| c.to_digit(16).map(|n| n as u8)).collect::<Option<Vec<u8>>>()?;
    let channels: Vec<u8> = match digits.len() {
        3 | 4 => digits.iter().map(|digit| digit * 17).collect(),
        6 | 8 => digits.chunks_exact(2).map(|pair| pair[0] * 16 + pair[1]).collect(),
        _ => return None,
    };
    match (channels[..].len(), alpha) {
        (3, _) => Some(Color::opaque([channels[0], channels[1], channels[2]])),
        (4, Alpha::First) => Some(Color { alpha: channels[0], rgb: [channels[1], channels[2], channels[3]] }),
        (4, Alpha::Last) => Some(Color { alpha: channels[3], rgb: [channels[0], channels[1], channels[2]] }),
        _ => None,
    }
}

/// A colour in hexadecimal digits or by its CSS name.
pub(crate) fn color(option: &str, text: &str, alpha: Alpha) -> Result<Color> {
    let text = text.trim_start_matches('#').to_ascii_lowercase();
    if text == "transparent" {
        return Ok(Color::CLEAR);
    }
    let color = named(&text).map(Color::opaque).or_else(|| hex(&text, alpha));
    color.ok_or_else(|| invalid(option, format!("{text:?} is not a colour")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_plain() {
        assert_eq!(whole("w", "0400"), Ok(400));
        for text in ["", "-1", "+1", "1.0", "1e3", "9999999999", " 1"] {
            assert!(whole("w", text).is_err(), "{text}");
        }
        assert_eq!(decimal("x", "-.5"), Ok(-0.5));
        assert_eq!(decimal("x", "2."), Ok(2.0));
        for text in ["", "-", ".", "1e3", "inf", "nan", "1.2.3", "--1", "1,5"] {
            assert!(decimal("x", text).is_err(), "{text}");
        }
    }

    #[test]
    fn colours_are_names_or_digits() {
        let rgba = |text, alpha| color("bg", text, alpha).map(|c| [c.rgb[0], c.rgb[1], c.rgb[2], c.alpha]).ok();
        assert_eq!(rgba("f80", Alpha::None), Some([255, 136, 0, 255]));
        assert_eq!(rgba("#FF8800", Alpha::None), Some([255, 136, 0, 255]));
        assert_eq!(rgba("8f80", Alpha::First), Some([255, 136, 0, 136]));
        assert_eq!(rgba("80ff8800", Alpha::First), Some([255, 136, 0, 128]));
        assert_eq!(rgba("ff880080", Alpha::Last), Some([255, 136, 0, 128]));
        assert_eq!(rgba("ff880080", Alpha::None), None);
        assert_eq!(rgba("RebeccaPurple", Alpha::None), Some([102, 51, 153, 255]));
        assert_eq!(rgba("transparent", Alpha::None), Some([0, 0, 0, 0]));
        assert_eq!(rgba("reddish", Alpha::Last), None);
    }
}
