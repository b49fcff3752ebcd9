//! Dots, as in printed newspapers.

use crate::{Filter, Picture, luma, number};

/// `halftone:CELL`
pub const FILTER: Filter = Filter {
    name: "halftone",
    help: "black dots on white, larger where it is darker",
    parameters: &[("cell", "the distance of the dots: 2 to 64 pixels, 8 unless given")],
    apply,
};

fn apply(args: &[String], picture: &mut Picture) -> Result<(), String> {
    if args.len() > 1 {
        return Err("halftone takes the distance of the dots, no more".to_owned());
    }
    let cell = number(args, 0, 2..=64, 8)?;
    let means = means(picture, cell);
    let across = picture.width.div_ceil(cell);
    for (x, y, pixel) in picture.pixels_mut() {
        let darkness = 255 - means[(y / cell * across + x / cell) as usize];
        // From the middle of the cell, in half pixels, so that it is whole.
        let from_middle = |at: u32| (2 * (at % cell) + 1).abs_diff(cell);
        let distance = from_middle(x).pow(2) + from_middle(y).pow(2);
        // The dot of what is black reaches the corners: half a diagonal of the cell.
        let ink = distance * 255 < darkness * 2 * cell * cell;
        pixel[..3].fill(if ink { 0 } else { 255 });
    }
    Ok(())
}

/// The mean brightness of each cell, row by row.
fn means(picture: &mut Picture, cell: u32) -> Vec<u32> {
    let (across, down) = (picture.width.div_ceil(cell), picture.height.div_ceil(cell));
    let mut sums = vec![(0u32, 0u32); (across * down) as usize];
    for (x, y, pixel) in picture.pixels_mut() {
        let (sum, count) = &mut sums[(y / cell * across + x / cell) as usize];
        *sum += luma(pixel);
        *count += 1;
    }
    sums.into_iter().map(|(sum, count)| sum / count.max(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of 32 x 32 pixels of a gray are inked.
    fn inked(gray: u8) -> usize {
        let mut picture = Picture { width: 32, height: 32, pixels: [gray, gray, gray, 255].repeat(32 * 32) };
        apply(&[], &mut picture).expect("the default");
        assert!(picture.pixels.chunks(4).all(|pixel| matches!(pixel[0], 0 | 255)));
        picture.pixels.chunks(4).filter(|pixel| pixel[0] == 0).count()
    }

    #[test]
    fn darker_is_more_ink() {
        assert_eq!(inked(0), 32 * 32);
        assert_eq!(inked(255), 0);
        let inks = [0, 60, 120, 180, 240].map(inked);
        assert!(inks.is_sorted_by(|darker, lighter| darker > lighter), "{inks:?}");
    }

    #[test]
    fn refuses_cells_that_are_too_small_or_large() {
        for bad in ["1", "65", "-8", "x", ""] {
            let mut picture = Picture { width: 1, height: 1, pixels: vec![0; 4] };
            assert!(apply(&[bad.to_owned()], &mut picture).is_err(), "{bad}");
        }
    }
}
