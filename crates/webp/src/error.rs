//! What can be wrong with a picture or an animation.

/// Why nothing was encoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A side is zero or more than WebP can say.
    #[error("a picture of {width}x{height} pixels: each side must be 1 to 16383")]
    Size {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// A slice of pixels does not have the length that the size asks for.
    #[error("{given} bytes of pixels where {needed} are needed")]
    Length {
        /// The slice's length.
        given: usize,
        /// The length needed.
        needed: usize,
    },
    /// Planes cannot be coded losslessly: WebP's lossless format is RGB.
    #[error("lossless coding takes RGB or RGBA, not planes of luma and chroma")]
    LosslessPlanes,
    /// A frame of an animation does not lie in the canvas, or not at even coordinates.
    #[error("a frame of {width}x{height} at {x},{y} on a canvas of {}x{}", canvas.0, canvas.1)]
    Frame {
        /// Pixels from the left.
        x: u32,
        /// Pixels from the top.
        y: u32,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Width and height of the canvas.
        canvas: (u32, u32),
    },
    /// An animation without frames was to be finished.
    #[error("an animation without frames")]
    NoFrames,
    /// The file would be larger than its 32-bit size can say, or its mode partition larger than its 19 bits.
    #[error("the picture takes more bytes than the format can hold")]
    TooLarge,
}
