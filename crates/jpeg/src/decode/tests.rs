use super::*;
use crate::encode::{self, Chroma, CodeChoice, Picture, Samples};
use crate::{Header, Plane};

/// Waves and steps, three channels.
fn pixels(width: usize, height: usize) -> Vec<u8> {
    let pixel = |x: usize, y: usize| {
        let step = if (x / 11 + y / 7).is_multiple_of(2) { 40 } else { 0 };
        [x * 3 + step, y * 2 + x, 255 - (x + y) % 200].map(|channel| (channel % 256) as u8)
    };
    (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect()
}

fn encoded(width: usize, height: usize, options: &encode::Options) -> Vec<u8> {
    let samples = pixels(width, height);
    let picture = Picture::Rgb(Samples { samples: &samples, width, height, stride: 3 * width });
    encode::encode(&picture, options).unwrap()
}

fn rows(plane: &Plane) -> Vec<u8> {
    (0..plane.height).flat_map(|y| plane.row(y).to_vec()).collect()
}

const SCALES: [Scale; 4] = [Scale::Full, Scale::Half, Scale::Quarter, Scale::Eighth];

#[test]
fn planes_say_how_much_of_the_picture_they_hold() {
    let file = encoded(101, 67, &encode::Options::default());
    let expected = [
        (101, 67, [(101, 67, 101.0, 67.0), (51, 34, 50.5, 33.5)]),
        (51, 34, [(51, 34, 50.5, 33.5), (26, 17, 25.25, 16.75)]),
        (26, 17, [(26, 17, 25.25, 16.75), (13, 9, 12.625, 8.375)]),
        (13, 9, [(13, 9, 12.625, 8.375), (7, 5, 6.3125, 4.1875)]),
    ];
    for (scale, (width, height, expected)) in SCALES.into_iter().zip(expected) {
        let planes = decode(&file, &Options { scale, ..Options::default() }).unwrap();
        assert_eq!((planes.width, planes.height), (width, height));
        let found: Vec<_> = planes.planes.iter().map(|p| (p.width, p.height, p.extent.0, p.extent.1)).collect();
        assert_eq!(found, [expected[0], expected[1], expected[1]]);
        let even = decode(&file, &Options { scale, even_planes: true, ..Options::default() }).unwrap();
        let chroma = if scale == Scale::Full { expected[1] } else { expected[0] };
        let found: Vec<_> = even.planes.iter().map(|p| (p.width, p.height, p.extent.0, p.extent.1)).collect();
        assert_eq!(found, [expected[0], chroma, chroma]);
    }
}

#[test]
fn all_processes_agree_at_every_size() {
    for (width, height) in [(1, 1), (40, 30), (131, 77)] {
        for chroma in [Chroma::Full, Chroma::Quarter] {
            let encoded = |process, restart_interval| {
                encoded(
                    width,
                    height,
                    &encode::Options { process, restart_interval, chroma, ..encode::Options::default() },
                )
            };
            let files = [
                encoded(Process::Sequential, 0),
                encoded(Process::Sequential, 2),
                encoded(Process::Progressive, 0),
                encoded(Process::Progressive, 3),
            ];
            for scale in SCALES {
                for even_planes in [false, true] {
                    let options = Options { scale, even_planes, tolerate_damage: false };
                    let planes = files.each_ref().map(|file| decode(file, &options).unwrap().planes);
                    let planes = planes.map(|planes| planes.iter().map(rows).collect::<Vec<_>>());
                    assert!(planes.iter().all(|other| *other == planes[0]), "{width}x{height} {options:?}");
                }
            }
        }
    }
}

#[test]
fn a_smaller_picture_is_the_mean_of_the_larger() {
    let file = encoded(160, 96, &encode::Options { quality: 95, ..encode::Options::default() });
    let luma = |scale| decode(&file, &Options { scale, ..Options::default() }).unwrap().planes.remove(0);
    let full = luma(Scale::Full);
    for scale in [Scale::Half, Scale::Quarter, Scale::Eighth] {
        let (n, small) = (scale.divisor() as usize, luma(scale));
        let mean = |x: usize, y: usize| {
            let places = (0..n * n).map(|i| full.row(y * n + i / n)[x * n + i % n]);
            places.map(f64::from).sum::<f64>() / (n * n) as f64
        };
        let places = (0..small.height).flat_map(|y| (0..small.width).map(move |x| (x, y)));
        let errors = places.map(|(x, y)| (f64::from(small.row(y)[x]) - mean(x, y)).abs());
        let error = errors.sum::<f64>() / (small.width * small.height) as f64;
        assert!(error < 3.0, "1/{n}: {error}");
    }
}

/// Segments of `file` with the marker, whole.
fn parts(file: &[u8], marker: u8) -> Vec<u8> {
    let parts = crate::segments(file).filter(|segment| segment.marker == marker);
    parts.flat_map(|segment| file[segment.contents.start - 4..segment.end].to_vec()).collect()
}

#[test]
fn components_may_come_one_after_another() {
    let (width, height) = (61, 45);
    let options = encode::Options { codes: CodeChoice::Standard, ..encode::Options::default() };
    let whole = decode(&encoded(width, height, &options), &Options::default()).unwrap();
    let grays: Vec<_> = whole
        .planes
        .iter()
        .map(|plane| encode::encode(&Picture::Gray(Samples::from(plane)), &options).unwrap())
        .collect();
    // Three gray files to three scans of one: each scan names the component.
    let mut file = vec![0xFF, 0xD8];
    file.extend(parts(&grays[0], 0xDB));
    let [h0, h1, w0, w1] = [0, height as u8, 0, width as u8];
    file.extend([0xFF, 0xC0, 0, 17, 8, h0, h1, w0, w1, 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0]);
    for (id, gray) in (1..).zip(&grays) {
        let mut scan = parts(gray, 0xDA);
        scan[5] = id;
        file.extend(scan);
    }
    file.extend([0xFF, 0xD9]);
    // There are no codes in the file either: the standard's are meant.
    for scale in SCALES {
        let options = Options { scale, ..Options::default() };
        let planes = decode(&file, &options).unwrap();
        for (plane, gray) in planes.planes.iter().zip(&grays) {
            let alone = decode(gray, &options).unwrap();
            assert_eq!((plane.width, plane.height), (alone.width, alone.height));
            assert_eq!(rows(plane), rows(&alone.planes[0]), "{scale:?}");
        }
    }
    // Without its last scan it is damaged.
    let scan = parts(&grays[2], 0xDA).len();
    let short = [&file[..file.len() - scan - 2], &[0xFF, 0xD9]].concat();
    assert!(decode(&short, &Options::default()).is_err());
    let planes = decode(&short, &Options { tolerate_damage: true, ..Options::default() }).unwrap();
    assert!(!planes.is_complete);
    assert!(planes.planes[2].samples.iter().all(|sample| *sample == 128));
}

#[test]
fn the_height_may_come_late() {
    let mut file = encoded(33, 21, &encode::Options::default());
    let whole = decode(&file, &Options::default()).unwrap();
    let frame = crate::segments(&file).find(|segment| segment.marker == 0xC0).unwrap().contents.start;
    file[frame + 1..frame + 3].fill(0);
    let end = file.len() - 2;
    file.splice(end..end, [0xFF, 0xDC, 0, 4, 0, 21]);
    assert_eq!(decode(&file, &Options::default()).unwrap(), whole);
}

#[test]
fn finer_colour_than_brightness_is_decoded() {
    // Of a gray picture as brightness of half the width, and colours of one value.
    let file = encoded(32, 16, &encode::Options { chroma: Chroma::Full, ..encode::Options::default() });
    let mut file = file;
    let frame = crate::segments(&file).find(|segment| segment.marker == 0xC0).unwrap().contents.start;
    // Now two blocks of each colour to one of brightness, and a picture of 16 by 8 units of that.
    file[frame + 6 + 4] = 0x21;
    file[frame + 6 + 7] = 0x21;
    let header = Header::read(&file).unwrap();
    assert_eq!(header.max_sampling(), (2, 1));
    let planes = decode(&file, &Options { tolerate_damage: true, ..Options::default() }).unwrap();
    let widths: Vec<_> = planes.planes.iter().map(|plane| (plane.width, plane.extent.0)).collect();
    assert_eq!(widths, [(16, 16.0), (32, 32.0), (32, 32.0)]);
    assert_eq!(planes.into_pixels().samples.len(), 32 * 16 * 3);
}
