//! SVG: the attributes of the root element, found without a parser for the rest.
//!
//! The size is that of CSS: `width` and `height` in any unit that is absolute (96 px an inch), what is missing from the
//! ratio of `viewBox`, or else its size; without any, 300 by 150. It is rounded up to whole pixels.

use crate::reader::Reader;
use crate::{ColorModel, Format, Orientation, Probe, ProbeError, area, corrupt};

/// How far into a file its root element must end, in bytes.
const MAX_HEAD: usize = 64 << 10;
const NAMESPACE: &[u8] = b"http://www.w3.org/2000/svg";
const DEFAULT_SIZE: (f64, f64) = (300.0, 150.0);
/// The largest side that is believed.
const MAX_SIDE: f64 = 2_147_483_647.0;
/// What a size may be over a whole number and still be that, for units that don't come out even.
const SLACK: f64 = 1.0 / 1024.0;

/// What a text is, as far as its beginning says.
pub(crate) enum Text {
    Svg,
    /// SVG of a kind that is not taken.
    Refused(&'static str),
    Other,
    /// More bytes must tell.
    Unknown,
}

pub(crate) fn look(bytes: &[u8]) -> Text {
    match root(bytes) {
        Ok(root) if root.local_name() == b"svg" => Text::Svg,
        Ok(_) | Err(Stop::Other) => Text::Other,
        Err(Stop::Refused(found)) => Text::Refused(found),
        Err(Stop::Cut) => Text::Unknown,
    }
}

pub(crate) fn read(bytes: &[u8]) -> Result<Probe, ProbeError> {
    let root = root(bytes).map_err(|_| ProbeError::Truncated)?;
    let (is_empty, found) = Attributes::read(&root, bytes.len() >= MAX_HEAD)?;
    if !found.has_namespace {
        return Err(corrupt("an SVG without its namespace"));
    }
    let (width, height) = found.size();
    let (width, height) = (whole(width)?, whole(height)?);
    Ok(Probe {
        format: Format::Svg,
        width,
        height,
        orientation: Orientation::UPRIGHT,
        has_alpha: true,
        frames: 1,
        bits: 8,
        is_progressive: false,
        is_arithmetic: false,
        color: ColorModel::Rgb,
        pixels: area(width, height),
        // Layers beside the picture. What is drawn larger is weighed when it is drawn.
        decoding_bytes: area(width, height).saturating_mul(12),
        is_complete: is_empty || ends_with(bytes, root.name),
    })
}

fn whole(side: f64) -> Result<u32, ProbeError> {
    if side <= 0.0 {
        Err(corrupt("a side of no pixels"))
    } else if side > MAX_SIDE {
        Err(corrupt("an SVG side beyond 2^31"))
    } else {
        Ok(((side - SLACK).ceil() as u32).max(1))
    }
}

/// Whether the last tag is the end of the root element.
fn ends_with(bytes: &[u8], name: &[u8]) -> bool {
    let tail = &bytes[bytes.len().saturating_sub(4096)..];
    let Some(at) = tail.windows(2).rposition(|pair| pair == b"</") else { return false };
    tail[at + 2..].strip_prefix(name).is_some_and(|rest| rest.trim_ascii_start().starts_with(b">"))
}

/// Why there is no root element to be seen.
enum Stop {
    Other,
    Refused(&'static str),
    Cut,
}

/// The root element, from behind its name on.
struct Root<'a> {
    name: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Root<'a> {
    fn local_name(&self) -> &'a [u8] {
        split_name(self.name).1
    }
}

/// A qualified name as prefix and local name.
fn split_name(name: &[u8]) -> (&[u8], &[u8]) {
    match name.iter().position(|&byte| byte == b':') {
        Some(at) => (&name[..at], &name[at + 1..]),
        None => (b"", name),
    }
}

fn root(bytes: &[u8]) -> Result<Root<'_>, Stop> {
    const MARK: &[u8] = b"\xEF\xBB\xBF";
    let is_all = bytes.len() >= MAX_HEAD;
    let cut = || if is_all { Stop::Other } else { Stop::Cut };
    let head = &bytes[..bytes.len().min(MAX_HEAD)];
    if head.len() < MARK.len() && MARK.starts_with(head) {
        return Err(cut());
    }
    let mut rest = head.strip_prefix(MARK).unwrap_or(head);
    loop {
        rest = rest.trim_ascii_start();
        match *rest {
            [] => return Err(cut()),
            [b'<', ref inside @ ..] => {
                if let Some(declaration) = inside.strip_prefix(b"?") {
                    rest = behind(declaration, b"?>").ok_or_else(cut)?;
                } else if let Some(comment) = inside.strip_prefix(b"!--") {
                    rest = behind(comment, b"-->").ok_or_else(cut)?;
                } else if inside.starts_with(b"!") {
                    rest = behind_doctype(inside).map_err(|stop| if is_all { Stop::Other } else { stop })?;
                } else {
                    return element(inside).ok_or_else(cut).and_then(|root| root.ok_or(Stop::Other));
                }
            }
            _ => return Err(Stop::Other),
        }
    }
}

fn behind<'a>(text: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let at = text.windows(mark.len()).position(|window| window == mark)?;
    Some(&text[at + mark.len()..])
}

/// What follows a document type, which must be without declarations of its own: entities can make a short text long.
fn behind_doctype(text: &[u8]) -> Result<&[u8], Stop> {
    const DOCTYPE: &[u8] = b"!DOCTYPE";
    let start = &text[..text.len().min(DOCTYPE.len())];
    if !DOCTYPE[..start.len()].eq_ignore_ascii_case(start) {
        return Err(if b"!--".starts_with(text) { Stop::Cut } else { Stop::Other });
    }
    let mut quote = None;
    for (at, &byte) in text.iter().enumerate() {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'[') => {
                let is_svg = text[..at].windows(3).any(|word| word.eq_ignore_ascii_case(b"svg"));
                return Err(if is_svg { Stop::Refused("an SVG with declarations of its own") } else { Stop::Other });
            }
            (None, b'>') => {
                let name = text[DOCTYPE.len()..at].trim_ascii_start();
                let is_page = name.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"html"));
                return if is_page { Err(Stop::Other) } else { Ok(&text[at + 1..]) };
            }
            (None, _) => {}
        }
    }
    Err(Stop::Cut)
}

/// The element whose name `text` begins with: `None` if that is cut off, and `Some(None)` if it is no name.
fn element(text: &[u8]) -> Option<Option<Root<'_>>> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.') || byte >= 0x80;
    let length = text.iter().position(|&byte| !is_part(byte))?;
    let (name, rest) = text.split_at(length);
    let is_name = length > 0 && matches!(rest[0], b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n');
    Some(is_name.then_some(Root { name, rest }))
}

/// What the root element says about the size.
#[derive(Default)]
struct Attributes {
    has_namespace: bool,
    width: Option<f64>,
    height: Option<f64>,
    view_box: Option<(f64, f64)>,
}

impl Attributes {
    /// The attributes, and whether the element ends with them.
    fn read(root: &Root<'_>, is_all: bool) -> Result<(bool, Self), ProbeError> {
        let cut = || if is_all { corrupt("an SVG whose root does not end in 64 KiB") } else { ProbeError::Truncated };
        let broken = || corrupt("an SVG whose root is not well-formed");
        let (prefix, _) = split_name(root.name);
        let mut found = Self::default();
        let mut rest = root.rest;
        loop {
            rest = rest.trim_ascii_start();
            match rest {
                [] | [b'/'] => return Err(cut()),
                [b'>', ..] => return Ok((false, found)),
                [b'/', b'>', ..] => return Ok((true, found)),
                _ => {}
            }
            let length = rest.iter().position(|&byte| matches!(byte, b'=' | b'>' | b'<' | b'/' | b'"' | b'\''));
            let (name, behind) = rest.split_at(length.ok_or_else(cut)?);
            let value = behind.strip_prefix(b"=").ok_or_else(broken)?.trim_ascii_start();
            let (&quote, value) = value.split_first().ok_or_else(cut)?;
            if !matches!(quote, b'"' | b'\'') {
                return Err(broken());
            }
            let length = value.iter().position(|&byte| byte == quote).ok_or_else(cut)?;
            found.take(name.trim_ascii_end(), &value[..length], prefix);
            rest = &value[length + 1..];
        }
    }

    fn take(&mut self, name: &[u8], value: &[u8], prefix: &[u8]) {
        match name {
            b"width" => self.width = length(value),
            b"height" => self.height = length(value),
            b"viewBox" => self.view_box = view_box(value),
            b"xmlns" if prefix.is_empty() => self.has_namespace = value == NAMESPACE,
            _ if name.strip_prefix(b"xmlns:") == Some(prefix) => self.has_namespace = value == NAMESPACE,
            _ => {}
        }
    }

    fn size(&self) -> (f64, f64) {
        match (self.width, self.height, self.view_box) {
            (Some(width), Some(height), _) => (width, height),
            (Some(width), None, Some((box_width, box_height))) => (width, width * box_height / box_width),
            (None, Some(height), Some((box_width, box_height))) => (height * box_width / box_height, height),
            (None, None, Some(size)) => size,
            (width, height, None) => (width.unwrap_or(DEFAULT_SIZE.0), height.unwrap_or(DEFAULT_SIZE.1)),
        }
    }
}

/// A length in CSS pixels; `None` for percentages, for what is negative, and for what is no length.
fn length(value: &[u8]) -> Option<f64> {
    let mut reader = Reader::new(value.trim_ascii());
    let number = number(&mut reader)?;
    let unit = reader.rest();
    let is = |name: &[u8]| unit.eq_ignore_ascii_case(name);
    let scale = match unit {
        _ if unit.is_empty() || is(b"px") => (1.0, 1.0),
        _ if is(b"pt") => (96.0, 72.0),
        _ if is(b"pc") => (16.0, 1.0),
        _ if is(b"mm") => (96.0, 25.4),
        _ if is(b"cm") => (960.0, 25.4),
        _ if is(b"in") => (96.0, 1.0),
        _ if is(b"q") => (24.0, 25.4),
        // The usual size of text, and of its small letters.
        _ if is(b"em") || is(b"rem") => (16.0, 1.0),
        _ if is(b"ex") => (8.0, 1.0),
        _ => return None,
    };
    (number >= 0.0).then_some(number * scale.0 / scale.1)
}

/// Width and height of a view box, if it has them and they are not empty.
fn view_box(value: &[u8]) -> Option<(f64, f64)> {
    let mut reader = Reader::new(value);
    let mut next = || {
        while reader.rest().first().is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b',') {
            reader.take(1)?;
        }
        number(&mut reader)
    };
    let (_left, _top, width, height) = (next()?, next()?, next()?, next()?);
    (width > 0.0 && height > 0.0).then_some((width, height))
}

/// The number that the text begins with. An `e` belongs to it only before digits: `1em` is a length.
fn number(reader: &mut Reader<'_>) -> Option<f64> {
    let text = reader.rest();
    let digits =
        |from: usize| text.get(from..).map_or(0, |text| text.iter().take_while(|byte| byte.is_ascii_digit()).count());
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let mut end = sign + digits(sign);
    if text.get(end) == Some(&b'.') {
        end += 1 + digits(end + 1);
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let n_digits = digits(end + 1 + sign);
        if n_digits > 0 {
            end += 1 + sign + n_digits;
        }
    }
    let number = std::str::from_utf8(reader.take(end)?).ok()?.parse::<f64>().ok()?;
    number.is_finite().then_some(number)
}
