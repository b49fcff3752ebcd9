//! Files for the tests, built byte by byte: sound headers with next to no pixels.

use heif::samples::{Sample, avif, boxed, clap, grid, hvcc, ispe};

/// EXIF with nothing but an orientation.
pub(crate) fn exif_block(orientation: u8, is_little: bool) -> Vec<u8> {
    let short = |value: u16| {
        if is_little { value.to_le_bytes() } else { value.to_be_bytes() }
    };
    let long = |value: u32| {
        if is_little { value.to_le_bytes() } else { value.to_be_bytes() }
    };
    let mut block = if is_little { b"II*\0".to_vec() } else { b"MM\0*".to_vec() };
    block.extend(long(8));
    block.extend(short(1));
    block.extend(short(0x0112));
    block.extend(short(3));
    block.extend(long(1));
    block.extend(short(u16::from(orientation)));
    block.extend(short(0));
    block.extend(long(0));
    block
}

/// 1000x600, turned, animated, 8 bits, no more channels, gray.
pub(crate) const JXL_ANIMATED: &[(u32, u32)] = &[
    (0, 1),
    (1, 2),
    (599, 13),
    (0, 3),
    (1, 2),
    (999, 13),
    // Not all default; extra fields: orientation 6, no intrinsic size, a preview of 65 by ratio, animation.
    (0, 1),
    (1, 1),
    (5, 3),
    (0, 1),
    (1, 1),
    (0, 1),
    (1, 2),
    (0, 8),
    (1, 3),
    (1, 1),
    (0, 2),
    (0, 2),
    (0, 2),
    (0, 1),
    // Depth 8, 16 bits are enough, no more channels, not XYB, gray.
    (0, 1),
    (0, 2),
    (1, 1),
    (0, 2),
    (0, 1),
    (0, 1),
    (0, 1),
    (1, 2),
];

/// 256 high and 16:9, 16 bits, with a spot colour and opacity under a name.
pub(crate) const JXL_ALPHA: &[(u32, u32)] = &[
    (1, 1),
    (31, 5),
    (5, 3),
    (0, 1),
    (0, 1),
    (0, 1),
    (3, 2),
    (15, 6),
    (1, 1),
    (2, 2),
    (0, 4),
    // Spot colour: a name of one byte, four numbers.
    (0, 1),
    (2, 2),
    (0, 4),
    (0, 1),
    (0, 2),
    (0, 2),
    (1, 2),
    (1, 4),
    (65, 8),
    (0, 32),
    (0, 32),
    // Opacity of 16 bits, not premultiplied.
    (0, 1),
    (0, 2),
    (0, 1),
    (3, 2),
    (15, 6),
    (0, 2),
    (0, 2),
    (0, 1),
    // XYB, sRGB.
    (1, 1),
    (1, 1),
];

/// One sound file of each kind.
pub(crate) fn everything() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("jpeg", jpeg().exif(6, true).bytes()),
        ("progressive jpeg", jpeg().sof(0xC2).exif(3, false).bytes()),
        ("png", png().chunk(b"tRNS", &[0; 6]).exif(5).bytes()),
        ("animated png", png().chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]).chunk(b"fcTL", &[0; 26]).bytes()),
        ("lossy webp", webp().lossy(320, 200).bytes()),
        ("lossless webp", webp().lossless(7, 9, true).bytes()),
        ("extended webp", webp().extended(0x18, 7, 9).lossless(7, 9, true).exif(6).bytes()),
        ("animated webp", webp().extended(0x12, 9, 9).animation().frame(9, 9).frame(3, 3).bytes()),
        ("gif", gif().comment().transparent().frame(0, 0, 40, 30).frame(2, 2, 5, 5).bytes()),
        ("avif", avif().property(boxed(b"irot", &[1])).bytes()),
        ("wide avif", Sample { is_wide: true, ..avif().alpha() }.bytes()),
        ("cropped avif", avif().property(clap(20, 10, [1, 1], [-2, 1])).bytes()),
        ("avif of a grid", grid().bytes()),
        ("avif sequence", Sample { brands: vec![*b"avis"], frames: Some(5), ..avif() }.bytes()),
        ("heic", heic().alpha().bytes()),
        ("jpeg xl", jxl(JXL_ANIMATED).bytes()),
        ("boxed jpeg xl", jxl(JXL_ALPHA).boxed(1)),
        ("jpeg xl in pieces", jxl(JXL_ALPHA).boxed(2)),
        ("tiff", tiff().pages(3).bytes()),
        ("big-endian tiff", tiff().big_endian().field(274, 3, 6).bytes()),
        ("bigtiff", tiff().big().pages(2).bytes()),
        ("bmp", bmp(40, 30, -20, 24, 0, 0)),
        ("bmp with opacity", bmp(124, 30, 20, 32, 3, 0xFF00_0000)),
        ("old bmp", bmp(12, 30, 20, 8, 0, 0)),
        ("icon", ico(32, 32, false, (32, 32))),
        ("icon of a png", ico(0, 0, true, (512, 512))),
        ("svg", svg("width='30' height='20'")),
        (
            "svg with a preamble",
            [b"<?xml version='1.0'?><!-- > --><!DOCTYPE svg>".to_vec(), svg("viewBox='0 0 3 2'")].concat(),
        ),
    ]
}

#[derive(Clone)]
pub(crate) struct Jpeg {
    sof: u8,
    bits: u8,
    size: (u16, u16),
    components: u8,
    before: Vec<u8>,
}

pub(crate) fn jpeg() -> Jpeg {
    Jpeg { sof: 0xC0, bits: 8, size: (640, 480), components: 3, before: Vec::new() }
}

impl Jpeg {
    pub(crate) fn sof(mut self, sof: u8) -> Self {
        self.sof = sof;
        self
    }

    pub(crate) fn bits(mut self, bits: u8) -> Self {
        self.bits = bits;
        self
    }

    pub(crate) fn size(mut self, width: u16, height: u16) -> Self {
        self.size = (width, height);
        self
    }

    pub(crate) fn components(mut self, components: u8) -> Self {
        self.components = components;
        self
    }

    pub(crate) fn exif(mut self, orientation: u8, is_little: bool) -> Self {
        let body = [b"Exif\0\0", exif_block(orientation, is_little).as_slice()].concat();
        self.before.extend(segment(0xE1, &body));
        self
    }

    pub(crate) fn garbage(mut self) -> Self {
        self.before.extend([1, 2, 3, 0xFF, 0, 0xFF, 0xFF]);
        self
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        let mut frame = vec![self.bits];
        frame.extend(self.size.1.to_be_bytes());
        frame.extend(self.size.0.to_be_bytes());
        frame.push(self.components);
        frame.extend((1..=self.components).flat_map(|id| [id, 0x11, 0]));
        [
            vec![0xFF, 0xD8],
            segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            self.before,
            segment(0xDB, &[0; 65]),
            segment(self.sof, &frame),
            segment(0xDA, &[1, 1, 0, 0, 63, 0]),
            // Pixels with a coded FF and a restart marker among them.
            vec![0x12, 0xFF, 0x00, 0x34, 0xFF, 0xD0, 0x56, 0xFF, 0xD9],
        ]
        .concat()
    }

    pub(crate) fn cut(self, n_bytes: usize) -> Vec<u8> {
        cut(self.bytes(), n_bytes)
    }
}

fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 2).expect("a sample segment is short");
    [&[0xFF, marker], length.to_be_bytes().as_slice(), body].concat()
}

pub(crate) fn cut(mut bytes: Vec<u8>, n_bytes: usize) -> Vec<u8> {
    bytes.truncate(bytes.len() - n_bytes);
    bytes
}

#[derive(Clone)]
pub(crate) struct Png {
    size: (u32, u32),
    bits: u8,
    color: u8,
    interlace: u8,
    before: Vec<u8>,
    after: Vec<u8>,
}

pub(crate) fn png() -> Png {
    Png { size: (30, 20), bits: 8, color: 2, interlace: 0, before: Vec::new(), after: Vec::new() }
}

impl Png {
    pub(crate) fn size(mut self, width: u32, height: u32) -> Self {
        self.size = (width, height);
        self
    }

    pub(crate) fn bits(mut self, bits: u8) -> Self {
        self.bits = bits;
        self
    }

    pub(crate) fn color(mut self, color: u8) -> Self {
        self.color = color;
        self
    }

    pub(crate) fn interlaced(mut self) -> Self {
        self.interlace = 1;
        self
    }

    pub(crate) fn chunk(mut self, kind: &[u8; 4], body: &[u8]) -> Self {
        self.before.extend(chunk(kind, body));
        self
    }

    pub(crate) fn chunk_of_length(mut self, length: u32) -> Self {
        self.before.extend([&length.to_be_bytes(), b"teXt".as_slice()].concat());
        self
    }

    pub(crate) fn exif(self, orientation: u8) -> Self {
        self.chunk(b"eXIf", &exif_block(orientation, false))
    }

    pub(crate) fn late_exif(mut self, orientation: u8) -> Self {
        self.after.extend(chunk(b"eXIf", &exif_block(orientation, true)));
        self
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        let mut header = self.size.0.to_be_bytes().to_vec();
        header.extend(self.size.1.to_be_bytes());
        header.extend([self.bits, self.color, 0, 0, self.interlace]);
        [
            b"\x89PNG\r\n\x1a\n".to_vec(),
            chunk(b"IHDR", &header),
            self.before,
            chunk(b"IDAT", &[1, 2, 3]),
            self.after,
            chunk(b"IEND", &[]),
        ]
        .concat()
    }

    pub(crate) fn without_header(self) -> Vec<u8> {
        [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"CgBI", &[0; 4])].concat()
    }

    pub(crate) fn cut(self, n_bytes: usize) -> Vec<u8> {
        cut(self.bytes(), n_bytes)
    }
}

/// A chunk with a checksum that is not looked at.
fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a sample chunk is short");
    [length.to_be_bytes().as_slice(), kind, body, &[0; 4]].concat()
}

#[derive(Clone)]
pub(crate) struct WebP {
    chunks: Vec<u8>,
}

pub(crate) fn webp() -> WebP {
    WebP { chunks: Vec::new() }
}

impl WebP {
    pub(crate) fn chunk(mut self, kind: &[u8; 4], body: &[u8]) -> Self {
        self.chunks.extend(riff_chunk(kind, body));
        self
    }

    pub(crate) fn lossy(self, width: u16, height: u16) -> Self {
        self.chunk(b"VP8 ", &lossy_body(width, height))
    }

    pub(crate) fn lossless(self, width: u32, height: u32, has_alpha: bool) -> Self {
        let bits = (width - 1) | ((height - 1) << 14) | (u32::from(has_alpha) << 28);
        self.chunk(b"VP8L", &[&[0x2F], bits.to_le_bytes().as_slice(), &[0; 3]].concat())
    }

    pub(crate) fn extended(self, flags: u8, width: u32, height: u32) -> Self {
        self.chunk(b"VP8X", &[&[flags, 0, 0, 0], u24(width - 1).as_slice(), &u24(height - 1)].concat())
    }

    pub(crate) fn animation(self) -> Self {
        self.chunk(b"ANIM", &[0; 6])
    }

    pub(crate) fn frame_without_image(self) -> Self {
        let image = [b"VP8L".as_slice(), &1000_u32.to_le_bytes(), &[0x2F, 0]].concat();
        self.chunk(b"ANMF", &[vec![0; 16], image].concat())
    }

    pub(crate) fn frame(self, width: u16, height: u16) -> Self {
        self.frame_of(width, height, &[(b"VP8 ", &lossy_body(width, height))])
    }

    pub(crate) fn frame_of(self, width: u16, height: u16, parts: &[(&[u8; 4], &[u8])]) -> Self {
        self.frame_and(width, height, parts, &[])
    }

    fn frame_and(self, width: u16, height: u16, parts: &[(&[u8; 4], &[u8])], rest: &[u8]) -> Self {
        let mut body = [u24(0), u24(0), u24(u32::from(width) - 1), u24(u32::from(height) - 1)].concat();
        body.extend([0; 4]);
        parts.iter().for_each(|(kind, part)| body.extend(riff_chunk(kind, part)));
        body.extend(rest);
        self.chunk(b"ANMF", &body)
    }

    /// A frame with a byte too many.
    pub(crate) fn odd_frame(self, width: u16, height: u16) -> Self {
        let image = lossy_body(width, height);
        self.frame_and(width, height, &[(b"VP8 ", &image)], &[0])
    }

    pub(crate) fn exif(self, orientation: u8) -> Self {
        self.chunk(b"EXIF", &exif_block(orientation, true))
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        let length = u32::try_from(self.chunks.len() + 4).expect("a sample is short");
        [b"RIFF", length.to_le_bytes().as_slice(), b"WEBP", &self.chunks].concat()
    }

    pub(crate) fn cut(self, n_bytes: usize) -> Vec<u8> {
        cut(self.bytes(), n_bytes)
    }
}

pub(crate) fn lossy_body(width: u16, height: u16) -> Vec<u8> {
    [&[0, 0, 0, 0x9D, 0x01, 0x2A], width.to_le_bytes().as_slice(), &height.to_le_bytes(), &[0; 5]].concat()
}

fn u24(value: u32) -> [u8; 3] {
    let [low, middle, high, _] = value.to_le_bytes();
    [low, middle, high]
}

fn riff_chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a sample chunk is short");
    let padding: &[u8] = if body.len() % 2 == 1 { &[0] } else { &[] };
    [kind.as_slice(), &length.to_le_bytes(), body, padding].concat()
}

#[derive(Clone)]
pub(crate) struct Gif {
    size: (u16, u16),
    interlace: u8,
    blocks: Vec<u8>,
}

pub(crate) fn gif() -> Gif {
    Gif { size: (40, 30), interlace: 0, blocks: Vec::new() }
}

impl Gif {
    pub(crate) fn size(mut self, width: u16, height: u16) -> Self {
        self.size = (width, height);
        self
    }

    pub(crate) fn interlaced(mut self) -> Self {
        self.interlace = 0x40;
        self
    }

    pub(crate) fn transparent(mut self) -> Self {
        self.blocks.extend([0x21, 0xF9, 4, 1, 0, 0, 0, 0]);
        self
    }

    pub(crate) fn comment(mut self) -> Self {
        self.blocks.extend(b"\x21\xFE\x03abc\x02de\0");
        self
    }

    pub(crate) fn frame(mut self, left: u16, top: u16, width: u16, height: u16) -> Self {
        self.blocks.push(0x2C);
        self.blocks.extend([left, top, width, height].iter().flat_map(|value| value.to_le_bytes()));
        // A local table of two colours, then pixels in two sub-blocks.
        self.blocks.extend([0x80 | self.interlace, 1, 2, 3, 4, 5, 6, 2, 2, 0x2C, 0x3B, 1, 0x21, 0]);
        self
    }

    fn head(&self) -> Vec<u8> {
        let mut head = b"GIF89a".to_vec();
        head.extend(self.size.0.to_le_bytes());
        head.extend(self.size.1.to_le_bytes());
        head.extend([0x81, 0, 0]);
        head.extend([9; 12]);
        head
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        [self.head(), self.blocks, vec![0x3B]].concat()
    }

    pub(crate) fn garbage(self) -> Vec<u8> {
        [self.head(), self.blocks, vec![0x77, 0x88]].concat()
    }

    pub(crate) fn cut(self, n_bytes: usize) -> Vec<u8> {
        cut(self.bytes(), n_bytes)
    }
}

/// A box of an ISO media file.
pub(crate) fn media_box(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 8).expect("a sample box is short");
    [length.to_be_bytes().as_slice(), kind, body].concat()
}

/// A HEIC of ten bits.
pub(crate) fn heic() -> Sample {
    let mut sample = Sample { brands: vec![*b"heic", *b"mif1"], ..avif() };
    sample.items[0].kind = *b"hvc1";
    sample.items[0].properties = vec![ispe(30, 20), hvcc(1, 10)];
    sample
}

/// JPEG XL, bit by bit.
#[derive(Clone, Default)]
pub(crate) struct Jxl {
    bits: Vec<bool>,
}

/// A codestream from fields, each a number and its bits.
pub(crate) fn jxl(fields: &[(u32, u32)]) -> Jxl {
    let mut jxl = Jxl::default();
    for &(value, n_bits) in fields {
        jxl.bits.extend((0..n_bits).map(|bit| value >> bit & 1 == 1));
    }
    jxl
}

impl Jxl {
    pub(crate) fn bytes(self) -> Vec<u8> {
        let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
        [b"\xFF\x0A".to_vec(), self.bits.chunks(8).map(byte).collect()].concat()
    }

    /// In a container, in one piece or in two.
    pub(crate) fn boxed(self, pieces: usize) -> Vec<u8> {
        let start = [media_box(b"JXL ", b"\r\n\x87\n"), media_box(b"ftyp", b"jxl \0\0\0\0jxl ")].concat();
        let stream = self.bytes();
        if pieces == 1 {
            return [start, media_box(b"jxlc", &stream)].concat();
        }
        let (first, second) = stream.split_at(3);
        let piece = |number: u32, bytes: &[u8]| media_box(b"jxlp", &[&number.to_be_bytes(), bytes].concat());
        [start, piece(0, first), media_box(b"Exif", &[0; 9]), piece(0x8000_0001, second)].concat()
    }
}

/// A TIFF with fields of one value each, as tag, type and value, and pages of the same.
#[derive(Clone)]
pub(crate) struct Tiff {
    is_little: bool,
    is_big: bool,
    fields: Vec<(u16, u16, u32)>,
    pages: u32,
}

pub(crate) fn tiff() -> Tiff {
    let fields = vec![(256, 3, 30), (257, 4, 20), (258, 3, 8), (262, 3, 1), (273, 4, 8), (277, 3, 1), (279, 4, 4)];
    Tiff { is_little: true, is_big: false, fields, pages: 1 }
}

impl Tiff {
    pub(crate) fn big_endian(mut self) -> Self {
        self.is_little = false;
        self
    }

    pub(crate) fn big(mut self) -> Self {
        self.is_big = true;
        self
    }

    pub(crate) fn field(mut self, tag: u16, kind: u16, value: u32) -> Self {
        self.fields.retain(|field| field.0 != tag);
        self.fields.push((tag, kind, value));
        self
    }

    pub(crate) fn without(mut self, tag: u16) -> Self {
        self.fields.retain(|field| field.0 != tag);
        self
    }

    pub(crate) fn pages(mut self, pages: u32) -> Self {
        self.pages = pages;
        self
    }

    fn number(&self, value: u64, n_bytes: usize) -> Vec<u8> {
        if self.is_little {
            value.to_le_bytes()[..n_bytes].to_vec()
        } else {
            value.to_be_bytes()[8 - n_bytes..].to_vec()
        }
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        let (width, count_width) = if self.is_big { (8, 8) } else { (4, 2) };
        let mut bytes = if self.is_little { b"II".to_vec() } else { b"MM".to_vec() };
        bytes.extend(self.number(if self.is_big { 43 } else { 42 }, 2));
        if self.is_big {
            bytes.extend([self.number(8, 2), vec![0, 0]].concat());
        }
        // The pixels, and then the pages.
        bytes.extend(self.number(bytes.len() as u64 + width as u64 + 4, width));
        bytes.extend([9; 4]);
        for page in 1..=self.pages {
            let n_fields = self.fields.len();
            bytes.extend(self.number(n_fields as u64, count_width));
            for &(tag, kind, value) in &self.fields {
                bytes.extend(self.number(tag.into(), 2));
                bytes.extend(self.number(kind.into(), 2));
                bytes.extend(self.number(1, width));
                let size = match kind {
                    3 => 2,
                    4 => 4,
                    _ => 1,
                };
                bytes.extend([self.number(value.into(), size), vec![0; width - size]].concat());
            }
            let next = if page < self.pages { bytes.len() + width } else { 0 };
            bytes.extend(self.number(next as u64, width));
        }
        bytes
    }
}

/// A BMP with a header of this size, and next to no pixels.
pub(crate) fn bmp(header: u32, width: i32, height: i32, depth: u16, method: u32, opacity: u32) -> Vec<u8> {
    let body = bitmap(header, width, height, depth, method, opacity);
    let length = u32::try_from(14 + body.len()).expect("a sample is short");
    [b"BM", length.to_le_bytes().as_slice(), &[0; 4], &(14 + header).to_le_bytes(), &body].concat()
}

fn bitmap(header: u32, width: i32, height: i32, depth: u16, method: u32, opacity: u32) -> Vec<u8> {
    let mut body = header.to_le_bytes().to_vec();
    if header == 12 {
        body.extend((width as u16).to_le_bytes());
        body.extend((height as u16).to_le_bytes());
    } else {
        body.extend(width.to_le_bytes());
        body.extend(height.to_le_bytes());
    }
    body.extend(1_u16.to_le_bytes());
    body.extend(depth.to_le_bytes());
    body.extend(method.to_le_bytes());
    body.resize(52, 0);
    body.extend(opacity.to_le_bytes());
    body.truncate(header.max(16) as usize);
    body.resize(header.max(16) as usize + 8, 0);
    body
}

/// An icon of a small bitmap and of a PNG or a larger bitmap.
pub(crate) fn ico(width: u8, height: u8, has_png: bool, size: (u32, u32)) -> Vec<u8> {
    let large = if has_png {
        png().size(size.0, size.1).bytes()
    } else {
        bitmap(40, size.0 as i32, 2 * size.1 as i32, 32, 0, 0)
    };
    let small = bitmap(40, 16, 32, 32, 0, 0);
    let entry = |sides: [u8; 2], picture: &[u8], offset: usize| {
        let numbers = [picture.len() as u32, offset as u32].map(u32::to_le_bytes).concat();
        [sides.as_slice(), &[0, 0, 1, 0, 32, 0], &numbers].concat()
    };
    let start = [0, 0, 1, 0, 2, 0].to_vec();
    [start, entry([16, 16], &small, 38), entry([width, height], &large, 38 + small.len()), small.clone(), large]
        .concat()
}

/// An SVG whose root has these attributes.
pub(crate) fn svg(attributes: &str) -> Vec<u8> {
    format!("<svg xmlns=\"http://www.w3.org/2000/svg\" {attributes}><path d='M0 0'/></svg>\n").into_bytes()
}
