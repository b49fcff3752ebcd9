//! Tone and colour: brightness, contrast, saturation, gamma, grayscale, bitonal, tint.
//!
//! Brightness, saturation, grayscale and tint mean what they mean in sharp, and come within one code of it. Opacity is never touched.

use super::light::{Lab, LabTables, Light};
use crate::pixels::raster::{Layout, Raster};

/// One, in the unit of [`Tone`].
const ONE: u16 = 100;

/// Changes of tone, in hundredths; 100 changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pixels) struct Tone {
    /// Times the lightness (L of CIE Lab).
    pub(in crate::pixels) brightness: u16,
    /// Times the distance of each channel from 128.
    pub(in crate::pixels) contrast: u16,
    /// Times the chroma (distance from gray in CIE Lab).
    pub(in crate::pixels) saturation: u16,
    /// The exponent is one divided by it: above 100, dark parts become lighter.
    pub(in crate::pixels) gamma: u16,
}

impl Default for Tone {
    /// Changes nothing.
    fn default() -> Self {
        Self { brightness: ONE, contrast: ONE, saturation: ONE, gamma: ONE }
    }
}

/// The picture with another tone: brightness and saturation, then contrast, then gamma.
pub(in crate::pixels) fn toned(mut raster: Raster, tone: Tone) -> Raster {
    if tone.brightness != ONE || tone.saturation != ONE {
        modulate(&mut raster, tone);
    }
    if tone.contrast != ONE || tone.gamma != ONE {
        let curve = curve(tone);
        each_color(&mut raster, |color| color.iter_mut().for_each(|code| *code = curve[usize::from(*code)]));
    }
    raster
}

/// The picture without colour, as bright as an eye sees it. One channel, or four if there is opacity.
pub(in crate::pixels) fn grayscale(mut raster: Raster) -> Raster {
    let light = Light::new();
    let gray = |pixel: &[u8]| match *pixel {
        // A gray stays what it is.
        [red, green, blue, ..] if red == green && green == blue => red,
        [red, green, blue, ..] => light.code(light.luminance([red, green, blue])),
        _ => 0,
    };
    match raster.layout() {
        Layout::Gray | Layout::Cmyk => raster,
        Layout::Rgb => raster.map(Layout::Gray, |pixel| [gray(pixel)]),
        Layout::Rgba => {
            for pixel in raster.pixels_mut().as_chunks_mut::<4>().0 {
                let gray = gray(pixel);
                pixel[..3].fill(gray);
            }
            raster
        }
    }
}

/// Black where the picture is darker than the middle gray (128), white elsewhere.
pub(in crate::pixels) fn bitonal(raster: Raster) -> Raster {
    let mut raster = grayscale(raster);
    each_color(&mut raster, |color| color.iter_mut().for_each(|code| *code = if *code < 128 { 0 } else { 255 }));
    raster
}

/// The picture in shades of one colour: its lightness with the chroma of `color`, which fades towards black and white.
pub(in crate::pixels) fn tinted(raster: Raster, color: [u8; 3]) -> Raster {
    let tables = LabTables::new();
    let [_, a, b] = tables.lab(color);
    let shades: Vec<[u8; 3]> = (0..=255)
        .map(|gray| {
            let [lightness, ..] = tables.lab([gray; 3]);
            let from_middle = lightness / 100.0 - 0.5;
            let weight = 1.0 - 4.0 * (from_middle * from_middle);
            tables.rgb([lightness, weight * a, weight * b])
        })
        .collect();
    let mut raster = grayscale(raster);
    if raster.layout() == Layout::Gray {
        return raster.map(Layout::Rgb, |gray| shades[usize::from(gray[0])]);
    }
    each_color(&mut raster, |rgb| rgb.copy_from_slice(&shades[usize::from(rgb[0])]));
    raster
}

/// Brightness and saturation.
fn modulate(raster: &mut Raster, tone: Tone) {
    let tables = LabTables::new();
    let (brightness, saturation) = (hundredths(tone.brightness), hundredths(tone.saturation));
    let modulated = |[lightness, a, b]: Lab| tables.rgb([lightness * brightness, a * saturation, b * saturation]);
    let grays: Vec<u8> = (0..=255).map(|gray| modulated(tables.lab([gray; 3]))[1]).collect();
    each_color(raster, |color| match *color {
        [red, green, blue] if red != green || green != blue => {
            color.copy_from_slice(&modulated(tables.lab([red, green, blue])));
        }
        _ => color.fill(grays[usize::from(color[0])]),
    });
}

/// What contrast and gamma make of each code.
fn curve(tone: Tone) -> Vec<u8> {
    let exponent = f64::from(ONE) / f64::from(tone.gamma.max(1));
    let with_contrast = |code: i32| {
        let hundredths = (code - 128) * i32::from(tone.contrast) + 128 * i32::from(ONE);
        f64::from(hundredths.clamp(0, 255 * i32::from(ONE))) / f64::from(ONE)
    };
    let with_gamma = |code: f64| if exponent == 1.0 { code } else { 255.0 * libm::pow(code / 255.0, exponent) };
    // A half more, cut off by the cast, rounds.
    (0..=255).map(|code| (with_gamma(with_contrast(code)) + 0.5) as u8).collect()
}

fn hundredths(value: u16) -> f32 {
    f32::from(value) / f32::from(ONE)
}

/// Changes the colour channels of each pixel: one or three of them. Ink is not colour: it is converted before.
fn each_color(raster: &mut Raster, change: impl Fn(&mut [u8])) {
    let (n_channels, n_colors) = match raster.layout() {
        Layout::Gray => (1, 1),
        Layout::Rgb => (3, 3),
        Layout::Rgba => (4, 3),
        Layout::Cmyk => return,
    };
    raster.pixels_mut().chunks_exact_mut(n_channels).for_each(|pixel| change(&mut pixel[..n_colors]));
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLORS: [[u8; 3]; 14] = [
        [0, 0, 0],
        [255, 255, 255],
        [128, 128, 128],
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [200, 150, 120],
        [30, 60, 90],
        [10, 5, 0],
        [250, 240, 200],
        [90, 200, 210],
        [1, 2, 3],
        [77, 13, 160],
        [180, 180, 20],
    ];

    fn colors() -> Raster {
        Raster::new(COLORS.len() as u32, 1, Layout::Rgb, COLORS.concat()).unwrap()
    }

    /// Compares with what sharp 0.35.5 makes of the same colours.
    fn check(found: &Raster, sharp: &[u8], tolerance: u8) {
        let is_close = found.pixels().iter().zip(sharp).all(|(a, b)| a.abs_diff(*b) <= tolerance);
        assert!(is_close && found.pixels().len() == sharp.len(), "\n{:?}\n{sharp:?}", found.pixels());
    }

    fn tone(change: impl Fn(&mut Tone)) -> Raster {
        let mut tone = Tone::default();
        change(&mut tone);
        toned(colors(), tone)
    }

    #[test]
    fn gray_is_as_in_sharp() {
        let gray = grayscale(colors());
        check(&gray, &[0, 255, 128, 127, 220, 76, 160, 58, 6, 239, 185, 2, 59, 174], 1);
        assert_eq!(grayscale(gray.clone()), gray);
        let rgba = grayscale(colors().into_rgba());
        assert!(rgba.pixels().chunks_exact(4).zip(gray.pixels()).all(|(p, g)| p == [*g, *g, *g, 255]));
    }

    #[test]
    fn brightness_and_saturation_are_as_in_sharp() {
        #[rustfmt::skip]
        let cases: [(u16, u16, [u8; 42]); 5] = [
            (150, 100, [0,0,0,255,255,255,199,199,199,255,118,75,202,255,164,106,60,255,255,241,209,61,88,120,13,8,3,255,255,255,202,255,255,2,3,4,113,51,195,255,255,130]),
            (50, 100, [0,0,0,119,119,119,63,63,63,167,0,0,0,129,0,0,0,208,109,68,41,0,34,61,7,2,0,120,113,77,0,101,111,0,1,2,37,0,127,81,89,0]),
            (100, 200, [0,0,0,255,255,255,128,128,128,255,0,0,0,255,0,0,0,255,230,138,78,0,63,123,14,4,0,255,241,159,0,213,236,0,2,4,0,0,255,159,187,0]),
            (100, 30, [0,0,0,255,255,255,128,128,128,175,110,94,187,233,172,85,65,127,174,158,148,53,59,68,7,6,4,243,240,228,163,189,192,2,2,2,70,52,88,180,175,136]),
            (120, 140, [0,0,0,255,255,255,156,156,156,255,0,0,0,255,0,0,0,255,252,181,137,14,72,115,13,6,0,255,255,237,61,248,255,1,2,4,86,0,218,217,222,0]),
        ];
        for (brightness, saturation, sharp) in cases {
            check(&tone(|tone| (tone.brightness, tone.saturation) = (brightness, saturation)), &sharp, 1);
        }
    }

    #[test]
    fn contrast_and_gamma_are_as_in_sharp() {
        #[rustfmt::skip]
        let contrast = [0,0,0,255,255,255,128,128,128,255,0,0,0,255,0,0,0,255,236,161,116,0,26,71,0,0,0,255,255,236,71,236,251,0,0,0,51,0,176,206,206,0];
        check(&tone(|tone| tone.contrast = 150), &contrast, 1);
        #[rustfmt::skip]
        let gamma = [0,0,0,255,255,255,186,186,186,255,0,0,0,255,0,0,0,255,228,200,181,96,132,158,58,42,0,252,248,228,158,228,233,20,28,33,147,65,206,217,217,80];
        check(&tone(|tone| tone.gamma = 220), &gamma, 1);
        assert_eq!(tone(|tone| tone.contrast = 0).pixels(), [128; 42]);
        assert_eq!(tone(|tone| (tone.contrast, tone.gamma) = (400, 1000)).pixels()[18..21], [255, 251, 231]);
    }

    #[test]
    fn tint_is_as_in_sharp() {
        #[rustfmt::skip]
        let cases: [([u8; 3], [u8; 42]); 2] = [
            ([255, 240, 16], [0,0,0,255,255,255,135,132,0,134,131,0,235,221,146,81,80,0,173,164,0,64,61,0,10,6,0,248,239,202,200,188,47,3,2,0,65,62,0,189,178,0]),
            ([40, 80, 200], [0,0,0,255,255,255,97,117,243,95,115,242,218,214,255,35,67,169,140,149,255,24,51,133,6,5,16,239,236,255,174,175,255,2,2,6,24,52,135,159,163,255]),
        ];
        for (color, sharp) in cases {
            check(&tinted(colors(), color), &sharp, 1);
        }
    }

    #[test]
    fn bitonal_is_black_and_white() {
        assert_eq!(bitonal(colors()).pixels(), [0, 255, 255, 0, 255, 0, 255, 0, 0, 255, 255, 0, 0, 255]);
    }

    #[test]
    fn nothing_changes_without_a_change_and_opacity_never_does() {
        assert_eq!(toned(colors(), Tone::default()), colors());
        let clear = Raster::new(2, 1, Layout::Rgba, vec![250, 20, 20, 7, 10, 200, 30, 0]).unwrap();
        let tone = Tone { brightness: 130, contrast: 120, saturation: 40, gamma: 180 };
        for changed in [toned(clear.clone(), tone), tinted(clear.clone(), [9, 99, 199]), bitonal(clear)] {
            assert_eq!([changed.pixels()[3], changed.pixels()[7]], [7, 0]);
        }
    }

    #[test]
    fn gray_pictures_stay_gray() {
        let gray = Raster::new(3, 1, Layout::Gray, vec![0, 100, 255]).unwrap();
        let tone = Tone { brightness: 150, saturation: 300, ..Tone::default() };
        let brighter = toned(gray.clone(), tone);
        assert_eq!((brighter.layout(), brighter.pixels()[0], brighter.pixels()[2]), (Layout::Gray, 0, 255));
        assert!(brighter.pixels()[1].abs_diff(153) <= 1, "{:?}", brighter.pixels());
        assert_eq!(tinted(gray, [255, 0, 0]).layout(), Layout::Rgb);
    }
}
