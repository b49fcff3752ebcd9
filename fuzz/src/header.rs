//! The probe: any bytes are answered, and more bytes change nothing but `Truncated`.

use probe::{Limits, Probe, ProbeError};

/// Probes `data` and some of its beginnings.
///
/// # Panics
/// When an answer makes no sense or contradicts that for a beginning.
pub fn probe(data: &[u8]) {
    let whole = probe::probe(data);
    if let Ok(found) = &whole {
        makes_sense(found);
    }
    for part in [data.len() / 4, data.len() / 2, data.len() * 3 / 4, data.len().saturating_sub(1)] {
        agrees(&probe::probe(&data[..part]), &whole);
    }
}

fn makes_sense(found: &Probe) {
    assert!(found.width > 0 && found.height > 0 && found.frames > 0, "{found:?}");
    assert!((1..=8).contains(&found.orientation.get()), "{found:?}");
    assert!(found.pixels >= u64::from(found.width) * u64::from(found.height), "{found:?}");
    let (width, height) = found.oriented_size();
    let is_turned = found.orientation.swaps_sides();
    assert_eq!((width, height) == (found.height, found.width), is_turned || found.width == found.height, "{found:?}");
    let limits = Limits::default();
    let is_small = found.width.max(found.height) <= limits.max_side && found.pixels <= limits.max_pixels;
    let is_cheap = found.frames <= limits.max_frames && found.decoding_bytes <= limits.max_memory_bytes;
    assert_eq!(limits.check(found).is_ok(), is_small && is_cheap, "{found:?}");
}

/// Checks what the answer for a beginning promises about the whole.
fn agrees(part: &Result<Probe, ProbeError>, whole: &Result<Probe, ProbeError>) {
    match (part, whole) {
        (Ok(part), Ok(whole)) => {
            let header = |probe: &Probe| (probe.format, probe.width, probe.height, probe.bits, probe.color);
            assert_eq!(header(part), header(whole));
            assert!(part.frames <= whole.frames, "{part:?}, {whole:?}");
            // A download is given up by its beginning.
            assert!(part.pixels <= whole.pixels && part.decoding_bytes <= whole.decoding_bytes, "{part:?}, {whole:?}");
        }
        // Damage may come later, and nothing at all may come first.
        (Ok(_), Err(ProbeError::Corrupt { .. })) | (Err(ProbeError::Truncated | ProbeError::Empty), _) => {}
        (Err(ProbeError::Unsupported { .. }), Err(ProbeError::Unsupported { .. })) => {}
        // The first damage that is seen may be another one.
        (Err(ProbeError::Corrupt { .. }), Err(ProbeError::Corrupt { .. })) => {}
        (Err(part), Err(whole)) => assert_eq!(part, whole),
        (part, whole) => panic!("{part:?} became {whole:?}"),
    }
}
