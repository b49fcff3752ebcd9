//! An example of a filter component: `duotone`, `halftone` and `vignette`.
//!
//! The filters are functions over pixels, which the host's tests call; `component` alone knows of WIT. All arithmetic is
//! in whole numbers, so that the pixels are the same wherever it runs.

#[cfg(target_arch = "wasm32")]
mod component;
mod duotone;
mod halftone;
mod vignette;

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Pixels as in `wit/imaging.wit`: rows from the top, red, green, blue and alpha, each 8 bits.
pub struct Picture {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Four bytes for each pixel.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// The pixels, each with its column and row.
    fn pixels_mut(&mut self) -> impl Iterator<Item = (u32, u32, &mut [u8])> {
        let width = self.width.max(1);
        let places = (0..).flat_map(move |y| (0..width).map(move |x| (x, y)));
        places.zip(self.pixels.chunks_exact_mut(4)).map(|((x, y), pixel)| (x, y, pixel))
    }
}

/// A filter, its help and what it does.
pub struct Filter {
    /// What a URL calls it.
    pub name: &'static str,
    /// One line.
    pub help: &'static str,
    /// The name and the help of each argument.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Changes the picture, or says what is wrong with an argument.
    pub apply: fn(&[String], &mut Picture) -> Result<(), String>,
}

/// Every filter.
pub const FILTERS: [Filter; 3] = [duotone::FILTER, halftone::FILTER, vignette::FILTER];

/// How bright a pixel looks, 0 to 255: the luma of BT.709.
fn luma(pixel: &[u8]) -> u32 {
    let [red, green, blue] = [0, 1, 2].map(|channel| u32::from(pixel[channel]));
    (red * 54 + green * 183 + blue * 19) >> 8
}

/// The argument at `index` as a number in `range`, or `default` where there is none.
fn number<T>(args: &[String], index: usize, range: RangeInclusive<T>, default: T) -> Result<T, String>
where
    T: FromStr + PartialOrd + Display,
{
    let Some(text) = args.get(index) else { return Ok(default) };
    let found = text.parse().ok().filter(|number| range.contains(number));
    found.ok_or_else(|| format!("`{text}` is no whole number from {} to {}", range.start(), range.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> Picture {
        let pixels = (0..width * height * 4).map(|byte| (byte * 37 % 251) as u8).collect();
        Picture { width, height, pixels }
    }

    #[test]
    fn every_filter_keeps_the_size_and_the_transparency() {
        for filter in FILTERS {
            for (width, height) in [(1, 1), (1, 9), (9, 1), (33, 17)] {
                let before = picture(width, height);
                let mut after = picture(width, height);
                (filter.apply)(&[], &mut after).expect("the defaults");
                assert_eq!(before.pixels.len(), after.pixels.len());
                let alphas = |picture: &Picture| picture.pixels.iter().skip(3).step_by(4).copied().collect::<Vec<_>>();
                assert_eq!(alphas(&before), alphas(&after), "{}", filter.name);
            }
        }
    }

    #[test]
    fn no_filter_takes_more_arguments_than_it_describes() {
        for filter in FILTERS {
            let args = vec!["8".to_owned(); filter.parameters.len() + 1];
            let error = (filter.apply)(&args, &mut picture(2, 2)).expect_err("one too many");
            assert!(!error.is_empty());
        }
    }
}
