//! What decodes here is, to the bit, what libjpeg-turbo makes of it by default.

mod pictures;

use jpeg::{Options, PixelLayout, Scale};
use libjpeg_turbo_rs::{Encoder, PixelFormat, ScanScript, Subsampling};
use pictures::picture;

const SIZES: [(usize, usize); 12] =
    [(1, 1), (2, 3), (3, 2), (5, 9), (8, 8), (15, 17), (16, 16), (17, 15), (31, 33), (64, 48), (97, 63), (200, 131)];

const SAMPLINGS: [Subsampling; 7] = [
    Subsampling::S444,
    Subsampling::S422,
    Subsampling::S420,
    Subsampling::S440,
    Subsampling::S411,
    Subsampling::S441,
    Subsampling::S410,
];

/// Compares what both decoders make of `file`.
fn check(file: &[u8], what: &str) {
    let planes = jpeg::decode(file, &Options::default()).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(planes.is_complete, "{what}");
    let ours = planes.into_pixels();
    let format = match ours.layout {
        PixelLayout::Gray => PixelFormat::Grayscale,
        PixelLayout::Rgb => PixelFormat::Rgb,
        PixelLayout::Cmyk => PixelFormat::Cmyk,
    };
    let theirs = libjpeg_turbo_rs::decompress_to(file, format).unwrap();
    assert_eq!((ours.width, ours.height), (theirs.width, theirs.height), "{what}");
    let n_different = ours.samples.iter().zip(&theirs.data).filter(|(a, b)| a != b).count();
    let first = ours.samples.iter().zip(&theirs.data).position(|(a, b)| a != b);
    assert_eq!(ours.samples.len(), theirs.data.len(), "{what}");
    assert_eq!(n_different, 0, "{what}: first at {first:?}");
}

#[test]
fn every_size_and_sampling_is_the_same() {
    for (width, height) in SIZES {
        let pixels = picture(width, height, 3);
        for sampling in SAMPLINGS {
            for quality in [1, 30, 85, 100] {
                let encoder = Encoder::new(&pixels, width, height, PixelFormat::Rgb).quality(quality);
                let file = encoder.subsampling(sampling).encode().unwrap();
                check(&file, &format!("{width}x{height} {sampling:?} q{quality}"));
            }
        }
    }
}

#[test]
fn every_process_and_coding_is_the_same() {
    for (width, height) in [(1, 1), (15, 17), (97, 63), (200, 131)] {
        let pixels = picture(width, height, 3);
        for sampling in [Subsampling::S444, Subsampling::S420, Subsampling::S422] {
            for (is_progressive, is_arithmetic) in [(false, true), (true, false), (true, true), (false, false)] {
                for quality in [10, 75, 100] {
                    for restart in [0, 1, 3, 7] {
                        let mut encoder = Encoder::new(&pixels, width, height, PixelFormat::Rgb)
                            .quality(quality)
                            .subsampling(sampling)
                            .progressive(is_progressive)
                            .arithmetic(is_arithmetic)
                            .optimize_huffman(!is_arithmetic);
                        if restart > 0 {
                            encoder = encoder.restart_blocks(restart);
                        }
                        let file = encoder.encode().unwrap();
                        let what = format!("{sampling:?} q{quality} {is_progressive} {is_arithmetic} r{restart}");
                        check(&file, &format!("{width}x{height} {what}"));
                    }
                }
            }
        }
    }
}

#[test]
fn gray_is_the_same() {
    for (width, height) in SIZES {
        let pixels = picture(width, height, 1);
        for is_progressive in [false, true] {
            let encoder = Encoder::new(&pixels, width, height, PixelFormat::Grayscale).quality(80);
            check(&encoder.progressive(is_progressive).encode().unwrap(), &format!("{width}x{height}"));
        }
    }
}

#[test]
fn odd_sampling_factors_are_the_same() {
    // Those that the other decoder can read.
    let factors: [&[(u8, u8)]; 5] = [
        &[(2, 2), (2, 1), (1, 2)],
        &[(4, 1), (1, 1), (2, 1)],
        &[(2, 1), (1, 1), (2, 1)],
        &[(1, 4), (1, 1), (1, 2)],
        &[(2, 2), (2, 2), (1, 1)],
    ];
    for (width, height) in [(15, 17), (97, 63)] {
        let pixels = picture(width, height, 3);
        for factors in factors {
            let encoder = Encoder::new(&pixels, width, height, PixelFormat::Rgb).quality(80);
            let file = encoder.sampling_factors(factors.to_vec()).encode().unwrap();
            check(&file, &format!("{width}x{height} {factors:?}"));
        }
    }
}

#[test]
fn inks_are_the_same() {
    for (width, height) in [(9, 7), (97, 63)] {
        let pixels = picture(width, height, 4);
        let encoder = Encoder::new(&pixels, width, height, PixelFormat::Cmyk).quality(90);
        let file = encoder.subsampling(Subsampling::S444).encode().unwrap();
        // Adobe's segment with the transform 0, which says that these are inks, and 2, which says that they are not.
        let adobe = |transform| {
            let segment = [b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0", &[transform][..]].concat();
            [&file[..2], &segment, &file[2..]].concat()
        };
        for file in [file.clone(), adobe(0), adobe(2)] {
            let header = jpeg::Header::read(&file).unwrap();
            let ours = jpeg::decode(&file, &Options::default()).unwrap().into_pixels();
            let theirs = libjpeg_turbo_rs::decompress_to(&file, PixelFormat::Cmyk).unwrap();
            // Libjpeg leaves inks as Adobe's files have them.
            let flip = if header.is_inverted { 255 } else { 0 };
            let theirs: Vec<u8> = theirs.data.iter().map(|ink| ink ^ flip).collect();
            assert_eq!(ours.samples, theirs, "{width}x{height} {header:?}");
        }
    }
}

#[test]
fn scans_of_one_component_each_are_the_same() {
    let scan = |component, ss, se, ah, al| ScanScript { components: vec![component], ss, se, ah, al };
    for (width, height) in [(9, 7), (97, 63), (200, 131)] {
        let pixels = picture(width, height, 3);
        for sampling in SAMPLINGS {
            // Progressive, with means one by one and nothing refined; then with everything refined.
            let scripts = [
                (0..3).flat_map(|c| [scan(c, 0, 0, 0, 0), scan(c, 1, 63, 0, 0)]).collect::<Vec<_>>(),
                (0..3)
                    .flat_map(|c| {
                        let bands = [(1, 1), (2, 20), (21, 63)].map(|(start, end)| scan(c, start, end, 0, 3));
                        let means = [scan(c, 0, 0, 0, 2), scan(c, 0, 0, 2, 1), scan(c, 0, 0, 1, 0)];
                        let finer = [scan(c, 1, 63, 3, 2), scan(c, 1, 63, 2, 1), scan(c, 1, 63, 1, 0)];
                        [&means[..], &bands, &finer].concat()
                    })
                    .collect(),
            ];
            for (script_idx, script) in scripts.into_iter().enumerate() {
                let encoder = Encoder::new(&pixels, width, height, PixelFormat::Rgb).quality(85).subsampling(sampling);
                let file = encoder.progressive(true).scan_script(script).encode().unwrap();
                check(&file, &format!("{width}x{height} {sampling:?} script {script_idx}"));
            }
        }
    }
}

#[test]
fn twelve_bits_are_rounded_to_eight() {
    for (width, height) in [(8, 8), (97, 63)] {
        let pixels: Vec<i16> = picture(width, height, 1).iter().map(|sample| i16::from(*sample) * 16 + 5).collect();
        for quality in [50, 95] {
            let file =
                libjpeg_turbo_rs::precision::compress_12bit(&pixels, width, height, 1, quality, Subsampling::S444)
                    .unwrap();
            let header = jpeg::Header::read(&file).unwrap();
            assert_eq!(header.precision, 12);
            let ours = jpeg::decode(&file, &Options::default()).unwrap().into_pixels();
            let theirs = libjpeg_turbo_rs::precision::decompress_12bit(&file).unwrap();
            let theirs: Vec<u8> = theirs.data.iter().map(|sample| ((sample + 8) >> 4).min(255) as u8).collect();
            assert_eq!(ours.samples, theirs, "{width}x{height} q{quality}");
        }
    }
}

#[test]
fn even_planes_at_half_size_are_near_libjpeg() {
    // The smaller transforms are other ones there, so that only the sizes are the same, and the picture nearly.
    let (width, height) = (201, 131);
    let pixels = pictures::smooth(width, height);
    let file = Encoder::new(&pixels, width, height, PixelFormat::Rgb).quality(95).encode().unwrap();
    for (scale, n) in [(Scale::Half, 2), (Scale::Quarter, 4), (Scale::Eighth, 8)] {
        let options = Options { scale, even_planes: true, ..Options::default() };
        let ours = jpeg::decode(&file, &options).unwrap().into_pixels();
        let mut decoder = libjpeg_turbo_rs::Decoder::new(&file).unwrap();
        decoder.set_scale(libjpeg_turbo_rs::ScalingFactor::try_new(1, n).unwrap());
        let theirs = decoder.decode_image().unwrap();
        assert_eq!((ours.width, ours.height), (theirs.width, theirs.height));
        let squares = ours.samples.iter().zip(&theirs.data).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
        let error = squares.sum::<f64>() / theirs.data.len() as f64;
        assert!(error < 12.0, "1/{n}: {error}");
    }
}
