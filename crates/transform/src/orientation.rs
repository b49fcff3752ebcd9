//! The eight ways to turn and mirror a picture.

/// Quarter turns clockwise, then perhaps mirrored left to right. Every EXIF orientation, and every combination of
/// `rotate` and `flip`, is one of these eight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Orientation {
    quarter_turns: u8,
    mirrored: bool,
}

impl Orientation {
    /// As it is.
    pub const UPRIGHT: Self = Self::new(0, false);

    /// Turned clockwise by `quarter_turns` quarters (counted modulo 4), then mirrored left to right if `mirrored`.
    pub const fn new(quarter_turns: u8, mirrored: bool) -> Self {
        Self { quarter_turns: quarter_turns % 4, mirrored }
    }

    /// What makes a picture with this EXIF orientation upright; a value outside 1–8 means upright already.
    pub const fn from_exif(value: u16) -> Self {
        match value {
            2 => Self::new(0, true),
            3 => Self::new(2, false),
            4 => Self::new(2, true),
            5 => Self::new(1, true),
            6 => Self::new(1, false),
            7 => Self::new(3, true),
            8 => Self::new(3, false),
            _ => Self::UPRIGHT,
        }
    }

    /// Quarter turns clockwise, 0–3, before mirroring.
    pub const fn quarter_turns(self) -> u8 {
        self.quarter_turns
    }

    /// Whether the turned picture is mirrored left to right.
    pub const fn is_mirrored(self) -> bool {
        self.mirrored
    }

    /// Whether width and height change places.
    pub const fn swaps_sides(self) -> bool {
        self.quarter_turns % 2 == 1
    }

    /// This one first, then `next`, as one.
    pub const fn then(self, next: Self) -> Self {
        // A mirror undoes the sense of the turns that follow it.
        let turns = if self.mirrored { 4 - next.quarter_turns } else { next.quarter_turns };
        Self::new(self.quarter_turns + turns, self.mirrored != next.mirrored)
    }

    /// The one that undoes this one.
    pub const fn inverse(self) -> Self {
        // A mirrored turn is its own inverse.
        if self.mirrored { self } else { Self::new(4 - self.quarter_turns, false) }
    }

    /// Width and height after it.
    pub const fn sides(self, width: u32, height: u32) -> (u32, u32) {
        if self.swaps_sides() { (height, width) } else { (width, height) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the pixel (x, y) of a 2x3 picture goes.
    fn moved(orientation: Orientation, (mut x, mut y): (i32, i32)) -> (i32, i32) {
        let (mut width, mut height) = (2, 3);
        for _ in 0..orientation.quarter_turns() {
            (x, y) = (height - 1 - y, x);
            (width, height) = (height, width);
        }
        if orientation.is_mirrored() {
            x = width - 1 - x;
        }
        (x, y)
    }

    #[test]
    fn exif_values_move_the_first_pixel_where_the_standard_says() {
        // For each value: where the pixel stored at row 0, column 0 and the one at row 0, column 1 are to be seen.
        let table = [(1, (0, 0), (1, 0)), (2, (1, 0), (0, 0)), (3, (1, 2), (0, 2)), (4, (0, 2), (1, 2))];
        let turned = [(5, (0, 0), (0, 1)), (6, (2, 0), (2, 1)), (7, (2, 1), (2, 0)), (8, (0, 1), (0, 0))];
        for (value, first, second) in table.into_iter().chain(turned) {
            let orientation = Orientation::from_exif(value);
            assert_eq!(moved(orientation, (0, 0)), first, "{value}");
            assert_eq!(moved(orientation, (1, 0)), second, "{value}");
        }
        assert_eq!(Orientation::from_exif(0), Orientation::UPRIGHT);
        assert_eq!(Orientation::from_exif(9), Orientation::UPRIGHT);
    }

    #[test]
    fn composition_agrees_with_doing_one_after_the_other() {
        let all = (0..8).map(|n| Orientation::new(n % 4, n > 3));
        for first in all.clone() {
            assert_eq!(first.then(first.inverse()), Orientation::UPRIGHT);
            for second in all.clone() {
                let combined = first.then(second);
                let (width, _) = first.sides(2, 3);
                for point in [(0, 0), (1, 0), (0, 2), (1, 2)] {
                    let (mut x, mut y) = moved(first, point);
                    let (mut width, mut height) = (width as i32, 5 - width as i32);
                    for _ in 0..second.quarter_turns() {
                        (x, y) = (height - 1 - y, x);
                        (width, height) = (height, width);
                    }
                    if second.is_mirrored() {
                        x = width - 1 - x;
                    }
                    assert_eq!(moved(combined, point), (x, y), "{first:?} then {second:?}");
                }
            }
        }
    }
}
