//! How a picture is to be encoded.

/// How to encode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options<'a> {
    /// 0 to 100, on libwebp's scale. Without meaning for lossless coding.
    pub quality: u8,
    /// 0 (fastest) to 6 (smallest); 4 is the balance.
    pub effort: u8,
    /// Keep every pixel as it is.
    pub lossless: bool,
    /// An ICC profile to store.
    pub icc_profile: Option<&'a [u8]>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { quality: 80, effort: 4, lossless: false, icc_profile: None }
    }
}

/// What the encoder sets for itself.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// The most segments, 1 to 4.
    pub segments: u8,
    /// How much steps follow the content, 0 to 100.
    pub noise_shaping: u8,
    /// The strength of the loop filter, 0 to 100.
    pub filter_strength: u8,
    /// The bits that the modes of a frame may take: its first partition has a 19-bit size.
    pub header_bits: u64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { segments: 4, noise_shaping: 50, filter_strength: 60, header_bits: 510 * 1024 * 8 }
    }
}
