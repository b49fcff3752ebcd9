//! Originals as they are delivered: without metadata, with the same pixels.
//!
//! What says where, when, by whom and with what a picture was made (EXIF, XMP, IPTC, comments, previews, anything
//! unknown) goes; what decides how it looks (colour profile, animation, resolution) stays. The pixel data is copied
//! byte for byte, so nothing is lost by it. Nothing is decoded.

use super::container::{gif, jpeg, png, webp};

/// What is to be delivered in place of an original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stripped {
    /// The file itself: there was nothing to take out.
    Same,
    /// This file.
    Rewritten(Vec<u8>),
    /// The pixels must be written anew, by [`render`](super::render()) with [`Plan::Original`](transform::Plan): the
    /// picture lies on its side, or the file stops making sense.
    NeedsRender,
}

/// Takes the metadata out of `file`, an original.
pub fn strip(file: &[u8]) -> Stripped {
    let Ok(probe) = probe::probe(file) else { return Stripped::NeedsRender };
    if probe.orientation != probe::Orientation::UPRIGHT {
        return Stripped::NeedsRender;
    }
    let stripped = match probe.format {
        probe::Format::Jpeg => jpeg::stripped(file),
        probe::Format::Png => png::stripped(file),
        probe::Format::WebP => webp::stripped(file),
        probe::Format::Gif => gif::stripped(file),
        // What no browser is sure to show, or what may carry scripts.
        _ => None,
    };
    match stripped {
        Some(bytes) if bytes == file => Stripped::Same,
        Some(bytes) => Stripped::Rewritten(bytes),
        None => Stripped::NeedsRender,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::samples::*;

    fn contains(file: &[u8], text: &str) -> bool {
        file.windows(text.len()).any(|window| window == text.as_bytes())
    }

    /// What is left of `file`, which must have something to take out, and nothing more to take out then.
    fn rewritten(name: &str, file: &[u8]) -> Vec<u8> {
        let Stripped::Rewritten(bytes) = strip(file) else { panic!("{name}: {:?}", strip(file)) };
        assert_eq!(strip(&bytes), Stripped::Same, "{name}, again");
        bytes
    }

    #[test]
    fn clean_files_stay_as_they_are() {
        for (name, file) in every_kind() {
            assert_eq!(strip(&file), Stripped::Same, "{name}");
        }
    }

    #[test]
    fn metadata_goes_and_the_rest_stays() {
        let (plain, exif) = (opaque(), exif(1));
        let profile = || b"ICC secret-free profile".to_vec();
        let clean = jpeg(&plain, |encoder| encoder.add_icc_profile(&profile()).unwrap());
        let dirty = jpeg(&plain, |encoder| {
            encoder.add_icc_profile(&profile()).unwrap();
            encoder.add_exif_metadata(&exif).unwrap();
            encoder.add_app_segment(1, b"http://ns.adobe.com/xap/1.0/\0<secret/>".to_vec()).unwrap();
            encoder.add_app_segment(2, b"MPF\0secret".to_vec()).unwrap();
            encoder.add_app_segment(13, b"Photoshop 3.0\0secret".to_vec()).unwrap();
        });
        assert_eq!(rewritten("jpeg", &dirty), clean);

        let rows = |text: Option<&str>| {
            png((WIDTH, HEIGHT), (::png::ColorType::Rgb, ::png::BitDepth::Eight), plain.pixels(), |info| {
                info.icc_profile = Some(profile().into());
                if let Some(text) = text {
                    info.exif_metadata = Some(exif.clone().into());
                    info.uncompressed_latin1_text.push(::png::text_metadata::TEXtChunk::new("Comment", text));
                }
            })
        };
        assert_eq!(rewritten("png", &rows(Some("secret"))), rows(None));

        let clean = webp(&plain, |encoder| encoder.set_icc_profile(profile()));
        let dirty = webp(&plain, |encoder| {
            encoder.set_icc_profile(profile());
            encoder.set_exif_metadata(exif.clone());
            encoder.set_xmp_metadata(b"<secret/>".to_vec());
        });
        assert_eq!(rewritten("webp", &dirty), clean);
        assert!(contains(&dirty, "secret place") && !contains(&clean, "secret place"));
    }

    #[test]
    fn gif_comments_go_and_loops_stay() {
        let clean = ANIMATED_GIF;
        let body = 13 + (3 << ((clean[10] & 7) + 1)) * usize::from(clean[10] >> 7);
        let comment = b"\x21\xFE\x06secret\0";
        let xmp = b"\x21\xFF\x0BXMP DataXMP\x06secret\0";
        let dirty = [&clean[..body], comment, xmp, &clean[body..], b"secret"].concat();
        let bytes = rewritten("gif", &dirty);
        assert_eq!(bytes, clean);
        assert!(contains(&bytes, "NETSCAPE2.0"));
    }

    #[test]
    fn what_follows_the_end_goes() {
        for (name, file) in every_kind() {
            assert_eq!(rewritten(name, &[&file[..], b"secret film"].concat()), file, "{name}");
        }
    }

    #[test]
    fn previews_and_comments_of_jpeg_go() {
        let clean = jpeg(&opaque(), |_| {});
        // A JFIF segment with a preview of one pixel, and a comment, in place of the plain one of 18 bytes.
        let mut jfif = clean[2..20].to_vec();
        (jfif[3], jfif[16], jfif[17]) = (19, 1, 1);
        let dirty = [&clean[..2], &jfif, &[9, 9, 9], b"\xFF\xFE\0\x08secret", &clean[20..]].concat();
        assert_eq!(rewritten("jpeg", &dirty), clean);
        // Another APP0, with a preview of its own, goes altogether.
        let dirty = [&clean[..20], b"\xFF\xE0\0\x0CJFXX\0\x13....", &clean[20..]].concat();
        assert_eq!(rewritten("jpeg", &dirty), clean);
    }

    #[test]
    fn damage_that_looks_like_metadata_is_not_taken_out_of_a_jpeg() {
        let clean = jpeg(&opaque(), |_| {});
        let (head, rest) = clean.split_at(first_scan(&clean).midpoint(clean.len()));
        let damaged = [head, b"\xFF\xE5\0\x04ab", rest].concat();
        assert_eq!(strip(&damaged), Stripped::NeedsRender);
    }

    #[test]
    fn a_picture_on_its_side_and_a_broken_file_need_their_pixels_written() {
        let on_its_side = jpeg(&opaque(), |encoder| encoder.add_exif_metadata(&exif(6)).unwrap());
        assert_eq!(strip(&on_its_side), Stripped::NeedsRender);
        assert_eq!(strip(b""), Stripped::NeedsRender);
        assert_eq!(strip(b"<svg/>"), Stripped::NeedsRender);
        for (name, file) in every_kind() {
            let cut = strip(&file[..file.len() - 1]);
            // A GIF without its end is whole but for the end.
            let expected = if name.starts_with("gif") { Stripped::Rewritten(file) } else { Stripped::NeedsRender };
            assert_eq!(cut, expected, "{name}");
        }
    }

    #[test]
    fn broken_files_never_panic() {
        for (_, file) in every_kind() {
            for n_bytes in 0..file.len() {
                strip(&file[..n_bytes]);
            }
            for position in 0..file.len() {
                for value in [0, 1, 0x7F, 0xFF] {
                    let mut broken = file.clone();
                    broken[position] = value;
                    strip(&broken);
                }
            }
        }
    }
}
