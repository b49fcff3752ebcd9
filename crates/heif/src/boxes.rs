//! Boxes: a length, a type of four letters, and a content.

use crate::reader::Reader;
use crate::{HeifError, corrupt};

/// One box.
#[derive(Clone, Copy)]
pub(crate) struct Box<'a> {
    pub(crate) kind: [u8; 4],
    pub(crate) content: &'a [u8],
    /// Whether it reaches to the end of whatever holds it, and says no length.
    pub(crate) is_open: bool,
}

/// The beginning of a box, whether or not its content is all there.
struct Head {
    kind: [u8; 4],
    /// Bytes of content; `None` where the box reaches to the end of the file.
    length: Option<u64>,
}

fn head(reader: &mut Reader<'_>) -> Result<Head, HeifError> {
    let (Some(short), Some(kind)) = (reader.u32(), reader.array()) else { return Err(HeifError::Truncated) };
    let length = match short {
        0 => None,
        1 => {
            let long = reader.u64().ok_or(HeifError::Truncated)?;
            Some(long.checked_sub(16).ok_or(corrupt("a box shorter than its own head"))?)
        }
        short => Some(u64::from(short).checked_sub(8).ok_or(corrupt("a box shorter than its own head"))?),
    };
    Ok(Head { kind, length })
}

/// The boxes in `bytes`, one after another. Ends after the first error, which is `Truncated` where a box is cut off.
#[derive(Clone)]
pub(crate) struct Boxes<'a> {
    reader: Reader<'a>,
}

impl<'a> Boxes<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { reader: Reader::new(bytes) }
    }

    fn read(&mut self) -> Result<Box<'a>, HeifError> {
        let head = head(&mut self.reader)?;
        let content = match head.length {
            None => self.reader.take(self.reader.rest().len()),
            Some(length) => usize::try_from(length).ok().and_then(|length| self.reader.take(length)),
        };
        Ok(Box { kind: head.kind, content: content.ok_or(HeifError::Truncated)?, is_open: head.length.is_none() })
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = Result<Box<'a>, HeifError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let result = self.read();
        if result.is_err() {
            self.reader = Reader::new(&[]);
        }
        Some(result)
    }
}

/// The boxes in `bytes`, which are all there: here an end too early is damage.
pub(crate) fn inside(bytes: &[u8]) -> impl Iterator<Item = Result<Box<'_>, HeifError>> {
    Boxes::new(bytes).map(|found| {
        found.map_err(|error| match error {
            HeifError::Truncated => corrupt("a box longer than what it is in"),
            other => other,
        })
    })
}

/// The first box of `kind` in `bytes`, which are all there.
pub(crate) fn find<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Result<Option<&'a [u8]>, HeifError> {
    for found in inside(bytes) {
        let found = found?;
        if &found.kind == kind {
            return Ok(Some(found.content));
        }
    }
    Ok(None)
}
