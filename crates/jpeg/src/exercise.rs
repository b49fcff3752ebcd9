//! One call for whatever bytes.

use crate::{Header, Options, Scale, decode, decoding_bytes, icc_profile};

/// Does everything with `file` that can be done: for tests with damaged and made-up files, of which none may make it
/// panic or take long.
pub fn exercise(file: &[u8]) {
    let _ = icc_profile(file, 1 << 20);
    let Ok(header) = Header::read(file) else { return };
    for scale in [Scale::Full, Scale::Half, Scale::Quarter, Scale::Eighth] {
        for (even_planes, tolerate_damage) in [(false, false), (true, true)] {
            let options = Options { scale, even_planes, tolerate_damage };
            if decoding_bytes(&header, &options) > 64 << 20 {
                continue;
            }
            if let Ok(planes) = decode(file, &options) {
                let n_samples = planes.width * planes.height * planes.pixel_layout().channels();
                assert_eq!(planes.into_pixels().samples.len(), n_samples, "every pixel is there");
            }
        }
    }
}
