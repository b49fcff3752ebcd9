//! Brightness and colour to red, green and blue, by libjpeg's integers (`jdcolor.c`): sixteen bits of fraction.

const HALF: i32 = 1 << 15;

/// Red, green and blue of a pixel.
#[inline(always)]
fn rgb([y, blue, red]: [u8; 3]) -> [u8; 3] {
    let (y, blue, red) = (i32::from(y), i32::from(blue) - 128, i32::from(red) - 128);
    [
        y + ((91_881 * red + HALF) >> 16),
        y + ((-22_554 * blue - 46_802 * red + HALF) >> 16),
        y + ((116_130 * blue + HALF) >> 16),
    ]
    .map(|channel| channel.clamp(0, 255) as u8)
}

/// Appends a row of `YCbCr` as RGB.
pub(crate) fn rgb_of_ycc(rows: [&[u8]; 3], out: &mut Vec<u8>) {
    for_each_pixel(rows, out, rgb);
}

/// Appends a row of three planes.
pub(crate) fn interleave(rows: [&[u8]; 3], out: &mut Vec<u8>) {
    for_each_pixel(rows, out, |pixel| pixel);
}

/// Pixels that undergo the same arithmetic side by side.
const N_LANES: usize = 16;

#[inline(always)]
fn for_each_pixel([first, second, third]: [&[u8]; 3], out: &mut Vec<u8>, pixel: impl Fn([u8; 3]) -> [u8; 3]) {
    let (firsts, first_rest) = first.as_chunks::<N_LANES>();
    let (seconds, second_rest) = second.as_chunks::<N_LANES>();
    let (thirds, third_rest) = third.as_chunks::<N_LANES>();
    for ((first, second), third) in firsts.iter().zip(seconds).zip(thirds) {
        let mut channels = [[0; N_LANES]; 3];
        for i in 0..N_LANES {
            let [red, green, blue] = pixel([first[i], second[i], third[i]]);
            (channels[0][i], channels[1][i], channels[2][i]) = (red, green, blue);
        }
        let mut pixels = [[0; 3]; N_LANES];
        for (i, pixel) in pixels.iter_mut().enumerate() {
            *pixel = [channels[0][i], channels[1][i], channels[2][i]];
        }
        out.extend_from_slice(pixels.as_flattened());
    }
    let rest = first_rest.iter().zip(second_rest).zip(third_rest);
    rest.for_each(|((first, second), third)| out.extend(pixel([*first, *second, *third])));
}

/// Appends a row of inks. `is_ycc` says that the first three are what is left of the paper, as `YCbCr`, and
/// `is_inverted` that all four are the opposite of what they should be.
pub(crate) fn cmyk(
    [first, second, third]: [&[u8]; 3],
    black: &[u8],
    is_ycc: bool,
    is_inverted: bool,
    out: &mut Vec<u8>,
) {
    let flip = if is_inverted { 255 } else { 0 };
    for (((first, second), third), black) in first.iter().zip(second).zip(third).zip(black) {
        let pixel = [*first, *second, *third];
        let [cyan, magenta, yellow] = if is_ycc { rgb(pixel).map(|channel| 255 - channel) } else { pixel };
        out.extend([cyan ^ flip, magenta ^ flip, yellow ^ flip, *black ^ flip]);
    }
}
