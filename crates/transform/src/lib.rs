//! What a picture's URL asks for: the grammar of `{transform}`, and the arithmetic that turns it into pixels.
//!
//! No codec and no I/O here, so every context can link it. The way through it:
//!
//! 1. [`Spec::parse`] reads the raw path segment: `original`, a preset's name, or options (a [`Transform`]).
//! 2. [`Plan::resolve`] applies a [`Transform`] to the facts of one picture ([`Source`]) in one [`Context`] (what the
//!    client accepts, limits, the filter's digest): every size, position and format becomes a number.
//! 3. [`Plan`] prints as a short key and parses back; requests that mean the same make equal plans.
//!
//! `docs/transforms.md` is the same for users: every option with its values, its default and an example.
//!
//! # The rules, in one place
//!
//! - Options are `name=value`, joined by commas, in any order, each at most once (an alias counts as the option). Only
//!   `trim` may stand without a value.
//! - The order of work is fixed, see [`Render`]. So `crop` is in pixels of the upright original, `w` and `h` are sides
//!   of the rotated picture, and sigmas, paddings, radii and text are in pixels of the result.
//! - `dpr` multiplies whatever is in pixels of the result and is no sigma: `w`, `h`, `pad`, `radius`, `wm-pad`,
//!   `text-size`, `text-pad`, and the defaults of the last three. `w=200,dpr=2` is `w=400`.
//! - Sizes, crops and paddings are sharp's, rounding included, for every `fit`, also with one side only: then `cover`,
//!   `inside` and `outside` are the same, `contain` pads a picture that may not grow, and `fill` stretches one side.
//!   `tests/sharp_geometry.tsv` holds some 5,000 of its answers, without an exception. (Where sharp shrinks a JPEG while
//!   it decodes it, it rounds the side that was not asked for from the shrunk picture, and is sometimes a pixel off its
//!   own answer for the same picture as PNG. Ours is that for PNG, whatever the source.)
//! - `ar` gives the missing side, and makes `cover` the default. Alone it crops (`cover`) or pads (`contain`) to the
//!   ratio, and nothing is scaled.
//! - `g` is where the crop (`cover`) or the picture on its canvas (`contain`) lies, as in CSS `object-position`: the
//!   point at that fraction of the one meets the same fraction of the other. `auto`, `entropy` and `faces` find the
//!   place of a crop; the plan has its size.
//! - With `trim` sizes are not known before decoding: the plan holds the request, [`Render::resolve_trimmed`] the rest.
//! - `pad` goes around the canvas of `contain`, and is one with it in a plan.
//! - `bg` is laid under the picture: padding, rounded corners, and whatever is transparent. Without it they are
//!   transparent where the format has transparency, and white in JPEG.
//! - Without `f` the format is the source's: JPEG, PNG, GIF, and WebP (lossless where the source is known to be). Of
//!   what we do not write, or not quickly: ICO and SVG become PNG. AVIF, TIFF, BMP, JPEG XL and HEIC become JPEG, or, if
//!   transparent, PNG where nothing was lost before and WebP otherwise.
//! - `f=auto` is AVIF, else WebP, for clients that name them (never by `*/*`), and the smaller of that and a
//!   [`Render::alternative`]: JPEG, or lossless WebP where the source lost nothing. Transparent pictures have none
//!   unless they are lossless. Other clients get JPEG; PNG where the picture is transparent or came without loss.
//!   Animations are WebP or GIF.
//! - `q` is the scale of the format. With `f=auto` it is JPEG's, and AVIF is written at five eighths of it.
//!   `max-bytes` lowers it as far as need be. Both count for lossy formats only.
//! - An animation (GIF, WebP, APNG) stays one in WebP and GIF unless `anim=0`.
//! - An option that cannot change any picture is refused (`g` where nothing is cut off or padded; `fit` or `enlarge`
//!   without a side; `wm-g` without `wm`; `q` for PNG). One that changes only some (`bg`; `q`, `colors`, `lossless` and
//!   the like without `f`) is allowed, and leaves no trace in a plan that it does not change.
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
