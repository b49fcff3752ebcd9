//! How large the picture becomes: sharp's arithmetic, rounding included.

use crate::TransformError;
use crate::measures::{Padding, Ratio};
use crate::values::{Fit, Focus, Smart};

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
    /// The sides of a result, unless it is over a limit.
    pub(crate) fn check(self, width: u64, height: u64) -> Result<(u32, u32), TransformError> {
        let too_large = |option, limit, actual| {
            TransformError::limit(option, limit, actual, format!("the result would be {width}x{height} pixels"))
        };
        let side = |option, side: u64| match u32::try_from(side) {
            Ok(side) if side <= self.max_side => Ok(side),
            _ => Err(too_large(Some(option), self.max_side.into(), side)),
        };
        let sides = (side("width", width)?, side("height", height)?);
        let pixels = width * height;
        if pixels > self.max_pixels { Err(too_large(None, self.max_pixels, pixels)) } else { Ok(sides) }
    }
}

/// A part of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Window {
    /// The whole of a picture.
    pub(crate) fn whole((width, height): (u32, u32)) -> Self {
        Self { x: 0, y: 0, width, height }
    }

    /// Whether it has pixels, and lies inside of a picture.
    pub(crate) fn fits(&self, (width, height): (u32, u32)) -> bool {
        fits(self.x, self.width, width) && fits(self.y, self.height, height)
    }
}

/// Whether a length of at least 1 from `start` ends within `whole`.
pub(crate) fn fits(start: u32, length: u32, whole: u32) -> bool {
    length > 0 && start.checked_add(length).is_some_and(|end| end <= whole)
}

/// What a picture is laid on, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Canvas {
    /// Width of the canvas, and so of the result.
    pub width: u32,
    /// Height of the canvas, and so of the result.
    pub height: u32,
    /// Where the picture's left edge lies on it.
    pub x: u32,
    /// Where the picture's upper edge lies on it.
    pub y: u32,
}

/// Sizes and positions of one result, all in pixels.
///
/// No side is zero, the window lies inside the scaled picture, the windowed picture inside the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Geometry {
    /// Width and height that the picture (cropped, trimmed and turned) is scaled to.
    pub scaled: (u32, u32),
    /// The part of the scaled picture that is kept. Where `smart` is set only its size counts: it lies in the middle
    /// until its place is found.
    pub window: Window,
    /// By what to find the window's place; never set where the window is the whole.
    pub smart: Option<Smart>,
    /// What that part is laid on: the canvas of `fit=contain`, and `pad` around it. Its size is the size of the result.
    pub canvas: Canvas,
}

impl Geometry {
    /// Whether the canvas shows around the picture.
    pub fn is_padded(&self) -> bool {
        (self.window.width, self.window.height) != (self.canvas.width, self.canvas.height)
    }

    /// Whether part of the scaled picture is cut off.
    pub fn is_cut(&self) -> bool {
        (self.window.width, self.window.height) != self.scaled
    }

    /// Whether it keeps its promises and the hard limits.
    pub(crate) fn is_sound(&self) -> bool {
        let Self { scaled, window, smart, canvas } = self;
        window.fits(*scaled)
            && (smart.is_none() || self.is_cut())
            && fits(canvas.x, window.width, canvas.width)
            && fits(canvas.y, window.height, canvas.height)
            && Limits::default().check(canvas.width.into(), canvas.height.into()).is_ok()
    }
}

/// What a request says of sizes and positions, before the size of the picture is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Frame {
    /// Pixels, `dpr` multiplied in.
    pub(crate) width: Option<u32>,
    /// Pixels, `dpr` multiplied in.
    pub(crate) height: Option<u32>,
    /// Only where neither side is given.
    pub(crate) ratio: Option<Ratio>,
    /// `Inside` where it makes no difference.
    pub(crate) fit: Fit,
    /// The centre unless `fit` is `Cover` or `Contain`; smart with `Cover` only.
    pub(crate) focus: Focus,
    pub(crate) enlarge: bool,
    /// Pixels, `dpr` multiplied in.
    pub(crate) padding: Padding,
}

impl Frame {
    /// Lays out a picture of `width` by `height` pixels, both at least 1, after rotation.
    pub(crate) fn lay_out(&self, width: u32, height: u32, limits: Limits) -> Result<Geometry, TransformError> {
        let scaled = self.scaled_size(width, height)?;
        let (box_width, box_height) = self.box_around(scaled);
        let kept = match self.fit {
            Fit::Cover => (at_most(scaled.0, box_width), at_most(scaled.1, box_height)),
            _ => scaled,
        };
        let canvas = match self.fit {
            Fit::Contain => (u64::from(kept.0).max(box_width), u64::from(kept.1).max(box_height)),
            _ => (kept.0.into(), kept.1.into()),
        };
        let Padding { top, right, bottom, left } = self.padding;
        let whole_width = canvas.0 + u64::from(left) + u64::from(right);
        let whole_height = canvas.1 + u64::from(top) + u64::from(bottom);
        let (whole_width, whole_height) = limits.check(whole_width, whole_height)?;
        let gravity = self.focus.gravity();
        let room = |whole: u32, padding: u32, kept: u32| whole - padding - kept;
        Ok(Geometry {
            scaled,
            window: Window {
                x: gravity.crop_left(scaled.0 - kept.0),
                y: gravity.crop_top(scaled.1 - kept.1),
                width: kept.0,
                height: kept.1,
            },
            smart: self.focus.smart().filter(|_| kept != scaled),
            canvas: Canvas {
                width: whole_width,
                height: whole_height,
                x: left + gravity.pad_left(room(whole_width, left + right, kept.0)),
                y: top + gravity.pad_top(room(whole_height, top + bottom, kept.1)),
            },
        })
    }

    /// The box that the scaled picture fills or lies in; a side that nothing asks for is the picture's own.
    fn box_around(&self, (width, height): (u32, u32)) -> (u64, u64) {
        let Some(ratio) = self.ratio else {
            return (self.width.unwrap_or(width).into(), self.height.unwrap_or(height).into());
        };
        // Of the two boxes of that ratio that share a side with the picture, the smaller one cuts, the larger pads.
        if ratio.is_exceeded_by(width, height) == (self.fit == Fit::Cover) {
            (ratio.width_for(height), height.into())
        } else {
            (width.into(), ratio.height_for(width))
        }
    }

    /// The size that the whole picture is scaled to, at least 1 by 1.
    ///
    /// In floating point and in sharp's order (`ResolveShrink` in its `common.cc`, then `vips_resize`), because that
    /// order decides which way a half falls. IEEE arithmetic, so the same in wasm and natively.
    fn scaled_size(&self, width: u32, height: u32) -> Result<(u32, u32), TransformError> {
        let (whole_width, whole_height) = (f64::from(width), f64::from(height));
        let shrink_x = self.width.map(|target| whole_width / f64::from(target));
        let shrink_y = self.height.map(|target| whole_height / f64::from(target));
        let (shrink_x, shrink_y) = match (self.fit, shrink_x, shrink_y) {
            (Fit::Fill, x, y) => (x.unwrap_or(1.0), y.unwrap_or(1.0)),
            (_, None, None) => (1.0, 1.0),
            (_, Some(shrink), None) | (_, None, Some(shrink)) => (shrink, shrink),
            (Fit::Cover | Fit::Outside, Some(x), Some(y)) => (x.min(y), x.min(y)),
            (Fit::Contain | Fit::Inside, Some(x), Some(y)) => (x.max(y), x.max(y)),
        };
        let least = if self.enlarge { 0.0 } else { 1.0 };
        Ok((scaled_side(width, shrink_x.max(least))?, scaled_side(height, shrink_y.max(least))?))
    }

    /// The options that say so, canonically spelled, in their order.
    pub(crate) fn options(&self) -> Vec<String> {
        let options = [
            self.width.map(|width| format!("w={width}")),
            self.height.map(|height| format!("h={height}")),
            self.ratio.map(|ratio| format!("ar={ratio}")),
            // With a ratio alone it is `cover` that goes without saying.
            (self.fit != Fit::default() && (self.ratio.is_none() || self.fit != Fit::Cover))
                .then(|| format!("fit={}", self.fit.name())),
            (self.focus != Focus::default()).then(|| format!("g={}", self.focus)),
            self.enlarge.then(|| "enlarge=1".to_owned()),
            (!self.padding.is_none()).then(|| format!("pad={}", self.padding)),
        ];
        options.into_iter().flatten().collect()
    }
}

/// The smaller one of a side and a limit.
fn at_most(side: u32, limit: u64) -> u32 {
    u32::try_from(limit).map_or(side, |limit| side.min(limit))
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
    use crate::{Transform, TransformErrorKind};

    const NO_LIMITS: Limits = Limits { max_side: u32::MAX, max_pixels: u64::MAX };

    fn frame(options: &str) -> Frame {
        options.parse::<Transform>().unwrap_or_else(|error| panic!("{options}: {error}")).frame
    }

    fn geometry(options: &str, width: u32, height: u32) -> Result<Geometry, TransformError> {
        frame(options).lay_out(width, height, NO_LIMITS)
    }

    /// Sizes, crops and paddings of every fit and compass point, one side or both, enlarged or not: no exception.
    #[test]
    fn geometry_is_that_of_sharp() {
        let mut n_lines = 0;
        for line in include_str!("../tests/sharp_geometry.tsv").lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            let [width, height, target_width, target_height, fit, enlarge, gravity, expected @ ..] = &fields[..] else {
                panic!("test file is broken: {line:?}")
            };
            let mut options = format!("fit={fit},enlarge={enlarge}");
            for (name, side) in [("w", target_width), ("h", target_height)] {
                if *side != "0" {
                    options += &format!(",{name}={side}");
                }
            }
            // Where nothing is cut off or padded, sharp ignores the position and we refuse it.
            let has_room = match frame(&options).fit {
                Fit::Cover | Fit::Contain => true,
                Fit::Fill | Fit::Inside | Fit::Outside => false,
            };
            if has_room {
                options += &format!(",g={gravity}");
            }
            let number = |text: &&str| text.parse::<u32>().expect("test file is broken");
            // A dash where every place looks the same, because the picture has one column or one row.
            let is = |found: u32, expected: &str| expected == "-" || found == number(&expected);
            let Geometry { window, canvas, .. } =
                geometry(&options, number(width), number(height)).expect("no limit is near");
            let (left, top) = if *fit == "cover" { (window.x, window.y) } else { (canvas.x, canvas.y) };
            let found = [canvas.width, canvas.height, left, top];
            assert!(
                found.into_iter().zip(expected).all(|(found, expected)| is(found, expected)),
                "{line:?}: {found:?}"
            );
            n_lines += 1;
        }
        assert!(n_lines > 4_000, "test file is broken: {n_lines} lines");
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
    fn one_side_alone_keeps_the_proportions_unless_it_is_to_be_filled() {
        for fit in ["cover", "contain", "inside", "outside"] {
            let canvas = geometry(&format!("w=320,fit={fit}"), 640, 480).unwrap().canvas;
            assert_eq!((canvas.width, canvas.height), (320, 240), "{fit}");
        }
        let canvas = geometry("w=320,fit=fill", 640, 480).unwrap().canvas;
        assert_eq!((canvas.width, canvas.height), (320, 480));
        let canvas = geometry("w=800,fit=contain", 640, 480).unwrap().canvas;
        assert_eq!((canvas.width, canvas.height, canvas.x), (800, 480, 80));
    }

    #[test]
    fn a_ratio_alone_crops_or_pads_at_the_largest_size() {
        let check = |options: &str, (width, height): (u32, u32), cut: [u32; 4], laid: [u32; 4]| {
            let Geometry { scaled, window, canvas, .. } = geometry(options, width, height).unwrap();
            assert_eq!(scaled, (width, height), "{options}");
            assert_eq!([window.x, window.y, window.width, window.height], cut, "{options} of {width}x{height}");
            assert_eq!([canvas.x, canvas.y, canvas.width, canvas.height], laid, "{options} of {width}x{height}");
        };
        check("ar=1:1", (640, 480), [80, 0, 480, 480], [0, 0, 480, 480]);
        check("ar=1:1,g=e", (640, 480), [160, 0, 480, 480], [0, 0, 480, 480]);
        check("ar=16:9", (640, 480), [0, 60, 640, 360], [0, 0, 640, 360]);
        check("ar=16:9,g=0:1", (640, 480), [0, 120, 640, 360], [0, 0, 640, 360]);
        check("ar=4:3", (640, 480), [0, 0, 640, 480], [0, 0, 640, 480]);
        check("ar=1:1,fit=contain", (640, 480), [0, 0, 640, 480], [0, 80, 640, 640]);
        check("ar=2:1,fit=contain,g=w", (640, 480), [0, 0, 640, 480], [0, 0, 960, 480]);
        check("ar=10000:1", (640, 480), [0, 240, 640, 1], [0, 0, 640, 1]);
        check("ar=1:3", (1, 1), [0, 0, 1, 1], [0, 0, 1, 1]);
        check("ar=1:3,fit=contain", (1, 1), [0, 0, 1, 1], [0, 1, 1, 3]);
        check("ar=3:2", (5, 1000), [0, 499, 5, 3], [0, 0, 5, 3]);
    }

    #[test]
    fn padding_goes_around_the_canvas() {
        let check = |options: &str, (width, height): (u32, u32), expected: [u32; 4]| {
            let canvas = geometry(options, width, height).unwrap().canvas;
            assert_eq!([canvas.x, canvas.y, canvas.width, canvas.height], expected, "{options}");
        };
        check("w=100,pad=10", (200, 100), [10, 10, 120, 70]);
        check("w=100,pad=1:2:3:4", (200, 100), [4, 1, 106, 54]);
        check("pad=0:0:0:5", (200, 100), [5, 0, 205, 100]);
        check("w=100,h=100,fit=contain,pad=10", (200, 100), [10, 35, 120, 120]);
        check("w=100,h=100,fit=contain,g=s,pad=10:0:0:20", (200, 100), [20, 60, 120, 110]);
        check("w=100,h=100,fit=cover,pad=3", (200, 100), [3, 3, 106, 106]);
        check("w=100,h=100,fit=contain,pad=4,dpr=2", (400, 200), [8, 58, 216, 216]);
    }

    #[test]
    fn a_place_is_only_looked_for_where_something_is_cut_off() {
        let check = |options: &str, expected: Option<Smart>, (x, y): (u32, u32)| {
            let Geometry { smart, window, .. } = geometry(options, 300, 100).unwrap();
            assert_eq!((smart, window.x, window.y), (expected, x, y), "{options}");
        };
        check("w=100,h=100,fit=cover,g=auto", Some(Smart::Attention), (100, 0));
        check("w=150,h=60,fit=cover,g=faces", Some(Smart::Faces), (15, 0));
        check("w=150,h=50,fit=cover,g=faces", None, (0, 0));
        check("w=900,h=900,fit=cover,g=entropy", None, (0, 0));
        check("ar=1:2,g=entropy", Some(Smart::Entropy), (125, 0));
    }

    #[test]
    fn refuses_results_over_a_limit() {
        let check = |options: &str, (width, height): (u32, u32), expected: Option<(u64, u64)>| {
            let result = frame(options).lay_out(width, height, Limits::default());
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
        check("w=8000,pad=96", (8000, 10), None);
        check("w=8000,pad=97", (8000, 10), Some((8192, 8194)));
        check("w=7000,h=7000,fit=cover,pad=0:72:71:0", (7000, 7000), Some((50_000_000, 50_006_112)));
        check("ar=1:10000,fit=contain", (1000, 10), Some((8192, 10_000_000)));
        check("ar=10000:0.01,fit=contain", (1, u32::MAX), Some((8192, 4_294_967_295_000_000)));
        check("w=8192,h=2,fit=cover,enlarge=1", (1, u32::MAX), Some((8192, 35184372080640)));
    }
}
