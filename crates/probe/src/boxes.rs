//! The boxes that the wrapped form of JPEG XL is built of (ISO 14496-12): their contents may be cut off.

use crate::ProbeError;
use crate::reader::Reader;

/// A box, whose body may be cut off.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) kind: [u8; 4],
    pub(crate) body: &'a [u8],
    pub(crate) is_whole: bool,
}

impl<'a> Part<'a> {
    /// The next box; `None` at the end, and where the bytes end inside a box's own header, which are then left.
    pub(crate) fn next(reader: &mut Reader<'a>) -> Result<Option<Self>, ProbeError> {
        let mut ahead = *reader;
        let (Some(size), Some(kind)) = (ahead.u32_be(), ahead.array::<4>()) else { return Ok(None) };
        let length = match size {
            // Up to the end of whatever holds it.
            0 => ahead.rest().len() as u64,
            1 => {
                let Some(size) = ahead.u64_be() else { return Ok(None) };
                size.checked_sub(16).ok_or(TOO_SHORT)?
            }
            size => u64::from(size).checked_sub(8).ok_or(TOO_SHORT)?,
        };
        let rest = ahead.rest();
        let taken = usize::try_from(length).ok().and_then(|length| ahead.take(length));
        let part = Self { kind, body: taken.unwrap_or(rest), is_whole: taken.is_some() };
        if taken.is_none() {
            ahead.take(rest.len());
        }
        *reader = ahead;
        Ok(Some(part))
    }
}

const TOO_SHORT: ProbeError = ProbeError::Corrupt { detail: "a box shorter than its own header" };
