//! The frames of an image sequence, counted.

use crate::HeifError;
use crate::boxes::{find, inside};
use crate::reader::Reader;

/// The number of frames in the longest track of pictures in the content of a `moov` box.
pub(crate) fn longest_track(movie: &[u8]) -> Result<u32, HeifError> {
    let mut longest = 0;
    for track in inside(movie) {
        let track = track?;
        if &track.kind == b"trak" {
            longest = longest.max(n_frames(track.content)?.unwrap_or(0));
        }
    }
    Ok(longest)
}

fn n_frames(track: &[u8]) -> Result<Option<u32>, HeifError> {
    let Some(media) = find(track, b"mdia")? else { return Ok(None) };
    let is_pictures = find(media, b"hdlr")?.is_some_and(|handler| handler.get(8..12) == Some(b"pict"));
    if !is_pictures {
        return Ok(None);
    }
    let Some(information) = find(media, b"minf")? else { return Ok(None) };
    let Some(table) = find(information, b"stbl")? else { return Ok(None) };
    let Some(sizes) = find(table, b"stsz")? else { return Ok(None) };
    // Behind version, flags and the size that all have, if they have one.
    Ok(sizes.get(8..).and_then(|rest| Reader::new(rest).u32()))
}
