//! How large the picture becomes: sharp's arithmetic, rounding included.

use crate::spec::Transform;
use crate::values::Fit;
use crate::{Canvas, TransformError, Window};

/// The longest side of a result, in pixels.
pub const MAX_SIDE: u32 = 8192;
/// The largest result, in pixels.
pub const MAX_PIXELS: u64 = 50_000_000;

/// How large a result may be. The defaults are the hard limits; a deployment may lower them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest side, in pixels.
    pub max_side: u32,
    /// Area, in pixels.
    pub max_pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_side: MAX_SIDE, max_pixels: MAX_PIXELS }
    }
}

impl Limits {
    /// Refuses a result of `width` by `height` pixels that is over a limit.
    pub(crate) fn check(self, width: u32, height: u32) -> Result<(), TransformError> {
        for (option, side) in [("width", width), ("height", height)] {
            if side > self.max_side {
                let detail = format!("the result would be {width}x{height} pixels");
                return Err(TransformError::limit(Some(option), self.max_side.into(), side.into(), detail));
            }
        }
        let pixels = u64::from(width) * u64::from(height);
        if pixels > self.max_pixels {
            let detail = format!("the result would be {width}x{height} pixels");
            return Err(TransformError::limit(None, self.max_pixels, pixels, detail));
        }
        Ok(())
    }
}

/// Sizes and positions of one result, all in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// What the whole (turned) picture is scaled to.
    pub(crate) scaled: (u32, u32),
    /// The part of the scaled picture that is kept.
    pub(crate) window: Window,
    /// What that part is laid on.
    pub(crate) canvas: Canvas,
}

impl Geometry {
    /// Lays out a picture of `width` by `height` pixels, both at least 1, after rotation.
    pub(crate) fn of(transform: &Transform, width: u32, height: u32, limits: Limits) -> Result<Self, TransformError> {
        let scaled = scaled_size(transform, width, height)?;
        let both_sides = transform.width.zip(transform.height);
        let (kept, canvas) = match (transform.fit, both_sides) {
            (Fit::Cover, Some((width, height))) => {
                let kept = (scaled.0.min(width), scaled.1.min(height));
                (kept, kept)
            }
            (Fit::Contain, Some((width, height))) => (scaled, (scaled.0.max(width), scaled.1.max(height))),
            _ => (scaled, scaled),
        };
        limits.check(canvas.0, canvas.1)?;
        Ok(Self {
            scaled,
            window: Window {
                x: transform.gravity.crop_left(scaled.0 - kept.0),
                y: transform.gravity.crop_top(scaled.1 - kept.1),
                width: kept.0,
                height: kept.1,
            },
            canvas: Canvas {
                width: canvas.0,
                height: canvas.1,
                x: transform.gravity.pad_left(canvas.0 - kept.0),
                y: transform.gravity.pad_top(canvas.1 - kept.1),
            },
        })
    }
}

/// The size that the whole picture is scaled to, at least 1 by 1.
///
/// In floating point and in sharp's order (`ResolveShrink` in its `common.cc`, then `vips_resize`), because that
/// order decides which way a half falls. IEEE arithmetic, so the same in wasm and natively.
fn scaled_size(transform: &Transform, width: u32, height: u32) -> Result<(u32, u32), TransformError> {
    let (whole_width, whole_height) = (f64::from(width), f64::from(height));
    let shrink_x = transform.width.map(|target| whole_width / f64::from(target));
    let shrink_y = transform.height.map(|target| whole_height / f64::from(target));
    let (shrink_x, shrink_y) = match (shrink_x, shrink_y) {
        (None, None) => (1.0, 1.0),
        (Some(shrink), None) | (None, Some(shrink)) => (shrink, shrink),
        (Some(x), Some(y)) => match transform.fit {
            Fit::Cover | Fit::Outside => (x.min(y), x.min(y)),
            Fit::Contain | Fit::Inside => (x.max(y), x.max(y)),
            Fit::Fill => (x, y),
        },
    };
    let least = if transform.enlarge { 0.0 } else { 1.0 };
    Ok((scaled_side(width, shrink_x.max(least))?, scaled_side(height, shrink_y.max(least))?))
}

/// One side divided by `shrink`, rounded half up, at least 1.
fn scaled_side(side: u32, shrink: f64) -> Result<u32, TransformError> {
    let side = f64::from(side);
    let scaled = (side * (1.0 / shrink.min(side)) + 0.5).floor().max(1.0);
    if scaled > f64::from(u32::MAX) {
        let detail = "the picture is too narrow to be enlarged that much";
        return Err(TransformError::limit(Some("enlarge"), MAX_SIDE.into(), scaled as u64, detail));
    }
    Ok(scaled as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TransformErrorKind;

    fn geometry(options: &str, width: u32, height: u32) -> Result<Geometry, TransformError> {
        let limits = Limits { max_side: u32::MAX, max_pixels: u64::MAX };
        Geometry::of(&options.parse().expect("the test's own options are good"), width, height, limits)
    }

    fn lines(table: &str) -> impl Iterator<Item = Vec<&str>> {
        table.lines().filter(|line| !line.starts_with('#')).map(|line| line.split(' ').collect())
    }

    #[test]
    fn sizes_are_those_of_sharp() {
        for line in lines(include_str!("../tests/sharp_sizes.txt")) {
            let [width, height, target_width, target_height, fit, enlarge, expected @ ..] = &line[..] else {
                panic!("test file is broken: {line:?}")
            };
            let mut options = format!("fit={fit},enlarge={enlarge}");
            for (name, side) in [("w", target_width), ("h", target_height)] {
                if *side != "0" {
                    options += &format!(",{name}={side}");
                }
            }
            let number = |text: &str| text.parse::<u32>().expect("test file is broken");
            let canvas = geometry(&options, number(width), number(height)).expect("no limit is near").canvas;
            assert_eq!([canvas.width, canvas.height], [number(expected[0]), number(expected[1])], "{line:?}");
        }
    }

    #[test]
    fn positions_are_those_of_sharp() {
        for line in lines(include_str!("../tests/sharp_positions.txt")) {
            let [fit, sides @ .., gravity, left, top] = &line[..] else { panic!("test file is broken: {line:?}") };
            let [width, height, target_width, target_height] = [0, 1, 2, 3].map(|i| sides[i].parse::<u32>().unwrap());
            let options = format!("w={target_width},h={target_height},fit={fit},g={gravity}");
            let Geometry { window, canvas, .. } = geometry(&options, width, height).expect("no limit is near");
            let found = if *fit == "cover" { (window.x, window.y) } else { (canvas.x, canvas.y) };
            assert_eq!(found, (left.parse().unwrap(), top.parse().unwrap()), "{line:?}");
        }
    }

    #[test]
    fn fractions_lie_between_the_compass_points() {
        let check = |gravity: &str, expected: u32| {
            let window = geometry(&format!("w=100,h=100,fit=cover,g={gravity}"), 300, 100).unwrap().window;
            assert_eq!((window.x, window.y), (expected, 0), "{gravity}");
        };
        check("0:0", 0);
        check("0.25:1", 50);
        check("0.3333:0", 67);
        check("0.9999:0", 200);
        check("1:0", 200);
    }

    #[test]
    fn one_side_alone_keeps_the_proportions_whatever_the_fit() {
        for fit in ["cover", "contain", "fill", "inside", "outside"] {
            let canvas = geometry(&format!("w=320,fit={fit}"), 640, 480).unwrap().canvas;
            assert_eq!((canvas.width, canvas.height), (320, 240), "{fit}");
        }
    }

    #[test]
    fn refuses_results_over_a_limit() {
        let check = |options: &str, (width, height): (u32, u32), expected: Option<(u64, u64)>| {
            let result = Geometry::of(&options.parse().unwrap(), width, height, Limits::default());
            let kind = result.err().map(|error| error.kind);
            let expected = expected.map(|(limit, actual)| TransformErrorKind::Limit { limit, actual });
            assert_eq!(kind, expected, "{options} of {width}x{height}");
        };
        check("f=png", (8192, 6000), None);
        check("f=png", (8193, 10), Some((8192, 8193)));
        check("f=png", (8000, 8000), Some((50_000_000, 64_000_000)));
        check("w=100", (100_000, 100_000), None);
        check("w=100,h=8000,fit=outside,enlarge=1", (640, 480), Some((8192, 10667)));
        check("w=8192,h=8192,fit=contain", (1, 1), Some((50_000_000, 67_108_864)));
        check("w=100,h=100,fit=cover", (1, u32::MAX), None);
        check("w=8192,h=2,fit=cover,enlarge=1", (1, u32::MAX), Some((8192, 35184372080640)));
    }
}
