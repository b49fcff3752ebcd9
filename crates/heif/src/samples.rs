//! Crafted files for tests, of this crate and of those that decode what is inside. They panic where they are misused.

#![expect(clippy::unwrap_used, reason = "a sample that cannot be made fails its test")]

/// A box.
pub fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap();
    [&length.to_be_bytes(), &kind[..], content].concat()
}

/// A box with version and flags.
pub fn full(kind: &[u8; 4], version: u8, flags: u32, content: &[u8]) -> Vec<u8> {
    let head = (u32::from(version) << 24 | flags).to_be_bytes();
    boxed(kind, &[&head, content].concat())
}

/// Numbers of two bytes, one after another.
pub fn shorts(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

/// Numbers of four bytes, one after another.
pub fn longs(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

/// One item: its type, its properties, its bytes, and whether those are in the tables instead of after them.
#[derive(Clone)]
pub struct SampleItem {
    /// The type, such as `av01`.
    pub kind: [u8; 4],
    /// Its properties, each a box.
    pub properties: Vec<Vec<u8>>,
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Whether `bytes` stand in the tables (`idat`).
    pub is_in_tables: bool,
}

/// A file to be. The first item is the primary one, and items count from 1.
#[derive(Clone)]
pub struct Sample {
    /// The brands, the major one first.
    pub brands: Vec<[u8; 4]>,
    /// The items.
    pub items: Vec<SampleItem>,
    /// Why and from which item to which.
    pub references: Vec<([u8; 4], u16, Vec<u16>)>,
    /// Properties marked as essential, by type.
    pub essential: Vec<[u8; 4]>,
    /// Whether every table has its wide form.
    pub is_wide: bool,
    /// Frames of a sequence beside the pictures.
    pub frames: Option<u32>,
}

/// A size.
pub fn ispe(width: u32, height: u32) -> Vec<u8> {
    full(b"ispe", 0, 0, &longs(&[width, height]))
}

/// A decoder's settings for AV1. `format` holds depth, monochrome and subsampling; 0 is 8 bits in colour.
pub fn av1c(format: u8) -> Vec<u8> {
    boxed(b"av1C", &[0x81, 0, format, 0])
}

/// A decoder's settings for HEVC: chroma format and bits.
pub fn hvcc(chroma: u8, depth: u8) -> Vec<u8> {
    let mut content = vec![0; 23];
    content[0] = 1;
    content[16] = 0xFC | chroma;
    content[17] = 0xF8 | (depth - 8);
    boxed(b"hvcC", &content)
}

/// What names an alpha picture.
pub fn alpha_type() -> Vec<u8> {
    full(b"auxC", 0, 0, b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")
}

/// Colours: those of sRGB, with every value used, and this matrix.
pub fn nclx(matrix: u16) -> Vec<u8> {
    boxed(b"colr", &[&b"nclx"[..], &shorts(&[1, 13, matrix]), &[0x80]].concat())
}

/// A crop: whole sides, and the offsets of its centre as fractions.
pub fn clap(width: u32, height: u32, x: [i32; 2], y: [i32; 2]) -> Vec<u8> {
    let offsets = [x, y].concat().into_iter().map(i32::cast_unsigned);
    boxed(b"clap", &longs(&[width, 1, height, 1].into_iter().chain(offsets).collect::<Vec<_>>()))
}

impl SampleItem {
    /// An item whose bytes stand after the tables.
    pub fn new(kind: &[u8; 4], properties: &[Vec<u8>], bytes: &[u8]) -> Self {
        Self { kind: *kind, properties: properties.to_vec(), bytes: bytes.to_vec(), is_in_tables: false }
    }
}

/// An AVIF of 30x20 pixels, 8 bits.
pub fn avif() -> Sample {
    Sample {
        brands: vec![*b"avif", *b"mif1", *b"miaf"],
        items: vec![SampleItem::new(b"av01", &[ispe(30, 20), av1c(0)], b"coded picture")],
        references: Vec::new(),
        essential: Vec::new(),
        is_wide: false,
        frames: None,
    }
}

/// An AVIF of 70x20 pixels in a grid of two tiles.
pub fn grid() -> Sample {
    let mut sample = avif();
    let layout = [&[0, 0, 0, 1][..], &shorts(&[70, 20])].concat();
    let mut whole = SampleItem::new(b"grid", &[ispe(70, 20)], &layout);
    whole.is_in_tables = true;
    let tile = |bytes: &[u8]| SampleItem::new(b"av01", &[ispe(40, 20), av1c(0)], bytes);
    sample.items = vec![whole, tile(b"left"), tile(b"right")];
    sample.references = vec![(*b"dimg", 1, vec![2, 3])];
    sample
}

impl Sample {
    /// The same with one more property of the first item.
    pub fn property(mut self, property: Vec<u8>) -> Self {
        self.items[0].properties.push(property);
        self
    }

    /// The same with an alpha picture for the first item.
    pub fn alpha(mut self) -> Self {
        let item = SampleItem::new(b"av01", &[ispe(30, 20), av1c(0x10), alpha_type()], b"coded alpha");
        self.items.push(item);
        let id = u16::try_from(self.items.len()).unwrap();
        self.references.push((*b"auxl", id, vec![1]));
        self
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        let brands = [&self.brands[0][..], &[0; 4], &self.brands.concat()].concat();
        let first = boxed(b"ftyp", &brands);
        let movie = self.frames.map(movie).unwrap_or_default();
        // The tables are of one length wherever the data begins.
        let data_at = first.len() + self.tables(0).len() + movie.len() + 8;
        let data: Vec<u8> =
            self.items.iter().filter(|item| !item.is_in_tables).flat_map(|item| item.bytes.clone()).collect();
        [first, self.tables(data_at), movie, boxed(b"mdat", &data)].concat()
    }

    /// The numbers of items.
    fn ids(&self, ids: &[u16]) -> Vec<u8> {
        if self.is_wide { longs(&ids.iter().copied().map(u32::from).collect::<Vec<_>>()) } else { shorts(ids) }
    }

    /// `version`, or in the wide form `wide`.
    fn version(&self, version: u8, wide: u8) -> u8 {
        if self.is_wide { wide } else { version }
    }

    fn tables(&self, data_at: usize) -> Vec<u8> {
        let n = u16::try_from(self.items.len()).unwrap();
        let entries = (1..).zip(&self.items).flat_map(|(id, item)| {
            let content = [&self.ids(&[id]), &shorts(&[0])[..], &item.kind, b"\0"].concat();
            full(b"infe", self.version(2, 3), 0, &content)
        });
        let references = self.references.iter().flat_map(|(reason, from, to)| {
            let n = u16::try_from(to.len()).unwrap();
            boxed(reason, &[self.ids(&[*from]), shorts(&[n]), self.ids(to)].concat())
        });
        let content = [
            full(b"hdlr", 0, 0, &[&[0; 4], &b"pict"[..], &[0; 13]].concat()),
            full(b"pitm", self.version(0, 1), 0, &self.ids(&[1])),
            full(b"iinf", self.version(0, 1), 0, &self.ids(&[n]).into_iter().chain(entries).collect::<Vec<_>>()),
            self.locations(data_at),
            boxed(b"iprp", &self.properties()),
            full(b"iref", self.version(0, 1), 0, &references.collect::<Vec<_>>()),
            boxed(
                b"idat",
                &self
                    .items
                    .iter()
                    .filter(|item| item.is_in_tables)
                    .flat_map(|item| item.bytes.clone())
                    .collect::<Vec<_>>(),
            ),
        ];
        full(b"meta", 0, 0, &content.concat())
    }

    fn locations(&self, data_at: usize) -> Vec<u8> {
        let mut content = [&[0x44, 0][..], &self.ids(&[u16::try_from(self.items.len()).unwrap()])].concat();
        let (mut at, mut at_in_tables) = (data_at, 0);
        for (id, item) in (1..).zip(&self.items) {
            let place = if item.is_in_tables { &mut at_in_tables } else { &mut at };
            content.extend(self.ids(&[id]));
            content.extend(shorts(&[item.is_in_tables.into(), 0, 1]));
            content.extend(longs(&[u32::try_from(*place).unwrap(), u32::try_from(item.bytes.len()).unwrap()]));
            *place += item.bytes.len();
        }
        full(b"iloc", self.version(1, 2), 0, &content)
    }

    fn properties(&self) -> Vec<u8> {
        let all: Vec<&Vec<u8>> = self.items.iter().flat_map(|item| &item.properties).collect();
        let mut next = 1_u8;
        let mut associations = longs(&[u32::try_from(self.items.len()).unwrap()]);
        for (id, item) in (1..).zip(&self.items) {
            associations.extend(self.ids(&[id]));
            associations.push(u8::try_from(item.properties.len()).unwrap());
            for property in &item.properties {
                let is_essential = self.essential.iter().any(|kind| kind[..] == property[4..8]);
                let essential = if is_essential { 0x80 } else { 0 };
                let index = if self.is_wide { vec![essential, next] } else { vec![essential | next] };
                associations.extend(index);
                next += 1;
            }
        }
        let wide = self.version(0, 1);
        let table = full(b"ipma", wide, wide.into(), &associations);
        [boxed(b"ipco", &all.into_iter().flatten().copied().collect::<Vec<_>>()), table].concat()
    }
}

/// A sequence of so many frames.
fn movie(frames: u32) -> Vec<u8> {
    let sizes = full(b"stsz", 0, 0, &longs(&[0, frames]));
    let handler = full(b"hdlr", 0, 0, b"\0\0\0\0pict\0\0\0\0");
    let information = boxed(b"minf", &boxed(b"stbl", &sizes));
    let media = boxed(b"mdia", &[handler, information].concat());
    boxed(b"moov", &[boxed(b"mvhd", &[0; 9]), boxed(b"trak", &media)].concat())
}
