//! From sizes that a product promises to native options that give them.

use crate::error::{DialectError, unsupported};
use crate::native::{Fit, Gravity, Native, Rect, Size};

/// A box that a picture is to meet, and how. A side of `None` follows from the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) width: Option<u32>,
    pub(crate) height: Option<u32>,
    pub(crate) fit: Fit,
    pub(crate) enlarge: bool,
}

/// What becomes of a picture: all of it is scaled, a part of that is kept, and that lies on a canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) scaled: Size,
    pub(crate) kept: Size,
    pub(crate) canvas: Size,
}

#[cfg(test)]
impl Layout {
    pub(crate) fn plain(scaled: Size) -> Self {
        Self { scaled, kept: scaled, canvas: scaled }
    }
}

impl Frame {
    pub(crate) fn new(width: Option<u32>, height: Option<u32>, fit: Fit, enlarge: bool) -> Self {
        Self { width, height, fit, enlarge }
    }

    /// What the native transform makes of this frame, for a picture of `size`.
    pub(crate) fn layout(self, size: Size) -> Layout {
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        let shrink_x = self.width.map(|target| width / f64::from(target.max(1)));
        let shrink_y = self.height.map(|target| height / f64::from(target.max(1)));
        let (x, y) = match (shrink_x, shrink_y) {
            (None, None) => (1.0, 1.0),
            (Some(shrink), None) | (None, Some(shrink)) => (shrink, shrink),
            (Some(x), Some(y)) => match self.fit {
                Fit::Cover | Fit::Outside => (x.min(y), x.min(y)),
                Fit::Contain | Fit::Inside => (x.max(y), x.max(y)),
                Fit::Fill => (x, y),
            },
        };
        let least = if self.enlarge { 0.0 } else { 1.0 };
        let scaled = Size::new(shrunk(size.width, x.max(least)), shrunk(size.height, y.max(least)));
        let (kept, canvas) = match (self.fit, self.width.zip(self.height)) {
            (Fit::Cover, Some((width, height))) => {
                let kept = Size::new(scaled.width.min(width), scaled.height.min(height));
                (kept, kept)
            }
            (Fit::Contain, Some((width, height))) => {
                (scaled, Size::new(scaled.width.max(width), scaled.height.max(height)))
            }
            _ => (scaled, scaled),
        };
        Layout { scaled, kept, canvas }
    }

    /// Writes the frame as it is.
    pub(crate) fn write(self, native: &mut Native) {
        native.width = self.width;
        native.height = self.height;
        native.fit = self.fit;
        native.enlarge = self.enlarge;
    }
}

/// One side divided by `shrink`, halves up, at least 1.
fn shrunk(side: u32, shrink: f64) -> u32 {
    let side = f64::from(side);
    (side * (1.0 / shrink.min(side)) + 0.5).floor().max(1.0) as u32
}

/// The largest size with the proportions of `ratio` within `size`.
pub(crate) fn largest_with_ratio(size: Size, ratio: (f64, f64)) -> Size {
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let scale = (width / ratio.0).min(height / ratio.1);
    let side = |side: f64, most: u32| ((side * scale).round().max(1.0) as u32).min(most);
    Size::new(side(ratio.0, size.width), side(ratio.1, size.height))
}

/// The gravity that keeps a part of `kept` around a point of the picture that is scaled to `scaled`; the point is
/// given in fractions of the picture.
pub(crate) fn around(point: (f64, f64), scaled: Size, kept: Size) -> Gravity {
    let share = |fraction: f64, whole: u32, kept: u32| {
        let start = fraction * f64::from(whole) - f64::from(kept) / 2.0;
        let room = whole.saturating_sub(kept);
        Gravity::share(start.round().clamp(0.0, f64::from(room)) as u32, kept, whole)
    };
    Gravity::Share(share(point.0, scaled.width, kept.width), share(point.1, scaled.height, kept.height))
}

/// Writes options that give `layout` for the part `region` of the turned picture of `picture`, and puts what is kept
/// at `gravity`. `frame` is written where it comes to the same; otherwise sizes are written out.
///
/// # Errors
/// `Unsupported`, in the name of `option`, where a part of the region would have to be cut off by what is in it.
pub(crate) fn settle(
    native: &mut Native,
    option: &str,
    picture: Size,
    region: Rect,
    layout: Layout,
    gravity: Gravity,
    frame: Frame,
) -> Result<(), DialectError> {
    native.gravity = gravity;
    let mut region = region;
    let Layout { scaled, kept, canvas } = layout;
    let covering = Frame::new(Some(kept.width), Some(kept.height), Fit::Cover, is_larger(scaled, region.size));
    if frame.layout(region.size) == layout {
        frame.write(native);
    } else if covering.layout(region.size) == (Layout { scaled, kept, canvas: kept }) && kept != scaled {
        covering.write(native);
        native.pad = canvas_pad(kept, canvas);
    } else {
        if kept != scaled {
            region = kept_region(option, region, scaled, kept, gravity)?;
        }
        let filling = Frame::new(Some(kept.width), Some(kept.height), Fit::Fill, is_larger(kept, region.size));
        if kept != region.size {
            filling.write(native);
        }
        native.pad = canvas_pad(kept, canvas);
    }
    if region != Rect::whole(picture) {
        native.crop = Some(native.turn.undone(region, picture));
    }
    Ok(())
}

fn is_larger(size: Size, than: Size) -> bool {
    size.width > than.width || size.height > than.height
}

/// The part of `region` that is what is kept of it when it is scaled.
fn kept_region(option: &str, region: Rect, scaled: Size, kept: Size, gravity: Gravity) -> Result<Rect, DialectError> {
    let Gravity::Share(x, y) = gravity else {
        return Err(unsupported(option, "can't be cut to by what is in the picture"));
    };
    let part = |whole: u32, scaled: u32, kept: u32, share: u16| {
        let scale = f64::from(whole) / f64::from(scaled);
        let length = ((f64::from(kept) * scale).round().max(1.0) as u32).min(whole);
        let start = (f64::from(whole - length) * f64::from(share) / 10_000.0).round() as u32;
        (start, length)
    };
    let (x, width) = part(region.size.width, scaled.width, kept.width, x);
    let (y, height) = part(region.size.height, scaled.height, kept.height, y);
    Ok(Rect::new(region.x + x, region.y + y, width, height))
}

/// Padding that makes `canvas` of a picture of `kept` in its middle.
fn canvas_pad(kept: Size, canvas: Size) -> [u32; 4] {
    let (x, y) = (canvas.width.saturating_sub(kept.width), canvas.height.saturating_sub(kept.height));
    [y / 2, x - x / 2, y - y / 2, x / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_laid_out_as_natively() {
        let check = |frame: Frame, scaled: (u32, u32), kept: (u32, u32), canvas: (u32, u32)| {
            let size = |(width, height)| Size::new(width, height);
            let expected = Layout { scaled: size(scaled), kept: size(kept), canvas: size(canvas) };
            assert_eq!(frame.layout(Size::new(1080, 720)), expected, "{frame:?}");
        };
        let both = |fit, enlarge| Frame::new(Some(500), Some(500), fit, enlarge);
        check(both(Fit::Inside, false), (500, 333), (500, 333), (500, 333));
        check(both(Fit::Cover, false), (750, 500), (500, 500), (500, 500));
        check(both(Fit::Contain, false), (500, 333), (500, 333), (500, 500));
        check(both(Fit::Fill, false), (500, 500), (500, 500), (500, 500));
        check(both(Fit::Outside, false), (750, 500), (750, 500), (750, 500));
        let large = |fit, enlarge| Frame::new(Some(1296), Some(1296), fit, enlarge);
        check(large(Fit::Cover, false), (1080, 720), (1080, 720), (1080, 720));
        check(large(Fit::Cover, true), (1944, 1296), (1296, 1296), (1296, 1296));
        check(Frame::new(Some(540), None, Fit::Cover, false), (540, 360), (540, 360), (540, 360));
    }

    #[test]
    fn odd_layouts_are_written_out() {
        let check = |layout: Layout, expected: &str| {
            let mut native = Native::default();
            let picture = Size::new(1000, 500);
            let frame = Frame::new(None, None, Fit::Inside, false);
            settle(&mut native, "x", picture, Rect::whole(picture), layout, Gravity::CENTER, frame)
                .expect("no gravity here depends on the picture");
            assert_eq!(native.to_string(), expected);
        };
        check(Layout::plain(Size::new(1000, 500)), "original");
        check(Layout::plain(Size::new(300, 300)), "w=300,h=300,fit=fill");
        check(Layout::plain(Size::new(2000, 1000)), "w=2000,h=1000,fit=fill,enlarge=1");
        let kept = Size::new(200, 200);
        check(Layout { scaled: Size::new(400, 200), kept, canvas: kept }, "w=200,h=200,fit=cover");
        let kept = Size::new(100, 100);
        check(Layout { scaled: Size::new(400, 200), kept, canvas: kept }, "crop=375:125:250:250,w=100,h=100,fit=fill");
        let canvas = Size::new(301, 200);
        check(Layout { canvas, ..Layout::plain(Size::new(300, 150)) }, "w=300,h=150,fit=fill,pad=25:1:25:0");
    }
}
