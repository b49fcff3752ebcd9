//! Two colours in place of all others.

use crate::{Filter, Picture, luma};

/// `duotone:DARK:LIGHT`
pub const FILTER: Filter = Filter {
    name: "duotone",
    help: "two colours, by brightness",
    parameters: &[
        ("dark", "the colour of what is black: rrggbb, 1b1464 unless given"),
        ("light", "the colour of what is white: rrggbb, ffe3b3 unless given"),
    ],
    apply,
};

const DARK: [u8; 3] = [0x1b, 0x14, 0x64];
const LIGHT: [u8; 3] = [0xff, 0xe3, 0xb3];

fn apply(args: &[String], picture: &mut Picture) -> Result<(), String> {
    let (dark, light) = match args {
        [] => (DARK, LIGHT),
        [dark] => (color(dark)?, LIGHT),
        [dark, light] => (color(dark)?, color(light)?),
        _ => return Err("duotone takes two colours, no more".to_owned()),
    };
    let table = table(dark, light);
    for (_, _, pixel) in picture.pixels_mut() {
        let toned = table[luma(pixel) as usize];
        pixel[..3].copy_from_slice(&toned);
    }
    Ok(())
}

/// The colour of each brightness.
fn table(dark: [u8; 3], light: [u8; 3]) -> [[u8; 3]; 256] {
    std::array::from_fn(|luma| {
        let luma = luma as u32;
        std::array::from_fn(|channel| {
            let mixed = u32::from(dark[channel]) * (255 - luma) + u32::from(light[channel]) * luma;
            // At most 255, as both are.
            ((mixed + 127) / 255) as u8
        })
    })
}

fn color(text: &str) -> Result<[u8; 3], String> {
    let bytes = text.as_bytes();
    if bytes.len() != 6 || !bytes.iter().all(u8::is_ascii_hexdigit) {
        return Err(format!("`{text}` is no colour: write rrggbb"));
    }
    let number = u32::from_str_radix(text, 16).map_err(|error| error.to_string())?;
    let [_, red, green, blue] = number.to_be_bytes();
    Ok([red, green, blue])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toned(args: &[&str], pixels: &[[u8; 4]]) -> Result<Vec<u8>, String> {
        let width = u32::try_from(pixels.len()).expect("few");
        let mut picture = Picture { width, height: 1, pixels: pixels.concat() };
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        apply(&args, &mut picture)?;
        Ok(picture.pixels)
    }

    #[test]
    fn black_and_white_become_the_two_colours() {
        let pixels = toned(&["102030", "ffeedd"], &[[0, 0, 0, 9], [255, 255, 255, 255]]).expect("colours");
        assert_eq!(pixels, [0x10, 0x20, 0x30, 9, 0xff, 0xee, 0xdd, 255]);
    }

    #[test]
    fn green_is_brighter_than_blue() {
        let pixels = toned(&["000000", "ffffff"], &[[0, 255, 0, 255], [0, 0, 255, 255]]).expect("colours");
        assert!(pixels[0] > 2 * pixels[4], "{pixels:?}");
    }

    #[test]
    fn refuses_what_is_no_colour() {
        for bad in ["red", "12345", "1234567", "+12345", "gg0000", "é1234"] {
            let error = toned(&[bad], &[[0; 4]]).expect_err("no colour");
            assert!(error.contains(bad), "{error}");
        }
    }
}
