//! Pixels to a file, through `rav1e`. Nothing else names that crate.

use avif_serialize::Aviffy;
use avif_serialize::constants::MatrixCoefficients as Matrix;
use rav1e::prelude::*;

use crate::error::AvifError;
use crate::{Layout, Pixels, planes};

/// How a picture is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// 1 to 100: what is beyond counts as the nearest of them. The same number looks about as it does from sharp.
    pub quality: u8,
    /// 0 to 9: how much time is spent on fewer bytes. What is beyond counts as 9.
    pub effort: u8,
}

impl Options {
    /// The effort that is worth its time: about 4 s for a megapixel in wasm.
    pub const DEFAULT_EFFORT: u8 = 4;
}

impl Default for Options {
    /// Quality 50 and effort 4, as sharp has them.
    fn default() -> Self {
        Self { quality: 50, effort: Self::DEFAULT_EFFORT }
    }
}

/// The longest side that AV1 can say.
const MAX_SIDE: u32 = 65_535;

/// Encodes `pixels` as an AVIF file: eight bits, in sRGB, BT.601 with every value used.
///
/// Gray stays gray, opacity is left out where every pixel is opaque. One thread and one tile, so that the same pixels
/// become the same bytes everywhere.
///
/// # Errors
/// `BadPixels` when `pixels` contradict themselves.
pub fn encode(pixels: &Pixels<'_>, options: &Options) -> Result<Vec<u8>, AvifError> {
    check(pixels)?;
    let sampling = sampling(pixels, options);
    let luma = planes::luma(pixels);
    let colors = match sampling {
        ChromaSampling::Cs400 => Vec::new(),
        _ => planes::chroma(pixels, sampling == ChromaSampling::Cs420).to_vec(),
    };
    let quantizer = quantizer(options.quality);
    let color_planes: Vec<&[u8]> = std::iter::once(&luma).chain(&colors).map(Vec::as_slice).collect();
    let color = encode_planes(pixels, sampling, &color_planes, quantizer, options.effort)?;
    let alpha = planes::alpha(pixels)
        .map(|alpha| {
            encode_planes(pixels, ChromaSampling::Cs400, &[&alpha], alpha_quantizer(quantizer), options.effort)
        })
        .transpose()?;
    let mut file = Aviffy::new();
    let is_halved = sampling == ChromaSampling::Cs420;
    file.set_matrix_coefficients(Matrix::Bt601)
        .set_full_color_range(true)
        .set_chroma_subsampling((is_halved, is_halved))
        .set_seq_profile(u8::from(sampling == ChromaSampling::Cs444))
        .set_monochrome(sampling == ChromaSampling::Cs400);
    Ok(file.to_vec(&color, alpha.as_deref(), pixels.width, pixels.height, 8))
}

fn check(pixels: &Pixels<'_>) -> Result<(), AvifError> {
    let sides = [pixels.width, pixels.height];
    if sides.contains(&0) || sides.iter().any(|side| *side > MAX_SIDE) {
        return Err(AvifError::BadPixels { detail: "a side of no pixels, or of more than 65535" });
    }
    let n_pixels = u64::from(pixels.width) * u64::from(pixels.height);
    let n_bytes = n_pixels * u64::try_from(pixels.layout.channels()).unwrap_or_default();
    if u64::try_from(pixels.bytes.len()) != Ok(n_bytes) {
        return Err(AvifError::BadPixels { detail: "their number is not width times height" });
    }
    Ok(())
}

/// From this quality on colours are always stored in full.
const FULL_COLOR_QUALITY: u8 = 85;

/// Full colour where half of it would show: in drawings and text more than in photographs. It takes more time.
fn sampling(pixels: &Pixels<'_>, options: &Options) -> ChromaSampling {
    match pixels.layout {
        Layout::Gray => ChromaSampling::Cs400,
        _ if options.quality >= FULL_COLOR_QUALITY || planes::has_fine_colors(pixels) => ChromaSampling::Cs444,
        _ => ChromaSampling::Cs420,
    }
}

/// Qualities, and the encoder's numbers with which SSIMULACRA2 gives what sharp 0.35 gets at that quality, on average of
/// photographs, a texture and a drawing.
const QUANTIZERS: [(u8, u8); 7] = [(1, 245), (30, 175), (50, 131), (65, 92), (80, 48), (90, 26), (100, 4)];

/// `rav1e`'s number, 0 to 255, for a quality.
fn quantizer(quality: u8) -> u8 {
    let quality = quality.clamp(1, 100);
    for pair in QUANTIZERS.windows(2) {
        if let [(low, most), (high, least)] = *pair
            && quality <= high
        {
            let [span, at, fall] = [high - low, quality - low, most - least].map(u32::from);
            return most - u8::try_from((fall * at + span / 2) / span).unwrap_or_default();
        }
    }
    QUANTIZERS[QUANTIZERS.len() - 1].1
}

/// Opacity has few details and hard edges, on which damage shows first.
fn alpha_quantizer(quantizer: u8) -> u8 {
    quantizer / 2
}

/// The encoder's preset, the smallest and the largest block for an effort.
///
/// Small blocks are worth their time in drawings, large ones in skies.
const EFFORTS: [(u8, BlockSize, BlockSize); 10] = [
    (10, BlockSize::BLOCK_32X32, BlockSize::BLOCK_32X32),
    (10, BlockSize::BLOCK_16X16, BlockSize::BLOCK_32X32),
    (8, BlockSize::BLOCK_8X8, BlockSize::BLOCK_32X32),
    (8, BlockSize::BLOCK_8X8, BlockSize::BLOCK_64X64),
    (8, BlockSize::BLOCK_4X4, BlockSize::BLOCK_64X64),
    (7, BlockSize::BLOCK_4X4, BlockSize::BLOCK_64X64),
    (8, BlockSize::BLOCK_4X4, BlockSize::BLOCK_64X64),
    (6, BlockSize::BLOCK_4X4, BlockSize::BLOCK_64X64),
    (5, BlockSize::BLOCK_8X8, BlockSize::BLOCK_64X64),
    (4, BlockSize::BLOCK_4X4, BlockSize::BLOCK_64X64),
];

fn speed_settings(effort: u8) -> SpeedSettings {
    let effort = effort.min(9);
    let (preset, smallest, largest) = EFFORTS[usize::from(effort)];
    let mut settings = SpeedSettings::from_preset(preset);
    settings.partition.partition_range = PartitionRange::new(smallest, largest);
    settings.partition.encode_bottomup = matches!(effort, 6 | 7 | 9);
    // There is one frame: nothing to look ahead for, and no motion.
    settings.rdo_lookahead_frames = 1;
    settings.multiref = false;
    settings.scene_detection_mode = SceneDetectionSpeed::None;
    settings.motion.include_near_mvs = false;
    settings.motion.use_satd_subpel = false;
    settings
}

fn encode_planes(
    pixels: &Pixels<'_>,
    sampling: ChromaSampling,
    planes: &[&[u8]],
    quantizer: u8,
    effort: u8,
) -> Result<Vec<u8>, AvifError> {
    let (width, height) = (side(pixels.width), side(pixels.height));
    let config = EncoderConfig {
        width,
        height,
        sample_aspect_ratio: Rational::new(1, 1),
        time_base: Rational::new(1, 1),
        bit_depth: 8,
        chroma_sampling: sampling,
        chroma_sample_position: ChromaSamplePosition::Unknown,
        pixel_range: PixelRange::Full,
        color_description: Some(ColorDescription {
            color_primaries: ColorPrimaries::BT709,
            transfer_characteristics: TransferCharacteristics::SRGB,
            matrix_coefficients: MatrixCoefficients::BT601,
        }),
        still_picture: true,
        min_key_frame_interval: 0,
        max_key_frame_interval: 0,
        low_latency: false,
        quantizer: usize::from(quantizer),
        min_quantizer: quantizer,
        tune: Tune::Psychovisual,
        tiles: 1,
        speed_settings: speed_settings(effort),
        ..EncoderConfig::default()
    };
    let mut context: Context<u8> =
        Config::new().with_encoder_config(config).with_threads(1).new_context().map_err(failure)?;
    let mut frame = context.new_frame();
    for (plane, samples) in frame.planes.iter_mut().zip(planes) {
        let stride = if plane.cfg.xdec == 1 { width.div_ceil(2) } else { width };
        plane.copy_from_raw_u8(samples, stride, 1);
    }
    context.send_frame(frame).map_err(failure)?;
    context.flush();
    let mut data = Vec::new();
    loop {
        match context.receive_packet() {
            Ok(packet) => data.extend(packet.data),
            Err(EncoderStatus::Encoded) => {}
            Err(EncoderStatus::LimitReached) => return Ok(data),
            Err(error) => return Err(failure(error)),
        }
    }
}

fn failure(error: impl std::fmt::Display) -> AvifError {
    AvifError::Encoder { detail: error.to_string() }
}

fn side(side: u32) -> usize {
    usize::try_from(side).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_quality_is_a_smaller_number() {
        let all: Vec<u8> = (1..=100).map(quantizer).collect();
        assert!(all.is_sorted_by(|a, b| a > b), "{all:?}");
        for (quality, expected) in QUANTIZERS {
            assert_eq!(quantizer(quality), expected);
        }
        assert_eq!((quantizer(0), quantizer(255)), (245, 4));
    }
}
