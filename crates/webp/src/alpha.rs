//! Alpha of lossy pictures: the `ALPH` chunk, and colours that nobody sees.

use crate::lossless;
use crate::yuv::Planes;

/// The chunk's first byte for alpha values as they are, and for a lossless image stream.
const RAW: u8 = 0;
const LOSSLESS: u8 = 1;

/// The payload of an `ALPH` chunk for RGBA pixels, or nothing if all are opaque.
pub fn encode(pixels: &[u8], width: u32) -> Option<Vec<u8>> {
    if pixels.chunks_exact(4).all(|pixel| pixel[3] == 255) {
        return None;
    }
    let alpha: Vec<u8> = pixels.chunks_exact(4).map(|pixel| pixel[3]).collect();
    let stream = lossless::encode_alpha(&alpha, width);
    let (method, bytes) = if stream.len() < alpha.len() { (LOSSLESS, stream) } else { (RAW, alpha) };
    Some([&[method], bytes.as_slice()].concat())
}

/// The side of a luma block that is made one colour if nobody sees it; chroma has half of it.
const SIDE: usize = 8;

/// Makes the colours of fully transparent pixels cheap: a block without visible pixels gets the colour of the block
/// before, and in other blocks the hidden pixels get the mean of the visible ones.
pub fn flatten_hidden(planes: &mut Planes, pixels: &[u8], width: usize, height: usize) {
    let mut color = [128; 3];
    for top in (0..planes.rows * 16).step_by(SIDE) {
        for left in (0..planes.columns * 16).step_by(SIDE) {
            let is_hidden = |x: usize, y: usize| {
                let at = (top + y).min(height - 1) * width + (left + x).min(width - 1);
                pixels[at * 4 + 3] == 0
            };
            let stride = planes.y_stride();
            flatten(&mut planes.y[top * stride + left..], stride, SIDE, is_hidden, &mut color[0]);
            let stride = planes.chroma_stride();
            let at = top / 2 * stride + left / 2;
            let all_hidden = |x: usize, y: usize| (0..4).all(|i| is_hidden(x * 2 + i % 2, y * 2 + i / 2));
            for (plane, color) in planes.chroma.iter_mut().zip(&mut color[1..]) {
                flatten(&mut plane[at..], stride, SIDE / 2, all_hidden, color);
            }
        }
    }
}

fn flatten(plane: &mut [u8], stride: usize, side: usize, is_hidden: impl Fn(usize, usize) -> bool, color: &mut u8) {
    let (mut sum, mut visible) = (0, 0);
    for (y, row) in plane.chunks(stride).take(side).enumerate() {
        for (_, &pixel) in row[..side].iter().enumerate().filter(|&(x, _)| !is_hidden(x, y)) {
            sum += u32::from(pixel);
            visible += 1;
        }
    }
    if visible as usize == side * side {
        *color = plane[side - 1];
        return;
    }
    if let Some(mean) = (sum + visible / 2).checked_div(visible) {
        *color = mean as u8;
    }
    for (y, row) in plane.chunks_mut(stride).take(side).enumerate() {
        for (x, pixel) in row[..side].iter_mut().enumerate() {
            if is_hidden(x, y) {
                *pixel = *color;
            }
        }
    }
}
