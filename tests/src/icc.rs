//! Colour profiles, built byte by byte.

/// The colourants of sRGB, adapted to D50.
const RED: [f64; 3] = [0.4361, 0.2225, 0.0139];
const GREEN: [f64; 3] = [0.3851, 0.7169, 0.0971];
const BLUE: [f64; 3] = [0.1431, 0.0606, 0.7141];
const WHITE: [f64; 3] = [0.9642, 1.0, 0.8249];

/// A display profile in which red is green, green is blue and blue is red, with a gamma of 2.2. Whoever ignores it
/// shows the wrong colour, plainly.
pub fn rotated_colors() -> Vec<u8> {
    let colorants = [GREEN, BLUE, RED];
    let tags: Vec<(&[u8; 4], Vec<u8>)> = vec![
        (b"desc", description("rotated")),
        (b"cprt", [b"text\0\0\0\0".as_slice(), b"none\0"].concat()),
        (b"wtpt", xyz(WHITE)),
        (b"rXYZ", xyz(colorants[0])),
        (b"gXYZ", xyz(colorants[1])),
        (b"bXYZ", xyz(colorants[2])),
        (b"rTRC", gamma()),
        (b"gTRC", gamma()),
        (b"bTRC", gamma()),
    ];
    profile(&tags)
}

fn profile(tags: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut table = be(tags.len()).to_vec();
    let mut data = Vec::new();
    let data_start = 128 + 4 + 12 * tags.len();
    for (name, body) in tags {
        table.extend(*name);
        table.extend(be(data_start + data.len()));
        table.extend(be(body.len()));
        data.extend(body);
        data.resize(data.len().next_multiple_of(4), 0);
    }
    let mut header = vec![0; 128];
    header[0..4].copy_from_slice(&be(data_start + data.len()));
    header[8..12].copy_from_slice(&[2, 0x40, 0, 0]);
    header[12..16].copy_from_slice(b"mntr");
    header[16..20].copy_from_slice(b"RGB ");
    header[20..24].copy_from_slice(b"XYZ ");
    header[24..36].copy_from_slice(&[7, 0xE8, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
    header[36..40].copy_from_slice(b"acsp");
    header[68..80].copy_from_slice(&WHITE.map(fixed).concat());
    [header, table, data].concat()
}

fn be(value: usize) -> [u8; 4] {
    u32::try_from(value).expect("a profile is small").to_be_bytes()
}

/// A signed number with 16 bits behind the point.
fn fixed(value: f64) -> [u8; 4] {
    ((value * 65536.0).round() as i32).to_be_bytes()
}

fn xyz(values: [f64; 3]) -> Vec<u8> {
    [b"XYZ \0\0\0\0".as_slice(), &values.map(fixed).concat()].concat()
}

/// A curve of one number: gamma 2.2 with eight bits behind the point.
fn gamma() -> Vec<u8> {
    [b"curv\0\0\0\0\0\0\0\x01".as_slice(), &[2, 0x33]].concat()
}

fn description(text: &str) -> Vec<u8> {
    let mut body = [b"desc\0\0\0\0".as_slice(), &be(text.len() + 1), text.as_bytes(), b"\0"].concat();
    // No Unicode and no Macintosh name.
    body.extend([0; 4 + 4 + 2 + 1 + 67]);
    body
}
