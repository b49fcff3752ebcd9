//! The colour indexing transform (the specification's section 4.4): up to 256 colours, and several pixels in one if they
//! are few.

/// The colours of a picture that has few.
pub struct Palette {
    /// In ascending order.
    pub colors: Vec<u32>,
}

impl Palette {
    /// The palette of a picture with at most 256 colours.
    pub fn new(pixels: &[u32]) -> Option<Self> {
        let mut colors: Vec<u32> = Vec::new();
        let mut last = None;
        for &pixel in pixels {
            if last == Some(pixel) {
                continue;
            }
            last = Some(pixel);
            if let Err(place) = colors.binary_search(&pixel) {
                if colors.len() == 256 {
                    return None;
                }
                colors.insert(place, pixel);
            }
        }
        Some(Self { colors })
    }

    /// The colours as they are stored: each channel as the difference from the colour before.
    pub fn deltas(&self) -> Vec<u32> {
        let mut previous = [0; 4];
        let mut deltas = Vec::with_capacity(self.colors.len());
        for color in &self.colors {
            let color = color.to_le_bytes();
            deltas.push(u32::from_le_bytes(std::array::from_fn(|i| color[i].wrapping_sub(previous[i]))));
            previous = color;
        }
        deltas
    }

    /// The picture as indices in the green channel, and how many pixels a row now has.
    pub fn indices(&self, pixels: &[u32], width: usize) -> (Vec<u32>, usize) {
        let bits = match self.colors.len() {
            0..=2 => 1,
            3..=4 => 2,
            5..=16 => 4,
            _ => 8,
        };
        let together = 8 / bits;
        let mut packed = Vec::with_capacity(pixels.len() / together + 1);
        let mut last = (self.colors[0], 0);
        for row in pixels.chunks_exact(width) {
            for pixels in row.chunks(together) {
                let mut byte = 0;
                for (i, &pixel) in pixels.iter().enumerate() {
                    if pixel != last.0 {
                        last = (pixel, self.colors.binary_search(&pixel).unwrap_or(0) as u32);
                    }
                    byte |= last.1 << (i * bits);
                }
                packed.push(0xff00_0000 | byte << 8);
            }
        }
        (packed, width.div_ceil(together))
    }
}
