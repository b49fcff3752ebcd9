//! SVG through `resvg`: drawn at the size that is wanted, with nothing from outside the file.
//!
//! A short text can ask for any amount of work, and the crates bound little of it, so it is weighed before it is done:
//! the elements, with all that they refer to, before they are resolved ([`check_elements`]), and then the pixels that
//! drawing touches and holds ([`Work`]). What is only linked to is left out, and so are SVGs inside SVGs.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use probe::{LimitError, Probe};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::filter::Kind;
use resvg::usvg::roxmltree::{Document, Node as Element, NodeId, ParsingOptions};
use resvg::usvg::{
    ClipPath, FontFamily, FontResolver, Group, ImageHrefResolver, ImageKind, Mask, Node, Options, Paint, Path, Size,
    Tree, fontdb,
};

use super::{Decoded, Decoder, Input, jpeg};
use crate::pixels::raster::{Layout, Raster};
use crate::pixels::{Limits, PixelError};

/// The longest file that is drawn, in bytes.
const MAX_BYTES: usize = 8 << 20;
/// Elements and pieces of text in the file.
const MAX_NODES: u32 = 200_000;
/// Elements that there are once every reference is followed.
const MAX_ELEMENTS: u64 = 200_000;
/// How deep elements and references go. Files of people go to some thirty; each level takes stack.
const MAX_DEPTH: usize = 100;
/// Elements times rules of style, all of which are compared.
const MAX_MATCHES: u64 = 20_000_000;
/// Pixels that may be touched, about: a few seconds of drawing.
const MAX_WORK: u64 = 2_000_000_000;
/// Pixels of all pictures that are embedded.
const MAX_EMBEDDED: u64 = 25_000_000;
/// The size without a size, as in the probe and in every browser.
const DEFAULT_SIZE: (f32, f32) = (300.0, 150.0);
/// The size of text that doesn't say its size, in pixels.
const FONT_SIZE: f32 = 16.0;

/// The fonts to draw text with.
pub(in crate::pixels) type Fonts = Arc<fontdb::Database>;

/// SVG.
pub(super) struct Svg;

impl Decoder for Svg {
    /// Draws the file at least as large as is wanted, unless that is too much of it; then as large as it says it is.
    fn decode(&self, input: &Input, limits: &Limits) -> Result<Decoded, PixelError> {
        let Input { file, probe, .. } = *input;
        let least = input.least.unwrap_or((1, 1));
        // Only those who write need fonts.
        let has_text = memchr::memmem::find(file, b"text").is_some();
        let fonts = has_text.then(bundled);
        let raster = match drawn(file, probe, least, fonts.as_ref(), limits) {
            Err(_) if least != (1, 1) => drawn(file, probe, (1, 1), fonts.as_ref(), limits)?,
            result => result?,
        };
        Ok(Decoded::whole(raster, None, true))
    }
}

/// The bundled fonts.
pub(in crate::pixels) fn bundled() -> Fonts {
    let mut database = fontdb::Database::new();
    for (_, file) in crate::pixels::ops::fonts() {
        database.load_font_source(fontdb::Source::Binary(Arc::new(file)));
    }
    Arc::new(database)
}

/// The bundled font that stands for a family: one of the same kind, by its name.
fn stand_in(family: &FontFamily) -> &'static str {
    let [(sans, _), (serif, _), (mono, _)] = crate::pixels::ops::fonts();
    let name = match family {
        FontFamily::Serif => return serif,
        FontFamily::Monospace => return mono,
        FontFamily::Named(name) => name.to_ascii_lowercase(),
        _ => return sans,
    };
    let is_like = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if is_like(&["mono", "courier", "consol", "menlo"]) {
        mono
    } else if is_like(&["serif", "times", "roman", "georgia", "garamond"]) && !is_like(&["sans"]) {
        serif
    } else {
        sans
    }
}

fn font_resolver() -> FontResolver<'static> {
    FontResolver {
        select_font: Box::new(|font, fonts| {
            let family = font.families().first().map_or("", stand_in);
            let mut faces = fonts.faces();
            let face = faces.find(|face| face.families.iter().any(|(name, _)| name == family));
            face.or_else(|| fonts.faces().next()).map(|face| face.id)
        }),
        ..FontResolver::default()
    }
}

/// Draws the file that `probe` describes, enlarged (in its own ratio) until it is at least `least` pixels wide and
/// high, as far as `limits` allow. Never smaller than the file says.
///
/// # Errors
/// `Corrupt` for what is no SVG; `Unsupported` for one that asks for too much, which it may do only where it is
/// enlarged; a limit.
pub(in crate::pixels) fn drawn(
    file: &[u8],
    probe: &Probe,
    least: (u32, u32),
    fonts: Option<&Fonts>,
    limits: &Limits,
) -> Result<Raster, PixelError> {
    if file.len() > MAX_BYTES {
        return Err(too_much("bytes"));
    }
    let (width, height) = size((probe.width, probe.height), least, limits);
    let text = text(file);
    let options = ParsingOptions { allow_dtd: true, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(&text, options).map_err(PixelError::corrupt)?;
    check_elements(&document)?;
    let tree = Tree::from_xmltree(&document, &self::options(fonts)).map_err(PixelError::corrupt)?;
    drop(document);

    let scale = (width as f32 / tree.size().width(), height as f32 / tree.size().height());
    let n_pixels = u64::from(width) * u64::from(height);
    let mut work = Work { pixels_left: MAX_WORK, canvas: n_pixels, max_bytes: limits.max_memory_bytes };
    work.group(tree.root(), scale, 8 * n_pixels)?;

    let mut pixmap = Pixmap::new(width, height).ok_or_else(|| PixelError::corrupt("no pixels"))?;
    resvg::render(&tree, Transform::from_scale(scale.0, scale.1), &mut pixmap.as_mut());
    let mut pixels = pixmap.take();
    pixels.as_chunks_mut().0.iter_mut().for_each(unpremultiply);
    Raster::new(width, height, Layout::Rgba, pixels)
}

/// The size to draw at.
fn size((width, height): (u32, u32), least: (u32, u32), limits: &Limits) -> (u32, u32) {
    let (own_width, own_height) = (f64::from(width), f64::from(height));
    let wanted = (f64::from(least.0) / own_width).max(f64::from(least.1) / own_height).max(1.0);
    let allowed = (limits.max_pixels as f64 / (own_width * own_height)).sqrt();
    let longest = f64::from(limits.max_side) / own_width.max(own_height);
    let scale = wanted.min(allowed).min(longest);
    if scale <= 1.0 {
        return (width, height);
    }
    // Rounded up where it is wanted, and down where more is not allowed.
    let round = |side: f64| if scale < wanted { (side * scale) as u32 } else { (side * scale - 1e-6).ceil() as u32 };
    (round(own_width).max(width), round(own_height).max(height))
}

/// The file as text: UTF-8, or else Latin-1, which every byte is.
fn text(file: &[u8]) -> String {
    match std::str::from_utf8(file) {
        Ok(text) => text.to_owned(),
        Err(_) => file.iter().map(|&byte| char::from(byte)).collect(),
    }
}

fn options(fonts: Option<&Fonts>) -> Options<'static> {
    let embedded = AtomicU64::new(0);
    let resolver = ImageHrefResolver {
        resolve_data: Box::new(move |_, data, _| picture(data, &embedded)),
        resolve_string: Box::new(|_, _| None),
    };
    let mut options = Options { font_size: FONT_SIZE, image_href_resolver: resolver, ..Options::default() };
    if let Some(size) = Size::from_wh(DEFAULT_SIZE.0, DEFAULT_SIZE.1) {
        options.default_size = size;
    }
    if let Some(fonts) = fonts {
        options.fontdb = Arc::clone(fonts);
        options.font_resolver = font_resolver();
    }
    options
}

/// An embedded picture, by its content; `None` for what is too large or of a kind that is not drawn.
fn picture(data: Arc<Vec<u8>>, embedded: &AtomicU64) -> Option<ImageKind> {
    let probe = probe::probe(&data).ok()?;
    let so_far = embedded.fetch_add(probe.pixels, Ordering::Relaxed);
    if so_far.saturating_add(probe.pixels) > MAX_EMBEDDED {
        return None;
    }
    match probe.format {
        probe::Format::Jpeg if jpeg::is_common(&probe) => Some(ImageKind::JPEG(data)),
        probe::Format::Png => Some(ImageKind::PNG(data)),
        probe::Format::Gif => Some(ImageKind::GIF(data)),
        probe::Format::WebP => Some(ImageKind::WEBP(data)),
        _ => None,
    }
}

fn too_much(what: &str) -> PixelError {
    PixelError::Unsupported { found: format!("an SVG with too many {what}") }
}

fn unpremultiply(pixel: &mut [u8; 4]) {
    let alpha = u32::from(pixel[3]);
    if alpha == 255 {
        return;
    }
    for channel in &mut pixel[..3] {
        *channel = (u32::from(*channel) * 255 + alpha / 2).checked_div(alpha).unwrap_or(0).min(255) as u8;
    }
}

/// Refuses documents that would become too large or too deep once all their references are followed.
fn check_elements(document: &Document<'_>) -> Result<(), PixelError> {
    let mut weights = Weights { by_id: HashMap::new(), known: HashMap::new() };
    let (mut n_elements, mut n_rules) = (0_u64, 0_u64);
    for element in document.descendants().filter(Element::is_element) {
        n_elements += 1;
        if let Some(id) = element.attribute("id") {
            weights.by_id.entry(id).or_insert(element);
        }
    }
    let mut by_style = 0;
    for style in document.descendants().filter(|element| element.tag_name().name() == "style") {
        for text in style.descendants().filter_map(|node| node.text()) {
            n_rules += text.bytes().filter(|byte| matches!(byte, b'{' | b',')).count() as u64;
            for id in references(text) {
                by_style += weights.of_id(id, 0)?.0;
            }
        }
    }
    if n_rules.saturating_mul(n_elements) > MAX_MATCHES {
        return Err(too_much("rules of style"));
    }
    let (weight, _) = weights.of(document.root_element(), 0)?;
    // A rule may hold for every element.
    if weight.saturating_add(n_elements.saturating_mul(by_style) / 16) > MAX_ELEMENTS {
        return Err(too_much("elements"));
    }
    Ok(())
}

/// How many elements an element stands for, and how deep they go.
struct Weights<'a, 'input> {
    by_id: HashMap<&'a str, Element<'a, 'input>>,
    /// `None` for those that are being weighed.
    known: HashMap<NodeId, Option<(u64, usize)>>,
}

impl<'a, 'input> Weights<'a, 'input> {
    fn of(&mut self, element: Element<'a, 'input>, depth: usize) -> Result<(u64, usize), PixelError> {
        match self.known.get(&element.id()) {
            // What leads back to itself is not followed.
            Some(None) => return Ok((0, 0)),
            Some(Some((_, height))) if depth + height > MAX_DEPTH => return Err(too_much("levels")),
            Some(Some(known)) => return Ok(*known),
            None if depth > MAX_DEPTH => return Err(too_much("levels")),
            None => {}
        }
        self.known.insert(element.id(), None);
        let (mut weight, mut height) = (1_u64, 0);
        for child in element.children().filter(Element::is_element) {
            let (more, deeper) = self.of(child, depth + 1)?;
            weight = weight.saturating_add(more);
            height = height.max(deeper + 1);
        }
        for attribute in element.attributes() {
            let target = if attribute.name() == "href" { attribute.value().strip_prefix('#') } else { None };
            for id in target.into_iter().chain(references(attribute.value())) {
                let (more, deeper) = self.of_id(id, depth + 1)?;
                weight = weight.saturating_add(more);
                height = height.max(deeper + 1);
            }
        }
        if weight > MAX_ELEMENTS {
            return Err(too_much("elements"));
        }
        self.known.insert(element.id(), Some((weight, height)));
        Ok((weight, height))
    }

    fn of_id(&mut self, id: &str, depth: usize) -> Result<(u64, usize), PixelError> {
        match self.by_id.get(id.trim()).copied() {
            // Gradients are plain, whoever uses them.
            Some(target) if matches!(target.tag_name().name(), "linearGradient" | "radialGradient") => Ok((0, 0)),
            Some(target) => self.of(target, depth),
            None => Ok((0, 0)),
        }
    }
}

/// The names in every `url(#name)` of a text.
fn references(text: &str) -> impl Iterator<Item = &str> {
    text.split("url(").skip(1).filter_map(|rest| {
        let rest = rest.trim_start().trim_start_matches(['"', '\'']).strip_prefix('#')?;
        rest.split([')', '"', '\'']).next()
    })
}

/// Adds up what drawing costs, before it is done.
struct Work {
    pixels_left: u64,
    canvas: u64,
    max_bytes: u64,
}

impl Work {
    fn take(&mut self, pixels: u64) -> Result<(), PixelError> {
        let left = self.pixels_left.checked_sub(pixels);
        self.pixels_left = left.ok_or_else(|| too_much("pixels to draw"))?;
        Ok(())
    }

    fn check_memory(&self, bytes: u64) -> Result<(), PixelError> {
        if bytes > self.max_bytes {
            return Err(LimitError::TooMuchMemory { limit: self.max_bytes, actual: bytes }.into());
        }
        Ok(())
    }

    /// Pixels of a box of the picture, of which there may be as many as `most`.
    fn area(&self, width: f32, height: f32, scale: (f32, f32), most: u64) -> u64 {
        let pixels = f64::from(width * scale.0 + 2.0) * f64::from(height * scale.1 + 2.0);
        // Also where it is no number.
        (pixels.min(most as f64) as u64).min(most)
    }

    /// A group and what is in it, while `held` bytes are taken by the layers around it.
    fn group(&mut self, group: &Group, scale: (f32, f32), held: u64) -> Result<(), PixelError> {
        self.take(200)?;
        let mut held = held;
        if group.should_isolate() {
            let bounds = group.abs_layer_bounding_box();
            let n_pixels = self.area(bounds.width(), bounds.height(), scale, self.canvas);
            self.take(4 * n_pixels)?;
            held += 4 * n_pixels;
            self.check_memory(held)?;
            if !group.filters().is_empty() {
                self.filters(group, scale, held)?;
            }
            if let Some(clip) = group.clip_path() {
                self.clip(clip, scale, held + n_pixels)?;
            }
            if let Some(mask) = group.mask() {
                self.mask(mask, scale, held + 4 * n_pixels)?;
            }
        }
        for node in group.children() {
            match node {
                Node::Group(group) => self.group(group, scale, held)?,
                Node::Path(path) => self.path(path, scale, held)?,
                Node::Text(text) => self.group(text.flattened(), scale, held)?,
                Node::Image(image) => {
                    let size = image.size();
                    let own = self.area(size.width(), size.height(), (1.0, 1.0), u64::MAX);
                    let bounds = image.abs_bounding_box();
                    self.take(20 * own + 4 * self.area(bounds.width(), bounds.height(), scale, self.canvas))?;
                    self.check_memory(held + 8 * own)?;
                    if let ImageKind::SVG(tree) = image.kind() {
                        self.group(tree.root(), scale, held)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn clip(&mut self, clip: &ClipPath, scale: (f32, f32), held: u64) -> Result<(), PixelError> {
        self.take(2 * self.canvas)?;
        let held = held + 4 * self.canvas;
        self.check_memory(held)?;
        self.group(clip.root(), scale, held)?;
        clip.clip_path().map_or(Ok(()), |clip| self.clip(clip, scale, held))
    }

    fn mask(&mut self, mask: &Mask, scale: (f32, f32), held: u64) -> Result<(), PixelError> {
        self.take(4 * self.canvas)?;
        let held = held + 5 * self.canvas;
        self.check_memory(held)?;
        self.group(mask.root(), scale, held)?;
        mask.mask().map_or(Ok(()), |mask| self.mask(mask, scale, held))
    }

    fn filters(&mut self, group: &Group, scale: (f32, f32), held: u64) -> Result<(), PixelError> {
        // The crate gives filters up to five times the canvas in either direction.
        let bounds = group.abs_layer_bounding_box();
        let n_pixels = self.area(bounds.width(), bounds.height(), scale, 25 * self.canvas);
        for filter in group.filters() {
            // The result of each is kept, and the largest work with four numbers a pixel.
            let n_layers = 6 + filter.primitives().len() as u64;
            self.check_memory(held + 4 * n_pixels.saturating_mul(n_layers))?;
            for primitive in filter.primitives() {
                self.take(n_pixels.saturating_mul(self.cost(primitive.kind(), scale)))?;
                if let Kind::Image(image) = primitive.kind() {
                    self.group(image.root(), scale, held)?;
                }
            }
        }
        Ok(())
    }

    /// What one step of a filter takes for each pixel.
    fn cost(&self, kind: &Kind, scale: (f32, f32)) -> u64 {
        match kind {
            // Whatever their size, blurs are a few passes, down the columns, too: on large pictures 60 ns a pixel.
            Kind::GaussianBlur(_) | Kind::DropShadow(_) => 100,
            Kind::Turbulence(turbulence) => 60_u64.saturating_mul(u64::from(turbulence.num_octaves())),
            Kind::ConvolveMatrix(convolve) => {
                let matrix = convolve.matrix();
                4 * u64::from(matrix.columns()).saturating_mul(u64::from(matrix.rows()))
            }
            Kind::Morphology(morphology) => {
                let (x, y) = (morphology.radius_x().get() * scale.0, morphology.radius_y().get() * scale.1);
                self.area(2.0 * x, 2.0 * y, (1.0, 1.0), self.canvas)
            }
            Kind::DiffuseLighting(_) | Kind::SpecularLighting(_) => 40,
            _ => 20,
        }
    }

    fn path(&mut self, path: &Path, scale: (f32, f32), held: u64) -> Result<(), PixelError> {
        let bounds = path.abs_stroke_bounding_box();
        let n_pixels = self.area(bounds.width(), bounds.height(), scale, self.canvas);
        let n_points = path.data().len() as u64;
        let fill = path.fill().map(|fill| fill.paint());
        let stroke = path.stroke().map(|stroke| stroke.paint());
        for paint in fill.into_iter().chain(stroke) {
            // Every segment crosses lines of pixels.
            self.take(n_pixels + 50 * n_points)?;
            if let Paint::Pattern(pattern) = paint {
                let (x, y) = path.abs_transform().pre_concat(pattern.transform()).get_scale();
                let tile_scale = (scale.0 * x, scale.1 * y);
                let rect = pattern.rect();
                let n_pixels = self.area(rect.width(), rect.height(), tile_scale, u64::MAX / 64);
                self.check_memory(held + 8 * n_pixels)?;
                self.take(4 * n_pixels)?;
                self.group(pattern.root(), tile_scale, held + 8 * n_pixels)?;
            }
        }
        let Some(dashes) = path.stroke().and_then(|stroke| stroke.dasharray()) else { return Ok(()) };
        // The crate stops at a million dashes in a path.
        let own = path.bounding_box();
        let length = f64::from(own.width() + own.height()) * n_points as f64;
        let n_dashes = length / f64::from(dashes.iter().sum::<f32>()) * dashes.len() as f64;
        self.take(200 * (n_dashes.min(1e6) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(text: &str, least: (u32, u32)) -> Result<Raster, PixelError> {
        let probe = probe::probe(text.as_bytes())?;
        drawn(text.as_bytes(), &probe, least, None, &Limits::default())
    }

    fn svg(attributes: &str, content: &str) -> String {
        format!("<svg xmlns='http://www.w3.org/2000/svg' {attributes}>{content}</svg>")
    }

    fn at(raster: &Raster, x: u32, y: u32) -> [u8; 4] {
        let start = 4 * (y * raster.width() + x) as usize;
        *raster.pixels()[start..].first_chunk().unwrap()
    }

    #[test]
    fn is_drawn_at_its_own_size_or_larger() {
        let half = "<rect width='5' height='100%' fill='#f00'/><rect x='5' width='5' height='100%' fill='#00f8'/>";
        for (attributes, least, expected) in [
            ("width='10' height='20'", (1, 1), (10, 20)),
            ("width='10' height='20'", (40, 40), (40, 80)),
            ("width='10' height='20'", (5, 5), (10, 20)),
            ("viewBox='0 0 10 20'", (15, 1), (15, 30)),
            ("viewBox='0 0 10 20' width='20'", (1, 1), (20, 40)),
            ("viewBox='0 0 10 20' width='3in'", (1, 1), (288, 576)),
        ] {
            let raster = draw(&svg(attributes, half), least).unwrap();
            assert_eq!((raster.width(), raster.height()), expected, "{attributes} {least:?}");
            assert_eq!(at(&raster, expected.0 / 4, expected.1 / 2), [255, 0, 0, 255], "{attributes}");
            let blue = at(&raster, expected.0 * 3 / 4, expected.1 / 2);
            assert!(blue[..3] == [0, 0, 255] && blue[3].abs_diff(0x88) <= 1, "{attributes}: {blue:?}");
        }
        let none = draw(&svg("", ""), (1, 1)).unwrap();
        assert_eq!((none.width(), none.height(), at(&none, 9, 9)), (300, 150, [0; 4]));
    }

    #[test]
    fn is_enlarged_as_far_as_the_limits_allow() {
        let limits = Limits { max_pixels: 10_000, max_side: 150, ..Limits::default() };
        for (own, least, expected) in [
            ((10, 10), (1000, 1), (100, 100)),
            ((40, 10), (1000, 1), (150, 37)),
            ((40, 10), (100, 1), (100, 25)),
            ((3, 7), (10, 10), (10, 24)),
            ((200, 200), (1, 1), (200, 200)),
        ] {
            assert_eq!(size(own, least, &limits), expected, "{own:?} {least:?}");
        }
    }

    #[test]
    fn text_is_drawn_in_the_font_that_is_most_like_it() {
        let width = |family: &str| {
            let text = format!("<text x='2' y='30' font-size='20' font-family='{family}'>ill</text>");
            let text = svg("width='80' height='40'", &text);
            let probe = probe::probe(text.as_bytes()).unwrap();
            let input = Input::whole(text.as_bytes(), &probe);
            let raster = Svg.decode(&input, &Limits::default()).unwrap().raster;
            let is_seen = |x: &u32| (0..40).any(|y| at(&raster, *x, y)[3] > 0);
            (0..80).filter(is_seen).max().unwrap()
        };
        assert!(width("Courier New") > 30 && width("monospace") == width("Courier New"));
        assert!(width("Arial") < 25 && width("sans-serif") == width("Arial"));
        assert!(width("Times New Roman") == width("serif") && width("serif") != width("Arial"));
    }

    #[test]
    fn embedded_pictures_are_drawn_and_linked_ones_are_not() {
        use base64::Engine;
        let red = crate::pixels::samples::png_of(&Raster::new(1, 1, Layout::Rgb, vec![255, 0, 0]).unwrap());
        let data = |kind: &str, bytes: &[u8]| {
            format!("data:{kind};base64,{}", base64::engine::general_purpose::STANDARD.encode(bytes))
        };
        let inner = svg("width='1' height='1'", "<rect width='1' height='1' fill='red'/>");
        let bomb = svg("width='9' height='9'", "");
        for (href, is_drawn) in [
            (data("image/png", &red), true),
            // By its content, not by its name.
            (data("image/jpeg", &red), true),
            (data("image/svg+xml", inner.as_bytes()), false),
            (data("image/png", bomb.as_bytes()), false),
            ("/etc/passwd".to_owned(), false),
            ("http://example.com/a.png".to_owned(), false),
        ] {
            let content = format!("<image width='10' height='10' preserveAspectRatio='none' href='{href}'/>");
            let raster = draw(&svg("width='10' height='10'", &content), (1, 1)).unwrap();
            assert_eq!(at(&raster, 5, 5)[3] == 255, is_drawn, "{href}");
        }
    }

    #[test]
    fn what_asks_for_too_much_is_refused() {
        let levels = |n: usize| "<g>".repeat(n) + &"</g>".repeat(n);
        let doubling = (0..30).map(|n| format!("<g id='a{n}'><use href='#a{0}'/><use href='#a{0}'/></g>", n + 1));
        let masks = (0..40).map(|n| format!("<mask id='m{n}'><rect mask='url(#m{0})' width='9' height='9'/><rect mask='url(#m{0})' width='9' height='9'/></mask>", n + 1));
        let filter =
            |step: &str| format!("<filter id='f'>{step}</filter><rect filter='url(#f)' width='99' height='99'/>");
        let rules = format!("<style>{}</style>{}", "a b{fill:red}".repeat(20_000), "<g/>".repeat(2000));
        for (name, content, size) in [
            ("deep", levels(500), 100),
            ("doubling", doubling.collect(), 100),
            ("masks", masks.collect::<String>() + "<rect mask='url(#m0)' width='9' height='9'/>", 100),
            ("octaves", filter("<feTurbulence baseFrequency='0.1' numOctaves='100000000'/>"), 1000),
            (
                "a blur of far more than is seen",
                "<filter id='f' x='-99' y='-99' width='200' height='200'><feGaussianBlur stdDeviation='1000'/></filter>\
                <rect filter='url(#f)' width='900' height='900'/>"
                    .to_owned(),
                1000,
            ),
            ("morphology", filter("<feMorphology radius='900'/>"), 4000),
            ("rules", rules, 100),
            ("a tile", "<pattern id='p' width='100000' height='100000' patternUnits='userSpaceOnUse'><path d='M0 0h9v9z'/></pattern><rect fill='url(#p)' width='9' height='9'/>".to_owned(), 100),
            ("layers", format!("{}<path d='M0 0h4000v4000H0z'/>{}", "<g opacity='.9'>".repeat(90), "</g>".repeat(90)), 4000),
            ("elements", "<g/>".repeat(210_000), 100),
        ] {
            let found = draw(&svg(&format!("width='{size}' height='{size}'"), &content), (1, 1));
            assert!(found.is_err(), "{name}");
        }
    }

    #[test]
    fn what_leads_back_to_itself_is_drawn() {
        let content = "<g id='a'><use href='#a'/><rect width='9' height='9' fill='lime'/></g>\
            <pattern id='p'><rect fill='url(#p)'/></pattern><mask id='m'><rect mask='url(#m)'/></mask>";
        let raster = draw(&svg("width='9' height='9'", content), (1, 1)).unwrap();
        assert_eq!((raster.width(), raster.height()), (9, 9));
    }

    #[test]
    fn damage_never_panics() {
        let content = "<style>.a{fill:url(#g);stroke-dasharray:1 2}</style><defs><linearGradient id='g'>\
            <stop offset='0' stop-color='red'/></linearGradient><filter id='f'><feGaussianBlur stdDeviation='3'/>\
            </filter><clipPath id='c'><circle r='5'/></clipPath></defs><path class='a' stroke='#000' d='M1 2c3 4 5 6 7 \
            8a1 2 3 0 1 4 5z' transform='rotate(9) scale(2)' filter='url(#f)' clip-path='url(#c)'/>";
        let sound = svg("width='20' height='20'", content).into_bytes();
        let mut random = 1_u32;
        for _ in 0..300 {
            let mut broken = sound.clone();
            for _ in 0..3 {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = random as usize % broken.len();
                broken[at] = b"0123456789e-.<>/='\" \xFF#("[random as usize / 65_536 % 23];
            }
            let Ok(probe) = probe::probe(&broken) else { continue };
            let limits = Limits { max_pixels: 10_000, ..Limits::default() };
            if limits.check(&probe).is_ok() {
                let _ = drawn(&broken, &probe, (1, 1), None, &limits);
            }
        }
    }
}
