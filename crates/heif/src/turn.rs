//! Rotations and mirrors, one after another, as one orientation.

/// First the axes change places or not, then either is reversed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Turn {
    swaps_axes: bool,
    reverses_x: bool,
    reverses_y: bool,
}

impl Turn {
    /// This, and then a quarter turn against the clock.
    fn then_left(self) -> Self {
        Self { swaps_axes: !self.swaps_axes, reverses_x: self.reverses_y, reverses_y: !self.reverses_x }
    }

    /// This, and then `n` quarter turns against the clock.
    pub(crate) fn then_lefts(self, n: u8) -> Self {
        (0..n % 4).fold(self, |turn, _| turn.then_left())
    }

    /// This, and then top and bottom change places.
    pub(crate) fn then_upside_down(self) -> Self {
        Self { reverses_y: !self.reverses_y, ..self }
    }

    /// This, and then left and right change places.
    pub(crate) fn then_mirrored(self) -> Self {
        Self { reverses_x: !self.reverses_x, ..self }
    }

    /// The EXIF orientation, 1 to 8, with which a stored picture is to be shown so.
    pub(crate) fn orientation(self) -> u8 {
        match (self.swaps_axes, self.reverses_x, self.reverses_y) {
            (false, false, false) => 1,
            (false, true, false) => 2,
            (false, true, true) => 3,
            (false, false, true) => 4,
            (true, false, false) => 5,
            (true, true, false) => 6,
            (true, true, true) => 7,
            (true, false, true) => 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up() {
        let none = Turn::default();
        for (turn, expected) in [
            (none, 1),
            (none.then_lefts(1), 8),
            (none.then_lefts(2), 3),
            (none.then_lefts(3), 6),
            (none.then_mirrored(), 2),
            (none.then_upside_down(), 4),
            (none.then_lefts(1).then_upside_down(), 5),
            (none.then_lefts(3).then_upside_down(), 7),
            (none.then_lefts(1).then_mirrored(), 7),
            (none.then_mirrored().then_lefts(1), 5),
            (none.then_lefts(1).then_lefts(3), 1),
            (none.then_mirrored().then_upside_down(), 3),
        ] {
            assert_eq!(turn.orientation(), expected, "{turn:?}");
        }
    }
}
