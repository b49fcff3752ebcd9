//! What crafted files are read as, and that damaged ones are refused without a panic.

use crate::samples::*;
use crate::*;

fn check(name: &str, bytes: &[u8], expected: &str) {
    let found = match header(bytes) {
        Ok(found) => describe(&found),
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expected, "{name}");
}

/// One line for a header: what is not the usual value is named.
fn describe(header: &Header) -> String {
    let mut line = format!("{:?} {}x{} {}", header.family, header.width, header.height, header.bits).to_lowercase();
    for (is_said, word) in [
        (header.is_gray, "gray".to_owned()),
        (header.has_alpha, "alpha".to_owned()),
        (header.has_icc, "icc".to_owned()),
        (header.is_sequence, "sequence".to_owned()),
        (header.frames != 1, format!("frames={}", header.frames)),
        (header.orientation != 1, format!("turned={}", header.orientation)),
        (
            (header.coded_width, header.coded_height) != (header.width, header.height),
            format!("of={}x{}", header.coded_width, header.coded_height),
        ),
        (!header.is_complete, "cut".to_owned()),
    ] {
        if is_said {
            line.push(' ');
            line.push_str(&word);
        }
    }
    line
}

fn heic() -> Sample {
    let mut sample = avif();
    sample.brands = vec![*b"heic", *b"mif1"];
    sample.items = vec![SampleItem::new(b"hvc1", &[ispe(30, 20), hvcc(1, 10)], b"coded")];
    sample
}

#[test]
fn reads_headers() {
    let turn = |angle: u8| boxed(b"irot", &[angle]);
    let mirror = |axis: u8| boxed(b"imir", &[axis]);
    let icc = boxed(b"colr", b"profPROFILE");
    let sequence = Sample { brands: vec![*b"avis", *b"avif"], ..avif() };
    let essential = |kind| Sample { essential: vec![kind], ..avif() };
    let with_format = |format| {
        let mut sample = avif();
        sample.items[0].properties[1] = av1c(format);
        sample
    };
    for (name, sample, expected) in [
        ("plain", avif(), "avif 30x20 8"),
        ("10 bits", with_format(0x40), "avif 30x20 10"),
        ("12 bits, gray", with_format(0x70), "avif 30x20 12 gray"),
        ("alpha", avif().alpha(), "avif 30x20 8 alpha"),
        ("profile", avif().property(icc), "avif 30x20 8 icc"),
        ("turned left", avif().property(turn(1)), "avif 30x20 8 turned=8"),
        ("turned right", avif().property(turn(3)), "avif 30x20 8 turned=6"),
        ("mirrored", avif().property(mirror(1)), "avif 30x20 8 turned=2"),
        ("upside down", avif().property(mirror(0)), "avif 30x20 8 turned=4"),
        ("turned left, upside down", avif().property(turn(1)).property(mirror(0)), "avif 30x20 8 turned=5"),
        ("cropped", avif().property(clap(20, 10, [1, 1], [-2, 1])), "avif 20x10 8 of=30x20"),
        ("cropped by halves", avif().property(clap(21, 10, [1, 2], [0, 1])), "avif 21x10 8 of=30x20"),
        (
            "crop beyond the edge",
            avif().property(clap(20, 10, [6, 1], [0, 1])),
            "the file is damaged: a crop that is not of whole pixels inside of the picture",
        ),
        (
            "crop between pixels",
            avif().property(clap(21, 10, [0, 1], [0, 1])),
            "the file is damaged: a crop that is not of whole pixels inside of the picture",
        ),
        (
            "crop divided by nothing",
            avif().property(clap(20, 10, [0, 0], [0, 1])),
            "the file is damaged: a crop that is not of whole pixels inside of the picture",
        ),
        (
            "crop after a turn",
            avif().property(turn(1)).property(clap(20, 10, [0, 1], [0, 1])),
            "the file has a crop after a turn, which is not supported",
        ),
        ("no width", avif().property(ispe(0, 20)), "the file is damaged: a side of no pixels"),
        ("sequence without a movie", sequence.clone(), "avif 30x20 8 sequence"),
        ("sequence", Sample { frames: Some(5), ..sequence }, "avif 30x20 8 sequence frames=5"),
        ("frames beside a still picture", Sample { frames: Some(5), ..avif() }, "avif 30x20 8"),
        ("wide tables", Sample { is_wide: true, ..avif().alpha() }, "avif 30x20 8 alpha"),
        ("unknown property", avif().property(boxed(b"xxxx", b"")), "avif 30x20 8"),
        (
            "unknown essential property",
            essential(*b"xxxx").property(boxed(b"xxxx", b"")),
            "the file has an unknown property that is essential, which is not supported",
        ),
        ("known essential property", essential(*b"av1C"), "avif 30x20 8"),
        ("every layer", avif().property(boxed(b"lsel", &[0xFF, 0xFF])), "avif 30x20 8"),
        (
            "one layer",
            avif().property(boxed(b"lsel", &[0, 1])),
            "the file has a choice of layers, which is not supported",
        ),
        ("grid", grid(), "avif 70x20 8"),
        ("heic", heic(), "heic 30x20 10"),
    ] {
        check(name, &sample.bytes(), expected);
    }
}

#[test]
fn other_items_are_named() {
    for (kind, found) in
        [(b"iovl", "an overlay of pictures"), (b"jpeg", "a JPEG inside"), (b"mime", "an item that is no picture")]
    {
        let mut sample = avif();
        sample.items[0].kind = *kind;
        check(found, &sample.bytes(), &format!("the file has {found}, which is not supported"));
    }
}

#[test]
fn knows_families_by_brand() {
    let (avif, heic) = (Brand::Family(Family::Avif), Brand::Family(Family::Heic));
    for (brands, expected) in [
        (&b"avifxxxxmif1"[..], avif),
        (b"mif1xxxxavif", avif),
        (b"mif1xxxxheicavif", avif),
        (b"mif1avifmiaf", Brand::OtherImage),
        (b"heicxxxxmif1", heic),
        (b"mif1xxxxheix", heic),
        (b"isomxxxxmp42", Brand::Other),
    ] {
        let file = boxed(b"ftyp", brands);
        assert_eq!(brand(&file), expected, "{:?}", String::from_utf8_lossy(brands));
        for length in 0..file.len() {
            let found = brand(&file[..length]);
            assert!(found == expected || found == Brand::Cut, "{length} bytes of {file:?}: {found:?}");
        }
    }
    assert_eq!(brand(b"RIFF\0\0\0\0WEBP"), Brand::Other);
    let sequence = [boxed(b"ftyp", b"avisxxxxavif"), boxed(b"moov", b"")].concat();
    check("nothing but a sequence", &sequence, "the file ends too early");
    let open = [boxed(b"ftyp", b"avifxxxxmif1"), b"\0\0\0\0meta\0\0\0\0".to_vec()].concat();
    check("tables to the end", &open, "the file has tables without a length, which is not supported");
    check("something else", b"RIFF\0\0\0\0WEBP", "the file is not a HEIF file");
    check("the beginning of a file", b"\0\0\0\x18ft", "the file ends too early");
}

#[test]
fn finds_what_is_coded() {
    let file = avif().alpha().bytes();
    let container = Container::read(&file).unwrap();
    let (primary, alpha) = (container.primary().unwrap(), container.alpha().unwrap().unwrap());
    assert_eq!(&*container.bytes(&primary).unwrap(), b"coded picture");
    assert_eq!(&*container.bytes(&alpha).unwrap(), b"coded alpha");
    assert!(!container.is_premultiplied(&alpha));

    let mut sample = avif().alpha();
    sample.references.push((*b"prem", 1, vec![2]));
    let file = sample.bytes();
    let container = Container::read(&file).unwrap();
    assert!(container.is_premultiplied(&container.alpha().unwrap().unwrap()));

    let file = avif().property(nclx(6)).bytes();
    let nclx = Container::read(&file).unwrap().primary().unwrap().properties.nclx;
    assert_eq!(nclx, Some(Nclx { primaries: 1, transfer: 13, matrix: 6, is_full_range: true }));
}

#[test]
fn an_auxiliary_picture_of_another_kind_is_not_alpha() {
    let mut sample = avif().alpha();
    sample.items[1].properties[2] = full(b"auxC", 0, 0, b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth\0");
    check("depth", &sample.bytes(), "avif 30x20 8");
}

#[test]
fn finds_the_tiles_of_a_grid() {
    let file = grid().bytes();
    let container = Container::read(&file).unwrap();
    let found = container.grid(&container.primary().unwrap()).unwrap();
    assert_eq!((found.columns, found.rows, found.width, found.height), (2, 1, 70, 20));
    let tiles: Vec<_> = found.tiles.iter().map(|tile| container.bytes(tile).unwrap().into_owned()).collect();
    assert_eq!(tiles, [b"left".to_vec(), b"right".to_vec()]);

    let check = |name: &str, change: fn(&mut Sample), expected: &str| {
        let mut sample = grid();
        change(&mut sample);
        let file = sample.bytes();
        let container = Container::read(&file).unwrap();
        let error = container.grid(&container.primary().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{name}");
    };
    check("missing tile", |grid| grid.references[0].2.truncate(1), "the file is damaged: a grid with a gap");
    check(
        "tile of another size",
        |grid| grid.items[2].properties[0] = ispe(30, 20),
        "the file is damaged: a grid of unequal tiles",
    );
    check(
        "tiles that do not cover",
        |grid| grid.items[1..].iter_mut().for_each(|tile| tile.properties[0] = ispe(34, 20)),
        "the file is damaged: a grid of another size than its tiles",
    );
    check(
        "tiles beyond the edge",
        |grid| grid.items[1..].iter_mut().for_each(|tile| tile.properties[0] = ispe(70, 20)),
        "the file is damaged: a grid of another size than its tiles",
    );
    check(
        "too many tiles",
        |grid| grid.items[0].bytes[2..4].fill(255),
        "the file has a grid of very many tiles, which is not supported",
    );
    check(
        "grid in itself",
        |grid| grid.references[0].2 = vec![1, 1],
        "the file has a grid of grids, which is not supported",
    );
    check("cut", |grid| grid.items[0].bytes.truncate(5), "the file is damaged: a grid that is too short");
}

#[test]
fn the_beginning_of_a_file_is_enough_once_the_tables_are_there() {
    let file = avif().alpha().bytes();
    let data = file.windows(4).position(|kind| kind == b"mdat").unwrap() - 4;
    for length in 1..file.len() {
        let expected = if length < data { "the file ends too early" } else { "avif 30x20 8 alpha cut" };
        // Without the box of the data nothing says that there is more.
        let expected = if length == data { "avif 30x20 8 alpha" } else { expected };
        check(&format!("{length} bytes"), &file[..length], expected);
    }
    let container = Container::read(&file[..file.len() - 1]).unwrap();
    assert!(container.bytes(&container.primary().unwrap()).is_ok());
    assert_eq!(container.bytes(&container.alpha().unwrap().unwrap()), Err(HeifError::Truncated));
}

#[test]
fn damage_behind_the_tables_changes_nothing_of_the_still_picture() {
    let sequence = Sample { brands: vec![*b"avis"], frames: Some(5), ..avif() }.bytes();
    check("a box shorter than its head", &[&avif().bytes(), &b"\0\0\0\x03free"[..]].concat(), "avif 30x20 8 cut");
    let mut movie = sequence.clone();
    let track = movie.windows(4).position(|kind| kind == b"trak").unwrap();
    movie[track - 4] = 1;
    check("a track longer than its movie", &movie, "avif 30x20 8 sequence");
}

/// Asks everything there is to ask.
fn exercise(file: &[u8]) {
    let _ = brand(file);
    let _ = header(file);
    let Ok(container) = Container::read(file) else { return };
    for item in [container.primary(), container.alpha().and_then(|alpha| alpha.ok_or(HeifError::NotHeif))] {
        let Ok(item) = item else { continue };
        let _ = container.is_premultiplied(&item);
        let _ = container.grid(&item);
        if let Ok(bytes) = container.bytes(&item) {
            assert!(bytes.len() <= file.len());
        }
    }
}

#[test]
fn damage_is_refused_without_a_panic() {
    let sequence = Sample { brands: vec![*b"avis"], frames: Some(5), is_wide: true, ..avif().alpha() };
    let cropped = avif().alpha().property(clap(20, 10, [1, 1], [-2, 1])).property(nclx(6));
    let samples = [cropped, grid().alpha(), heic(), sequence];
    for sample in samples {
        let file = sample.bytes();
        for length in 0..file.len() {
            exercise(&file[..length]);
        }
        for at in 0..file.len() {
            for value in [0, 1, 2, 0x7F, 0x80, 0xFF, file[at].wrapping_add(1), file[at].wrapping_sub(1)] {
                let mut file = file.clone();
                file[at] = value;
                exercise(&file);
            }
            let mut file = file.clone();
            let end = file.len().min(at + 4);
            file[at..end].fill(0xFF);
            exercise(&file);
        }
    }
}

#[test]
fn pieces_of_an_item_cannot_add_up_to_more_than_the_file() {
    let mut file = avif().bytes();
    let at = file.windows(4).position(|kind| kind == b"iloc").unwrap();
    // In place of the one piece, 200 of them: each is the whole file.
    let head = [&[0x44, 0][..], &shorts(&[1, 1, 0, 0, 200])].concat();
    let length = u32::try_from(file.len()).unwrap();
    let content = [head, longs(&[0, length]).repeat(200)].concat();
    let table = full(b"iloc", 1, 0, &content);
    let old_length = u32::from_be_bytes(file[at - 4..at].try_into().unwrap());
    let grown = u32::try_from(table.len()).unwrap() - old_length;
    file.splice(at - 4..at - 4 + usize::try_from(old_length).unwrap(), table);
    let meta = file.windows(4).position(|kind| kind == b"meta").unwrap();
    let length = u32::from_be_bytes(file[meta - 4..meta].try_into().unwrap()) + grown;
    file[meta - 4..meta].copy_from_slice(&length.to_be_bytes());
    let container = Container::read(&file).unwrap();
    let error = container.bytes(&container.primary().unwrap()).unwrap_err();
    assert_eq!(error, HeifError::Corrupt { detail: "pieces of an item that overlap" });
}
