//! The codecs of our own: JPEG in, AVIF's container, WebP out, tables of colours.

use std::io::Cursor;

use avif::AvifError;
use heif::Container;
use jpeg::{Header, Options, Scale};
use resize::pixels::{Extras, Facts, Limits, render};
use transform::{Accept, Plan, Transform};

/// The most memory that a JPEG may take here, in bytes.
const MAX_JPEG_BYTES: u64 = 2 << 20;

/// Decodes `data` as a JPEG at every scale, with and without tolerance for damage.
///
/// # Panics
/// When the planes are not of the size that the header says, or a sound file decodes otherwise where damage is
/// tolerated, or a damaged one is called complete.
pub fn jpeg(data: &[u8]) {
    let _ = jpeg::icc_profile(data, 1 << 16);
    let Ok(header) = Header::read(data) else { return };
    for scale in [Scale::Full, Scale::Half, Scale::Quarter, Scale::Eighth] {
        for even_planes in [false, true] {
            let options = Options { scale, even_planes, tolerate_damage: false };
            if jpeg::decoding_bytes(&header, &options) <= MAX_JPEG_BYTES {
                at_scale(data, &header, &options);
            }
        }
    }
}

fn at_scale(data: &[u8], header: &Header, options: &Options) {
    let strict = jpeg::decode(data, options);
    let tolerant = jpeg::decode(data, &Options { tolerate_damage: true, ..*options });
    if let Ok(planes) = &strict {
        assert!(planes.is_complete, "{options:?}");
        assert_eq!(tolerant.as_ref().ok(), Some(planes), "{options:?}");
    }
    let Ok(planes) = tolerant else { return };
    assert_eq!(planes.is_complete, strict.is_ok(), "{options:?}");
    let side = |side: u32| side.div_ceil(options.scale.divisor()) as usize;
    assert_eq!((planes.width, planes.height), (side(header.width), side(header.height)), "{options:?}");
    for plane in &planes.planes {
        assert!((0..plane.height).all(|y| plane.row(y).len() == plane.width), "{options:?}");
        assert!(plane.extent.0 <= plane.width as f64 && plane.extent.1 <= plane.height as f64, "{options:?}");
    }
    let n_samples = planes.width * planes.height * planes.pixel_layout().channels();
    assert_eq!(planes.into_pixels().samples.len(), n_samples, "every pixel is there");
}

/// Reads `data` as a HEIF container, and decodes the picture if it is AVIF.
///
/// # Panics
/// When the decoder does, the container speaks of a picture without pixels, or the picture is not of the size that the
/// container says.
pub fn avif(data: &[u8]) {
    let limits = avif::Limits { max_pixels: 1 << 16, max_memory_bytes: 16 << 20 };
    let header = heif::header(data);
    if let Ok(header) = &header {
        assert!(header.width > 0 && header.height > 0, "{header:?}");
        assert!(header.width <= header.coded_width && header.height <= header.coded_height, "{header:?}");
    }
    if let Ok(container) = Container::read(data)
        && let Ok(item) = container.primary()
    {
        let n_bytes = container.bytes(&item).map_or(0, |bytes| bytes.len());
        assert!(n_bytes <= data.len(), "{n_bytes} coded bytes in a file of {}", data.len());
        let _ = container.grid(&item);
    }
    let decoded: Result<avif::Picture, AvifError> = avif::decode(data, &limits);
    let Ok(picture) = decoded else { return };
    let header = header.expect("what is decoded has a header");
    assert_eq!((picture.width, picture.height), (header.width, header.height));
    let n_bytes = picture.width as usize * picture.height as usize * picture.layout.channels();
    assert_eq!(picture.bytes.len(), n_bytes);
    assert!((1..=8).contains(&picture.orientation));
}

/// Pixels made of the input: the first bytes are the sides, the rest is repeated as often as need be.
struct Made<'a> {
    width: u32,
    height: u32,
    /// Two bytes that choose what is tried.
    choices: [u8; 2],
    rest: &'a [u8],
}

impl<'a> Made<'a> {
    fn of(data: &'a [u8]) -> Option<Self> {
        let (&[width, height, first, second], rest) = data.split_first_chunk::<4>()?;
        let side = |byte: u8| u32::from(byte % 64) + 1;
        (!rest.is_empty()).then(|| Self { width: side(width), height: side(height), choices: [first, second], rest })
    }

    /// So many bytes a pixel.
    fn bytes(&self, n_channels: u32) -> Vec<u8> {
        let n_bytes = (self.width * self.height * n_channels) as usize;
        self.rest.iter().copied().cycle().take(n_bytes).collect()
    }
}

/// Encodes pixels made of `data` as WebP, and decodes them with another's decoder.
///
/// # Panics
/// When the other decoder finds fault, sees another size, or other pixels where the coding is lossless.
pub fn webp(data: &[u8]) {
    let Some(made) = Made::of(data) else { return };
    let [quality, way] = made.choices;
    let options = webp::Options { quality: quality % 101, effort: (way >> 4 & 7).min(6), ..webp::Options::default() };
    let lossless = webp::Options { lossless: true, ..options };
    let (rgb, rgba) = (made.bytes(3), made.bytes(4));
    let picture = |pixels| webp::Picture { width: made.width, height: made.height, pixels };
    match way & 7 {
        0 | 1 => _ = decoded(&made, &picture(webp::Pixels::Rgb(&rgb)), &options),
        2 | 3 => _ = decoded(&made, &picture(webp::Pixels::Rgba(&rgba)), &options),
        4 => assert!(decoded(&made, &picture(webp::Pixels::Rgb(&rgb)), &lossless) == rgb, "other pixels"),
        5 => {
            let found = decoded(&made, &picture(webp::Pixels::Rgba(&rgba)), &lossless);
            let is_same = |(a, b): (&[u8], &[u8])| a == b || a[3] == 0 && b[3] == 0;
            // Without any transparency there are three channels.
            let is_opaque = rgba.chunks_exact(4).all(|pixel| pixel[3] == 255);
            let is_exact = rgba.chunks_exact(4).zip(found.chunks_exact(4)).all(is_same);
            assert!(is_opaque || found.len() == rgba.len() && is_exact, "other pixels");
        }
        6 => _ = decoded(&made, &picture(planes(&made, &rgb, way)), &options),
        _ => moves(&made, &picture(webp::Pixels::Rgba(&rgba)), if way & 8 == 0 { &options } else { &lossless }),
    }
}

/// Decodes `data` as the frame of a lossy WebP. What it shows is compared with libwebp in the crate's tests: `image-webp`
/// differs from both where the header asks for unusual things.
///
/// # Panics
/// When the size or the number of samples is not what the header says.
pub fn vp8(data: &[u8]) {
    let Some(&[a, b, c, d]) = data.get(6..).and_then(|sides| sides.first_chunk()) else { return };
    let side = |low, high| usize::from(u16::from_le_bytes([low, high]) & 0x3fff);
    let (width, height) = (side(a, b), side(c, d));
    if width * height > 1 << 16 {
        return;
    }
    let Ok(picture) = webp::decode(data) else { return };
    assert_eq!((picture.width as usize, picture.height as usize), (width, height));
    assert_eq!(picture.to_rgb().len(), width * height * 3);
    let held = picture.into_planes().iter().map(|plane| plane.len() as u64).sum::<u64>();
    assert!(held <= webp::decoding_bytes(width as u32, height as u32), "{held} bytes");
}

fn planes<'a>(made: &Made, samples: &'a [u8], way: u8) -> webp::Pixels<'a> {
    let n_samples = (made.width * made.height) as usize;
    let chroma = if way & 8 == 0 { webp::Chroma::Half } else { webp::Chroma::Full };
    let chroma_width = if way & 8 == 0 { made.width.div_ceil(2) } else { made.width };
    webp::Pixels::Planes(webp::PlaneSlices {
        y: &samples[..n_samples],
        cb: &samples[n_samples..2 * n_samples],
        cr: &samples[2 * n_samples..],
        y_stride: made.width as usize,
        chroma_stride: chroma_width as usize,
        range: if way & 128 == 0 { webp::Range::Full } else { webp::Range::Limited },
        chroma,
    })
}

/// What another's decoder makes of the encoded picture.
fn decoded(made: &Made, picture: &webp::Picture, options: &webp::Options) -> Vec<u8> {
    let file = webp::encode(picture, options).expect("a picture of this size is encoded");
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(&file)).expect("the file has a header");
    assert_eq!(decoder.dimensions(), (made.width, made.height));
    let mut pixels = vec![0; decoder.output_buffer_size().expect("a small picture")];
    decoder.read_image(&mut pixels).expect("the file is decoded");
    pixels
}

/// Two frames, the second smaller.
fn moves(made: &Made, picture: &webp::Picture, options: &webp::Options) {
    let whole = webp::Frame {
        picture: *picture,
        x: 0,
        y: 0,
        duration: 40,
        blend: webp::Blend::Replace,
        dispose: webp::Dispose::Keep,
    };
    let dot = webp::Picture { width: 1, height: 1, pixels: webp::Pixels::Rgba(&[1, 2, 3, 200]) };
    let dot = webp::Frame { picture: dot, blend: webp::Blend::Over, ..whole };
    let mut animation = webp::Animation::new(made.width, made.height, &webp::AnimationOptions::default())
        .expect("a canvas of this size is taken");
    for frame in [whole, dot] {
        animation.add(&frame, options).expect("the frame lies on the canvas");
    }
    let file = animation.finish().expect("there are frames");
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(&file)).expect("the file has a header");
    assert_eq!((decoder.dimensions(), decoder.num_frames()), ((made.width, made.height), 2));
    let mut pixels = vec![0; decoder.output_buffer_size().expect("a small picture")];
    for _ in 0..2 {
        decoder.read_frame(&mut pixels).expect("the frame is decoded");
    }
}

/// Writes pixels made of `data` as PNG and GIF with a table of colours, and decodes them with others' decoders.
///
/// # Panics
/// When there are more colours than were allowed, or other pixels although there were few enough colours.
pub fn palette(data: &[u8]) {
    let Some(made) = Made::of(data) else { return };
    let n_colors = usize::from(made.choices[0]).max(2);
    let pixels = made.bytes(3);
    let source = png_of(&made, &pixels);
    let is_exact = n_distinct(&pixels) <= n_colors;
    let found = png_pixels(&rendered(&source, &format!("f=png,colors={n_colors}")));
    assert!(n_distinct(&found) <= n_colors, "{} colours of {n_colors}", n_distinct(&found));
    assert!(found.len() == pixels.len() && (!is_exact || found == pixels), "the PNG has other pixels");
    let found = gif_pixels(&rendered(&source, "f=gif"));
    assert!(n_distinct(&found) <= 256 && found.len() == pixels.len());
    assert!(n_distinct(&pixels) > 256 || found == pixels, "the GIF has other pixels");
}

fn n_distinct(rgb: &[u8]) -> usize {
    let mut colors: Vec<&[u8]> = rgb.chunks_exact(3).collect();
    colors.sort_unstable();
    colors.dedup();
    colors.len()
}

fn rendered(file: &[u8], options: &str) -> Vec<u8> {
    let limits = Limits::default();
    let transform: Transform = options.parse().expect("the options are in the grammar");
    let source = Facts::read(file, &limits).expect("a sound PNG").source;
    let plan = Plan::resolve(&transform, &source, Accept::default()).expect("a small picture");
    render(file, &plan, &Extras::default(), &limits).expect("a sound PNG is rendered").bytes
}

fn png_of(made: &Made, rgb: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, made.width, made.height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().expect("memory takes what is written");
    writer.write_image_data(rgb).expect("as many bytes as the size asks for");
    writer.finish().expect("memory takes what is written");
    file
}

fn png_pixels(file: &[u8]) -> Vec<u8> {
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().expect("the file has a header");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a small picture")];
    reader.next_frame(&mut pixels).expect("the file is decoded");
    pixels
}

fn gif_pixels(file: &[u8]) -> Vec<u8> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(file).expect("the file has a header");
    let frame = decoder.read_next_frame().expect("the file is decoded").expect("there is a frame");
    frame.buffer.as_chunks::<4>().0.iter().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
}
