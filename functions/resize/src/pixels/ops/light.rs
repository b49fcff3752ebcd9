//! sRGB codes as amounts of light, and CIE Lab, by tables.
//!
//! Tables are made with `libm`, and used with plain `f32` arithmetic in a fixed order, so that the native build and
//! the component get the same bytes. The constants are those of libvips (matrices of IEC 61966-2-1, white D65).

/// The white of D65, as X, Y and Z.
const WHITE: [f32; 3] = [0.950_47, 1.0, 1.088_827];

/// Entries per unit of the tables that are read with a fraction.
const N_STEPS: usize = 4096;

/// The amount of light, from 0 to 1, of an sRGB code from 0 to 1.
pub(super) fn light_of(code: f64) -> f64 {
    if code <= 0.040_45 { code / 12.92 } else { libm::pow((code + 0.055) / 1.055, 2.4) }
}

/// The sRGB code, from 0 to 1, of an amount of light from 0 to 1.
pub(super) fn code_of(light: f64) -> f64 {
    if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * libm::pow(light, 1.0 / 2.4) - 0.055 }
}

/// Light of every sRGB code, and back.
pub(super) struct Light {
    /// Light of each code.
    of_code: [f32; 256],
    /// The nearest code of each 255th of light, and the last one once more.
    codes: [f32; 257],
}

impl Light {
    /// Makes the tables.
    pub(super) fn new() -> Self {
        let fraction = |code: usize| code.min(255) as f64 / 255.0;
        Self {
            of_code: std::array::from_fn(|code| light_of(fraction(code)) as f32),
            codes: std::array::from_fn(|step| libm::rint(code_of(fraction(step)) * 255.0) as f32),
        }
    }

    /// The light of a code, from 0 to 1.
    pub(super) fn of(&self, code: u8) -> f32 {
        self.of_code[usize::from(code)]
    }

    /// The code of an amount of light, clipped to what there is: between two entries on a straight line, as in
    /// libvips, and so one code beside the nearest at times.
    pub(super) fn code(&self, light: f32) -> u8 {
        let position = (light * 255.0).clamp(0.0, 255.0);
        let step = position as usize;
        let (below, above) = (self.codes[step], self.codes[step + 1]);
        (below + (above - below) * (position - step as f32) + 0.5) as u8
    }

    /// How much light an eye takes a colour for, from 0 to 1.
    pub(super) fn luminance(&self, [red, green, blue]: [u8; 3]) -> f32 {
        0.2126 * self.of(red) + 0.7152 * self.of(green) + 0.0722 * self.of(blue)
    }
}

/// A colour in CIE Lab: lightness from 0 to 100, and two axes of chroma.
pub(super) type Lab = [f32; 3];

/// sRGB colours as CIE Lab, and back.
pub(super) struct LabTables {
    pub(super) light: Light,
    /// The Lab function (a cube root with a straight foot) at each step.
    roots: Vec<f32>,
}

impl LabTables {
    /// Makes the tables.
    pub(super) fn new() -> Self {
        let root = |step: usize| {
            let value = step as f64 / N_STEPS as f64;
            (if value < 0.008_856 { 7.787 * value + 16.0 / 116.0 } else { libm::cbrt(value) }) as f32
        };
        Self { light: Light::new(), roots: (0..=N_STEPS).map(root).collect() }
    }

    /// Between two entries, or past the last by a hair, on a straight line.
    fn root(&self, value: f32) -> f32 {
        let position = value * N_STEPS as f32;
        let step = (position as usize).min(N_STEPS - 1);
        let (below, above) = (self.roots[step], self.roots[step + 1]);
        below + (position - step as f32) * (above - below)
    }

    /// Light of red, green and blue as X, Y and Z.
    pub(super) fn xyz([red, green, blue]: [f32; 3]) -> [f32; 3] {
        [
            0.4124 * red + 0.3576 * green + 0.1805 * blue,
            0.2126 * red + 0.7152 * green + 0.0722 * blue,
            0.0193 * red + 0.1192 * green + 0.9505 * blue,
        ]
    }

    /// X, Y and Z as Lab.
    pub(super) fn lab_of_xyz(&self, [x, y, z]: [f32; 3]) -> Lab {
        let (x, y, z) = (self.root(x / WHITE[0]), self.root(y / WHITE[1]), self.root(z / WHITE[2]));
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    /// An sRGB colour as Lab.
    pub(super) fn lab(&self, rgb: [u8; 3]) -> Lab {
        self.lab_of_xyz(Self::xyz(rgb.map(|code| self.light.of(code))))
    }

    /// The sRGB colour of a Lab colour, each channel clipped to what there is.
    pub(super) fn rgb(&self, [lightness, a, b]: Lab) -> [u8; 3] {
        let (root_y, y) = if lightness < 8.0 {
            let y = lightness / 903.3;
            (7.787 * y + 16.0 / 116.0, y)
        } else {
            let root = (lightness + 16.0) / 116.0;
            (root, root * root * root)
        };
        let cubed = |root: f32| if root < 0.2069 { (root - 0.137_93) / 7.787 } else { root * root * root };
        let (x, z) = (WHITE[0] * cubed(root_y + a / 500.0), WHITE[2] * cubed(root_y - b / 200.0));
        [
            self.light.code(3.240_625 * x - 1.537_208 * y - 0.498_629 * z),
            self.light.code(-0.968_931 * x + 1.875_756 * y + 0.041_518 * z),
            self.light.code(0.055_710 * x - 0.204_021 * y + 1.056_996 * z),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_comes_back_from_its_light() {
        let light = Light::new();
        for code in 0..=255 {
            assert!(light.code(light.of(code)).abs_diff(code) <= 1, "{code}");
        }
        assert_eq!([light.code(-1.0), light.code(2.0), light.code(0.5), light.code(f32::NAN)], [0, 255, 188, 0]);
    }

    #[test]
    fn a_code_is_near_the_exact_one() {
        let light = Light::new();
        for step in 0..=40_000 {
            let amount = f64::from(step) / 40_000.0;
            let off = code_of(amount) * 255.0 - f64::from(light.code(amount as f32));
            assert!(off.abs() < 1.3, "{amount}: {off}");
        }
    }

    #[test]
    fn colours_come_back_from_lab() {
        let tables = LabTables::new();
        for red in (0..=255).step_by(15) {
            for green in (0..=255).step_by(15) {
                for blue in (0..=255).step_by(15) {
                    let rgb = [red, green, blue];
                    let back = tables.rgb(tables.lab(rgb));
                    assert!(rgb.iter().zip(back).all(|(a, b)| a.abs_diff(b) <= 1), "{rgb:?} {back:?}");
                }
            }
        }
        let white = tables.lab([255; 3]);
        assert!((white[0] - 100.0).abs() < 0.01 && white[1].abs() < 0.02 && white[2].abs() < 0.02, "{white:?}");
        let red = tables.lab([255, 0, 0]);
        assert!(red.iter().zip([53.24, 80.09, 67.20]).all(|(found, known)| (found - known).abs() < 0.05), "{red:?}");
    }
}
