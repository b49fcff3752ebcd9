//! Finding faces.
//!
//! By `rustface` and the model of SeetaFace, on a small gray copy: frontal faces of a sixth of its longer side and
//! more. It computes with whole numbers and plain floating point, so the native build finds what the component finds.

use rustface::{ImageData, create_detector_with_model, model::read_model};

use super::adjust::grayscale;
use crate::pixels::PixelError;
use crate::pixels::raster::Raster;

const MODEL: &[u8] = include_bytes!("../../../models/seeta_fd_frontal_v1.0.bin");

/// Pixels of the longer side of the copy that is looked at.
pub(super) const MAX_SIDE: u32 = 256;

/// Pixels of the window that the model looks at a face through, and so of the smallest face.
const WINDOW: u32 = 40;

/// Each copy that is looked at is this much smaller than the one before.
const SCALE_STEP: f32 = 0.8;

/// Less sure than this, and it is none. SeetaFace's own demonstration uses 2.
const MIN_SCORE: f64 = 2.0;

/// Where a face is: left, upper, right and lower end, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Face {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) right: u32,
    pub(super) bottom: u32,
}

/// The faces of a picture, the largest first.
///
/// Of pictures whose sides [`is_fit`] refuses, none are found.
pub(super) fn faces(raster: Raster) -> Result<Vec<Face>, PixelError> {
    let gray = grayscale(raster.into_rgb());
    let (width, height) = (gray.width(), gray.height());
    if !is_fit(width.min(height)) {
        return Ok(Vec::new());
    }
    let model = read_model(MODEL).map_err(PixelError::encode)?;
    let mut detector = create_detector_with_model(model);
    detector.set_min_face_size(WINDOW);
    detector.set_score_thresh(MIN_SCORE);
    detector.set_pyramid_scale_factor(SCALE_STEP);
    detector.set_slide_window_step(4, 4);
    let found = detector.detect(&ImageData::new(gray.pixels(), width, height));
    let within = |position: i64, side: u32| position.clamp(0, side.into()) as u32;
    let mut faces: Vec<Face> = found
        .iter()
        .map(|face| {
            let found = face.bbox();
            let (x, y) = (i64::from(found.x()), i64::from(found.y()));
            Face {
                left: within(x, width),
                top: within(y, height),
                right: within(x + i64::from(found.width()), width),
                bottom: within(y + i64::from(found.height()), height),
            }
        })
        .filter(|face| face.left < face.right && face.top < face.bottom)
        .collect();
    faces.sort_by_key(|face| std::cmp::Reverse((face.right - face.left) * (face.bottom - face.top)));
    Ok(faces)
}

/// Whether pictures with this shorter side can be looked at: the detector makes smaller and smaller copies, and must
/// never make one that is smaller than its window, which it does not check.
pub(super) fn is_fit(shorter_side: u32) -> bool {
    let side = shorter_side as f32;
    let scales = std::iter::successors(Some(1.0_f32), |scale| Some(scale * SCALE_STEP));
    let mut scales = scales.take_while(|scale| *scale >= WINDOW as f32 / side);
    shorter_side >= WINDOW && scales.all(|scale| (side * scale) as u32 >= WINDOW)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::pixels::raster::Layout;

    /// A face of about 40 by 45 pixels in a picture of 80 by 90, from a portrait by NASA in the public domain.
    pub(in crate::pixels::ops) fn portrait() -> Raster {
        let file = include_bytes!("../fixtures/face.png");
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        Raster::new(info.width, info.height, Layout::Gray, pixels).unwrap()
    }

    #[test]
    fn finds_a_face_and_only_a_face() {
        let found = faces(portrait()).unwrap();
        assert_eq!(found.len(), 1);
        let Face { left, top, right, bottom } = found[0];
        assert!(left > 10 && top > 10 && right < 75 && bottom < 80 && right - left > 30, "{found:?}");
        let noise = (0..9600_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert_eq!(faces(Raster::new(120, 80, Layout::Gray, noise).unwrap()).unwrap(), []);
    }

    #[test]
    fn no_size_is_too_small_or_too_large() {
        let mut n_fit = 0;
        for side in (1..120).step_by(2).chain([40, 50, 64, 80, 100, 255, 256]) {
            n_fit += u32::from(is_fit(side));
            for (width, height) in [(side, 256), (256, side)] {
                let pixels = (0..width * height).map(|i| (i % 253) as u8).collect();
                faces(Raster::new(width, height, Layout::Gray, pixels).unwrap()).unwrap();
            }
        }
        assert!(!is_fit(39) && is_fit(40) && n_fit > 35, "{n_fit}");
    }
}
