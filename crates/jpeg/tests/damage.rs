//! Files that are cut off, altered or made up: never a panic, never much work, and as much picture as there is.

mod pictures;

use std::time::{Duration, Instant};

use jpeg::encode::{self, Chroma, Picture, Samples};
use jpeg::{Header, Options, Planes, Process, Scale};
use libjpeg_turbo_rs::{Encoder, PixelFormat};

const WIDTH: usize = 160;
const HEIGHT: usize = 120;

fn encoded(process: Process, restart_interval: u16) -> Vec<u8> {
    let pixels = pictures::smooth(WIDTH, HEIGHT);
    let samples = Samples { samples: &pixels, width: WIDTH, height: HEIGHT, stride: 3 * WIDTH };
    let options = encode::Options { process, restart_interval, ..encode::Options::default() };
    encode::encode(&Picture::Rgb(samples), &options).unwrap()
}

fn tolerant(file: &[u8]) -> Planes {
    jpeg::decode(file, &Options { tolerate_damage: true, ..Options::default() }).unwrap()
}

/// How many rows of brightness are the same in both, from the top.
fn n_same_rows(a: &Planes, b: &Planes) -> usize {
    (0..a.height).take_while(|y| a.planes[0].row(*y) == b.planes[0].row(*y)).count()
}

#[test]
fn a_file_that_is_cut_off_is_whole_up_to_there() {
    let file = encoded(Process::Sequential, 0);
    let whole = tolerant(&file);
    assert!(whole.is_complete);
    let scan = jpeg::segments(&file).find(|segment| segment.marker == 0xDA).unwrap().contents.end;
    let mut last = 0;
    for tenths in 1..10 {
        let cut = &file[..scan + (file.len() - scan) * tenths / 10];
        assert!(jpeg::decode(cut, &Options::default()).is_err());
        let planes = tolerant(cut);
        assert!(!planes.is_complete);
        let n_rows = n_same_rows(&planes, &whole);
        assert!(n_rows >= last && n_rows + 32 >= HEIGHT * (tenths - 1) / 10, "{n_rows} rows of {tenths} tenths");
        assert!(planes.planes[0].row(HEIGHT - 1).iter().all(|sample| *sample == 128) || tenths == 9);
        last = n_rows;
    }
    assert!(last >= HEIGHT / 2);
}

#[test]
fn a_progressive_file_that_is_cut_off_is_coarse() {
    let file = encoded(Process::Progressive, 0);
    let whole = tolerant(&file);
    let mut errors = Vec::new();
    for tenths in [3, 6, 9] {
        let cut = &file[..file.len() * tenths / 10];
        assert!(jpeg::decode(cut, &Options::default()).is_err());
        let planes = tolerant(cut);
        assert!(!planes.is_complete);
        let samples = planes.planes[0].samples.iter().zip(&whole.planes[0].samples);
        errors.push(samples.map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>());
    }
    assert!(errors.is_sorted_by(|a, b| a > b), "{errors:?}");
}

#[test]
fn a_missing_end_marker_is_no_damage() {
    for process in [Process::Sequential, Process::Progressive] {
        let file = encoded(process, 0);
        let planes = jpeg::decode(&file[..file.len() - 2], &Options::default()).unwrap();
        assert!(planes.is_complete);
        assert_eq!(planes.planes, tolerant(&file).planes);
    }
}

#[test]
fn decoding_goes_on_after_the_next_restart() {
    // Ten units to an interval, which is a row of them.
    let file = encoded(Process::Sequential, 10);
    let whole = tolerant(&file);
    let restarts: Vec<_> =
        (0..file.len() - 1).filter(|at| file[*at] == 0xFF && (0xD0..0xD8).contains(&file[at + 1])).collect();
    let rows_that_differ = |damaged: &[u8]| -> Vec<usize> {
        assert!(jpeg::decode(damaged, &Options::default()).is_err());
        let planes = tolerant(damaged);
        assert!(!planes.is_complete);
        let mut rows: Vec<_> =
            (0..HEIGHT).filter(|y| planes.planes[0].row(*y) != whole.planes[0].row(*y)).map(|y| y / 16).collect();
        rows.dedup();
        rows
    };
    // The third interval cut short; the third left out altogether with its marker; a marker twice.
    let short = [&file[..restarts[1] + 12], &file[restarts[2]..]].concat();
    assert_eq!(rows_that_differ(&short), [2]);
    let lost = [&file[..restarts[1]], &file[restarts[2]..]].concat();
    assert_eq!(rows_that_differ(&lost), [2]);
    let repeated = [&file[..restarts[2]], &file[restarts[1]..restarts[1] + 2], &file[restarts[2]..]].concat();
    assert_eq!(rows_that_differ(&repeated), [] as [usize; 0]);
}

#[test]
fn damage_that_looks_like_another_frame_ends_the_picture() {
    for process in [Process::Sequential, Process::Progressive] {
        let file = encoded(process, 0);
        let whole = tolerant(&file);
        let frame = jpeg::segments(&file).find(|segment| [0xC0, 0xC2].contains(&segment.marker)).unwrap();
        let frame = &file[frame.contents.start - 4..frame.contents.end];
        let scan = jpeg::segments(&file).find(|segment| segment.marker == 0xDA).unwrap();
        let middle = scan.contents.end.midpoint(scan.end);
        let damaged = [&file[..middle], frame, &file[middle + frame.len()..]].concat();
        assert!(jpeg::decode(&damaged, &Options::default()).is_err());
        let planes = tolerant(&damaged);
        assert!(!planes.is_complete);
        assert!(process == Process::Progressive || n_same_rows(&planes, &whole) > HEIGHT / 4);
    }
}

#[test]
fn a_file_of_which_nothing_can_be_decoded_is_refused() {
    for file in seeds() {
        let scan = jpeg::segments(&file).find(|segment| segment.marker == 0xDA).unwrap();
        for scale in [Scale::Full, Scale::Half, Scale::Quarter, Scale::Eighth] {
            let options = Options { scale, tolerate_damage: true, ..Options::default() };
            for end in [scan.contents.start - 4, scan.contents.start, scan.contents.end - 1, scan.contents.end] {
                let error = jpeg::decode(&file[..end], &options).unwrap_err();
                assert!(matches!(error, jpeg::Error::Corrupt(_)), "{end} of {}: {error}", file.len());
            }
            let half = scan.contents.end.midpoint(scan.end);
            assert!(!jpeg::decode(&file[..half], &options).unwrap().is_complete);
        }
    }
}

/// Files of all kinds, small.
fn seeds() -> Vec<Vec<u8>> {
    let pixels = pictures::picture(40, 30, 3);
    let mut seeds = Vec::new();
    for (is_progressive, is_arithmetic) in [(false, false), (true, false), (false, true), (true, true)] {
        let encoder = Encoder::new(&pixels, 40, 30, PixelFormat::Rgb).quality(70).restart_blocks(4);
        seeds.push(encoder.progressive(is_progressive).arithmetic(is_arithmetic).encode().unwrap());
    }
    for (process, chroma) in [(Process::Sequential, Chroma::Quarter), (Process::Progressive, Chroma::Full)] {
        let samples = Samples { samples: &pixels, width: 40, height: 30, stride: 120 };
        let options = encode::Options { process, chroma, ..encode::Options::default() };
        seeds.push(encode::encode(&Picture::Rgb(samples), &options).unwrap());
    }
    let inks = pictures::picture(40, 30, 4);
    seeds.push(Encoder::new(&inks, 40, 30, PixelFormat::Cmyk).quality(70).encode().unwrap());
    let wide: Vec<i16> = pictures::picture(40, 30, 1).iter().map(|sample| i16::from(*sample) * 16).collect();
    let subsampling = libjpeg_turbo_rs::Subsampling::S444;
    seeds.push(libjpeg_turbo_rs::precision::compress_12bit(&wide, 40, 30, 1, 70, subsampling).unwrap());
    seeds
}

#[test]
fn altered_files_do_no_harm() {
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = move |end: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) as usize % end
    };
    let seeds = seeds();
    let start = Instant::now();
    let mut n_decoded = 0;
    while start.elapsed() < Duration::from_secs(4) {
        let mut file = seeds[random(seeds.len())].clone();
        for _ in 0..1 + random(6) {
            // Something is always left to alter.
            let at = random(file.len().max(1));
            if file.len() < 16 {
                break;
            }
            match random(6) {
                0 => file[at] = random(256) as u8,
                1 => file[at] ^= 1 << random(8),
                2 => file[at] = 0xFF,
                3 => file.truncate(at.max(4)),
                4 => drop(file.splice(at..at, [0xFF, 0xC0 + random(0x40) as u8])),
                _ => drop(file.drain(at..(at + 1 + random(9)).min(file.len()))),
            }
        }
        // A header may claim any size; a caller looks at it before it decodes.
        if Header::read(&file).is_ok_and(|header| header.width * header.height > 1 << 20) {
            continue;
        }
        n_decoded += 1;
        jpeg::exercise(&file);
    }
    assert!(n_decoded > 100);
}

#[test]
fn any_size_that_was_altered_into_is_refused_or_decoded() {
    // Every prefix and every single byte changed, of one small file each.
    for file in seeds() {
        for n_bytes in 0..file.len().min(700) {
            jpeg::exercise(&file[..n_bytes]);
        }
    }
}

#[test]
fn too_many_scans_are_refused() {
    let file = encoded(Process::Progressive, 0);
    let scan = jpeg::segments(&file).find(|segment| segment.marker == 0xDA).unwrap();
    let scan_bytes = &file[scan.contents.start - 4..scan.end];
    let many = [&file[..scan.end], &scan_bytes.repeat(jpeg::MAX_SCANS), &file[scan.end..]].concat();
    assert_eq!(Header::read(&many), Err(jpeg::Error::TooManyScans { limit: jpeg::MAX_SCANS }));
    for scale in [Scale::Full, Scale::Eighth] {
        assert!(jpeg::decode(&many, &Options { scale, ..Options::default() }).is_err());
    }
}

#[test]
fn kinds_that_are_not_read_are_refused_by_name() {
    let file = encoded(Process::Sequential, 0);
    let frame = jpeg::segments(&file).find(|segment| segment.marker == 0xC0).unwrap().contents.start - 3;
    for (marker, expected) in [(0xC3, "lossless"), (0xCB, "lossless"), (0xC5, "hierarchical"), (0xCE, "hierarchical")] {
        let mut other = file.clone();
        other[frame] = marker;
        assert_eq!(Header::read(&other), Err(jpeg::Error::Unsupported(expected)));
    }
    assert_eq!(Header::read(b"GIF89a"), Err(jpeg::Error::NotJpeg));
}
