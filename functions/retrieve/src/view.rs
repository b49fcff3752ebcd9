//! An image as the API shows it.

use std::collections::BTreeMap;

use kv_schema::category::Category;
use kv_schema::image::Image;
use kv_schema::preset::Presets;
use serde::Serialize;
use web::time;

/// Widths in pixels offered in `srcset`, as far as the original has them.
const WIDTHS: [u32; 7] = [160, 320, 640, 960, 1280, 1920, 2560];

/// An image's document. Its shape is the contract.
#[derive(Serialize)]
pub struct ImageView<'a> {
    id: &'a str,
    title: Option<&'a str>,
    alt: Option<&'a str>,
    width: u32,
    height: u32,
    format: &'a str,
    bytes: u64,
    has_alpha: bool,
    frames: u32,
    category: Option<&'a str>,
    category_path: Vec<Step<'a>>,
    tags: &'a [String],
    metadata: &'a BTreeMap<String, String>,
    visibility: &'static str,
    thumbhash: &'a str,
    dominant_color: &'a str,
    urls: BTreeMap<&'a str, String>,
    srcset: String,
    created_at: String,
    updated_at: String,
}

/// A step of a category path, from the root down.
#[derive(Serialize)]
struct Step<'a> {
    id: &'a str,
    name: &'a str,
    slug: &'a str,
}

impl<'a> ImageView<'a> {
    /// The view of `image`, which stands in the last category of `path`.
    pub fn new(image: &'a Image, path: &'a [Category], presets: &'a Presets) -> Self {
        let derived = &image.derived;
        let steps = path.iter().map(|step| Step { id: step.id.as_str(), name: &step.name, slug: &step.slug });
        Self {
            id: image.id.as_str(),
            title: image.details.title.as_deref(),
            alt: image.details.alt.as_deref(),
            width: derived.width,
            height: derived.height,
            format: transform::Format::from_mime(&derived.mime).map_or("", transform::Format::name),
            bytes: image.bytes,
            has_alpha: derived.has_alpha,
            frames: derived.frames,
            category: path.last().map(|category| category.id.as_str()),
            category_path: steps.collect(),
            tags: &image.details.tags,
            metadata: &image.details.metadata,
            visibility: "public",
            thumbhash: &derived.thumbhash,
            dominant_color: &derived.dominant_color,
            urls: urls(image, presets),
            srcset: srcset(image),
            created_at: time::format(image.created_at),
            updated_at: time::format(image.updated_at),
        }
    }
}

/// The original and each preset. A changed preset is a new URL, so that what was cached under the old one stays true.
fn urls<'a>(image: &Image, presets: &'a Presets) -> BTreeMap<&'a str, String> {
    let mut urls = BTreeMap::from([("original", format!("/i/{}/original", image.id))]);
    for (name, preset) in &presets.by_name {
        let version = if preset.revision == 1 { String::new() } else { format!("?v={}", preset.revision) };
        urls.insert(name, format!("/i/{}/{name}{version}", image.id));
    }
    urls
}

fn srcset(image: &Image) -> String {
    let full = image.derived.width;
    let smaller = WIDTHS.into_iter().filter(|&width| width < full);
    let widths = smaller.chain([full.min(transform::MAX_SIDE)]);
    let entries: Vec<String> = widths.map(|width| format!("/i/{}/w={width} {width}w", image.id)).collect();
    entries.join(", ")
}
