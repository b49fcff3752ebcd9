//! What a picture's URL asks for: the grammar of `{transform}`, and the arithmetic that turns it into pixels.
//!
//! No codec and no I/O here, so every context can link it. The way through it:
//!
//! 1. [`Spec::parse`] reads the raw path segment: `original`, a preset's name, or options (a [`Transform`]).
//! 2. [`Plan::resolve`] applies a [`Transform`] to the facts of one picture ([`Source`]) and one client
//!    ([`Accept`]): every size, position and format becomes a number.
//! 3. [`Plan`] prints as a short key and parses back; requests that mean the same make equal plans.
//!
//! # The rules, in one place
//!
//! - Options are `name=value`, joined by commas, in any order, each at most once (an alias counts as the option).
//! - The order of work is fixed: EXIF orientation, `rotate`, `flip`, size and crop, `blur`, `sharpen`, `bg`. So `w`
//!   and `h` are sides of the rotated picture, and sigmas are pixels of the output.
//! - `dpr` multiplies `w` and `h` and nothing else; `w=200,dpr=2` is `w=400`.
//! - `fit` needs both `w` and `h`. With one of them every `fit` is `inside`, as in sharp (whose `fill` then stretches
//!   the one side, and whose `contain` may pad it, which nobody means by one number).
//! - `g` is where the crop (`cover`) or the picture on its canvas (`contain`) lies, as in CSS `object-position`: the
//!   point at that fraction of the one meets the same fraction of the other.
//! - `bg` is laid under the picture: padding, and whatever is transparent. Without it padding is transparent where
//!   the format has transparency, and white in JPEG.
//! - An option that cannot change any picture is refused (`g` without a `cover` or `contain` of both sides; `fit`,
//!   `dpr` or `enlarge` without a side; `q` for PNG). One that changes only some (`bg`, `q` without `f`) is allowed.
//! - Nothing is decoded: a `%` is refused like any other character that the grammar does not know.

#![forbid(unsafe_code)]

mod accept;
mod error;
mod format;
mod geometry;
mod measures;
mod orientation;
mod overlay;
mod parse;
mod plan;
mod spec;
mod values;

pub use accept::Accept;
pub use error::{TransformError, TransformErrorKind};
pub use format::{Format, Output, Quality, Source};
pub use geometry::{Canvas, Geometry, Limits, MAX_PIXELS, MAX_SIDE, Window};
pub use measures::{Adjustments, Factor, Radius};
pub use orientation::Orientation;
pub use overlay::{Filter, Font, Place, PlannedFilter, TextOverlay, Watermark};
pub use plan::{Context, Crop, Plan, Render};
pub use spec::{MAX_SPEC_BYTES, PresetName, Spec, Transform};
pub use values::{Color, Fit, Gravity, Sigma, Smart, Tone};
