//! AV1 to samples, through `re_rav1d`. Nothing else names that crate.

use re_rav1d::{Decoder, Picture, PixelLayout, PlanarImageComponent, Settings};

use crate::error::AvifError;
use crate::obu::MAX_FRAMES;

/// How the colour planes are smaller than that of brightness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chroma {
    /// There are none.
    None,
    /// Half as wide and half as high.
    Quarter,
    /// Half as wide.
    Half,
    /// Of the same size.
    Full,
}

/// The samples of one picture.
pub(crate) struct Frame {
    picture: Picture,
    is_wide: bool,
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) chroma: Chroma,
}

/// One of the planes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Plane {
    /// Brightness, or green.
    Y,
    /// The first colour plane.
    U,
    /// The second colour plane.
    V,
}

/// Decodes one picture that has at most `max_pixels`.
pub(crate) fn decode(data: Vec<u8>, operating_point: u8, max_pixels: u32) -> Result<Frame, AvifError> {
    let mut settings = Settings::new();
    // With one thread it makes none, and without delay it hands over each frame as soon as it is done.
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    settings.set_all_layers(false);
    settings.set_operating_point(u32::from(operating_point.min(31)));
    settings.set_frame_size_limit(max_pixels);
    let mut decoder = Decoder::with_settings(&settings).map_err(error)?;
    // `Again` says that there is more than the first frame, which is what we came for.
    match decoder.send_data(data, None, None, None) {
        Err(failure) if !failure.is_again() => return Err(error(failure)),
        _ => {}
    }
    let picture = first_picture(&mut decoder)?;
    Ok(Frame {
        is_wide: picture.bit_depth() > 8,
        width: usize::try_from(picture.width()).unwrap_or_default(),
        height: usize::try_from(picture.height()).unwrap_or_default(),
        chroma: match picture.pixel_layout() {
            PixelLayout::I400 => Chroma::None,
            PixelLayout::I420 => Chroma::Quarter,
            PixelLayout::I422 => Chroma::Half,
            PixelLayout::I444 => Chroma::Full,
        },
        picture,
    })
}

/// The first picture that comes out. Each turn decodes a frame, and `obu` has counted those.
fn first_picture(decoder: &mut Decoder) -> Result<Picture, AvifError> {
    for _ in 0..=MAX_FRAMES {
        match decoder.get_picture() {
            Ok(picture) => return Ok(picture),
            Err(failure) if !failure.is_again() => return Err(error(failure)),
            Err(_) => {}
        }
        match decoder.send_pending_data() {
            Err(failure) if !failure.is_again() => return Err(error(failure)),
            _ => {}
        }
    }
    Err(AvifError::corrupt("AV1 data that shows nothing"))
}

fn error(error: re_rav1d::Error) -> AvifError {
    match error {
        re_rav1d::Error::UnsupportedBitstream => AvifError::unsupported("AV1 data of an unknown kind"),
        re_rav1d::Error::NotEnoughMemory => AvifError::unsupported("more pixels than there is memory for"),
        _ => AvifError::corrupt("AV1 data that does not decode"),
    }
}

impl Frame {
    /// Copies the start of row `y` of `plane` into `row`. The plane must exist and have that many rows and columns.
    pub(crate) fn row(&self, plane: Plane, y: usize, row: &mut [u16]) -> Result<(), AvifError> {
        let component = match plane {
            Plane::Y => PlanarImageComponent::Y,
            Plane::U => PlanarImageComponent::U,
            Plane::V => PlanarImageComponent::V,
        };
        let stride = usize::try_from(self.picture.stride(component)).unwrap_or_default();
        let samples = self.picture.plane(component);
        let n_bytes = row.len() * if self.is_wide { 2 } else { 1 };
        let bytes = y.checked_mul(stride).and_then(|at| samples.get(at..)?.get(..n_bytes.min(stride)));
        let Some(bytes) = bytes.filter(|bytes| bytes.len() == n_bytes) else {
            return Err(AvifError::corrupt("a plane that is too small"));
        };
        if self.is_wide {
            for (sample, bytes) in row.iter_mut().zip(bytes.as_chunks::<2>().0) {
                *sample = u16::from_ne_bytes(*bytes);
            }
        } else {
            for (sample, byte) in row.iter_mut().zip(bytes) {
                *sample = u16::from(*byte);
            }
        }
        Ok(())
    }
}
