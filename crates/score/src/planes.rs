//! From bytes to XYB, at every scale.

/// The shortest side that is looked at, in pixels. Shorter ones are made as long.
const SHORTEST: usize = 8;
/// How many scales there are at most.
pub(crate) const SCALES: usize = 6;

/// What share of the light of red, green and blue the three kinds of cones take up.
const ABSORBANCE: [[f32; 3]; 3] = [
    [0.3, 1.0 - 0.078 - 0.3, 0.078],
    [0.23, 1.0 - 0.078 - 0.23, 0.078],
    [0.243_422_69, 0.204_767_45, 1.0 - 0.243_422_69 - 0.204_767_45],
];
/// What they answer in the dark.
const BIAS: f32 = 0.003_793_073_4;

/// Light for each value of sRGB, 0 to 1.
#[derive(Debug, Clone)]
pub(crate) struct Transfer(Box<[f32; 256]>);

impl Transfer {
    pub(crate) fn new() -> Self {
        let mut table = Box::new([0.0; 256]);
        for (value, light) in table.iter_mut().enumerate() {
            let encoded = value as f64 / 255.0;
            *light =
                if encoded <= 0.040_45 { encoded / 12.92 } else { libm::pow((encoded + 0.055) / 1.055, 2.4) } as f32;
        }
        Self(table)
    }
}

/// Three planes of one size: linear red, green and blue, and later X, Y and B.
#[derive(Debug)]
pub(crate) struct Linear {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) planes: [Vec<f32>; 3],
}

impl Linear {
    /// `rgb` has three bytes for each pixel, and no side is zero.
    pub(crate) fn new(rgb: &[u8], width: usize, height: usize, transfer: &Transfer) -> Self {
        let (wide, high) = (width.max(SHORTEST), height.max(SHORTEST));
        let planes = [0, 1, 2].map(|channel| {
            let mut plane = Vec::with_capacity(wide * high);
            for row in rgb.chunks_exact(width * 3) {
                plane.extend(row.as_chunks::<3>().0.iter().map(|pixel| transfer.0[usize::from(pixel[channel])]));
                let last = plane[plane.len() - 1];
                plane.extend(std::iter::repeat_n(last, wide - width));
            }
            for _ in height..high {
                plane.extend_from_within(plane.len() - wide..);
            }
            plane
        });
        Self { width: wide, height: high, planes }
    }

    /// At how many scales a picture of this size is compared: as long as the scale before has eight pixels a side.
    pub(crate) fn n_scales(&self) -> usize {
        let shortest = self.width.min(self.height);
        (1..SCALES).take_while(|scale| shortest.div_ceil(1 << (scale - 1)) >= SHORTEST).count() + 1
    }

    /// Half as wide and high. Where a side is odd, its last pixel counts twice.
    pub(crate) fn halved(&self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let planes = [0, 1, 2].map(|channel| {
            let mut plane = Vec::with_capacity(width * height);
            for rows in self.planes[channel].chunks(2 * self.width) {
                let (upper, lower) = rows.split_at(self.width);
                let lower = if lower.is_empty() { upper } else { lower };
                let (upper, upper_last) = upper.as_chunks::<2>();
                let (lower, lower_last) = lower.as_chunks::<2>();
                plane.extend(upper.iter().zip(lower).map(|(a, b)| (a[0] + a[1] + b[0] + b[1]) * 0.25));
                if let ([a], [b]) = (upper_last, lower_last) {
                    plane.push((a + a + b + b) * 0.25);
                }
            }
            plane
        });
        Self { width, height, planes }
    }

    /// X, Y and B instead, in place, each moved to where it is between 0 and 1.
    pub(crate) fn into_xyb(mut self) -> Self {
        let dark = cube_root(BIAS);
        let [red, green, blue] = &mut self.planes;
        for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
            let cones = ABSORBANCE.map(|of| of[0] * *red + (of[1] * *green + (of[2] * *blue + BIAS)));
            let [long, medium, short] = cones.map(|answer| cube_root(answer) - dark);
            let y = 0.5 * (long + medium);
            *red = 0.5 * (long - medium) * 14.0 + 0.42;
            *green = y + 0.01;
            *blue = (short - y) + 0.55;
        }
        self
    }
}

/// The cube root of a positive, normal number, to a few units of the last place.
///
/// A third of the bits is within 4 %, and each of the two steps of Halley's iteration makes a third power of the error.
#[inline(always)]
fn cube_root(x: f32) -> f32 {
    let mut root = f32::from_bits(x.to_bits() / 3 + 709_958_130);
    for _ in 0..2 {
        let cube = root * root * root;
        root *= (x + x + cube) / (x + cube + cube);
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cube_roots_are_exact_to_a_few_units() {
        for i in 0..20_000 {
            let x = BIAS + i as f32 / 19_000.0;
            let exact = f64::from(x).cbrt();
            assert!((f64::from(cube_root(x)) - exact).abs() < 4e-7 * exact, "{x}");
        }
    }

    #[test]
    fn gray_has_no_colour_and_white_is_bright() {
        let transfer = Transfer::new();
        for value in [0, 100, 255] {
            let xyb = Linear::new(&[value; 3 * 64], 8, 8, &transfer).into_xyb();
            assert!((xyb.planes[0][0] - 0.42).abs() < 1e-5, "{value}");
        }
        let white = Linear::new(&[255; 3 * 64], 8, 8, &transfer).into_xyb();
        assert!((white.planes[1][0] - 0.8553).abs() < 1e-3);
    }

    #[test]
    fn odd_sides_repeat_their_last_pixel() {
        let plane: Vec<f32> = (0..15).map(|i| i as f32).collect();
        let linear = Linear { width: 5, height: 3, planes: [plane.clone(), plane.clone(), plane] };
        let half = linear.halved();
        assert_eq!((half.width, half.height), (3, 2));
        assert_eq!(half.planes[0], [3.0, 5.0, 6.5, 10.5, 12.5, 14.0]);
    }

    #[test]
    fn scales_end_where_the_picture_is_too_small() {
        let n_scales = |width, height| Linear { width, height, planes: Default::default() }.n_scales();
        assert_eq!([n_scales(8, 8), n_scales(15, 9), n_scales(16, 400), n_scales(500, 400)], [2, 2, 3, 6]);
    }
}
