//! Corners that fade to black.

use crate::{Filter, Picture, number};

/// `vignette:PERCENT`
pub const FILTER: Filter = Filter {
    name: "vignette",
    help: "darkens towards the corners",
    parameters: &[("percent", "how much darker the corners are: 0 to 100, 50 unless given")],
    apply,
};

/// The unit of the fractions below.
const ONE: u64 = 1 << 16;

fn apply(args: &[String], picture: &mut Picture) -> Result<(), String> {
    if args.len() > 1 {
        return Err("vignette takes a percentage, no more".to_owned());
    }
    let percent: u64 = number(args, 0, 0..=100, 50)?;
    let (across, down) = (squares(picture.width), squares(picture.height));
    for (x, y, pixel) in picture.pixels_mut() {
        // 0 in the middle, ONE in the corners.
        let distance = (across[x as usize] + down[y as usize]) / 2;
        let kept = ONE - distance * percent / 100;
        for channel in &mut pixel[..3] {
            // At most what it was.
            *channel = ((u64::from(*channel) * kept + ONE / 2) / ONE) as u8;
        }
    }
    Ok(())
}

/// The squared distance of each place from the middle: 0 there, nearly ONE at the ends.
fn squares(length: u32) -> Vec<u64> {
    let length = u64::from(length);
    (0..length).map(|at| (2 * at + 1).abs_diff(length).pow(2) * ONE / (length * length).max(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reds(args: &[&str]) -> Vec<u8> {
        let mut picture = Picture { width: 101, height: 101, pixels: [200, 100, 50, 255].repeat(101 * 101) };
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        apply(&args, &mut picture).expect("a percentage");
        picture.pixels.into_iter().step_by(4).collect()
    }

    #[test]
    fn leaves_the_middle_and_darkens_the_corners() {
        let reds = reds(&[]);
        assert_eq!(reds[50 * 101 + 50], 200);
        assert!((100..104).contains(&reds[0]), "{}", reds[0]);
        assert_eq!([reds[0], reds[0], reds[0]], [reds[100], reds[100 * 101], reds[101 * 101 - 1]]);
    }

    #[test]
    fn nothing_percent_changes_nothing() {
        assert!(reds(&["0"]).into_iter().all(|red| red == 200));
    }

    #[test]
    fn refuses_more_than_all() {
        let mut picture = Picture { width: 1, height: 1, pixels: vec![0; 4] };
        assert!(apply(&["101".to_owned()], &mut picture).is_err());
    }
}
